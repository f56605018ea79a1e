"""Running a program to learn something from it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping


class Failed(Exception):
    """With the last line of what the program said, else its exit code."""


async def output(*command: str, env: Mapping[str, str] | None = None) -> str:
    """What a program prints; it is ended when nobody waits for it any more. OSError where it cannot be started."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, env=env, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe
    )
    try:
        printed, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        lines = errors.decode(errors="replace").strip().splitlines()
        raise Failed(lines[-1] if lines else f"exit code {process.returncode}")
    return printed.decode(errors="replace")
