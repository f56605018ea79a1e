"""Which lifespans people may choose. Pure."""

from __future__ import annotations

from ...models import LifetimeOffer, LifetimePolicy, StudiosError

FIELD = "lifespan_hours"


def choose(policy: LifetimePolicy, hours: int | None, *, admin: bool) -> int:
    """The lifespan that was asked for (None: the usual one), or why it cannot be had."""
    usual = policy.in_band(None)
    if hours is None or hours == usual:
        return usual
    if policy.locked and not admin:
        raise StudiosError(
            f"The lifespan is {usual} h here" if usual else "There is no lifespan here",
            "the administrators have fixed it",
            "Leave it out",
            field=FIELD,
        )
    if policy.in_band(hours) != hours:
        endless = ", or 0 for no end" if policy.endless else ""
        raise StudiosError(
            f"A lifespan of {hours} h cannot be had here"
            if hours
            else "A lifespan without end cannot be had here",
            f"offered are {policy.min_hours} to {policy.max_hours} h{endless}",
            "Choose one of these",
            field=FIELD,
        )
    return hours


def offer(policy: LifetimePolicy) -> LifetimeOffer:
    fields = policy.model_dump(include=set(LifetimeOffer.model_fields))
    return LifetimeOffer(**{**fields, "lifespan_hours": policy.in_band(None)})
