"""One Hub with 100, 300 and 1,000 running studios: what it asks AWS Batch, and what each studio costs.

Real: the Hub (a process, with BatchSpawner), its proxy, the studios service and the agents' end of the control channel.
Simulated: AWS Batch, the gates and what agents see (``bench/simulated``). The studios run already when the Hub
starts, which finds them in its database, as after a restart. Somebody works in each: its agent says so once a minute.

Measured for :data:`WINDOW` seconds once all is up: DescribeJobs, which are to be proportional to n / 100, as one takes
100 jobs; how late the Hub's event loop is, seen from inside (99th percentile); processor time and memory of both.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bench.simulated import probe, state
from tests.demo import wait_for
from tests.hub import RealHub

ROOT = str(Path(__file__).parents[1])
COUNTS = (100, 300, 1000)
SETTLE, WINDOW = 65.0, 60.0  # seconds; in the first minute every agent reports for the first time
LAG_BAR = 50.0  # ms
PROPORTION_BAR = 1.2
QUESTIONS = 9

CONFIG = """
import os
from pathlib import Path

sys.path.insert(0, {root!r})
from bench.simulated import probe

probe.start(Path("late.jsonl").absolute())
os.environ |= {aws!r}
c.JupyterHub.spawner_class = "studios"
c.JupyterHub.services[0]["environment"] = {aws!r}
c.Studios.compute_environments = {{
    {name!r}: {{
        "kind": "aws-batch", "region": "eu-west-1", "work_dir": "s3://bench/work",
        "gate_networks": ["127.0.0.0/8"], "batch": {{"queue": "studios"}},
    }},
}}
"""


@dataclass(frozen=True)
class Seen:
    """Of one Hub with ``count`` studios. Processor time is in seconds for each second, memory in MB."""

    count: int
    up: float  # seconds from the Hub's start until every studio is watched and every agent is connected
    describes: float  # DescribeJobs a minute
    late: float  # ms, 99th percentile
    latest: float  # ms
    busy: float  # ms, 99th percentile: late because the loop itself worked
    hub_cpu: float
    service_cpu: float
    hub_memory: float
    service_memory: float
    list_seconds: float


def rows() -> list[dict[str, Any]]:
    few, some, many = (_look(count) for count in COUNTS)
    return [
        *(_proportion(few, more) for more in (some, many)),
        _row(f"scale: {many.count:,} studios, the Hub's loop is late, p99", many.late, LAG_BAR, "ms", strict=True),
        _row(f"scale: {many.count:,} studios, the Hub's loop is late, most", many.latest, LAG_BAR, "ms"),
        _row(f"scale: {many.count:,} studios, late by the loop's own work, p99", many.busy, LAG_BAR, "ms"),
        _row("scale: memory of the Hub for each studio", *_slope(few, many, "hub_memory"), "KB"),
        _row("scale: memory of the service for each studio", *_slope(few, many, "service_memory"), "KB"),
        _row("scale: processor time of the Hub, many / few studios", many.hub_cpu, few.hub_cpu, "s for each s"),
        _row("scale: processor time of the service, many / few", many.service_cpu, few.service_cpu, "s for each s"),
        _row("scale: first page of all studios, many / few", many.list_seconds, few.list_seconds, "s"),
        _row("scale: from the Hub's start until all are watched, many / few", many.up, few.up, "s"),
    ]  # fmt: skip


def _proportion(few: Seen, more: Seen) -> dict[str, Any]:
    times = more.count / few.count
    expected = few.describes * times
    return {
        "name": f"scale: DescribeJobs a minute, {more.count:,} studios / {few.count} studios × {times:.0f}",
        "ours": more.describes,
        "peer": expected,
        "unit": "requests a minute",
        "ratio": more.describes / expected,
        "bar": f"<= {PROPORTION_BAR}",
        "holds": more.describes <= PROPORTION_BAR * expected,
    }


def _slope(few: Seen, many: Seen, what: str) -> tuple[float, float]:
    """KB for each studio more; and KB for each studio of all that the process takes."""
    more = getattr(many, what) - getattr(few, what)
    return more * 1000 / (many.count - few.count), getattr(many, what) * 1000 / many.count


def _row(name: str, ours: float, peer: float, unit: str, strict: bool = False) -> dict[str, Any]:
    return {
        "name": name,
        "ours": ours,
        "peer": peer,
        "unit": f"{unit}, lower is better",
        "ratio": ours / peer,
        "bar": f"< {peer:.0f} {unit}" if strict else "none",
        "holds": not strict or ours < peer,
    }


def _look(count: int) -> Seen:
    with tempfile.TemporaryDirectory(prefix="studios-bench-") as name:
        folder = Path(name)
        with _process("bench.simulated.batch") as batch, _process("bench.simulated.agents") as agents:
            counts = f"http://127.0.0.1:{_line(batch)}"
            aws = {
                "AWS_ACCESS_KEY_ID": "simulated",
                "AWS_SECRET_ACCESS_KEY": "simulated",
                "AWS_ENDPOINT_URL_BATCH": counts,
            }
            tokens = state.write(folder, count, int(_line(agents)))
            hub = RealHub(folder, CONFIG.format(aws=aws, name=state.ENVIRONMENT, root=ROOT))
            begun = time.time()
            assert agents.stdin
            try:
                hub.start()
                url = f"{hub.url}services/studios/agent/control".replace("http", "ws", 1)
                agents.stdin.write(json.dumps({"url": url, "tokens": tokens}) + "\n")
                agents.stdin.flush()
                assert _line(agents) == "connected"
                log = hub.folder / "hub.log"
                wait_for(
                    "every studio to be watched", lambda: log.read_text().count("still running") == count
                )
                return _measure(hub, counts, count, time.time() - begun)
            finally:
                agents.stdin.close()
                hub.close()


def _measure(hub: RealHub, counts: str, count: int, up: float) -> Seen:
    assert hub.process is not None
    hub.token("admin")
    time.sleep(SETTLE)
    pids = hub.process.pid, hub.service_pid
    before, cpu, begin = _counted(counts), [_cpu(pid) for pid in pids], time.time()
    time.sleep(WINDOW)
    after, cpu_after, end = _counted(counts), [_cpu(pid) for pid in pids], time.time()
    used = [(b - a) / (end - begin) for a, b in zip(cpu, cpu_after, strict=True)]
    late, busy = (probe.between(hub.folder / "late.jsonl", begin, end, what) for what in ("late", "busy"))
    return Seen(
        count=count,
        up=up,
        describes=(after - before) * 60 / (end - begin),
        late=late[int(len(late) * 0.99)],
        latest=late[-1],
        busy=busy[int(len(busy) * 0.99)],
        hub_cpu=used[0],
        service_cpu=used[1],
        hub_memory=_resident(pids[0]),
        service_memory=_resident(pids[1]),
        list_seconds=statistics.median(_ask(hub) for _ in range(QUESTIONS)),
    )


def _ask(hub: RealHub) -> float:
    begun = time.perf_counter()
    answer = hub.api("GET", "studios?owner=*&limit=50", user="admin")
    assert len(answer.json()["items"]) == 50
    return time.perf_counter() - begun


@contextmanager
def _process(module: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", module], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            assert process.stdin
            process.stdin.close()  # ends it


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def _counted(url: str) -> int:
    return int(httpx.get(f"{url}/counts").json().get("describejobs", 0))


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) * 1024 / 1e6
