"""Entering a session's root with bubblewrap."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .mounts import MountFault

RUN = "/run/studio"
"""Where the session sees its run folder, which holds the app's socket. On the session's own /run, so that it
is in no checkpoint."""

WORKSPACE = "/workspace"

# What `apt-get install`, `pip install`, `chown` and servers need; nothing that reaches out of the root.
CAPABILITIES = (
    "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "SETUID", "SETGID", "SETFCAP", "KILL", "SYS_CHROOT",
    "NET_BIND_SERVICE",
)  # fmt: skip

# The session's root is user 0 of the machine where the agent is root, and the kernel asks for no capability before
# it lets that user write its settings (core_pattern is a program the kernel starts). So they are read-only inside,
# and what tells about the machine is empty.
READ_ONLY_PROC = ("bus", "fs", "irq", "sys", "sysrq-trigger", "mtrr", "latency_stats", "timer_list")
EMPTY_PROC = ("acpi", "scsi", "asound", "driver", "kcore", "keys", "kmsg", "kallsyms", "iomem", "ioports")


@dataclass
class View:
    """What the session sees."""

    base: Sequence[str]  # bwrap's arguments that make its "/"
    root: Path | None  # the folder that becomes "/", where there is one
    run: Path  # the folder that becomes RUN
    tmp: Path  # the folder that becomes /tmp: on disk, because memory is counted
    hide: Sequence[Path] = ()  # folders and files that are empty inside
    read_only: Sequence[Path] = ()  # the host's own files and folders, unchangeable
    workdir: str = WORKSPACE
    capabilities: Sequence[str] = CAPABILITIES
    binds: dict[str, Path] = field(default_factory=dict)  # place inside → folder outside
    shown: Mapping[str, Path] = field(default_factory=dict)  # place inside → file outside, unchangeable


def bubblewrap() -> str:
    if (path := shutil.which("bwrap")) is None:
        raise MountFault("bubblewrap is not installed")
    return path


@dataclass(frozen=True)
class Way:
    """What one program wants of the view that others do not."""

    workdir: str | None = None  # None: the root's own
    shown: Mapping[str, Path] = field(default_factory=dict)

    def also(self, shown: Mapping[str, Path]) -> Way:
        return Way(self.workdir, {**self.shown, **shown})


PLAIN = Way()


def command(view: View, argv: Sequence[str], info_fd: int | None = None) -> list[str]:
    """``argv`` run inside: own mounts, processes and IPC, no host devices, few capabilities. It ends with
    the agent. The network is the machine's."""
    args = [bubblewrap(), *view.base, "--dev", "/dev", *_proc()]
    # Numeric libraries and schedulers ask the processors' layout; the rest of /sys is nobody's business.
    args += [
        "--tmpfs",
        "/sys",
        "--ro-bind-try",
        "/sys/devices/system",
        "/sys/devices/system",
        "--remount-ro",
        "/sys",
    ]
    args += [
        "--tmpfs",
        "/run",
        "--dir",
        "/run/lock",
        "--bind",
        str(view.run),
        RUN,
        "--bind",
        str(view.tmp),
        "/tmp",
    ]
    for place in program_folders():
        args += _program(view, place)
    for place in view.hide:
        args += _emptied(place)
    for place in view.read_only:
        args += ["--ro-bind", str(place), str(place)]
    for inside, outside in view.binds.items():
        args += ["--bind", str(outside), inside]
    for inside, outside in view.shown.items():
        args += ["--ro-bind", str(outside), inside]
    args += [
        "--chdir",
        view.workdir,
        "--unshare-pid",
        "--unshare-ipc",
        "--die-with-parent",
        "--cap-drop",
        "ALL",
    ]
    for name in view.capabilities:
        args += ["--cap-add", f"CAP_{name}"]
    if info_fd is not None:
        args += ["--info-fd", str(info_fd)]
    return [*args, "--", *argv]


@contextlib.contextmanager
def variables(environment: dict[str, str]) -> Iterator[int]:
    """``environment`` as arguments of bubblewrap in a file of their own: a command line is for all to read."""
    fd = os.memfd_create("environment")
    try:
        words = ["--clearenv", *(word for pair in environment.items() for word in ("--setenv", *pair))]
        with open(fd, "wb", closefd=False) as file:
            file.write(b"".join(os.fsencode(word) + b"\0" for word in words))
        os.lseek(fd, 0, os.SEEK_SET)
        yield fd
    finally:
        os.close(fd)


def with_variables(command: Sequence[str], fd: int) -> list[str]:
    """``command`` with the variables of ``fd`` inside. Bubblewrap itself must not get them: it runs outside, and
    LD_PRELOAD, which a person may set, would bring their code there."""
    return [command[0], "--args", str(fd), *command[1:]]


def _proc() -> list[str]:
    args = ["--proc", "/proc"]
    for name in READ_ONLY_PROC:
        args += ["--ro-bind-try", f"/proc/{name}", f"/proc/{name}"]
    return args + [arg for name in EMPTY_PROC for arg in _emptied(Path("/proc") / name)]


def _emptied(place: Path) -> list[str]:
    if place.is_dir():
        return ["--tmpfs", str(place), "--remount-ro", str(place)]
    return ["--ro-bind", "/dev/null", str(place)] if place.exists() else []


def program_folders() -> list[Path]:
    """The folders below /tmp that hold the program itself, as a trial installation may: they stay visible
    although the session has a /tmp of its own."""
    tmp = Path("/tmp")
    programs = [Path(sys.prefix), Path(__file__)]
    return sorted({tmp / p.relative_to(tmp).parts[0] for p in programs if p.is_relative_to(tmp)})


def _program(view: View, place: Path) -> list[str]:
    kept = view.root / str(place).lstrip("/") if view.root else place
    if view.root and kept.exists():
        return ["--bind", str(kept), str(place)]
    return ["--ro-bind", str(place), str(place)]  # /tmp is a file system of its own, which no overlay shows


def unseen(places: Sequence[Path]) -> list[Path]:
    """Those of ``places`` that must be hidden: they exist, and are not in a folder that is the session's own."""
    own = [Path(p) for p in ("/proc", "/sys", "/dev", "/run", "/tmp")]
    shown = program_folders()
    found: list[Path] = []
    for place in sorted({p.resolve() for p in places}):
        inside = found if any(place.is_relative_to(p) for p in shown) else [*own, *found]
        if place.exists() and not any(place.is_relative_to(outer) for outer in inside):
            found.append(place)
    return found


def name_service_files(places: Sequence[Path]) -> list[Path]:
    """Files that make names resolve, where the session would not see the host's: below /run, or mounted."""
    found = []
    for name in ("/etc/resolv.conf", "/etc/hosts"):
        real = Path(name).resolve()
        if real.is_file() and (real.is_relative_to("/run") or real in places):
            found.append(real)
    return found
