"""Streams that hold something open: ended where they are left, not when they are collected."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

T = TypeVar("T")


@asynccontextmanager
async def closing(source: AsyncIterator[T]) -> AsyncIterator[AsyncIterator[T]]:
    """As contextlib.aclosing, for iterators too that have nothing to close."""
    try:
        yield source
    finally:
        if hasattr(source, "aclose"):
            await source.aclose()
