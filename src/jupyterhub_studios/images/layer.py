"""Image layers whose bytes depend on nothing but what is in them."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol, cast

from ..models import ImageConfig, StudiosError
from .bundle import PLACE, Bundle, members

LEVEL = 6


class Sink(Protocol):
    def write(self, data: bytes, /) -> object: ...


@dataclass(frozen=True)
class Layer:
    digest: str  # of the compressed bytes, by which registries know it
    diff_id: str  # of the tar, by which images know it
    size: int
    file: Path | None = None
    content: bytes = b""


def write_tar(out: Sink, folder: Path, prefix: str) -> None:
    """``folder`` as ``prefix`` in a tar: no owners, no times."""
    with tarfile.open(fileobj=cast(IO[bytes], out), mode="w|", format=tarfile.GNU_FORMAT) as tar:
        if prefix:
            tar.addfile(_folder(prefix))
        for member in members(folder):
            name = f"{prefix}/{member.name}" if prefix else member.name
            if member.is_folder:
                tar.addfile(_folder(name))
                continue
            info = tarfile.TarInfo(name)
            info.mode, info.size = member.mode, member.path.stat().st_size
            with member.path.open("rb") as file:
                tar.addfile(info, file)


def _folder(name: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.mode = tarfile.DIRTYPE, 0o755
    return info


def cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "jupyterhub-studios"


def bundle_layer(bundle: Bundle, cache: Path) -> Layer:
    """The bundle as a layer, made once. Its name in ``cache`` tells its digests."""
    made = list(cache.glob(f"{_key(bundle)}.*.*.tar.gz"))
    if made:
        _, diff_id, digest = made[0].name.removesuffix(".tar.gz").split(".")
        return Layer(f"sha256:{digest}", f"sha256:{diff_id}", made[0].stat().st_size, made[0])
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=cache, prefix=".layer-", delete=False) as file:
            place = Path(file.name)
            try:
                digest, diff_id = _write(file, bundle.folder)
                kept = cache / f"{_key(bundle)}.{diff_id}.{digest}.tar.gz"
                place.rename(kept)
            finally:
                place.unlink(missing_ok=True)
    except OSError as error:
        raise StudiosError(
            "The agent's layer cannot be written", f"{error.filename or cache}: {error.strerror}",
            "It needs 100 MB; XDG_CACHE_HOME names another folder for it", status=507,
        ) from error  # fmt: skip
    return Layer(f"sha256:{digest}", f"sha256:{diff_id}", kept.stat().st_size, kept)


def _key(bundle: Bundle) -> str:
    return bundle.about.digest.removeprefix("sha256:")


def _write(file: IO[bytes], folder: Path) -> tuple[str, str]:
    """The digests of the bytes as they lie in ``file``, and of the tar in them."""
    packed = _Hashing(file)
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, compresslevel=LEVEL, mtime=0) as inner:
        plain = _Hashing(inner)
        write_tar(plain, folder, PLACE.lstrip("/"))
    return packed.found.hexdigest(), plain.found.hexdigest()


class _Hashing:
    """Writes through, and knows the SHA-256 of what went by."""

    def __init__(self, out: Sink) -> None:
        self._out, self.found = out, hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.found.update(data)
        self._out.write(data)
        return len(data)

    def flush(self) -> None:
        """All went on at once."""


def config_layer(config: ImageConfig) -> Layer:
    """``/.studio/image.json``. A layer and not a label, because a program inside a container sees no labels."""
    content = config.model_dump_json(exclude_defaults=True).encode()
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.GNU_FORMAT) as tar:
        tar.addfile(_folder(PLACE.lstrip("/")))
        info = tarfile.TarInfo(f"{PLACE.lstrip('/')}/image.json")
        info.mode, info.size = 0o644, len(content)
        tar.addfile(info, io.BytesIO(content))
    packed = gzip.compress(plain.getvalue(), LEVEL, mtime=0)
    return Layer(
        f"sha256:{hashlib.sha256(packed).hexdigest()}",
        f"sha256:{hashlib.sha256(plain.getvalue()).hexdigest()}",
        len(packed),
        content=packed,
    )
