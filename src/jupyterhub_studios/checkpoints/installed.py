"""What was installed in a studio: packages that its delta has and its base has not, or has otherwise."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Literal

from ..models import Package

DPKG_STATUS = "var/lib/dpkg/status"
_DIST_INFO = b".dist-info"
Manager = Literal["dpkg", "pip"]


def dpkg_packages(status: str) -> dict[str, str]:
    """Name (with the architecture of foreign ones) and version of what dpkg's status file says is installed."""
    packages = {}
    for stanza in re.split(r"\n[ \t]*\n", status):
        fields = dict(re.findall(r"^(Package|Version|Status):[ \t]*(.*?)[ \t]*$", stanza, re.MULTILINE))
        if fields.get("Status", "").endswith(" installed") and "Package" in fields:
            packages[fields["Package"]] = fields.get("Version", "")
    return packages


def distribution(metadata: bytes) -> tuple[str, str] | None:
    """Name and version in a ``*.dist-info/METADATA`` file."""
    headers = BytesHeaderParser().parsebytes(metadata)
    name, version = headers.get("Name"), headers.get("Version")
    return (str(name).strip(), str(version).strip()) if name and version else None


def differences(manager: Manager, before: Mapping[str, str], after: Mapping[str, str]) -> list[Package]:
    packages = []
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old is None and new is not None:
            packages.append(Package(manager=manager, name=name, version=new))
        elif new is None and old is not None:
            packages.append(Package(manager=manager, name=name, version=old, change="removed"))
        elif new is not None and old != new:
            packages.append(Package(manager=manager, name=name, version=new, change="changed"))
    return packages


def installed(upper: Path, layer_mounts: Sequence[Path], base_root: Path) -> list[Package]:
    """dpkg's and pip's differences of a delta (``layer_mounts``, lowest first, then ``upper``) to its base."""
    delta = [*layer_mounts, upper]
    return _dpkg(delta, base_root) + _pip(delta, base_root)


def _dpkg(delta: Sequence[Path], base_root: Path) -> list[Package]:
    before = base_root / DPKG_STATUS
    after = next((p for layer in reversed(delta) if (p := layer / DPKG_STATUS).is_file()), None)
    if after is None:
        return []
    return differences("dpkg", dpkg_packages(_text(before)), dpkg_packages(_text(after)))


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _pip(delta: Sequence[Path], base_root: Path) -> list[Package]:
    base = bytes(base_root).rstrip(b"/")
    before: dict[bytes, tuple[str, str]] = {}
    after: dict[bytes, tuple[str, str]] = {}
    for layer in delta:
        root = bytes(layer)
        for path, hides, present in _marks(root):
            if hides:
                gone = [known for known in after if known == path or known.startswith(path + b"/")]
                for known in gone:
                    del after[known]
                before |= _below(base, path)
            if present and (found := _read(root + b"/" + path)) is not None:
                after[path] = found
                if (old := _read(base + b"/" + path)) is not None:
                    before[path] = old
    return _by_place(before, after)


def _marks(root: bytes) -> Iterator[tuple[bytes, bool, bool]]:
    """(path, hides what is below, is a dist-info) of a layer, directories before what is in them."""
    pending = [b""]
    while pending:
        directory = pending.pop()
        try:
            entries = list(os.scandir(root + b"/" + directory))
        except OSError:
            continue
        for entry in entries:
            path = directory + b"/" + entry.name if directory else entry.name
            if entry.is_dir(follow_symlinks=False):
                opaque = _is_opaque(entry.path)
                is_info = entry.name.endswith(_DIST_INFO)
                if opaque or is_info:
                    yield path, opaque, is_info
                if not is_info:
                    pending.append(path)
            elif not entry.is_file(follow_symlinks=False) and _is_whiteout(entry):
                yield path, True, False


def _is_whiteout(entry: os.DirEntry[bytes]) -> bool:
    status = entry.stat(follow_symlinks=False)
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == 0


def _is_opaque(path: bytes) -> bool:
    try:
        return os.getxattr(path, "user.overlay.opaque", follow_symlinks=False) == b"y"
    except OSError:
        return False


def _below(base: bytes, path: bytes) -> dict[bytes, tuple[str, str]]:
    """The distributions of the base at or below ``path``."""
    found = {}
    pending = [path]
    while pending:
        place = pending.pop()
        if place.endswith(_DIST_INFO):
            if (known := _read(base + b"/" + place)) is not None:
                found[place] = known
            continue
        try:
            with os.scandir(base + b"/" + place) as entries:
                pending += [place + b"/" + e.name for e in entries if e.is_dir(follow_symlinks=False)]
        except OSError:
            continue
    return found


def _read(info: bytes) -> tuple[str, str] | None:
    try:
        return distribution(Path(os.fsdecode(info), "METADATA").read_bytes()[: 1 << 16])
    except OSError:
        return None


def _by_place(
    before: Mapping[bytes, tuple[str, str]], after: Mapping[bytes, tuple[str, str]]
) -> list[Package]:
    """Differences of each site directory, told once: an upgrade removes one dist-info and adds another."""
    found: dict[tuple[str, str, str], Package] = {}
    for site in sorted({path.rpartition(b"/")[0] for path in before.keys() | after.keys()}):
        old, new = ({_plain(n): (n, v) for n, v in _of(site, known)} for known in (before, after))
        names = {key: name for key, (name, _) in (old | new).items()}
        for package in differences(
            "pip",
            {names[key]: version for key, (_, version) in old.items()},
            {names[key]: version for key, (_, version) in new.items()},
        ):
            found[package.name, package.version, package.change] = package
    return sorted(found.values(), key=lambda package: package.name.lower())


def _of(site: bytes, known: Mapping[bytes, tuple[str, str]]) -> list[tuple[str, str]]:
    return [found for path, found in known.items() if path.rpartition(b"/")[0] == site]


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
