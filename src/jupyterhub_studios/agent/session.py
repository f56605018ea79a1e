"""One run of a studio, from its launch spec to its last checkpoint."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import functools
import logging
import secrets
import time
from collections.abc import AsyncIterator, Coroutine
from typing import TYPE_CHECKING, Any, Literal

from ..checkpoints import Fenced
from ..models import (
    Checkpoint,
    Command,
    Event,
    ImageConfig,
    Kind,
    LaunchSpec,
    LifetimeNotice,
    MountStatus,
    Phase,
    PhaseName,
    RootMode,
    StudiosError,
    TunnelAccess,
    now,
)
from . import memory, spot
from .activity.use import Use
from .activity.watcher import Watcher
from .app import GENTLE_SECONDS, App
from .applog import AppLog
from .control import Control
from .data import DataSocket
from .gate import Gate
from .image import image
from .inside import Inside, Wish
from .mounts import Mounts
from .restoring import Restored, Unrestorable, restore
from .root import Folders, Root, open_root
from .root.mounts import MountFault, remove
from .root.namespaces import Namespace
from .saving import Saving
from .scratch import SAVED, Lease, sweep

if TYPE_CHECKING:
    from .tunnel import Tunnel

log = logging.getLogger(__name__)

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
        self._mounts = Mounts(spec, self._folders.all / "mounts", namespace, self._tell_mounts, self._event)
        self._root: Root | None = None
        self._saving: Saving | None = None
        self._lease: Lease | None = None
        self._app: App | None = None
        self._data: DataSocket | None = None
        self._gate: Gate | None = None
        self._tunnel: Tunnel | None = None
        self._watcher: Watcher | None = None
        self._use = Use()
        self._inside = Inside(spec.session_id, self._use, self._wish, self.stop)
        control.on_lifetime = self._told_lifetime
        self._commands: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    # --- what others ask for ---

    def end_soon(self, reason: str = "the job was asked to end") -> None:
        """The machine or the engine ends the job: it is killed half a minute later, saved or not."""
        self._hasty = True
        self.stop(reason)

    def stop(self, reason: str) -> None:
        if not self._stopping.is_set():
            log.info("Stopping: %s", reason)
            self._reason = reason
            self._stopping.set()

    def _stop_soon(self, reason: str, seconds: float) -> None:
        """Those inside are told first, and given ``seconds`` to finish."""
        if seconds <= 0 or self._gate is None:
            self.stop(reason)
            return
        self._inside.ending = reason, time.monotonic() + seconds
        self._background(self._stop_in(reason, seconds))

    async def _stop_in(self, reason: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.stop(reason)

    def unknown(self) -> None:
        self.stop("the service does not know this session any more")

    def command(self, command: Command) -> None:
        """Handles a command of the service once, however often it is repeated."""
        if command.id in self._commands:
            return
        self._commands.add(command.id)
        if command.kind == "stop":
            self._stop_soon(command.reason or "stopped", command.notice)
        elif command.kind == "save":
            self._background(self._save_now(command))
        elif command.kind == "refresh":
            self._background(self._refresh(command))
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

    async def _refresh(self, command: Command) -> None:
        try:
            await self._mounts.refresh(command.mount)
            self._tell_mounts(self._mounts.statuses, request=command.id)
        except MountFault as fault:
            self._control.send("failed", message=str(fault), request=command.id)

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
            if spec.kind != Kind.LOCAL:  # there the Hub's own machine is tidied by the Hub
                self._lease = await asyncio.to_thread(Lease, self._folders)
                self._background(asyncio.to_thread(sweep, self._folders.all))
            await asyncio.to_thread(self._folders.make)
            self._root = root = await open_root(spec, self._folders, self._namespace, self._why)
        async with self._phase("restore") as phase:
            restored = await restore(spec, root, self._folders, lambda text: self._progress(phase, text))
            self._saving = Saving(root, restored.saver, self._event)
            self._notice(root, restored)
        async with self._phase("data") as phase:
            await self._mounts.open(root, lambda text: self._progress(phase, text))
        key = secrets.token_bytes(32)
        async with self._phase("app"):
            self._data = DataSocket(spec, root.run)
            await self._data.start()
            self._app = App(spec, root, self._log, base64.b64encode(key).decode())
            self._background(self._log.ship())
            await self._app.start()
            await self._app.ready()
        async with self._phase("ready"):
            gate = Gate(spec, self._app.upstream, key, self._use, self._inside)
            self._watcher = Watcher(spec, self._app, key, self._use)
            address = await gate.start()
            self._gate = gate
            if spec.tunnel is not None:
                address = await self._open_tunnel(spec.tunnel, address)
        self._control.send("address", address=address, root_mode=root.mode)

    async def _open_tunnel(self, access: TunnelAccess, gate: str) -> str:
        from .tunnel import Tunnel  # its libraries take time and memory, and most sessions are dialled

        self._tunnel = Tunnel(access, gate, self._event)
        return await self._tunnel.open()

    async def _until_end(self) -> str:
        """Saves and reports until the session is to end; answers how the app ended, if that is why."""
        assert self._app is not None
        assert self._saving is not None
        kills = memory.kills()
        watching = asyncio.create_task(self._app.wait())
        saving = asyncio.create_task(self._saving.every(self._spec.save_interval, self._saved))
        activity = asyncio.create_task(self._report_activity())
        if self._spec.kind == Kind.AWS_BATCH:
            save = functools.partial(self._saving.now, self._saved)
            self._background(spot.leave_in_time(save, self._event, self.end_soon))
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
        draining = asyncio.create_task(self._mounts.drain(self._hasty))
        if self._saving is not None and self._hasty:
            await self._saving.quick(self._saved)
        await draining
        if self._saving is not None:
            checkpoint = await self._saving.last(self._hasty)
        self._log.flush()
        await self._tell_end("stopped", checkpoint=checkpoint, message=reason)
        await self._close()
        await asyncio.to_thread(self._clear)
        return 0

    # --- when it goes wrong ---

    async def _fenced(self, error: Fenced) -> int:
        if self._app is not None:
            await self._app.stop()
        await self._mounts.drain(self._hasty)
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
        if self._app is not None:
            await self._app.stop()
        await self._mounts.drain(self._hasty)
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
        if self._tunnel is not None:
            await self._tunnel.close()
        if self._gate is not None:
            await self._gate.stop()
        if self._app is not None:
            await self._app.stop()
            self._app.close()
        await self._mounts.close()
        if self._data is not None:
            await self._data.stop()
        if self._root is not None:
            with contextlib.suppress(MountFault):
                await self._root.close()
        self._gate = self._app = self._data = self._root = None
        if self._lease is not None:
            self._lease.release()

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
        if not self._mounts.unsaved:
            remove(self._mounts.folder)
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

    def _tell_mounts(self, mounts: list[MountStatus], request: str | None = None) -> None:
        self._control.send("mounts", mounts=mounts, request=request)

    def _saved(self, checkpoint: Checkpoint) -> None:
        self._control.send("saved", checkpoint=checkpoint)

    async def _report_activity(self) -> None:
        gate = self._gate
        assert gate is not None and self._watcher is not None
        await self._watcher.report(self._control, lambda: (sorted(gate.people()), gate.active_at))

    def _wish(self, what: Wish, user: str) -> None:
        self._control.send("wish", wish=what, user=user)

    def _told_lifetime(self, notice: LifetimeNotice) -> None:
        self._inside.notice = notice

    def _background(self, work: Coroutine[Any, Any, Any]) -> None:
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
