"""One session's delta as layers: what a save has to write, and how much of it is written again.

Each of a session's layers remembers which paths it touched, so any suffix of them can be folded into the next
one: what is still there of those paths is captured again, the rest becomes whiteouts. Layers are folded while
the one below is not much bigger than what is written anyway, so a session of any length has a few layers
and each byte is written a few times at most.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Set
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..models import LayerRef, StudiosError
from .layers import DISK_FULL, Builder, listing, reference
from .scan import (
    RACY_NS,
    TICK_NS,
    Changes,
    Manifest,
    clock_ns,
    content_bytes,
    diff,
    folders,
    is_larger,
    parents,
    racy,
    scan,
    topmost,
    within,
)
from .tarstream import Item, Report, has_acl

OWN_LAYERS = 4  # of one session at most (and one more when files changed while the first was written)
SMALL = 1 << 20  # layers up to here are always folded into the next
WASTE = 64 << 20  # dead bytes that do not matter
WHOLE_FILES, WHOLE_BYTES = 2000, 32 << 20  # from here on mksquashfs reads the upperdir itself


@dataclass(frozen=True)
class Own:
    """A layer of this session."""

    ref: LayerRef
    touched: frozenset[bytes]
    visible: frozenset[bytes]  # the paths that it and the session's layers below it show
    opaque: frozenset[bytes]  # the opaque directories among them
    bytes: int  # of file contents


@dataclass
class State:
    """What this session's layers hold; replaced as a whole once a save is durable."""

    layers: list[Own] = field(default_factory=list)
    saved: Manifest = field(default_factory=dict)
    dirty: set[bytes] = field(default_factory=set)  # captured, but perhaps not as they are now
    left_out: set[bytes] = field(default_factory=set)  # could not be read
    acls: set[bytes] = field(default_factory=set)
    unstable: set[bytes] = field(default_factory=set)
    late: set[bytes] = field(default_factory=set)  # changed, and too large for a save in a hurry
    merged: bool = False  # the layers below include earlier ones of this session: nothing left to fold

    def notes(self) -> str:
        """What people should know of this capture."""
        told = [
            ("changed while being read; the next save captures it again", self.unstable),
            ("was too large to be saved in a hurry, and is as it was before", self.late),
            ("could not be read and is not in this checkpoint", self.left_out),
            ("has an access control list, which a checkpoint cannot keep", self.acls),
        ]
        return " ".join(f"{_some(paths)} {what}." for what, paths in told if paths)


def _some(paths: set[bytes]) -> str:
    shown = [path.decode(errors="replace") for path in sorted(paths)[:3]]
    more = len(paths) - len(shown)
    return ", ".join(shown) + (f" and {more} more:" if more else ":" if len(shown) > 1 else "")


Upload = Callable[[LayerRef, Path], Awaitable[None]]


