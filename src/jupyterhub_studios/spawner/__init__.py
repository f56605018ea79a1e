"""BatchSpawner: the Hub's view of a studio, and nothing more.

A start registers the launch with the studios service, which knows all secrets, submits a job that holds none,
and waits until the session's gate reports its address. A stop asks the service to save and waits until the
save is durable. The two rules that everything here serves: a job is never thought dead because somebody
could not be asked, and never ended before its work is saved unless a person said so.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import cached_property
from typing import Any, cast
from urllib.parse import urlsplit

import aiohttp
from jupyterhub.spawner import Spawner, SpawnException
from jupyterhub.utils import maybe_future
from traitlets import Bool, Float, Instance, Unicode, default

from ..compute import Compute, open_compute
from ..compute.poller import Poller
from ..compute.rounds import Rounds
from ..config import Studios
from ..config.hub import listens_beyond_loopback, studios_of
from ..models import (
    Job,
    JobStatus,
    Kind,
    Launch,
    LaunchRequest,
    SessionProgress,
    SessionState,
    StudiosError,
)
from .asking import LONG_POLL_SECONDS, Service

RETRY_SECONDS = 2.0
REPORT_TRIES = 20
EXIT_SECONDS = 30  # how long a saved job may take to end by itself before it is terminated


class BatchSpawner(Spawner):
    """Starts named servers as studios: jobs on AWS Batch, a Docker engine or this machine."""

    service_url = Unicode(
        help="""
        Direct address of the studios service, with its prefix. It must be reachable from the Hub.

        Default: none, it must be set. Example: ``c.BatchSpawner.service_url = "http://127.0.0.1:8091/services/studios/"``
        """,
    ).tag(config=True)

    service_token = Unicode(
        help="""
        The API token of the studios service, which also proves the Hub to the service.

        Default: none, it must be set. Example: ``c.BatchSpawner.service_token = os.environ["STUDIOS_SERVICE_TOKEN"]``
        """,
    ).tag(config=True)

    terminate_grace = Float(
        10.0,
        help="""
        Seconds a job that is ended without a save, or that is saved and does not end, has before it is killed.

        Default: ``10``. Example: ``c.BatchSpawner.terminate_grace = 60``
        """,
    ).tag(config=True)

    studio_id = Unicode()
    session_id = Unicode()
    compute_environment = Unicode()
    job_id = Unicode()
    address = Unicode()  # of the session's gate, once it is ready
    _ended: JobStatus | None = None  # how the job ended, once that is known
    _told: JobStatus | None = None  # what the service knows of the job while it starts
    _reported = Bool(False)  # the service knows that the job is over
    _progress = Instance(SessionProgress, kw={"version": 0, "state": SessionState.STARTING})

    @default("start_timeout")
    def _start_timeout(self) -> int:
        return 1200  # an instance may have to boot and pull an image first

    @default("poll_interval")
    def _poll_interval(self) -> int:
        return 5  # one request for all studios: see compute/poller.py

    # --- state ---

    def get_state(self) -> dict[str, Any]:
        state: dict[str, Any] = super().get_state()
        if self.session_id:
            state |= {name: getattr(self, name) for name in _STATE}
        return state

    def load_state(self, state: dict[str, Any]) -> None:
        super().load_state(state)
        for name in _STATE:
            setattr(self, name, state.get(name, ""))

    def clear_state(self) -> None:
        super().clear_state()
        for name in _STATE:
            setattr(self, name, "")
        self._ended = None
        self._told = None
        self._reported = False
        self._progress = SessionProgress(version=0, state=SessionState.STARTING)

    def _commit_state(self) -> None:
        """Write the state to the Hub's database now: the Hub itself does so only when the start is over,
        and a Hub that is restarted before would not know of the job."""
        self.orm_spawner.state = self.get_state()
        self.db.commit()

    @property
    def _compute(self) -> Compute:
        return open_compute(self._studios.compute_environments[self.compute_environment])

    @cached_property
    def _studios(self) -> Studios:
        return studios_of(self.config)

    @property
    def _service(self) -> Service:
        return Service(self.service_url, self.service_token)

    def _check_local(self, environment: str) -> None:
        """Sessions of kind local see this machine, so strangers must not be able to reach the Hub."""
        kind = self._studios.compute_environments[environment].kind
        if (
            kind == Kind.LOCAL
            and not self._studios.allow_local_on_network
            and listens_beyond_loopback(self.config)
        ):
            raise StudiosError(
                "Studios cannot run on this machine",
                "the Hub listens beyond loopback, and a studio here sees the machine's own files",
                "An administrator can bind the Hub to 127.0.0.1 or, where everybody who can sign in is "
                "trusted with the machine, set c.Studios.allow_local_on_network = True",
                status=403,
            )

    # --- start ---

    async def start(self) -> str:
        try:
            launch = await self._register()
            self.studio_id, self.session_id = launch.studio_id, launch.session_id
            self.compute_environment = launch.compute_environment
            try:
                self._check_local(launch.compute_environment)
                self.job_id = await self._submit(launch.job)
            except BaseException as error:
                # Cancelled or refused: the service must not wait for a job that never was.
                await self._report(JobStatus(state="failed", reason=f"the job was not submitted: {error}"))
                raise
            self._commit_state()
            self.address = await self._wait_ready()
            return self.address
        except StudiosError as error:
            raise SpawnException(str(error), reason="studio", status_code=error.problem.status) from None

    async def _submit(self, job: Job) -> str:
        """The job's id. What is done to its image before is shown meanwhile."""
        words: asyncio.Queue[str | None] = asyncio.Queue()
        telling = asyncio.create_task(self._tell_preparing(words))
        try:
            return await self._compute.submit(job, words.put_nowait)
        finally:
            words.put_nowait(None)
            await telling

    async def _tell_preparing(self, words: asyncio.Queue[str | None]) -> None:
        """Tells the latest of ``words`` until there is None."""
        while (text := await words.get()) is not None:
            if words.empty():
                await self._tell(JobStatus(state="preparing", reason=text))

    async def _register(self) -> Launch:
        if not self.name:
            raise StudiosError(
                "A studio needs a name",
                "this Hub starts named servers only",
                f"Make one on the Studios page, {self.hub.base_url.removesuffix('hub/')}services/studios/",
            )
        request = LaunchRequest(
            owner=self.user.name,
            owner_groups=[group.name for group in self.user.groups],
            server_name=self.name,
            display_name=self.orm_spawner.display_name or self.name,
            prefix=self.server.base_url,
            user_options=self.user_options,
        )
        return await self._service.launch(request)

    async def _wait_ready(self) -> str:
        """Follows the session and its job side by side: neither waits for news of the other."""
        following, looking = asyncio.create_task(self._follow()), asyncio.create_task(self._look_after(0))
        try:
            while True:
                await asyncio.wait({following, looking}, return_when=asyncio.FIRST_COMPLETED)
                if following.done():
                    progress = following.result()
                    if progress.state == SessionState.RUNNING and progress.address:
                        return progress.address
                    if progress.state != SessionState.STARTING:
                        raise StudiosError(progress.message or "The start was cancelled")
                    following = asyncio.create_task(self._follow())
                if looking.done():
                    status = looking.result()
                    if status.ended:
                        await self._report(status)
                        final = await self._follow(wait=0)
                        raise StudiosError(final.message or f"The job ended: {status.reason}")
                    if not self._progress.agent_seen:
                        await self._tell(status)
                    pause = RETRY_SECONDS if status.state == "unknown" else 0
                    looking = asyncio.create_task(self._look_after(pause))
        finally:
            for task in (following, looking):
                task.cancel()
            await asyncio.gather(following, looking, return_exceptions=True)

    async def _look_after(self, pause: float) -> JobStatus:
        await asyncio.sleep(pause)
        return await self._look(Poller.instance().status, began=self._progress.agent_seen)

    async def _look(self, ask: Ask, began: bool) -> JobStatus:
        """The job's status. ``began``: the agent was there, which lives once only: a job that its compute
        environment begins anew after that, having lost the machine, is over."""
        status = await ask(self._compute, self.job_id)
        if began and status.attempt > 1 and not status.ended:
            await self._terminate("its machine was lost")
            return status.model_copy(
                update={"state": "lost", "host_lost": True, "reason": f"its machine was lost {status.reason}"}
            )
        return status

    async def _tell(self, status: JobStatus) -> None:
        """Have the service show why a start takes its time. Nothing depends on it."""
        if status == self._told or status.state == "unknown":
            return
        try:
            await self._service.tell_job(self.session_id, status)
            self._told = status
        except (aiohttp.ClientError, StudiosError) as error:
            self.log.warning("The state of job %s was not told: %s", self.job_id, error)

    async def _follow(self, wait: int = LONG_POLL_SECONDS) -> SessionProgress:
        """The session's progress as soon as it has changed; the last known while the service is away."""
        after = self._progress.version if wait else -1
        try:
            self._progress = await self._service.progress(self.session_id, after, wait)
        except aiohttp.ClientError as error:
            self.log.warning("The studios service does not answer: %s", error)
            await asyncio.sleep(RETRY_SECONDS)
        return self._progress

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        """Every viewer gets the whole story so far, then what happens."""
        told: set[tuple[str, str]] = set()
        while True:
            phases = self._progress.phases
            for index, phase in enumerate(phases):
                key = (phase.name, phase.status)
                if phase.status != "pending" and key not in told:
                    told.add(key)
                    yield {
                        "progress": 100 * (2 * index + 1 + (phase.status == "done")) // (2 * len(phases) + 1),
                        "message": f"{phase.name}: {phase.message or phase.status}",
                    }
            if self._progress.state != SessionState.STARTING:
                return
            await asyncio.sleep(0.5)

    # --- while it runs ---

    def start_polling(self) -> None:
        """The Hub's own would be a timer for each."""
        self.stop_polling()
        if self.poll_interval > 0:
            Rounds.every(self.poll_interval).add(self)

    def stop_polling(self) -> None:
        Rounds.every(self.poll_interval).discard(self)

    async def poll_and_notify(self) -> int | None:
        """As the Hub's, but not for one that began to stop while it was looked at. The Hub would stop it once more,
        and what was started in its place along with it."""
        status = await self.poll()
        if status is None or not Rounds.every(self.poll_interval).watches(self):
            return None
        return cast("int | None", await super().poll_and_notify())

    def looks_well(self) -> bool:
        """Whether the last look found the job running, as it was begun. It is looked at again soon."""
        known = Poller.instance().last(self._compute, self.job_id) if self.job_id else None
        return known is not None and known.state == "running" and known.attempt == 1

    async def tell_alive(self, sessions: Sequence[str]) -> None:
        try:
            await self._service.tell_alive(sessions)
        except (aiohttp.ClientError, StudiosError) as error:
            self.log.warning("The studios service was not told which servers run: %s", error)

    async def poll(self) -> int | None:
        if not self.job_id:
            return 0
        asked = self.job_id
        status = await self._look(Poller.instance().recent, began=bool(self.address))
        if not status.ended or self.job_id != asked:  # while we asked, another session began
            return None
        self._ended = status
        return status.exit_code if status.exit_code is not None else 1

    async def run_post_stop_hook(self) -> None:
        """Tell the service of the end, now that the Hub has dealt with it.

        Not earlier: people may start the studio again as soon as the service knows, and a start while the
        Hub still handles the end of the last session would be stopped along with it.
        """
        for _ in range(REPORT_TRIES):
            if self._ended is None or await self._report(self._ended):
                break
            await asyncio.sleep(RETRY_SECONDS)
        await maybe_future(super().run_post_stop_hook())

    async def get_url(self) -> str:
        """Where the session is now: asked by a restarted Hub, maybe while the session still starts.

        A known address does not change, and a restarting Hub starts its services only after this.
        """
        try:
            self.address = self.address or await self._wait_ready()
        except StudiosError:
            return str(self.server.url)  # it is being stopped, or over: the next poll tells
        return self.address.rstrip("/") + urlsplit(self.server.url).path

    # --- stop ---

    async def stop(self, now: bool = False) -> None:
        """Return when the session's work is durable in its bucket and the job has ended.

        Waits as long as that takes: a bucket or service that is down delays a stop and never costs work.
        Only a person's *force*, or a session that never came up, ends the job without a save.
        """
        asked = False
        while not (status := await Poller.instance().recent(self._compute, self.job_id)).ended:
            try:
                if not asked:
                    await self._service.stop(self.session_id)
                    asked = True
                progress = await self._follow()
            except (aiohttp.ClientError, StudiosError) as error:
                self.log.warning("Stopping %s waits for the studios service: %s", self._log_name, error)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if progress.durable:
                status = await self._wait_exit()
                break
            if progress.force or not progress.agent_seen:
                await self._terminate("force" if progress.force else "cancelled")
                if (status := await Poller.instance().status(self._compute, self.job_id)).ended:
                    break
        self._ended = status

    async def _wait_exit(self) -> JobStatus:
        for _ in range(EXIT_SECONDS):
            status = await Poller.instance().status(self._compute, self.job_id)
            if status.ended:
                return status
            await asyncio.sleep(1)
        await self._terminate("saved, but still running")
        return await Poller.instance().status(self._compute, self.job_id)

    async def _terminate(self, reason: str) -> None:
        await self._compute.terminate(self.job_id, reason, grace=self.terminate_grace)

    async def _report(self, status: JobStatus) -> bool:
        """Tell the service that the job is over, once. False: it does not answer; it would ask the Hub after
        some minutes by itself."""
        try:
            if not self._reported:
                await self._service.tell_ended(self.session_id, status)
            self._reported = True
        except aiohttp.ClientError as error:
            self.log.warning("The studios service was not told that %s ended: %s", self._log_name, error)
        except StudiosError as error:
            self.log.warning("The studios service does not know %s: %s", self._log_name, error)
            self._reported = True
        return self._reported


Ask = Callable[[Compute, str], Awaitable[JobStatus]]

_STATE = ("studio_id", "session_id", "compute_environment", "job_id", "address")
