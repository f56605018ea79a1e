"""Where something is: a link and a path below it, and the key in the bucket that both make.

Keys are what they are: ``a//b``, a leading or trailing ``/``, ``%``, ``+`` and control characters are never changed.
Only what a server on the way would take for another place is refused, so that a link's prefix is never left.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..models import Entry, LinkView, Provider, StudiosError
from .backends.base import Object

KEY_MAX = 1024  # bytes, of S3, GCS and Azure alike
FOLDER_NAME_MAX = 255  # bytes, of one name on a disk


@dataclass(frozen=True)
class Place:
    """``path`` is relative to the link, without a slash before it; a folder's ends with "/", the root's is empty."""

    link: LinkView
    path: str

    def __post_init__(self) -> None:
        parts = self.path.split("/")
        if "." in parts or ".." in parts:
            raise _refused(self.path, "servers on the way resolve “.” and “..”, so it could be another place")
        if "\0" in self.path:
            raise _refused(self.path, "it holds a zero byte")
        try:
            self.path.encode()
        except UnicodeEncodeError:
            raise _refused(self.path, "it is not valid Unicode") from None
        if self.link.provider is Provider.FOLDER and "" in parts[:-1]:
            raise _refused(self.path, "a folder of this machine has no empty names")

    @property
    def prefix(self) -> str:
        """The key of the link's own root: empty, or ending with "/"."""
        prefix = self.link.prefix
        return prefix if not prefix or prefix.endswith("/") else prefix + "/"

    @property
    def key(self) -> str:
        return self.prefix + self.path

    @property
    def is_root(self) -> bool:
        return not self.path

    @property
    def is_folder(self) -> bool:
        return self.is_root or self.path.endswith("/")

    @property
    def name(self) -> str:
        """What people call it."""
        return name_of(self.path) if self.path else self.link.name

    def as_folder(self) -> Place:
        return self if self.is_folder else Place(self.link, self.path + "/")

    def path_of(self, key: str) -> str:
        """The path of a key below the same link."""
        if not key.startswith(self.prefix):
            raise ValueError(f"a key outside of the link: {key!r}")
        return key.removeprefix(self.prefix)

    def file(self, found: Object) -> Entry:
        path = self.path_of(found.key)
        return Entry(
            name=name_of(path),
            path=path,
            kind="file",
            size=found.size,
            modified=found.modified,
            storage_class=found.storage_class,
            etag=found.etag,
        )

    def folder(self, key: str) -> Entry:
        path = self.path_of(key)
        return Entry(name=name_of(path), path=path, kind="folder")


def name_of(path: str) -> str:
    return path.removesuffix("/").rpartition("/")[2]


def parent_of(path: str) -> str:
    """The folder that holds ``path``, ending with "/"; empty for the root."""
    head, slash, _ = path.removesuffix("/").rpartition("/")
    return head + slash


def new_place(link: LinkView, path: str) -> Place:
    """A place that something is to be made at.

    What is there already may have any name; what is made here gets one that people can read, type and download.
    """
    if not path.strip("/"):
        raise StudiosError("There is no name", "the name is empty", "Give it one", field="path")
    place = Place(link, path)
    names = path.removesuffix("/").split("/")
    if "" in names:
        raise _refused(path, "one of its names is empty: there is “//” in it, or a “/” before it")
    if any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in path):
        raise _refused(path, "it holds control characters, which other tools cannot show or type")
    if len(place.key.encode()) > KEY_MAX:
        raise _refused(path, f"names with all their folders may have {KEY_MAX:,} bytes")
    if link.provider is Provider.FOLDER and any(len(name.encode()) > FOLDER_NAME_MAX for name in names):
        raise _refused(path, f"a name in a folder of this machine may have {FOLDER_NAME_MAX} bytes")
    return place


def _refused(path: str, why: str) -> StudiosError:
    return StudiosError(
        f"“{readable(path)}” cannot be used as a name",
        why,
        "Use another name, or a tool of the store's own for what is there already",
        field="path",
    )


def readable(path: str) -> str:
    """For messages: control characters as dots, and not longer than a line."""
    text = "".join(letter if letter.isprintable() else "·" for letter in path)
    return text if len(text) <= 200 else "…" + text[-199:]
