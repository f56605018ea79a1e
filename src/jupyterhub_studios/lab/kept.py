"""What a person added in the panel of a plain JupyterLab: one file in Jupyter's data folder, credentials encrypted.

Readable by its owner alone, written whole and renamed into place, and read anew when another server of the same person
has written it.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from cryptography.fernet import Fernet, InvalidToken
from pydantic import Field, ValidationError

from ..models import CredentialSpec, LinkMarks, LinkPatch, LinkSpec, Model, Provider, StudiosError

T = TypeVar("T")

FILE, KEY, LOCK = "data.json", "data.key", "data.lock"


class KeptCredential(Model):
    name: str
    provider: Provider
    type: str
    sealed: str  # a CredentialSpec, encrypted


class Kept(Model):
    """The file's content. Ids of links that were found or configured may stand in ``marks`` and ``changes``."""

    version: int = 1
    links: dict[str, LinkSpec] = Field(default_factory=dict)
    credentials: dict[str, KeptCredential] = Field(default_factory=dict)
    marks: dict[str, LinkMarks] = Field(default_factory=dict)
    changes: dict[str, LinkPatch] = Field(default_factory=dict)  # to links that a credential found


class KeptFile:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: tuple[tuple[int, ...], Kept] | None = None

    async def read(self) -> Kept:
        """As it is now; not to be changed."""
        return await asyncio.to_thread(self._load)

    async def change(self, work: Callable[[Kept], T]) -> T:
        """Do ``work`` on the content and write it; nobody else writes meanwhile. Raising changes nothing."""
        return await asyncio.to_thread(self._change, work)

    async def seal(self, spec: CredentialSpec) -> KeptCredential:
        fernet = await asyncio.to_thread(self._fernet)
        return KeptCredential(
            name=spec.name,
            provider=spec.provider,
            type=spec.secret.type,
            sealed=fernet.encrypt(json.dumps(spec.disclosed()).encode()).decode(),
        )

    async def unseal(self, kept: KeptCredential) -> CredentialSpec:
        """A 409 when the key is another one."""
        fernet = await asyncio.to_thread(self._fernet)
        try:
            return CredentialSpec.model_validate_json(fernet.decrypt(kept.sealed))
        except (InvalidToken, ValidationError):
            raise StudiosError(
                f"The credential “{kept.name}” cannot be read",
                f"it was encrypted with another key than the one in {self._folder / KEY}",
                "Remove it and add it again",
                status=409,
                field="credential",
            ) from None

    def key(self) -> bytes:
        """The key of this file, made when it is first asked for."""
        place = self._folder / KEY
        try:
            return place.read_bytes()
        except FileNotFoundError:
            with self._locked():  # another server of the same person may be making it
                if not place.exists():
                    _write(place, Fernet.generate_key())
            return place.read_bytes()

    # --- in a thread ---

    def _fernet(self) -> Fernet:
        try:
            return Fernet(self.key())
        except ValueError:
            raise StudiosError(
                "Your own credentials cannot be read",
                f"{self._folder / KEY} holds no key",
                "Move it away and add the credentials again",
                status=500,
            ) from None

    def _load(self) -> Kept:
        place = self._folder / FILE
        try:
            found = place.stat()
        except FileNotFoundError:
            return Kept()
        state = (found.st_ino, found.st_mtime_ns, found.st_size)
        if self._read is None or self._read[0] != state:
            try:
                self._read = (state, Kept.model_validate_json(place.read_bytes()))
            except ValidationError:
                raise StudiosError(
                    "Your own data links cannot be read",
                    f"the file {place} is damaged, or of a newer version",
                    "Correct it, or move it away to begin anew",
                    status=500,
                ) from None
        return self._read[1]

    def _change(self, work: Callable[[Kept], T]) -> T:
        with self._locked():
            kept = self._load().model_copy(deep=True)
            answer = work(kept)
            _write(self._folder / FILE, kept.model_dump_json(indent=1, exclude_none=True).encode())
        return answer

    def _locked(self) -> _Lock:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _Lock(self._folder / LOCK)


class _Lock:
    def __init__(self, place: Path) -> None:
        self._place = place

    def __enter__(self) -> None:
        self._fd = os.open(self._place, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._fd, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)


def _write(place: Path, content: bytes) -> None:
    """Whole or not at all, and for its owner alone: mkstemp makes files of mode 0600."""
    fd, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(place)
    except BaseException:
        Path(name).unlink()
        raise
