"""Create, look at, destroy: the order of things, with what is told on the way given to ``say``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..models import StudiosError
from . import settings as options
from .account import Account, bundle_folder, bundle_of
from .settings import Bundle, Settings
from .stack import Change, Event, Plan, Stack, State, failure
from .template import ALL, body, template

Say = Callable[[str], None]

# What no change set leads out of.
BROKEN = ("CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED", "UPDATE_ROLLBACK_FAILED")
MACHINES = ("AWS::Batch::ComputeEnvironment", "AWS::EC2::LaunchTemplate")


@dataclass(frozen=True)
class Wish:
    """What ``forge create`` was asked for. ``options`` are those of :class:`Settings` that were given."""

    name: str
    vpc: str
    bucket: str
    subnets: Sequence[str] = ()
    bundle: Path | None = None
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Prepared:
    """Everything that is known before anything is changed."""

    settings: Settings
    before: State | None
    new_bucket: bool
    bundle_file: Path | None


class Forge:
    def __init__(self, account: Account, name: str, say: Say) -> None:
        self.account, self.name, self._say = account, name, say
        self.stack = Stack(account, f"studios-{name}")
        self._begun = False

    # --- create ---

    def prepare(self, wish: Wish) -> Prepared:
        before = self._ready()
        bucket, prefix = options.split_bucket(wish.bucket)
        settings = options.parse(
            name=wish.name,
            region=self.account.region,
            vpc=wish.vpc,
            subnets=self.account.subnets(wish.vpc, wish.subnets),
            networks=self.account.networks(wish.vpc),
            bucket=bucket,
            prefix=prefix,
            bundle=self._bundle(wish, prefix, before),
            **wish.options,
        )
        if before is not None and before.outputs.get("WorkDir", settings.work_dir) != settings.work_dir:
            raise StudiosError(
                f"The forge “{wish.name}” keeps checkpoints in {before.outputs['WorkDir']}",
                f"--bucket says {settings.work_dir}, and studios would lose sight of what is saved",
                "Keep the bucket, or make a second forge with another --name",
                status=409,
            )
        exists = self.account.bucket_exists(bucket)
        return Prepared(settings, before, not exists, archive(wish.bundle) if wish.bundle else None)

    def _ready(self) -> State | None:
        """The stack as it is, when it can be changed."""
        state = self.stack.state()
        if state is None or state.status == "REVIEW_IN_PROGRESS":
            return None
        self._check_ours(state)
        if state.busy:
            raise StudiosError(
                f"The forge “{self.name}” is being changed",
                f"its stack {self.stack.name} is {state.status}",
                "Wait until that is over: `studios forge status` shows it",
                status=409,
            )
        if state.status in BROKEN:
            raise StudiosError(
                f"The forge “{self.name}” is broken and cannot be changed",
                f"its stack {self.stack.name} is {state.status}"
                + (f": {state.reason}" if state.reason else ""),
                f"Run `studios forge destroy --name {self.name}`, and make it anew: the bucket stays",
                status=409,
            )
        return state

    def _check_ours(self, state: State) -> None:
        if not state.ours:
            raise StudiosError(
                f"The stack {self.stack.name} was not made by a forge",
                f"it does not carry the tag {options.TAG}",
                "Choose another --name",
                status=409,
            )

    def _bundle(self, wish: Wish, prefix: str, before: State | None) -> Bundle:
        if wish.bundle is not None:
            return bundle_of(archive(wish.bundle), bundle_folder(prefix))
        if before is not None and "BundleKey" in before.outputs:
            return Bundle(key=before.outputs["BundleKey"], sha256=before.outputs["BundleSha256"])
        raise StudiosError(
            "A new forge needs the agent bundle",
            "its machines fetch it when they start, so that images need nothing of ours",
            "Make it with `studios image bundle`, and give the file with --bundle",
            status=422,
        )

    @contextmanager
    def planned(self, prepared: Prepared) -> Iterator[Plan]:
        """What would change. Unless it is carried out inside, nothing of the plan is left afterwards."""
        plan = self.stack.plan(body(prepared.settings), self.name, new=prepared.before is None)
        try:
            yield plan
        finally:
            if plan.change_set and not self._begun:
                self.stack.forget(plan)

    def guard(self, prepared: Prepared, plan: Plan) -> None:
        """A change of the machines ends what runs on the old ones, sooner or later."""
        touched = [change for change in plan.changes if touches_machines(change)]
        if prepared.before is None or not touched:
            return
        jobs = sum(self.account.alive(queues(prepared.before.outputs)).values())
        if not jobs:
            return
        removed = any(change.action == "Remove" for change in touched)
        raise StudiosError(
            f"{jobs} {'job has' if jobs == 1 else 'jobs have'} not ended, and this change "
            + ("removes machines" if removed else "replaces machines"),
            "AWS Batch ends what runs on them"
            + (" at once" if removed else ": after six hours what is still running there"),
            "Stop the studios first, or say --force: they keep what was saved last",
            status=409,
        )

    def carry_out(self, prepared: Prepared, plan: Plan) -> dict[str, str]:
        """Makes it so; answers the stack's outputs."""
        settings = prepared.settings
        if prepared.new_bucket:
            self.account.make_bucket(settings.bucket, settings.name)
            self._say(f"  ✓ bucket {settings.bucket}")
        if prepared.bundle_file is not None:
            self.account.put_bundle(prepared.bundle_file, settings.bucket, settings.bundle)
            self._say(f"  ✓ agent bundle {settings.bundle.sha256[:12]}")
        self.account.ensure_service_role("batch.amazonaws.com")
        if settings.spot:
            self.account.ensure_service_role("spot.amazonaws.com")
        self._begun = True
        if plan.change_set:
            try:
                self._carry_out(self.stack.execute(plan), f"Making {self.stack.name}")
            except StudiosError:
                if plan.new:
                    self._tidy()
                raise
        state = self.stack.state()
        assert state is not None  # it has just been made
        return state.outputs

    def _tidy(self) -> None:
        """A stack whose first try failed can only be deleted."""
        state = self.stack.state()
        if state is not None and state.status == "ROLLBACK_COMPLETE":
            self._say("Nothing of it is kept, but the bucket")
            for _ in self.stack.delete(state.id):
                pass

    def _carry_out(self, happening: Iterable[Event], what: str) -> None:
        events: list[Event] = []
        for event in happening:
            if not event.whole and (line := progress(event, events)):
                self._say(line)
            events.append(event)
        if (error := failure(events, what)) is not None:
            raise error

    # --- status, destroy ---

    def existing(self) -> State:
        state = self.stack.state()
        if state is None or state.status == "REVIEW_IN_PROGRESS":
            raise StudiosError(
                f"There is no forge “{self.name}” in {self.account.region}",
                f"there is no stack {self.stack.name}",
                "Check --name and --region",
                status=404,
            )
        self._check_ours(state)
        return state

    def destroy(self, state: State) -> None:
        self._carry_out(self.stack.delete(state.id), f"Removing {self.stack.name}")

    def jobs(self, state: State) -> dict[str, int]:
        return self.account.alive(queues(state.outputs))

    def machines(self, state: State) -> list[dict[str, Any]]:
        names = [f"{self.stack.name}-{kind.id}" for kind in ALL if f"{kind.logical}Queue" in state.outputs]
        return self.account.capacity(names) if names else []


