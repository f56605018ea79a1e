"""Files between this machine and a store, through the service."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import BinaryIO

from ..models import StudiosError
from .client import Client, Json, Unreachable
from .places import Place
from .progress import Progress

AT_ONCE = 16 * 1024 * 1024  # bytes of a file that is sent in one request
PARALLEL = 4  # parts
TRIES = 5  # of a part, or of a download that makes no headway


def download(client: Client, place: Place, size: int | None, target: BinaryIO) -> int:
    """A file: one that breaks off goes on where it did, one that changed meanwhile is a fault. Answers its size."""
    written, etag, idle = 0, None, 0
    with Progress(size) as progress:
        while True:
            headers: dict[str, str] = (
                {"Range": f"bytes={written}-", "If-Range": etag} if written and etag else {}
            )
            try:
                with client.stream(
                    "GET", place.address("download"), params={"path": place.path}, headers=headers
                ) as answer:
                    if written and answer.status_code != 206:
                        raise _changed(place)
                    etag = answer.headers.get("ETag")
                    for chunk in answer.iter_bytes():
                        target.write(chunk)
                        written, idle = written + len(chunk), 0
                        progress.add(len(chunk))
                return written
            except Unreachable:
                idle += 1
                if idle >= TRIES or (written and not etag):
                    raise


def archive(client: Client, place: Place, target: BinaryIO) -> int:
    """A folder as a zip."""
    with (
        Progress() as progress,
        client.stream("GET", place.address("archive"), params={"path": place.path}) as answer,
    ):
        progress.total = int(answer.headers.get("Content-Length", 0)) or None
        for chunk in answer.iter_bytes():
            target.write(chunk)
            progress.add(len(chunk))
    return progress.done


@contextlib.contextmanager
def new_file(path: Path, replace: bool) -> Iterator[BinaryIO]:
    """A file that appears when it is whole, or not at all."""
    if path.exists() and not replace:
        raise StudiosError(
            f"“{path}” exists already",
            "nothing was fetched",
            "Choose another name, or say --replace",
            status=409,
        )
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(path)
    except OSError as error:
        raise StudiosError(
            f"“{path}” cannot be written", error.strerror or str(error), "Choose another place"
        ) from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def upload(client: Client, file: Path, place: Place, replace: bool) -> Json:
    """A file of this machine, in one request or in parts. What was there stays until all of it has arrived."""
    try:
        size = file.stat().st_size
        with file.open("rb") as source, Progress(size) as progress:
            if size <= AT_ONCE:
                params = {"path": place.path, "replace": replace}
                sent: Json = client.send("PUT", place.address("upload"), source.read(), params)
                return sent
            return _in_parts(client, source, size, place, replace, progress)
    except OSError as error:
        raise StudiosError(
            f"“{file}” cannot be read", error.strerror or str(error), "Check its name and rights"
        ) from None


def _in_parts(
    client: Client, source: BinaryIO, size: int, place: Place, replace: bool, progress: Progress
) -> Json:
    body = {"path": place.path, "size": size, "replace": replace}
    begun = client.call("POST", place.address("uploads"), body)
    try:
        parts = _send_parts(client, source, size, place, begun, progress)
        finished: Json = client.call(
            "POST", place.address("uploads/finish"), {"parts": parts}, {"id": begun["id"]}, timeout=600
        )
        return finished
    except BaseException:
        # Also when it is interrupted: nothing of it stays in the store.
        with contextlib.suppress(StudiosError):
            client.call("DELETE", place.address("uploads"), params={"id": begun["id"]})
        raise


def _send_parts(
    client: Client, source: BinaryIO, size: int, place: Place, begun: Json, progress: Progress
) -> list[Json]:
    count = -(-size // begun["part_size"])
    sent: list[Json] = []
    workers = PARALLEL if begun["parallel"] else 1
    with ThreadPoolExecutor(workers) as pool:
        try:
            for first in range(1, count + 1, workers):  # no more of the file is in memory
                numbers = range(first, min(first + workers, count + 1))
                bodies = [(number, source.read(begun["part_size"])) for number in numbers]
                work = [pool.submit(_send_part, client, place, begun["id"], *one, progress) for one in bodies]
                sent += [one.result() for one in as_completed(work)]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return sorted(sent, key=lambda part: part["number"])


def _send_part(
    client: Client, place: Place, upload_id: str, number: int, body: bytes, progress: Progress
) -> Json:
    for attempt in range(1, TRIES + 1):
        try:
            params = {"id": upload_id, "number": number}
            part: Json = client.send("PUT", place.address("uploads/part"), body, params)
        except StudiosError as error:
            if error.problem.status < 500 or attempt == TRIES:
                raise
        else:
            progress.add(len(body))
            return part
    raise AssertionError("the last try answers or raises")


def to_stdout() -> BinaryIO:
    return sys.stdout.buffer


def _changed(place: Place) -> StudiosError:
    return StudiosError(
        f"“{place.path}” changed while it was fetched",
        "the connection broke off, and what is there now is another version",
        "Fetch it again",
        status=412,
    )
