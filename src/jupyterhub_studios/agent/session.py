"""One run of a studio, from its launch spec to its last checkpoint."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Coroutine
from typing import Any, Literal

from ..checkpoints import Fenced
from ..models import (
    Checkpoint,
    Command,
    Event,
    ImageConfig,
    LaunchSpec,
    Phase,
    PhaseName,
    RootMode,
    StudiosError,
    now,
)
from . import memory
from .app import GENTLE_SECONDS, App
from .applog import AppLog
from .control import Control
from .data import DataSocket
from .gate import Gate
from .image import image
from .restoring import Restored, Unrestorable, restore
from .root import Folders, Root, open_root
from .root.mounts import MountFault, remove
from .root.namespaces import Namespace
from .saving import Saving

log = logging.getLogger(__name__)

SAVED = (
    "saved"  # the file that says that nothing of the job's folder is needed any more: see compute/local.py
)
ACTIVITY_SECONDS = 15.0
LAST_WORDS_SECONDS = 60.0
HASTY_SECONDS = 3.0  # for the app to end by itself, where the whole job has half a minute


class Session:
    def __init__(self, spec: LaunchSpec, control: Control, namespace: Namespace, why: str) -> None:
        self._spec, self._control = spec, control
        self._namespace, self._why = namespace, why
        self._folders = Folders(spec)
        self._log = AppLog(self._folders.all / "app.log", control)
        self._stopping = asyncio.Event()
        self._reason = ""
        self._hasty = False
        self._root: Root | None = None
        self._saving: Saving | None = None
        self._app: App | None = None
        self._data: DataSocket | None = None
        self._gate: Gate | None = None
        self._commands: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    # --- what others ask for ---

    def end_soon(self) -> None:
        """The machine or the engine ends the job: it is killed half a minute later, saved or not."""
        self._hasty = True
        self.stop("the job was asked to end")

    def stop(self, reason: str) -> None:
        if not self._stopping.is_set():
            log.info("Stopping: %s", reason)
            self._reason = reason
            self._stopping.set()

    def unknown(self) -> None:
        self.stop("the service does not know this session any more")

    def command(self, command: Command) -> None:
        """Handles a command of the service once, however often it is repeated."""
        if command.id in self._commands:
            return
        self._commands.add(command.id)
        if command.kind == "stop":
            self.stop(command.reason or "stopped")
        elif command.kind == "save":
            self._background(self._save_now(command))
        elif command.kind == "revoke" and self._gate is not None:
            self._gate.revoke(command.user)

    async def _save_now(self, command: Command) -> None:
        try:
            if self._saving is None or self._stopping.is_set():
                raise StudiosError(
                    "The studio cannot be saved now", "it is starting or stopping", "Try again later"
                )
            checkpoint = await self._saving.save(name=command.name, author=command.author)
            self._control.send("saved", checkpoint=checkpoint, request=command.id)
        except Fenced as error:
            self._control.send("failed", message=str(error), request=command.id)
            self.stop(str(error))
        except Exception as error:
            log.warning("A save on request failed: %s", error)
            self._control.send("failed", message=str(error), request=command.id)

    # --- the run ---

    async def run(self) -> int:
        """The exit code of the agent."""
        try:
            starting = asyncio.create_task(self._start())
            await _first(starting, self._stopping.wait())
            if not starting.done():
                starting.cancel()
                await asyncio.gather(starting, return_exceptions=True)
            elif error := starting.exception():
                raise error
            ended = await self._until_end() if not self._stopping.is_set() else ""
            return await self._finish(ended)
        except Fenced as error:
            return await self._fenced(error)
        except Exception as error:
            return await self._failed(error)
        finally:
            await self._close()

    async def _start(self) -> None:
        spec = self._spec
        async with self._phase("image") as phase:
            phase.message = _about(image())
            await asyncio.to_thread(self._folders.make)
            self._root = root = await open_root(spec, self._folders, self._namespace, self._why)
        async with self._phase("restore") as phase:
            restored = await restore(spec, root, self._folders, lambda text: self._progress(phase, text))
            self._saving = Saving(root, restored.saver, self._event)
            self._notice(root, restored)
        async with self._phase("data"):
            pass  # nothing is mounted yet: data links are not known to this version
        key = secrets.token_bytes(32)
        async with self._phase("app"):
            self._data = DataSocket(spec, root.run)
            await self._data.start()
            self._app = App(spec, root, self._log, base64.b64encode(key).decode())
            self._background(self._log.ship())
            await self._app.start()
            await self._app.ready()
        async with self._phase("ready"):
            gate = Gate(spec, self._app.upstream, key)
            address = await gate.start()
            self._gate = gate
        self._control.send("address", address=address, root_mode=root.mode)

    async def _until_end(self) -> str:
        """Saves and reports until the session is to end; answers how the app ended, if that is why."""
        assert self._app is not None
        assert self._saving is not None
        kills = memory.kills()
        watching = asyncio.create_task(self._app.wait())
        saving = asyncio.create_task(self._saving.every(self._spec.save_interval, self._saved))
        activity = asyncio.create_task(self._report_activity())
        try:
            await _first(watching, saving, self._stopping.wait())
            if saving.done():
                saving.result()  # raises Fenced
            return self._how_ended(watching.result(), kills) if watching.done() else ""
        finally:
            for task in (watching, saving, activity):
                task.cancel()
            await asyncio.gather(watching, saving, activity, return_exceptions=True)

    def _how_ended(self, code: int, kills: int) -> str:
        if memory.kills() > kills:
            return f"the app was ended with code {code}, because the studio's memory was full"
        return f"the app ended with code {code}"

    async def _finish(self, ended: str) -> int:
        """App ended gently, last checkpoint durable, all told."""
        reason = ended or self._reason
        self._control.send("stopping", message=reason)
        if self._gate is not None:
            await self._gate.stop()
        if self._app is not None:
            await self._app.stop(HASTY_SECONDS if self._hasty else GENTLE_SECONDS)
        checkpoint: Checkpoint | None = None
        if self._saving is not None:
            checkpoint = await self._saving.last()
        self._log.flush()
        await self._tell_end("stopped", checkpoint=checkpoint, message=reason)
        await self._close()
        await asyncio.to_thread(self._clear)
        return 0

    # --- when it goes wrong ---

    async def _fenced(self, error: Fenced) -> int:
        if self._app is not None:
            await self._app.stop()
        where = f"What this one had not saved is kept in {self._folders.upper}, on the machine where it ran."
        await self._tell_end("failed", message=f"{error}. {where}")
        return 1

    async def _failed(self, error: Exception) -> int:
        if isinstance(error, StudiosError | MountFault):
            log.error("The session failed: %s", error)
            message = str(error)
        else:
            log.exception("The session failed", exc_info=error)
            message = f"The agent failed: {type(error).__name__}: {error}"
        if isinstance(error, Unrestorable):
            self._saved(error.checkpoint)
        self._log.flush()
        await self._tell_end("failed", message=message)
        if self._gate is None:
            # Nobody could enter, so there is no work here that is not in the bucket.
            await self._close()
            await asyncio.to_thread(self._clear)
        return 1

    async def _tell_end(self, kind: str, **fields: Any) -> None:
        seq = self._control.send(kind, **fields)
        if not await self._control.stored(seq, LAST_WORDS_SECONDS):
            log.warning("The service did not confirm the end of the session")

    async def _close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._gate is not None:
            await self._gate.stop()
        if self._app is not None:
            await self._app.stop()
            self._app.close()
        if self._data is not None:
            await self._data.stop()
        if self._root is not None:
            with contextlib.suppress(MountFault):
                await self._root.close()
        self._gate = self._app = self._data = self._root = None

    def _clear(self) -> None:
        """All is in the bucket: the files here are not needed any more, its logs are kept a while."""
        folders = self._folders
        for folder in (
            folders.upper,
            folders.work,
            folders.fetched,
            folders.capture,
            folders.tmp,
            folders.run,
        ):
            remove(folder)
        (folders.all / SAVED).touch()

    # --- telling ---

    @contextlib.asynccontextmanager
    async def _phase(self, name: PhaseName) -> AsyncIterator[Phase]:
        phase = Phase(name=name, status="running", started_at=now())
        self._control.send("phase", phase=phase.model_copy())
        try:
            yield phase
        except Exception as error:
            phase.status, phase.ended_at, phase.message = "failed", now(), str(error)
            self._control.send("phase", phase=phase)
            raise
        phase.status, phase.ended_at = "done", now()
        self._control.send("phase", phase=phase)

    def _progress(self, phase: Phase, text: str) -> None:
        phase.message = text
        self._control.send("phase", phase=phase.model_copy())

    def _notice(self, root: Root, restored: Restored) -> None:
        for notice in [*root.notices, *restored.notices]:
            level: Literal["info", "warning"] = "warning" if root.mode == RootMode.HOME else "info"
            self._control.send("event", event=Event(at=now(), kind="root", message=notice, level=level))
        self._control.send("saved", checkpoint=restored.checkpoint)

    def _event(self, event: Event) -> None:
        self._control.send("event", event=event)

    def _saved(self, checkpoint: Checkpoint) -> None:
        self._control.send("saved", checkpoint=checkpoint)

    async def _report_activity(self) -> None:
        assert self._gate is not None
        told: tuple[Any, ...] | None = None
        while True:
            current = (sorted(self._gate.people()), self._gate.active_at)
            if current != told:
                told = current
                self._control.send("activity", people=current[0], active_at=current[1])
            await asyncio.sleep(ACTIVITY_SECONDS)

    def _background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _about(known: ImageConfig | None) -> str:
    """The image and its bytes, for people."""
    return f"{known.image} ({known.digest.removeprefix('sha256:')[:12]})" if known and known.digest else ""


async def _first(*awaited: Any) -> None:
    """Returns when the first of them is done; leaves tasks alone."""
    tasks = [asyncio.ensure_future(one) for one in awaited]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task, one in zip(tasks, awaited, strict=True):
            if task is not one:
                task.cancel()