class Capture:
    """A save in the making: ``state`` as it will be, and the files of its new layers, each of which ``upload`` gets
    as soon as it is complete."""

    def __init__(
        self, upper: Path, builder: Builder, before: State, upload: Upload, budget: int | None = None
    ) -> None:
        """``budget``: bytes of changed files beyond which the largest are left for the next save."""
        self.budget = budget
        self.upper = upper
        self.builder = builder
        self.before = before
        self.state = before
        self.files: dict[str, Path] = {}
        self._upload = upload
        self._uploads: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        if self.budget is not None and not self.before.merged:
            await self._within(self.budget)
            return
        first = not self.before.layers and not self.before.merged
        if first and await asyncio.to_thread(is_larger, self.upper, WHOLE_FILES, WHOLE_BYTES):
            self.state = State()
            await self._whole_by_mksquashfs()
            return
        now, unlisted = await asyncio.to_thread(scan, self.upper)
        changes = diff(self.before.saved, now, self.before.dirty)
        keep = self._keep(changes, now)
        if keep == len(self.before.layers) and not changes.changed and not changes.removed:
            return
        self.state = State(
            self.before.layers[:keep],
            now,
            left_out=set(unlisted) | (self.before.left_out & now.keys()),
            acls=self.before.acls & now.keys(),
            merged=self.before.merged,
        )
        if keep:
            await self._fold(self.before.layers[keep - 1], self.before.layers[keep:], changes)
        elif len(now) >= WHOLE_FILES or content_bytes(now, now) >= WHOLE_BYTES:
            await self._whole_by_mksquashfs()
        elif now:
            await self._one_by_one(now)

    async def _within(self, budget: int) -> None:
        """What is quick to write, over the layers that there are: nothing old is written again."""
        before = self.before
        found, unlisted = await asyncio.to_thread(scan, self.upper)
        now, late = within(budget, before.saved, found, before.dirty)
        changes = diff(before.saved, now, before.dirty - late)
        self.state = replace(
            before,
            layers=list(before.layers),
            saved=now,
            dirty=before.dirty & late,
            left_out=set(unlisted) | (before.left_out & now.keys()),
            acls=before.acls & now.keys(),
            unstable=set(),
            late=late,
        )
        if before.layers:
            await self._fold(before.layers[-1], [], changes)
        elif now:
            await self._one_by_one(now)

    async def uploaded(self) -> None:
        await asyncio.gather(*self._uploads)

    async def discard(self) -> None:
        """End what is under way, and remove this save's files."""
        for task in self._uploads:
            task.cancel()
        await asyncio.gather(*self._uploads, return_exceptions=True)
        self._uploads.clear()
        self.files.clear()
        await asyncio.to_thread(self.builder.clear)

    def _keep(self, changes: Changes, now: Manifest) -> int:
        """How many of the layers stay as they are; those above become part of the new one."""
        layers = self.before.layers
        if self.before.merged:
            return len(layers)
        new = content_bytes(now, changes.changed)
        held = sum(layer.bytes for layer in layers) + new
        if held > 2 * content_bytes(now, now) + WASTE:
            return 0
        if not changes.changed and not changes.removed:
            return len(layers)
        keep = len(layers)
        while keep and (keep >= OWN_LAYERS or layers[keep - 1].bytes <= max(2 * new, SMALL)):
            keep -= 1
            new += layers[keep].bytes
        return keep

    async def _fold(self, under: Own, layers: list[Own], changes: Changes) -> None:
        """One layer of ``changes`` and of whatever ``layers`` held, over ``under``. Only what ``under`` shows gets
        a whiteout: in a directory that nothing lies below, overlayfs lists whiteouts as if they were files."""
        now = self.state.saved
        touched = changes.changed | {path for layer in layers for path in layer.touched}
        opened = {path for path, entry in now.items() if entry.opaque} - under.opaque
        await self._layer(touched & now.keys(), under.visible - now.keys(), opened, under.visible)

    async def _layer(
        self, changed: Set[bytes], removed: Set[bytes], opened: Set[bytes], below: Set[bytes]
    ) -> None:
        """A layer over others that show the paths ``below``."""
        whiteouts = topmost(removed, self.state.saved)
        items = _items(self.upper, self.state.saved, changed, whiteouts, opened)
        if not items:
            return
        started = clock_ns()
        path, report = await self.builder.run(lambda: self.builder.of(items, self.upper, below))
        self._account(report, whiteouts, started)
        touched = changed | removed | report.captured.keys() | report.whiteouts
        await self._add(path, report.count, touched, self.state.saved, report.bytes)

    async def _add(self, path: Path, files: int, touched: Set[bytes], view: Manifest, size: int) -> None:
        ref = await asyncio.to_thread(reference, path, files)
        self.files[ref.digest] = path
        self._uploads.append(asyncio.ensure_future(self._upload(ref, path)))
        own = Own(ref, frozenset(touched), frozenset(view), frozenset(_opaque(view)), size)
        self.state.layers = [*self.state.layers, own]

    def _account(self, report: Report, whiteouts: Set[bytes], started: int) -> None:
        """Bring ``state`` to what the layer really holds."""
        state, saved = self.state, self.state.saved
        lost = (report.whiteouts - whiteouts) | report.vanished
        lost |= {p for p, entry in report.captured.items() if saved[p].is_dir and not entry.is_dir}
        if lost:
            for path in [p for p in saved if p in lost or any(parent in lost for parent in parents(p))]:
                del saved[path]
        saved.update(report.captured)
        state.unstable |= report.unstable
        state.left_out = (state.left_out - report.captured.keys()) | report.unreadable
        state.acls = (state.acls - report.captured.keys()) | report.acls
        state.dirty -= report.captured.keys()
        state.dirty |= racy(report.captured, started) | report.unstable

    async def _whole_by_mksquashfs(self) -> None:
        """The whole upperdir, read by mksquashfs; what changed meanwhile goes into a second, small layer.

        Changed is what differs between a look at the beginning (``before``, while mksquashfs reads the directories,
        too) and one at the end (``after``); what bears a change time since the beginning; and all below a directory
        that had come to its place meanwhile, because what is in it bears none."""
        places = await asyncio.to_thread(folders, self.upper)
        started = clock_ns()
        looking = asyncio.ensure_future(asyncio.to_thread(scan, self.upper))
        try:
            path, said = await self.builder.run(lambda: self.builder.whole(self.upper))
        except StudiosError as error:
            if error.problem.status == DISK_FULL:
                raise
            await self._one_by_one((await looking)[0])  # it gives up where one file can be left out
            return
        finally:
            await asyncio.wait([looking])
        before = looking.result()[0]
        _, (after, unlisted) = await asyncio.gather(
            self._add(path, len(before), before.keys(), before, content_bytes(before, before)),
            asyncio.to_thread(scan, self.upper),
        )
        changed, opened = await asyncio.to_thread(_since, started - TICK_NS, places, before, after)
        held = await self._held(path, before, after, started - RACY_NS)
        removed = held - after.keys()
        if said.count("creating empty file") > len(changed) + len(removed):
            await self._one_by_one(after)
            return
        if "posix_acl" in said:
            changed |= await asyncio.to_thread(self._with_acl, after)
        shown = held | after.keys()
        self.state.saved, self.state.dirty = after, racy(after, started)
        self.state.left_out |= set(unlisted)
        self.state.layers[0] = replace(self.state.layers[0], touched=shown, visible=shown)
        if changed or removed:
            await self._layer(changed, removed, opened, shown)

    async def _held(self, layer: Path, before: Manifest, after: Manifest, recent: int) -> frozenset[bytes]:
        """The paths that ``layer`` has in directories that changed while it was written: things may have come and
        gone unseen. Its list has one name a line, so names with a newline go by what was seen."""
        restless = {path for path, entry in after.items() if entry.is_dir and entry.ctime_ns > recent}
        if self.upper.stat().st_ctime_ns > recent:
            restless = {b""}
        top = [path for path in restless if not any(parent in restless for parent in parents(path))]
        held = await asyncio.to_thread(listing, layer, top) if top else set()
        odd = {path for path in before.keys() | after.keys() if b"\n" in path}
        return frozenset(odd | held - {path.partition(b"\n")[0] for path in odd} - {b""})

    async def replace(self, items: list[Item]) -> None:
        """One layer of ``items``, which are the whole upperdir over layers below it, in place of all others."""
        await self.discard()
        path, report = await self.builder.run(lambda: self.builder.of(items, self.upper, frozenset()))
        self.state = State([], self.state.saved, self.state.dirty | report.unstable, merged=True)
        self.state.left_out, self.state.acls = report.unreadable, report.acls
        await self._add(path, report.count, report.captured.keys(), self.state.saved, report.bytes)

    async def _one_by_one(self, now: Manifest) -> None:
        """One layer of everything in place of all this session's layers, each entry known by name."""
        await self.discard()
        self.state.layers, self.state.saved = [], now
        await self._layer(now.keys(), frozenset(), _opaque(now), frozenset())

    def _with_acl(self, manifest: Manifest) -> set[bytes]:
        root = bytes(self.upper)
        return {path for path in manifest if has_acl(root + b"/" + path)}


def _opaque(manifest: Manifest) -> set[bytes]:
    return {path for path, entry in manifest.items() if entry.opaque}


def _since(
    limit: int, places: dict[bytes, int], before: Manifest, after: Manifest
) -> tuple[set[bytes], set[bytes]]:
    """What changed since ``limit``, and which of it are directories that became opaque."""
    changes = diff(before, after)
    moved = {path for path, entry in before.items() if entry.is_dir and places.get(path) != entry.inode}
    changed = changes.changed | {path for path, entry in after.items() if entry.ctime_ns > limit}
    if moved:
        changed |= {path for path in after if any(parent in moved for parent in parents(path))}
    return changed, changes.opened | (moved & _opaque(after))


def _items(
    upper: Path, manifest: Manifest, changed: Set[bytes], removed: Set[bytes], opened: Set[bytes]
) -> list[Item]:
    """Directories before what is in them; those above what changed come along."""
    root = bytes(upper)
    present = changed | {parent for path in changed | removed for parent in parents(path)}
    items = [Item(path, root + b"/" + path, path in opened and manifest[path].opaque) for path in present]
    return sorted(items + [Item(path, None) for path in removed])
