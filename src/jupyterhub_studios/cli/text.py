"""What the command line shows: tables, sizes, times, phases."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ..models import PHASES, Problem, now

Json = dict[str, Any]


def problem(told: Problem) -> str:
    """What: why. What to do."""
    what = ": ".join(part.rstrip(".") for part in (told.title, told.detail) if part)
    return f"{what}. {told.action.rstrip('.')}." if told.action else f"{what}."


def size(count: int) -> str:
    if count < 1000:
        return f"{count} B"
    value, units = count / 1000, ["kB", "MB", "GB", "TB"]
    while value >= 999.5 and len(units) > 1:
        value /= 1000
        del units[0]
    return f"{value:.1f} {units[0]}" if value < 9.95 else f"{value:.0f} {units[0]}"


def memory(mib: int) -> str:
    return f"{mib} MiB" if mib < 1024 else f"{round(mib / 1024, 1):g} GiB"


def duration(seconds: float) -> str:
    seconds = max(0.0, seconds)
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    for big, small, big_name, small_name in (
        (86400, 3600, "d", "h"),
        (3600, 60, "h", "min"),
        (60, 1, "min", "s"),
    ):
        if whole >= big:
            rest = whole % big // small
            return f"{whole // big} {big_name}" + (f" {rest} {small_name}" if rest else "")
    return f"{whole} s"


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def ago(text: str | None) -> str:
    if text is None:
        return "never"
    seconds = (now() - moment(text)).total_seconds()
    if seconds < 10:
        return "just now"
    for unit, name in ((172800, "d"), (3600, "h"), (60, "min")):
        if seconds >= unit:
            return f"{int(seconds // min(unit, 86400))} {name} ago"
    return f"{int(seconds)} s ago"


def local(text: str) -> str:
    return moment(text).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def between(start: str | None, end: str | None) -> str:
    if start is None:
        return ""
    return duration(((moment(end) if end else now()) - moment(start)).total_seconds())


def _width(text: str) -> int:
    """Columns of a terminal: wide characters take two, combining ones none."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [list(headers), *(list(row) for row in rows)]
    widths = [max(_width(line[i]) for line in lines) for i in range(len(headers))]
    return "\n".join(
        "  ".join(
            cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    )


def facts(pairs: Sequence[tuple[str, str]]) -> str:
    """Names and values below each other; empty values are left out."""
    given = [(name, value) for name, value in pairs if value]
    width = max((_width(name) for name, _ in given), default=0)
    return "\n".join(f"{name}{' ' * (width - _width(name))}  {value}" for name, value in given)


def saved(studio: Json) -> str:
    checkpoint = studio.get("saved")
    return ago(checkpoint["saved_at"]) if checkpoint else "never"


def studio_table(studios: Sequence[Json], owners: bool) -> str:
    headers = ["NAME", "STATE", "TEMPLATE", "SAVED", "SIZE", "SERVER"]
    rows = [
        [s["name"], s["state"], s["template"], saved(s), size(s["saved"]["size"]) if s.get("saved") else "",
         f"{s['owner']}/{s['server_name']}" if owners else s["server_name"]]
        for s in studios
    ]  # fmt: skip
    return table(headers, rows)


def ends(lifetime: Json) -> str:
    """When a running studio's lifespan is over."""
    if lifetime["ends_at"] is None:
        return "runs without an end"
    return f"ends {local(lifetime['ends_at'])}, in {duration((moment(lifetime['ends_at']) - now()).total_seconds())}"


def kept(lifetime: Json | None) -> str:
    """Why a running studio is kept, or that somebody is asked for."""
    if lifetime is None:
        return ""
    asked = "still there? " if lifetime["verdict"] == "prompt" else ""
    stop = lifetime["idle_ends_at"]
    until = f" It is stopped {local(stop)} if nothing happens." if stop else ""
    return f"{asked}{' '.join(lifetime['reasons'])}{until}"


ROOTS = {"overlay": "the whole filesystem", "home": "only the home folder"}


def studio_facts(studio: Json, address: str) -> str:
    session, checkpoint = studio.get("session"), studio.get("saved")
    lifespan = studio["lifespan_hours"]
    gpus = f", {studio['gpus']} GPUs" if studio["gpus"] else ""
    return facts(
        [
            ("Name", studio["name"]),
            ("State", studio["state"]),
            ("Message", studio["message"]),
            ("Description", studio["description"]),
            ("Owner", studio["owner"]),
            ("Server", studio["server_name"]),
            ("Id", studio["id"]),
            ("Template", studio["template"]),
            ("Runs on", studio["compute_environment"]),
            ("Resources", f"{studio['cpus']:g} CPUs, {memory(studio['memory_mib'])}{gpus}"),
            ("Lifespan", f"{lifespan} h" if lifespan else "no end"),
            ("Ends", ends(studio["lifetime"]) if studio.get("lifetime") else ""),
            ("Kept", kept(studio.get("lifetime"))),
            ("Cost", f"{studio['cost']:.2f}" if studio.get("cost") is not None else ""),
            ("Environment", " ".join(f"{k}={v}" for k, v in studio["environment"].items())),
            ("Keeps", ROOTS.get(studio.get("root_mode") or "", "")),
            (
                "Saved",
                f"{saved(studio)}, {size(checkpoint['size'])} (“{checkpoint['name']}”)"
                if checkpoint
                else "never",
            ),
            ("Session", f"{session['id']}, since {local(session['started_at'])}" if session else ""),
            ("People", ", ".join(session["people"]) if session else ""),
            ("Address", address),
        ]
    )


def checkpoint_table(checkpoints: Sequence[Json]) -> str:
    headers = ["ID", "NAME", "STATUS", "SAVED", "SIZE", "LAYERS", "PACKAGES", ""]
    rows = [
        [c["id"], c["name"], c["status"], local(c["saved_at"]), size(c["size"]), str(len(c["layers"])),
         str(len(c["installed"])) if c["installed"] else "", "current" if c["current"] else ""]
        for c in checkpoints
    ]  # fmt: skip
    return table(headers, rows)


class PhasePrinter:
    """Prints each phase of a start once, when it has ended."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def lines(self, session: Json | None) -> list[str]:
        given = {p["name"]: p for p in (session or {}).get("phases", [])}
        news = []
        for name in PHASES:
            phase = given.get(name)
            if phase is None or phase["status"] not in ("done", "failed") or name in self._told:
                continue
            self._told.add(name)
            mark = "✓" if phase["status"] == "done" else "✗"
            time = between(phase["started_at"], phase["ended_at"])
            news.append(f"  {mark} {name:<8} {time:>10}  {phase['message']}".rstrip())
        return news


def shown(name: str) -> str:
    """A name that is safe on a terminal: keys of objects may hold anything."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)


def link_table(links: Sequence[Json]) -> str:
    rows = [
        [shown(one["name"]), one["provider"], one["region"] or "", shown(one["url"]),
         "writable" if one["writable"] else f"may {one['role']}" if one["role"] != "write" else "read-only",
         "★" if one["starred"] else "", one["id"]]
        for one in links
    ]  # fmt: skip
    return table(["NAME", "PROVIDER", "REGION", "URL", "", "", "ID"], rows)


def entry_line(entry: Json) -> str:
    """As `ls -l` has it."""
    bytes_ = size(entry["size"]) if entry["size"] is not None else "-"
    when = local(entry["modified"]) if entry["modified"] else ""
    slash = "/" if entry["kind"] == "folder" else ""
    return f"{bytes_:>8}  {when:<19}  {shown(entry['name'])}{slash}"
