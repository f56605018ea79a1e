"""Looking at AWS Batch and what is around a queue."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError
from botocore.parsers import ResponseParserError

from ..compute.aws import DENIED, Aws, code
from ..models import ComputeEnvironment
from . import verdicts
from .checks import Check, Found
from .findings import Result, found

KEYS = ("access_key_id", "aws_access_key_id")

# What the Hub does, and on what; asked of IAM's own simulator, which changes nothing.
SUBMIT, ANYTHING = ("batch:SubmitJob",), (
    "batch:DescribeJobs", "batch:ListJobs", "batch:DescribeJobDefinitions", "batch:DescribeJobQueues",
)  # fmt: skip
DEFINITIONS = ("batch:RegisterJobDefinition", "batch:DeregisterJobDefinition")


class Looker:
    def __init__(self, env: ComputeEnvironment) -> None:
        assert env.batch is not None
        assert env.region is not None
        self._env, self._batch, self._region = env, env.batch, env.region
        self._aws = Aws(env.region)

    def checks(self) -> list[Check]:
        looks = {
            "credentials": self.credentials,
            "queue": self.queue,
            "machines": self.machines,
            "job role": self.job_role,
            "rights": self.rights,
            "logs": self.logs,
            "gates": self.gates,
        }
        if self._env.connect == "tunnel":
            del looks["gates"]  # nobody dials them
        return [Check(self._env.id, name, _whole(look)) for name, look in looks.items()]

    async def _ask(self, doing: str, service: str, operation: str, **request: Any) -> dict[str, Any]:
        """AWS' answer; what it refuses becomes a finding, other faults are the caller's."""
        try:
            return await self._aws.ask(service, operation, **request)
        except (NoCredentialsError, PartialCredentialsError) as error:
            raise Found("credentials-none", reason=str(error)) from None
        except ClientError as error:
            if code(error) in DENIED:
                raise Found("denied", doing=doing, reason=error.response["Error"]["Message"]) from None
            raise
        except BotoCoreError as error:
            raise Found("unreached", reason=str(error)) from None

    # --- who we are ---

    async def _identity(self) -> str:
        try:
            return str((await self._ask("ask who it is", "sts", "get_caller_identity"))["Arn"])
        except ClientError as error:
            raise Found("credentials-none", reason=error.response["Error"]["Message"]) from None

    async def credentials(self) -> Result:
        return found("credentials-ok", identity=await self._identity())

    async def rights(self) -> Result:
        """All that the Hub does later, without doing it."""
        identity = await self._identity()
        queue = await self._queue()
        if not queue:
            raise Found("rights-unknown", reason="there is no queue to try it on")
        arn, account = queue[0]["jobQueueArn"], identity.split(":")[4]
        base = ":".join(arn.split(":")[:5])
        wanted = [
            (SUBMIT, [arn, f"{base}:job-definition/studios-doctor"]),
            (ANYTHING, ["*"]),
            (DEFINITIONS, [f"{base}:job-definition/studios-doctor"]),
        ]
        if self._batch.job_role:
            wanted.append((("iam:PassRole",), [self._batch.job_role]))
        decisions: dict[str, str] = {}
        for actions, resources in wanted:
            decisions |= await self._simulated(_principal(identity, account), actions, resources)
        return verdicts.rights(identity, decisions)

    async def _simulated(
        self, principal: str, actions: Sequence[str], resources: Sequence[str]
    ) -> dict[str, str]:
        context: list[dict[str, Any]] = []
        if actions == ("iam:PassRole",):
            context = [{"ContextKeyName": "iam:PassedToService", "ContextKeyValues": ["ecs-tasks.amazonaws.com"],
                        "ContextKeyType": "string"}]  # fmt: skip
        try:
            answer = await self._aws.ask(
                "iam", "simulate_principal_policy", PolicySourceArn=principal, ActionNames=list(actions),
                ResourceArns=list(resources), ContextEntries=context,
            )  # fmt: skip
        except (ClientError, BotoCoreError, ResponseParserError) as error:
            said = error.response["Error"]["Message"] if isinstance(error, ClientError) else str(error)
            raise Found("rights-unknown", reason=f"AWS does not simulate it: {said}") from None
        return {one["EvalActionName"]: one["EvalDecision"] for one in answer["EvaluationResults"]}

    # --- the queue and its machines ---

    async def _queue(self) -> list[dict[str, Any]]:
        answer = await self._ask(
            "look at queues", "batch", "describe_job_queues", jobQueues=[self._batch.queue]
        )
        return list(answer["jobQueues"])

    async def queue(self) -> Result:
        return verdicts.queue(self._batch.queue, self._region, await self._queue())

    async def _machines(self) -> list[dict[str, Any]]:
        queue = await self._queue()
        names = [one["computeEnvironment"] for one in queue[0]["computeEnvironmentOrder"]] if queue else []
        if not names:
            return []
        answer = await self._ask(
            "look at compute environments",
            "batch",
            "describe_compute_environments",
            computeEnvironments=names,
        )
        return list(answer["computeEnvironments"])

    async def machines(self) -> Result:
        return verdicts.machines(self._batch.queue, await self._machines(), self._env.max_cpus)

    async def gates(self) -> Result:
        machines = await self._machines()
        ids = sorted({g for m in machines for g in m.get("computeResources", {}).get("securityGroupIds", [])})
        groups: list[dict[str, Any]] = []
        if ids:
            answer = await self._ask(
                "look at security groups", "ec2", "describe_security_groups", GroupIds=ids
            )
            groups = answer["SecurityGroups"]
        networks = self._env.gate_networks or []
        return verdicts.gates(
            self._env.gate_ports, groups, own_address(networks[0] if networks else "10.0.0.0/8")
        )

    # --- what jobs need ---

    async def job_role(self) -> Result:
        role = self._batch.job_role
        if role is None:
            given = {key.lower() for key in self._env.store_options}
            return found("role-keys" if given & set(KEYS) else "role-none")
        try:
            answer = await self._ask(
                "look at the job role", "iam", "get_role", RoleName=role.rpartition("/")[2]
            )
        except Found as end:
            if end.result.finding == "denied":
                return found("role-unseen", role=role, reason=end.result.why)
            raise
        except ClientError as error:
            if code(error) == "NoSuchEntity":
                return verdicts.job_role(role, None)
            raise
        return verdicts.job_role(role, answer["Role"]["AssumeRolePolicyDocument"])

    async def logs(self) -> Result:
        group = self._batch.log_group
        try:
            await self._ask("read the log group", "logs", "describe_log_streams", logGroupName=group, limit=1)
        except ClientError as error:
            if code(error) == "ResourceNotFoundException":
                return found("log-missing", group=group)
            raise
        return found("log-ok", group=group)


def _whole(look: Callable[[], Awaitable[Result]]) -> Callable[[], Awaitable[Result]]:
    """``look``, with what AWS says otherwise as a finding too."""

    async def whole() -> Result:
        try:
            return await look()
        except ClientError as error:
            return found("aws-fault", reason=str(error))

    return whole


def _principal(identity: str, account: str) -> str:
    """The role behind a session that has taken it on, as IAM wants it."""
    if ":assumed-role/" not in identity:
        return identity
    partition, name = identity.split(":")[1], identity.split("/")[1]
    return f"arn:{partition}:iam::{account}:role/{name}"


def own_address(network: str) -> str:
    """This machine's address on the way to ``network``. Nothing is sent."""
    host = network.partition("/")[0]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((host, 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])
