"""Session logs: one file per session, kept after its end."""

from __future__ import annotations

import os
from pathlib import Path

CAP = 8 * 1024 * 1024
PAGE = 256 * 1024
_CUT = "\n[the log was cut here: it has reached {mib} MiB; later output is not kept]\n"


class Logs:
    """All methods block on a disk: call them in a thread."""

    def __init__(self, folder: Path, cap: int = CAP) -> None:
        self._folder = folder
        self._cap = cap
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def append(self, session_id: str, at: int, text: str) -> int:
        """Write ``text`` at byte ``at`` and answer the new size.

        What lies beyond ``at`` is of a message that was never acknowledged and comes again: it is overwritten.
        """
        if at > self._cap:  # cut already
            return at
        data = text.encode("utf-8", "replace")
        if at + len(data) > self._cap:
            note = _CUT.format(mib=round(self._cap / 1024 / 1024, 1)).encode()
            data = data[: self._cap - at] + note
        fd = os.open(self._path(session_id), os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.truncate(at)
            file.seek(at)
            file.write(data)
        return at + len(data)

    def read(self, session_id: str, offset: int, size: int, page: int = PAGE) -> tuple[str, int]:
        """The text from byte ``offset`` on, up to a page and at most ``size`` bytes of the file; and the
        next offset. Never ends inside a character."""
        try:
            with self._path(session_id).open("rb") as file:
                file.seek(offset)
                data = file.read(max(0, min(page + 1, size - offset)))
        except FileNotFoundError:
            return "", offset
        end = min(len(data), page)
        while end > 0 and end < len(data) and data[end] & 0xC0 == 0x80:
            end -= 1  # the next byte goes on with a character
        return data[:end].decode("utf-8", "replace"), offset + end

    def delete(self, session_id: str) -> None:
        self._path(session_id).unlink(missing_ok=True)

    def _path(self, session_id: str) -> Path:
        return self._folder / f"{session_id}.log"
