"""Jobs of AWS Batch, on EC2 instances.

TerminateJob ends a job in every state (CancelJob does nothing, and says nothing, when the job has begun to start
meanwhile). Batch gives an ended job 30 seconds between SIGTERM and SIGKILL, which nobody can lengthen from here: so the
agent is asked over its own channel to save first, and TerminateJob is the last resort.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ..models import ComputeEnvironment, Job, JobStatus, RunningJob, StudiosError
from . import GRACE, Say, batch_images, batch_payloads, silent
from .aws import Aws, code, problem, throttled, uncertain
from .batch_payloads import ALIVE, ENDED

log = logging.getLogger(__name__)

AWS_FAULTS = (ClientError, BotoCoreError)
IDS_PER_CALL = 100  # DescribeJobs takes no more
DESCRIBES_AT_ONCE = (
    2  # threads that read long answers hold Python's lock, and the Hub's event loop waits for it
)
SUBMIT_PAUSES = (2.0, 3.0, 5.0, 10.0)  # before looking whether a submit that was cut off has arrived
INVISIBLE_SECONDS = 600.0  # a job may be unknown for a while after its submit, but not as long as this
KILL_SECONDS = 60.0  # Batch's own 30 between SIGTERM and SIGKILL, and some for the news to arrive
LAST_WORDS = 300  # characters
EMPTY_PAGES = 10  # of a log that are read for one that is not
UNUSED = timedelta(days=30)  # that a definition is kept without a job


class BatchCompute:
    poll_interval = 5.0
    submit_pauses = SUBMIT_PAUSES

    def __init__(self, env: ComputeEnvironment) -> None:
        assert env.batch is not None
        assert env.region is not None
        self._env, self._settings = env, env.batch
        self.aws = Aws(env.region)
        self._definitions: dict[str, tuple[str, date]] = {}  # by name: ARN, and the day it is marked used
        self._invisible: dict[str, float] = {}  # by job: since when it is asked for in vain
        self._said: dict[str, str] = {}  # by failed job: the last line of its log

    # --- starting ---

    async def submit(self, job: Job, say: Say = silent) -> str:
        runs, image = await batch_images.prepare(self._settings, job, say)
        request = batch_payloads.job_definition(self._env, self._settings, runs, image)
        try:
            for _ in range(2):
                definition = await self._definition(request, job.tags.get("hub", ""))
                try:
                    return await self._submit(batch_payloads.submission(self._settings, job, definition))
                except ClientError as error:
                    if definition not in str(error) and "definition" not in str(error).lower():
                        raise
                    self._definitions.clear()  # somebody deregistered it: it is made again
            raise StudiosError("AWS Batch does not know the job definition that it just registered")
        except AWS_FAULTS as error:
            raise problem("AWS Batch did not take the job", error) from error

    async def _definition(self, request: dict[str, Any], hub: str) -> str:
        """The ARN of an active definition with this content; registered when there is none."""
        name, today = request["jobDefinitionName"], datetime.now(UTC).date()
        arn, marked = self._definitions.get(name, ("", date.min))
        tags = batch_payloads.definition_tags(self._env, hub, today)
        if not arn:
            known = await self.aws.all(
                "batch",
                "describe_job_definitions",
                "jobDefinitions",
                jobDefinitionName=name,
                status="ACTIVE",
            )
            if known:
                arn = known[0]["jobDefinitionArn"]
            else:
                arn = (await self.aws.ask("batch", "register_job_definition", **request, tags=tags))[
                    "jobDefinitionArn"
                ]
                marked = today
        if marked != today:
            await self.aws.ask("batch", "tag_resource", resourceArn=arn, tags=tags)
        self._definitions[name] = (arn, today)
        return arn

    async def _submit(self, request: dict[str, Any]) -> str:
        """SubmitJob knows no idempotency: before every try the job is looked for by its name, which is its own; twice
        after one that may have been carried out, because ListJobs shows a job some seconds late."""
        fault: Exception | None = None
        looks = 0  # that are owed before the next try
        for pause in (0.0, *self.submit_pauses):
            await asyncio.sleep(pause)
            try:
                if (job_id := await self._find(request["jobName"])) is not None:
                    return job_id
                if (looks := looks - 1) > 0:
                    continue
                looks = 2
                return str((await self.aws.ask("batch", "submit_job", once=True, **request))["jobId"])
            except AWS_FAULTS as error:
                if not uncertain(error):
                    raise
                looks = 0 if throttled(error) else looks
                fault = error
                log.warning("Submitting %s: %s", request["jobName"], error)
        assert fault is not None
        raise fault

    async def _find(self, name: str) -> str | None:
        """The job called ``name``: one that has not ended before one that has."""
        filters = [{"name": "JOB_NAME", "values": [name]}]
        found = await self.aws.all(
            "batch", "list_jobs", "jobSummaryList", jobQueue=self._settings.queue, filters=filters
        )
        found.sort(key=lambda one: (one.get("status") in ENDED, -int(one.get("createdAt", 0))))
        return str(found[0]["jobId"]) if found else None

    # --- looking ---

    async def describe(self, ids: Iterable[str]) -> dict[str, JobStatus]:
        wanted = list(ids)
        chunks = [wanted[n : n + IDS_PER_CALL] for n in range(0, len(wanted), IDS_PER_CALL)]
        at_once = asyncio.Semaphore(DESCRIBES_AT_ONCE)

        async def ask(chunk: list[str]) -> list[dict[str, Any]]:
            async with at_once:
                return await self._describe(chunk)

        answers = await asyncio.gather(*map(ask, chunks))
        found = {entry["jobId"]: entry for answer in answers for entry in answer}
        result = {job_id: batch_payloads.status(entry) for job_id, entry in found.items()}
        for job_id, status in result.items():
            if status.state == "failed":
                result[job_id] = await self._with_last_words(job_id, status, found[job_id])
        for job_id in found:
            self._invisible.pop(job_id, None)
        return result | self._unseen([job_id for job_id in wanted if job_id not in found])

    async def _describe(self, ids: list[str]) -> list[dict[str, Any]]:
        return list((await self.aws.ask("batch", "describe_jobs", jobs=ids))["jobs"])

    def _unseen(self, ids: list[str]) -> dict[str, JobStatus]:
        """Jobs that Batch does not know: not yet, or, after a week, not any more."""
        clock = time.monotonic()
        lost = JobStatus(state="lost", reason="AWS Batch no longer knows the job")
        since = {job_id: self._invisible.setdefault(job_id, clock) for job_id in ids}
        return {job_id: lost for job_id in ids if clock - since[job_id] > INVISIBLE_SECONDS}

    async def _with_last_words(self, job_id: str, status: JobStatus, found: dict[str, Any]) -> JobStatus:
        """The last line of its log says why the agent gave up."""
        if job_id not in self._said:
            try:
                text, _ = await self._log(found, None, from_end=True)
            except AWS_FAULTS:
                text = ""  # a word less
            lines = text.strip().splitlines()
            self._said[job_id] = lines[-1][:LAST_WORDS] if lines else ""
        said = self._said[job_id]
        return status.model_copy(update={"reason": f"{status.reason}: {said}"}) if said else status

    async def logs(self, name: str, after: str | None) -> tuple[str, str | None]:
        """What the job called ``name`` itself printed since the cursor ``after``, and the next cursor."""
        try:
            job_id = await self._find(name)
            found = await self._describe([job_id]) if job_id else []
            return await self._log(found[0], after) if found else ("", after)
        except AWS_FAULTS as error:
            raise problem("The job's log cannot be read", error) from error

    async def _log(
        self, found: dict[str, Any], after: str | None, from_end: bool = False
    ) -> tuple[str, str | None]:
        stream = (found.get("container") or {}).get("logStreamName")
        if not stream:
            return "", after
        request: dict[str, Any] = {
            "logGroupName": self._settings.log_group,
            "logStreamName": stream,
            "startFromHead": not from_end,
        }
        for _ in range(EMPTY_PAGES):
            if after is not None:
                request["nextToken"] = after
            try:
                answer = await self.aws.ask("logs", "get_log_events", **request)
            except ClientError as error:
                if code(error) == "ResourceNotFoundException":
                    return "", after  # it has printed nothing yet
                raise
            before, after = after, answer.get("nextForwardToken")
            if answer["events"] or from_end or after == before:
                break  # a page may be empty although it is not the last: that one's token stays the same
        return "".join(f"{event['message']}\n" for event in answer["events"]), after

    async def running(self, hub: str) -> list[RunningJob]:
        """The jobs of the Hub ``hub`` that have not ended."""
        try:
            pages = [
                await self.aws.all(
                    "batch", "list_jobs", "jobSummaryList", jobQueue=self._settings.queue, jobStatus=status
                )
                for status in ALIVE
            ]
            ids = list(
                {one["jobId"] for page in pages for one in page if one["jobName"].startswith("studio-")}
            )
            found = [
                entry
                for n in range(0, len(ids), IDS_PER_CALL)
                for entry in await self._describe(ids[n : n + IDS_PER_CALL])
            ]
        except AWS_FAULTS as error:
            raise problem("The jobs cannot be listed", error) from error
        tag = f"{batch_payloads.TAG}hub"
        return [
            batch_payloads.running_job(entry)
            for entry in found
            if (entry.get("tags") or {}).get(tag) == hub and entry["status"] in ALIVE
        ]

    # --- ending ---

    async def terminate(self, job_id: str, reason: str, *, grace: float = GRACE) -> None:
        log.info("Ending job %s: %s", job_id, reason)
        deadline = time.monotonic() + KILL_SECONDS
        try:
            await self.aws.ask("batch", "terminate_job", jobId=job_id, reason=reason or "ended by the Hub")
            while time.monotonic() < deadline:
                if any(entry["status"] in ENDED for entry in await self._describe([job_id])):
                    return
                await asyncio.sleep(self.poll_interval / 2)
        except AWS_FAULTS as error:
            raise problem("AWS Batch did not end the job", error) from error

    async def tidy(self, hub: str) -> None:
        """Deregisters definitions that no job has used for a month. Jobs that run are not touched by that."""
        before = datetime.now(UTC).date() - UNUSED
        try:
            active = await self.aws.all(
                "batch", "describe_job_definitions", "jobDefinitions", status="ACTIVE"
            )
            for definition in active:
                if batch_payloads.stale(definition, self._env, hub, before):
                    arn = definition["jobDefinitionArn"]
                    await self.aws.ask("batch", "deregister_job_definition", jobDefinition=arn)
        except AWS_FAULTS as error:
            log.warning("Old job definitions were not deregistered: %s", error)
