"""Redeeming the one-time code of a job for everything that the agent needs."""

from __future__ import annotations

import asyncio
import logging
import random
import time

import aiohttp
from pydantic import ValidationError

from ..models import LaunchSpec, StudiosError

log = logging.getLogger(__name__)

PATIENCE = 600.0  # seconds: Hub and service may be restarting
LONGEST_PAUSE = 15.0


async def redeem(url: str, code: str, stop: asyncio.Event, patience: float = PATIENCE) -> LaunchSpec:
    """The launch spec. Tried again while nobody answers, given up when the answer is no, or on ``stop``."""
    deadline, pause, fault = time.monotonic() + patience, 0.5, "no answer"
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as client:
        while True:
            try:
                async with client.post(url, json={"code": code}) as answer:
                    # 404: the Hub's proxy is up, the service behind it not yet.
                    if answer.status != 404 and answer.status < 500:
                        return await _read(answer)
                    fault = f"HTTP status {answer.status}"
            except (aiohttp.ClientConnectionError, TimeoutError) as error:
                fault = str(error) or type(error).__name__
            if stop.is_set():
                raise StudiosError("The job was asked to end before its session began")
            if time.monotonic() + pause > deadline:
                raise StudiosError(
                    "The studios service cannot be reached", f"{fault}, for {patience:.0f} s",
                    "Check that this machine reaches the Hub's public address", status=503,
                )  # fmt: skip
            log.info("The studios service does not answer (%s): next try in %.1f s", fault, pause)
            await _pause(stop, pause * random.uniform(0.8, 1.2))
            pause = min(pause * 2, LONGEST_PAUSE)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


async def _read(answer: aiohttp.ClientResponse) -> LaunchSpec:
    text = await answer.text()
    if answer.status == 200:
        try:
            return LaunchSpec.model_validate_json(text)
        except ValidationError as error:
            # Only the places: the values are secrets.
            places = ", ".join(".".join(map(str, fault["loc"])) for fault in error.errors())
            raise StudiosError(
                "The studios service and this agent do not understand each other", f"unexpected: {places}",
                "Both must be of the same version", status=502,
            ) from None  # fmt: skip
    try:
        problem = await answer.json(content_type=None)
        title, detail, action = (str(problem.get(key, "")) for key in ("title", "detail", "action"))
    except (ValueError, AttributeError):
        title, detail, action = "", "", ""
    raise StudiosError(
        title or "The studios service refused this job", detail or f"HTTP status {answer.status}",
        action or "Start the studio again", status=answer.status,
    )  # fmt: skip
