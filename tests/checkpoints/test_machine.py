"""Random lives of studios against a model: what each checkpoint restores is what was seen when it was made."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from jupyterhub_studios.checkpoints import Store, catalogue
from jupyterhub_studios.models import Checkpoint, StudiosError

from .trees import Session, Tree, differences, restored

NAMES = st.sampled_from(["etc", "f", "g", "etc/conf", "etc/deep", "etc/deep/x", "own", "own/a", "own/a/b"])


class Studios(RuleBasedStateMachine):
    """Files are changed through a real overlay; ``model`` holds what each checkpoint must bring back."""

    checkpoints: Bundle[str] = Bundle("checkpoints")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="studios-machine-"))
        self.loop = asyncio.new_event_loop()
        self.store = Store.open(f"file://{self.folder}/bucket")
        self.base = self.folder / "base"
        (self.base / "etc" / "deep").mkdir(parents=True)
        (self.base / "etc" / "conf").write_text("base")
        (self.base / "etc" / "deep" / "below").write_text("base")
        self.model: dict[str, tuple[Tree, str]] = {}
        self.kept: dict[str, Checkpoint] = {}
        self.epoch = self.forks = self.counter = 0
        self.session: Session

    @initialize()
    def begin(self) -> None:
        self.open("st-0")

    def open(self, studio_id: str) -> None:
        self.epoch += 1
        self.session = Session(
            self.store, studio_id, self.base, self.folder / f"session-{self.epoch}", self.epoch
        )
        self.loop.run_until_complete(self.session.open())

    def save(self, final: bool = False, name: str | None = None) -> str:
        checkpoint = self.loop.run_until_complete(self.session.saver.save(final=final, name=name))
        self.remember(checkpoint, self.session.look(links_too=False))
        if name is not None:
            line = self.session.saver.line.checkpoint
            self.remember(line, self.model[checkpoint.id][0])
        return checkpoint.id

    def remember(self, checkpoint: Checkpoint, tree: Tree) -> None:
        self.model[checkpoint.id] = tree, checkpoint.name
        self.kept[checkpoint.id] = checkpoint

    # --- what people do in a session -----------------------------------------------------------

    @rule(name=NAMES)
    def write(self, name: str) -> None:
        self.counter += 1
        with contextlib.suppress(OSError):
            (self.session.root / name).write_text(f"{self.counter}")

    @rule(name=NAMES)
    def make(self, name: str) -> None:
        with contextlib.suppress(OSError):
            (self.session.root / name).mkdir(parents=True)

    @rule(name=NAMES)
    def remove(self, name: str) -> None:
        place = self.session.root / name
        with contextlib.suppress(OSError):
            if place.is_dir():
                shutil.rmtree(place)
            else:
                place.unlink()

    @rule(a=NAMES, b=NAMES)
    def move(self, a: str, b: str) -> None:
        with contextlib.suppress(OSError):
            (self.session.root / a).rename(self.session.root / b)

    @rule(a=NAMES, b=NAMES)
    def link(self, a: str, b: str) -> None:
        with contextlib.suppress(OSError):
            os.link(self.session.root / a, self.session.root / b)

    @rule(name=NAMES, mode=st.sampled_from([0o700, 0o755, 0o4755]))
    def mode(self, name: str, mode: int) -> None:
        with contextlib.suppress(OSError):
            (self.session.root / name).chmod(mode)

    # --- what becomes of it --------------------------------------------------------------------

    @rule(target=checkpoints)
    def interim(self) -> str:
        return self.save()

    @rule(target=checkpoints, name=st.sampled_from(["one", "two"]))
    def by_hand(self, name: str) -> str:
        return self.save(name=name)

    @rule(target=checkpoints)
    def stop_and_start(self) -> str:
        saved = self.save(final=True)
        self.session.close()
        self.open(self.session.studio_id)
        assert differences(self.model[saved][0], self.session.look(links_too=False)) == {}
        self.remember(self.session.line.checkpoint, self.model[saved][0])
        return saved

    @rule(target=checkpoints)
    def killed(self) -> str:
        """What was not saved is lost, and nothing else."""
        line = self.session.saver.line.checkpoint
        self.session.close()
        self.open(self.session.studio_id)
        if line.id in self.model:
            assert differences(self.model[line.id][0], self.session.look(links_too=False)) == {}
        self.remember(self.session.line.checkpoint, self.session.look(links_too=False))
        return self.session.line.checkpoint.id

    @rule(target=checkpoints, source=checkpoints)
    def fork(self, source: str) -> str:
        if source not in self.kept:
            return source
        self.forks += 1
        checkpoint = self.kept[source]
        current = self.loop.run_until_complete(
            catalogue.get_checkpoint(self.store, checkpoint.studio_id, source)
        )
        forked = self.loop.run_until_complete(
            catalogue.fork(self.store, current, f"st-{self.forks}", author="bob")
        )
        self.remember(forked, self.model[source][0])
        return forked.id

    @rule(source=checkpoints, name=st.sampled_from(["mine", "yours"]))
    def rename(self, source: str, name: str) -> None:
        if source in self.kept:
            studio_id = self.kept[source].studio_id
            self.loop.run_until_complete(catalogue.rename(self.store, studio_id, source, name))
            self.model[source] = self.model[source][0], name

    @rule(source=checkpoints)
    def delete(self, source: str) -> None:
        if source not in self.kept:
            return
        try:
            self.loop.run_until_complete(catalogue.delete(self.store, self.kept[source].studio_id, source))
        except StudiosError as error:
            assert error.problem.status == 409
            return
        del self.kept[source], self.model[source]

    @rule()
    def sweep(self) -> None:
        self.loop.run_until_complete(catalogue.sweep(self.store, grace=0))

    @precondition(lambda self: self.kept)
    @rule(source=checkpoints)
    def restores(self, source: str) -> None:
        if source not in self.kept:
            return
        self.counter += 1
        studio_id = self.kept[source].studio_id
        checkpoint = self.loop.run_until_complete(catalogue.get_checkpoint(self.store, studio_id, source))
        tree, name = self.model[source]
        assert checkpoint.name == name
        place = self.folder / f"check-{self.counter}"
        found = self.loop.run_until_complete(
            restored(self.store, checkpoint, self.base, place, links_too=False)
        )
        assert differences(tree, found) == {}

    @invariant()
    def short_chains(self) -> None:
        assert all(len(checkpoint.layers) <= 17 for checkpoint in self.kept.values())

    def teardown(self) -> None:
        with contextlib.suppress(AttributeError):
            self.session.close()
        self.loop.close()
        shutil.rmtree(self.folder)


Studios.TestCase.settings = settings(
    max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestStudios = pytest.mark.root(pytest.mark.slow(Studios.TestCase))
