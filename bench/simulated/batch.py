"""The simulated AWS Batch: a process that answers DescribeJobs and ListJobs over HTTP as AWS does, and counts.

Every job that is asked for runs. Each is told with what AWS tells of one, about 2 KB of JSON, and an answer takes as
long as AWS takes. ``GET /counts`` tells how many requests of each kind there were and for how many jobs.

    python -m bench.simulated.batch      # prints its port
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError, RequestHandler

ANSWER_SECONDS = 0.05
IDS_MAX = 100  # as AWS

asked: Counter[str] = Counter()


def job(job_id: str) -> dict[str, Any]:
    arn = f"arn:aws:batch:eu-west-1:123456789012:job/{job_id}"
    environment = {"STUDIOS_BOOTSTRAP_URL": "https://hub.example.org/services/studios/agent/bootstrap"}
    environment |= {f"SETTING_{n}": "value of about this length" for n in range(6)}
    host = "arn:aws:ecs:eu-west-1:123456789012:container-instance/studios/0123456789abcdef0123456789abcdef"
    container = {
        "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/studios/jupyter@sha256:" + "0" * 64,
        "command": [],
        "jobRoleArn": "arn:aws:iam::123456789012:role/studios-job",
        "volumes": [
            {"host": {"sourcePath": path}, "name": path.strip("/")} for path in ("/.studio", "/scratch")
        ],
        "environment": [{"name": name, "value": value} for name, value in environment.items()],
        "mountPoints": [{"containerPath": "/.studio", "readOnly": True, "sourceVolume": ".studio"}],
        "readonlyRootFilesystem": False,
        "ulimits": [{"name": "nofile", "hardLimit": 1048576, "softLimit": 1048576}],
        "privileged": True,
        "containerInstanceArn": host,
        "taskArn": f"arn:aws:ecs:eu-west-1:123456789012:task/studios/{job_id}",
        "logStreamName": f"studios/default/{job_id}",
        "networkInterfaces": [],
        "resourceRequirements": [{"value": "2", "type": "VCPU"}, {"value": "4096", "type": "MEMORY"}],
        "linuxParameters": {"sharedMemorySize": 2048, "devices": [{"hostPath": "/dev/fuse"}]},
        "secrets": [],
    }
    return {
        "jobArn": arn,
        "jobName": f"studio-{job_id}",
        "jobId": job_id,
        "jobQueue": "arn:aws:batch:eu-west-1:123456789012:job-queue/studios",
        "status": "RUNNING",
        "attempts": [],
        "createdAt": 1790000000000,
        "startedAt": 1790000060000,
        "dependsOn": [],
        "jobDefinition": "arn:aws:batch:eu-west-1:123456789012:job-definition/studio-0123456789abcdef:1",
        "parameters": {},
        "container": container,
        "timeout": {"attemptDurationSeconds": 435600},
        "retryStrategy": {
            "attempts": 2,
            "evaluateOnExit": [{"onStatusReason": "Host EC2*", "action": "RETRY"}],
        },
        "tags": {f"studios:{name}": job_id for name in ("hub", "owner", "server", "session", "studio")},
        "platformCapabilities": ["EC2"],
    }


class Batch(RequestHandler):
    async def post(self, operation: str) -> None:
        body = json.loads(self.request.body or b"{}")
        asked[operation] += 1
        await asyncio.sleep(ANSWER_SECONDS)
        if operation == "describejobs":
            ids = body["jobs"]
            if len(ids) > IDS_MAX:
                raise HTTPError(400)
            asked["jobs"] += len(ids)
            self.finish({"jobs": [job(one) for one in ids]})
        elif operation == "listjobs":
            self.finish({"jobSummaryList": []})  # nothing but what the Hub has: nothing for the reaper
        elif operation == "describejobdefinitions":
            self.finish({"jobDefinitions": []})
        else:
            raise HTTPError(400)


class Counts(RequestHandler):
    def get(self) -> None:
        self.finish(dict(asked))


async def main() -> None:
    server = HTTPServer(
        Application([("/v1/([a-z]+)", Batch), ("/counts", Counts)], log_function=lambda _: None)
    )
    (socket,) = bind_sockets(0, "127.0.0.1")
    server.add_socket(socket)
    print(socket.getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)  # until nobody is there any more


if __name__ == "__main__":
    asyncio.run(main())
