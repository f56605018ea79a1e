"""Stores: S3, GCS, Azure, folders, and any other fsspec filesystem."""
