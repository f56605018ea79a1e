"""Who may do what with a studio. Pure: facts in, decision out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from ..models import StudiosError, StudioState
from ..web.problems import no_such

# A starter is somebody it is shared with who may also start it.
Role = Literal["owner", "admin", "shared", "starter"]
VISITING: tuple[Role, ...] = ("shared", "starter")
Action = Literal["open", "start", "stop", "force", "save", "edit", "delete", "fork", "share"]


@dataclass(frozen=True)
class Person:
    """Somebody whom the Hub knows, as far as their token or cookie reaches."""

    name: str
    display_name: str
    admin: bool
    groups: tuple[str, ...] = ()


def role(person: Person, owner: str, shares: Iterable[dict[str, Any]] = ()) -> Role | None:
    """What ``person`` is to a studio of ``owner``; ``shares`` as the Hub lists them for its server."""
    if person.name == owner:
        return "owner"
    if person.admin:
        return "admin"
    return "shared" if shared_with(person.name, person.groups, shares) else None


def shared_with(name: str, groups: Iterable[str], shares: Iterable[dict[str, Any]]) -> bool:
    groups = set(groups)
    for share in shares:
        opens = any(scope.startswith("access:servers") for scope in share.get("scopes", []))
        user, group = share.get("user") or {}, share.get("group") or {}
        if opens and (user.get("name") == name or group.get("name") in groups):
            return True
    return False


def demand(role: Role | None, *, open_only: bool = False) -> None:
    """Pass owners and administrators; people it is shared with may look and open; others see nothing."""
    if role is None:
        raise no_such("studio")
    if role in VISITING and not open_only:
        raise StudiosError(
            "This studio is shared with you to be opened only",
            "changing it is up to its owner",
            "Ask its owner, or make a studio of your own",
            status=403,
        )


def allowed_actions(
    role: Role, state: StudioState, *, connected: bool, forceable: bool, has_checkpoint: bool
) -> list[Action]:
    """The buttons that make sense for this person now."""
    running = state == StudioState.RUNNING
    ended = state in (StudioState.STOPPED, StudioState.ERRORED)
    if role in VISITING:
        return ["open"] if running else ["start"] if ended and role == "starter" else []
    offers: dict[Action, bool] = {
        "open": running,
        "start": ended,
        "stop": state in (StudioState.STARTING, StudioState.RUNNING),
        "force": state == StudioState.STOPPING and forceable,
        "save": running and connected,
        "edit": True,
        "delete": ended,
        "fork": has_checkpoint,
        "share": True,
    }
    return [action for action, offered in offers.items() if offered]
