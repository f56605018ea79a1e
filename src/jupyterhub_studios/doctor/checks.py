"""Running checks: all at the same time, each with its limit, none able to take the others down."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from ..models import StudiosError
from .findings import Result, found, problem

SECONDS = 30.0


@dataclass(frozen=True)
class Check:
    """``look`` answers what it found, or raises a :class:`StudiosError`, which is a finding too."""

    subject: str
    name: str
    look: Callable[[], Awaitable[Result]]
    seconds: float = SECONDS


class Found(Exception):
    """Ends a look with what was found."""

    def __init__(self, finding: str, **words: object) -> None:
        super().__init__(finding)
        self.result = found(finding, **words)


async def run(checks: Sequence[Check], tell: Callable[[Result], None]) -> list[Result]:
    """All results, in the order of the checks; ``tell`` hears each as it comes."""

    async def one(check: Check) -> Result:
        result = await _look(check)
        result = result.model_copy(update={"subject": check.subject, "check": check.name})
        tell(result)
        return result

    return list(await asyncio.gather(*map(one, checks)))


async def _look(check: Check) -> Result:
    try:
        async with asyncio.timeout(check.seconds):
            return await check.look()
    except Found as end:
        return end.result
    except TimeoutError:
        return found("slow", seconds=check.seconds)
    except StudiosError as error:
        return problem(error.problem)
    except Exception as error:
        return found("broken", error=f"{type(error).__name__}: {error}")
