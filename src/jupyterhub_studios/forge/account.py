"""The AWS account around a stack: who we are there, its network, the bucket, the jobs that run."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError, ProfileNotFound

from ..models import StudiosError
from .causes import mend, shown
from .settings import BUNDLES, TAG, Bundle

ATTEMPTS = 5  # of a request that AWS does not answer or throttles
ALIVE = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING")  # states of jobs that have not ended


@contextlib.contextmanager
def told(title: str) -> Iterator[None]:
    """AWS' faults as problems for people: ``title`` is what could not be done."""
    try:
        yield
    except ClientError as error:
        code, reason = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
        raise StudiosError(title, shown(reason) or code, mend(f"{code}: {reason}"), status=502) from None
    except (NoCredentialsError, ProfileNotFound) as error:
        action = "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run this where a role gives them"
        raise StudiosError(title, f"there are no AWS credentials: {error}", action, status=401) from None
    except NoRegionError:
        raise StudiosError(
            title, "no region is given", "Give --region, or set AWS_REGION", status=422
        ) from None
    except BotoCoreError as error:
        action = "Check the network, the region and the clock of this machine"
        raise StudiosError(title, f"AWS was not reached: {error}", action, status=503) from None


class Account:
    """Clients for one account and region; ``endpoint_url`` leads all of them to a server of tests."""

    def __init__(self, region: str | None = None, endpoint_url: str | None = None) -> None:
        self._endpoint_url = endpoint_url
        self._clients: dict[str, Any] = {}
        with told("AWS cannot be used"):
            # botocore itself knows AWS_DEFAULT_REGION only.
            self._session = boto3.Session(region_name=region or os.environ.get("AWS_REGION"))
        if self._session.region_name is None:
            with told("AWS cannot be used"):
                raise NoRegionError
        self.region: str = self._session.region_name

    def client(self, service: str) -> Any:
        if service not in self._clients:
            retries = {"mode": "adaptive", "max_attempts": ATTEMPTS}
            config = Config(retries=retries, connect_timeout=10, read_timeout=60)
            with told("AWS cannot be used"):
                made = self._session.client(service, endpoint_url=self._endpoint_url, config=config)
            self._clients[service] = made
        return self._clients[service]

    # --- network ---

    def subnets(self, vpc: str, given: Sequence[str]) -> list[str]:
        """The subnets for machines: those given, else the VPC's private ones, else all of it."""
        with told(f"The subnets of {vpc} cannot be read"):
            pages = self.client("ec2").get_paginator("describe_subnets")
            filters = [{"Name": "vpc-id", "Values": [vpc]}]
            found = {s["SubnetId"]: s for page in pages.paginate(Filters=filters) for s in page["Subnets"]}
        strangers = [name for name in given if name not in found]
        if strangers or not found:
            raise StudiosError(
                f"There are no such subnets in {vpc}",
                f"{', '.join(strangers)} not found" if strangers else f"the VPC has none in {self.region}",
                "Check --vpc, --subnets and --region",
                status=422,
            )
        private = [name for name, subnet in found.items() if not subnet["MapPublicIpOnLaunch"]]
        return list(given) or sorted(private or found)

    def networks(self, vpc: str) -> list[str]:
        """The addresses of the VPC."""
        with told(f"{vpc} cannot be read"):
            found = self.client("ec2").describe_vpcs(VpcIds=[vpc])["Vpcs"][0]
        states = ("associated", "associating")
        return [
            block["CidrBlock"]
            for block in found["CidrBlockAssociationSet"]
            if block.get("CidrBlockState", {}).get("State", "associated") in states
        ]

    # --- bucket ---

    def bucket_exists(self, bucket: str) -> bool:
        """Whether the bucket is there, is ours to use, and lies in this region."""
        title = f"The bucket {bucket} cannot be used"
        try:
            answer = self.client("s3").head_bucket(Bucket=bucket)
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            if status == 404:
                return False
            where = error.response["ResponseMetadata"].get("HTTPHeaders", {}).get("x-amz-bucket-region")
            if status == 301 or (where and where != self.region):
                raise self._elsewhere(title, where or "another region") from None
            if status == 403:
                why = "it belongs to another account, or these credentials may not see it"
                raise StudiosError(title, why, "Choose another name, or ask its owner", status=403) from None
            with told(title):
                raise
        where = answer["ResponseMetadata"]["HTTPHeaders"].get("x-amz-bucket-region", self.region)
        if where != self.region:
            raise self._elsewhere(title, where)
        return True

    def _elsewhere(self, title: str, where: str) -> StudiosError:
        return StudiosError(
            title,
            f"it lies in {where}, the forge in {self.region}",
            "Choose a bucket of the same region: everything a studio saves would be paid for and slow",
            status=422,
        )

    def make_bucket(self, bucket: str, forge: str) -> None:
        """A private bucket. It is not the stack's: it outlives the forge."""
        s3 = self.client("s3")
        place = {} if self.region == "us-east-1" else {"LocationConstraint": self.region}
        with told(f"The bucket {bucket} cannot be made"):
            s3.create_bucket(Bucket=bucket, **({"CreateBucketConfiguration": place} if place else {}))
            s3.put_public_access_block(
                Bucket=bucket,
                PublicAccessBlockConfiguration={
                    "BlockPublicAcls": True,
                    "IgnorePublicAcls": True,
                    "BlockPublicPolicy": True,
                    "RestrictPublicBuckets": True,
                },
            )
            s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": TAG, "Value": forge}]})

    def put_bundle(self, file: Path, bucket: str, bundle: Bundle) -> bool:
        """Uploads the agent bundle unless it is there already; its name is its content."""
        s3 = self.client("s3")
        with told(f"The agent bundle cannot be stored in {bucket}"):
            try:
                if s3.head_object(Bucket=bucket, Key=bundle.key)["ContentLength"] == file.stat().st_size:
                    return False
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] not in (403, 404):
                    raise
            with file.open("rb") as content:
                s3.put_object(Bucket=bucket, Key=bundle.key, Body=content)
        return True

    # --- jobs ---

    def ensure_service_role(self, service: str) -> None:
        """The account's service-linked role, which AWS makes by itself only in its console."""
        with told(f"The service-linked role of {service} cannot be made"):
            try:
                self.client("iam").create_service_linked_role(AWSServiceName=service)
            except ClientError as error:
                given = error.response["Error"]
                if given["Code"] != "EntityAlreadyExists" and "has been taken" not in given["Message"]:
                    raise

    def alive(self, queues: Sequence[str]) -> dict[str, int]:
        """How many jobs of each queue have not ended."""
        batch = self.client("batch")
        with told("The jobs of the forge cannot be listed"):
            return {queue: sum(_count(batch, queue, state) for state in ALIVE) for queue in queues}

    def capacity(self, names: Sequence[str]) -> list[dict[str, Any]]:
        with told("The compute environments cannot be read"):
            found = self.client("batch").describe_compute_environments(computeEnvironments=list(names))
        return list(found["computeEnvironments"])


def _count(batch: Any, queue: str, state: str) -> int:
    pages = batch.get_paginator("list_jobs").paginate(jobQueue=queue, jobStatus=state)
    return sum(len(page["jobSummaryList"]) for page in pages)


def bundle_of(file: Path, key: str) -> Bundle:
    """The place of a bundle file in the bucket; ``key`` is that of the work dir's folder for bundles."""
    try:
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise StudiosError(
            f"The agent bundle {file} cannot be read",
            error.strerror or str(error),
            "Make it with `studios image bundle`",
        ) from None
    return Bundle(key=f"{key}/{digest}.tar.zst", sha256=digest)


def bundle_folder(prefix: str) -> str:
    return f"{prefix}/{BUNDLES}" if prefix else BUNDLES
