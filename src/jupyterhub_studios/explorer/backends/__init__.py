"""Stores: S3, GCS, Azure, folders, and any other fsspec filesystem."""

from .base import Backend, Bucket, NativePage, Object
from .guard import Guard
from .opening import list_buckets, open_backend
from .urls import split_url

__all__ = ["Backend", "Bucket", "Guard", "NativePage", "Object", "list_buckets", "open_backend", "split_url"]
