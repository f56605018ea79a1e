"""Links by name, and places behind them: ``LINK``, ``LINK:PATH`` or ``LINK/PATH``."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from ..models import StudiosError
from .client import Client, Json


@dataclass(frozen=True)
class Place:
    link: Json
    path: str

    def address(self, rest: str) -> str:
        return f"/data-links/{quote(self.link['id'], safe='')}/{rest}"

    def __str__(self) -> str:
        return f"{self.link['name']}:{self.path}"


def find(client: Client, word: str) -> Place:
    """The place that ``word`` means. Names of links may hold ":" and "/" themselves: the longest one counts."""
    links = client.pages("/data-links", hidden="all")
    best: list[tuple[int, Place]] = []
    for link in links:
        for name in {link["id"], link["name"]}:
            if word == name:
                best.append((len(name), Place(link, "")))
            elif word.startswith((f"{name}:", f"{name}/")):
                best.append((len(name), Place(link, word[len(name) + 1 :])))
    longest = max((length for length, _ in best), default=0)
    found = [place for length, place in best if length == longest]
    if len(found) == 1:
        return found[0]
    if found:
        raise StudiosError(
            f"“{word}” may be one of several links",
            "they have the same name",
            f"Say which by id: {', '.join(place.link['id'] for place in found)}",
            status=409,
        )
    names = ", ".join(f"“{link['name']}”" for link in links[:5]) + (", …" if len(links) > 5 else "")
    raise StudiosError(
        f"There is no data link “{word.partition(':')[0]}”",
        f"you have {names}" if names else "you have none",
        "`studios data links` shows them",
        status=404,
    )


def entry(client: Client, place: Place) -> tuple[Place, Json]:
    """What is at a place: a file or a folder, whose path is given its slash."""
    found: Json = client.call("GET", place.address("entry"), params={"path": place.path})
    return Place(place.link, found["path"]), found


def mount(client: Client, word: str) -> Json:
    """The mount that ``LINK[/FOLDER][:NAME]`` means, as the API takes it."""
    links = {one[key] for one in client.pages("/data-links", hidden="all") for key in ("name", "id")}
    head, colon, tail = word.rpartition(":")
    name = tail if colon and "/" not in tail and word not in links else None
    place = find(client, head if name is not None else word)
    return {"link": place.link["id"], "path": place.path, "name": name}
