"""Making programs and libraries of Debian run from one folder, by their own loader."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..models import StudiosError

LOADER = "ld.so"


class Linker:
    """``unpacked``: Debian's packages as folders; its libraries are taken as they are needed."""

    def __init__(self, unpacked: Path, triplet: str) -> None:
        places = (unpacked / "lib" / triplet, unpacked / "usr" / "lib" / triplet)
        self._libraries = {file.name: file for place in places for file in place.glob("*.so*")}
        loaders = [name for name in self._libraries if name.startswith("ld-linux")]
        self._loader_name = loaders[0]
        self._tool_folders = ":".join(map(str, places))
        self._loader = self._libraries[self._loader_name]
        self._patchelf = unpacked / "usr" / "bin" / "patchelf"

    def run(self, program: Path, *args: str) -> str:
        """Runs a program of the packages with the packages' own libraries."""
        command = [str(self._loader), "--library-path", self._tool_folders, str(program), *args]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{program.name} {' '.join(args)}: {done.stderr.strip()}")
        return done.stdout

    def patchelf(self, *args: str) -> str:
        return self.run(self._patchelf, *args)

    def settle(self, folder: Path, place: str) -> None:
        """Gives ``folder``, which will be at ``place``, all libraries that its files need, and makes the programs in
        its ``bin`` use them."""
        library = folder / "lib"
        shutil.copyfile(self._loader, library / LOADER)
        (library / LOADER).chmod(0o755)
        self._complete(folder)
        for program in sorted((folder / "bin").iterdir()):
            # RPATH and not RUNPATH: it holds for libraries of libraries, and before LD_LIBRARY_PATH.
            self.patchelf(
                "--set-interpreter", f"{place}/lib/{LOADER}",
                "--force-rpath", "--set-rpath", f"{place}/lib", str(program),
            )  # fmt: skip

    def _complete(self, folder: Path) -> None:
        library = folder / "lib"
        there = {self._loader_name}  # the one that runs is known by this name
        open_files = list(elf_files(folder))
        there |= {file.name for file in open_files}
        while open_files:
            file = open_files.pop()
            for name in self.patchelf("--print-needed", str(file)).split():
                if name in there:
                    continue
                if name not in self._libraries:
                    raise StudiosError(
                        "The agent bundle would not be complete",
                        f"{file.relative_to(folder)} needs {name}, which no package of the bundle has",
                        "Report this: the list of packages must be mended",
                        status=500,
                    )
                shutil.copyfile(self._libraries[name], library / name)
                there.add(name)
                open_files.append(library / name)


def elf_files(folder: Path, skip: Sequence[str] = (LOADER,)) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name not in skip:
            with path.open("rb") as file:
                if file.read(4) == b"\x7fELF":
                    yield path
