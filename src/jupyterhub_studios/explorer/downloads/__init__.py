"""Downloads: one object, whole or a range of it."""

from .sending import Download, is_inline, send

__all__ = ["Download", "is_inline", "send"]
