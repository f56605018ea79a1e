"""The simulated agents: one process that dials the control channel of every session, as the agents do.

Their end of the channel is the agents' own, heartbeats included. Each tells once a minute what it sees of its session,
in which somebody is at work. One small server is the gate of all.

    python -m bench.simulated.agents     # prints the gates' port, reads {"url": …, "tokens": […]}, prints "connected"
"""

from __future__ import annotations

import asyncio
import json
import random
import sys

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from jupyterhub_studios.agent.control import Control
from jupyterhub_studios.models import Observation, now

REPORT_SECONDS = 60.0
DIALLING = 0.02  # seconds between two that dial


class Gate(RequestHandler):
    def get(self) -> None:
        self.finish("ready")


async def main() -> None:
    server = HTTPServer(Application([(".*", Gate)], log_function=lambda _: None))
    (socket,) = bind_sockets(0, "127.0.0.1", backlog=1024)
    server.add_socket(socket)
    print(socket.getsockname()[1], flush=True)
    line = await asyncio.to_thread(sys.stdin.readline)
    if not line:
        return
    asked = json.loads(line)
    agents = [Control(asked["url"], token) for token in asked["tokens"]]
    tasks = []
    for agent in agents:
        tasks.append(asyncio.create_task(agent.run(lambda _: None, lambda: None)))
        tasks.append(asyncio.create_task(report(agent)))
        await asyncio.sleep(DIALLING)
    while not all(agent.connected for agent in agents):  # noqa: ASYNC110 - it is looked at, not told
        await asyncio.sleep(0.1)
    print("connected", flush=True)
    await asyncio.to_thread(sys.stdin.read)  # until nobody is there any more
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def report(agent: Control) -> None:
    await asyncio.sleep(random.uniform(0, REPORT_SECONDS))
    while True:
        at = now()
        seen = Observation(at=at, kernels=1, cpu=0.5, input_at=at, traffic_at=at)
        agent.send("activity", people=["somebody"], active_at=at, observation=seen)
        await asyncio.sleep(REPORT_SECONDS)


if __name__ == "__main__":
    asyncio.run(main())
