"""The mounts of a session: buckets as folders, from before its app starts until all that was written is in them."""

from .session import Mounts

__all__ = ["Mounts"]
