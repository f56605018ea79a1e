"""Uploads in parts: what every store has in common."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from ...models import StudiosError, UploadedPart

PART_SIZE = 16 << 20  # a multiple of what each store demands (S3: 5 MiB at least, GCS: times 256 KiB)
MAX_PARTS = 10_000


@dataclass(frozen=True)
class UploadState:
    """What an upload needs to know of itself between two requests."""

    key: str
    size: int
    replace: bool
    store_id: str  # the store's own name of the upload

    @classmethod
    def read(cls, text: str) -> UploadState:
        return cls(**json.loads(text))

    def write(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))

    @property
    def count(self) -> int:
        return max(1, -(-self.size // PART_SIZE))

    def offset(self, number: int) -> int:
        return (number - 1) * PART_SIZE

    def check_part(self, number: int, length: int) -> None:
        """Each part has its full size, so that the object is whole or not there."""
        due = PART_SIZE if number < self.count else self.size - self.offset(self.count)
        if not 1 <= number <= self.count or length != due:
            raise StudiosError(
                "This part does not fit",
                f"part {number} has {length} bytes; it is one of {self.count} parts of {PART_SIZE} bytes",
                "Begin the upload again",
            )

    def check_all(self, parts: Sequence[UploadedPart]) -> list[UploadedPart]:
        """The parts in their order; a 400 unless each is there once."""
        ordered = sorted(parts, key=lambda part: part.number)
        if [part.number for part in ordered] != list(range(1, self.count + 1)):
            raise StudiosError(
                "The upload is not complete",
                f"{len(ordered)} of {self.count} parts are there",
                "Send the missing parts",
            )
        return ordered


def check_size(size: int) -> None:
    if size > PART_SIZE * MAX_PARTS:
        raise StudiosError(
            "The file is too large to upload from a browser",
            f"at most {PART_SIZE * MAX_PARTS >> 30} GiB go this way",
            "Use the code that the page offers for this folder",
            status=413,
        )