def archive(bundle: Path) -> Path:
    """The archive of a bundle that is given as it, or as the folder beside which it lies."""
    return bundle.with_name(f"{bundle.name}.tar.zst") if bundle.is_dir() else bundle


def queues(outputs: dict[str, str]) -> list[str]:
    return [outputs[name] for kind in ALL if (name := f"{kind.logical}Queue") in outputs]


def touches_machines(change: Change) -> bool:
    return change.type in MACHINES and change.action != "Add"


def progress(event: Event, before: list[Event]) -> str:
    """A line for what has ended, with the time it took."""
    if not (event.done or event.failed):
        return ""
    begun = next((e.at for e in before if e.name == event.name), event.at)
    seconds = f"{(event.at - begun).total_seconds():.0f} s"
    kind = event.type.removeprefix("AWS::").replace("::", " ")
    word = "removed " if event.status.startswith("DELETE") else ""
    return f"  {'✗' if event.failed else '✓'} {word}{event.name:<18} {seconds:>6}  {event.reason or kind}".rstrip()


def document(prepared: Prepared, plan: Plan) -> dict[str, Any]:
    """A plan for scripts."""
    return {
        "stack": prepared.settings.stack,
        "region": prepared.settings.region,
        "new": plan.new,
        "new_bucket": prepared.new_bucket,
        "changes": [
            {"action": c.action, "name": c.name, "type": c.type, "replaced": c.replaced} for c in plan.changes
        ],
        "template": template(prepared.settings),
    }
