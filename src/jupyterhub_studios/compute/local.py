"""Jobs as processes of this machine.

Each job is a session (in the kernel's sense) of its own that outlives the Hub: a small shell that waits for
the agent and writes down its exit code. It lies in ``<scratch>/<session id>``. Its id names the process, the
time that the process started and the folder, so that a restarted Hub finds it again and never takes another
process with the same number for it.

Limits (cpus, memory, gpus) are not enforced: ``local`` is for one person, or a team that trusts each other.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from ..models import ComputeEnvironment, Job, JobStatus, StudiosError
from . import GRACE, Say, processes, silent

log = logging.getLogger(__name__)

KEEP_UNSAVED = 3 * 86400.0
"""Seconds that the folder of a session which ended without its last save is kept, so that its work can be
rescued by hand. Folders of sessions that were saved go at the next submit."""

SYSTEM_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")

SAVED = "saved"  # the agent makes this file when its last checkpoint is durable
DISPOSABLE = ("fetched", "capture", "work", "tmp")  # of the agent's folders: not work of people

EXIT = "exit"  # the shell writes the agent's exit code here

# The code is moved into place, so that nobody reads half a number.
WRAPPER = f'"$@"; echo $? > {EXIT}.new && mv {EXIT}.new {EXIT}'


class LocalCompute:
    poll_interval = 1.0

    def __init__(self, env: ComputeEnvironment) -> None:
        self._scratch = Path(env.scratch or Path(tempfile.gettempdir()) / "jupyterhub-studios")
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    async def submit(self, job: Job, say: Say = silent) -> str:
        return await asyncio.to_thread(self._submit, job)

    async def describe(self, ids: Iterable[str]) -> dict[str, JobStatus]:
        return await asyncio.to_thread(lambda: {job_id: self._describe(job_id) for job_id in ids})

    async def terminate(self, job_id: str, reason: str, *, grace: float = GRACE) -> None:
        """SIGTERM to the agent alone, which saves and ends; after ``grace`` seconds SIGKILL to the whole job."""
        pid = _pid(job_id)
        log.info("Ending job %s: %s", job_id, reason)
        if self._is_running(job_id):
            for child in processes.children(pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGTERM)
        if not await self._ends_within(job_id, grace):
            log.warning("Job %s did not end within %.0f s (%s): it is killed", job_id, grace, reason)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            await self._ends_within(job_id, GRACE)

    async def _ends_within(self, job_id: str, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self._is_running(job_id):
            if time.monotonic() >= deadline:
                return False
            await asyncio.sleep(0.1)
        return True

    # --- starting ---

    def _submit(self, job: Job) -> str:
        folder = self._new_folder(job.session_id)
        self._tidy()
        with open(folder / "agent.log", "xb", opener=_private) as output:
            child = subprocess.Popen(
                ["/bin/sh", "-c", WRAPPER, "sh", sys.executable, "-P", "-m", "jupyterhub_studios.agent"],
                cwd=folder,
                env=_environment(job),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                umask=0o077,
            )
        job_id = f"{job.session_id}:{child.pid}:{processes.started(child.pid) or 0}"
        self._children[job_id] = child
        (folder / "job").write_text(job_id)
        return job_id

    def _new_folder(self, session_id: str) -> Path:
        try:
            self._scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._scratch.stat().st_uid != os.getuid():
                raise PermissionError(f"{self._scratch} belongs to another user")
            folder = self._scratch / session_id
            folder.mkdir(mode=0o700)
            return folder
        except OSError as error:
            raise StudiosError(
                "The folder for the studio's files cannot be made",
                f"{error.strerror or error}: {self._scratch}",
                "An administrator should check the scratch folder of the compute environment",
                status=503,
            ) from error

    # --- looking ---

    def _describe(self, job_id: str) -> JobStatus:
        if self._is_running(job_id):
            return JobStatus(state="running")
        try:
            code = int((self._scratch / job_id.split(":")[0] / EXIT).read_text())
        except (OSError, ValueError):
            return JobStatus(
                state="lost",
                reason="its process is gone and left no exit code: it was killed, or the machine restarted",
            )
        if code == 0:
            return JobStatus(state="succeeded", exit_code=0)
        how = f"killed by signal {code - 128}" if code > 128 else f"exit code {code}"
        said = _last_words(self._scratch / job_id.split(":")[0] / "agent.log")
        return JobStatus(state="failed", exit_code=code, reason=f"the agent ended ({how}){said}")

    def _is_running(self, job_id: str) -> bool:
        if (child := self._children.get(job_id)) is not None and child.poll() is not None:
            del self._children[job_id]  # poll() has reaped it
        pid = _pid(job_id)
        if (started := processes.started(pid)) is not None:
            return str(started) == job_id.split(":")[2]
        # The shell may have been killed alone: its agent, which still saves, is in the same session.
        return processes.session_exists(pid)

    # --- tidying ---

    def _tidy(self) -> None:
        """Removes what ended sessions left, so that the scratch folder does not grow without end.

        Never touches a session that runs, nor, for some days, one that ended before its last save."""
        for folder in self._scratch.iterdir():
            try:
                job_id = (folder / "job").read_text()
                if self._is_running(job_id):
                    continue
                saved = (folder / SAVED).exists()
                age = time.time() - max(entry.stat().st_mtime for entry in os.scandir(folder))
            except (OSError, ValueError, IndexError):
                continue  # not a job's folder, or one that is being made
            for name in [""] if saved or age > KEEP_UNSAVED else DISPOSABLE:
                _remove(folder / name)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists() and os.getuid() != 0:
        # Files that belong to the user's subordinate uids can be removed in a user namespace alone.
        command = ["unshare", "--user", "--map-root-user", "--map-auto", "rm", "-rf", "--", str(folder)]
        with contextlib.suppress(OSError):
            subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _last_words(log: Path) -> str:
    """The last line of an agent's log, which says why it gave up."""
    with contextlib.suppress(OSError, IndexError):
        return ": " + log.read_bytes()[-4096:].decode(errors="replace").strip().splitlines()[-1][:300]
    return ""


def _environment(job: Job) -> dict[str, str]:
    """Little, and nothing of the Hub's: that holds its tokens."""
    folders = [
        str(Path(sys.executable).parent),
        *SYSTEM_PATH,
    ]
    environment = {"PATH": os.pathsep.join(folders), "LANG": "C.UTF-8"}
    if mode := os.environ.get("STUDIOS_ROOT_MODE"):
        environment["STUDIOS_ROOT_MODE"] = mode  # an administrator's wish: see the agent's root
    return environment | job.environment


def _pid(job_id: str) -> int:
    return int(job_id.split(":")[1])
