"""Who may do what with a link: decided here alone, for every operation."""

from __future__ import annotations

from ..models import DataRole, LinkView, StudiosError

_ORDER = (DataRole.VIEW, DataRole.DOWNLOAD, DataRole.WRITE)
_VERBS = {
    DataRole.VIEW: "look into",
    DataRole.DOWNLOAD: "download from",
    DataRole.WRITE: "change",
}


def require(link: LinkView, role: DataRole) -> None:
    """403 with the reason and whom to ask, unless the caller's role on the link is enough."""
    if _ORDER.index(link.role) < _ORDER.index(role):
        raise StudiosError(
            f"You may not {_VERBS[role]} “{link.name}”",
            f"your role here is “{link.role.value}”, and this needs “{role.value}”",
            f"Ask {whom_to_ask(link)} for that role",
            status=403,
        )
    if role is DataRole.WRITE and not link.writable:
        raise StudiosError(
            f"“{link.name}” is read-only",
            link.why,
            f"Ask {whom_to_ask(link)} to make it writable",
            status=403,
        )


def whom_to_ask(link: LinkView) -> str:
    if link.owner is None:
        return "an administrator"
    return f"{link.owner}, who owns this link,"
