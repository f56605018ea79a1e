"""Listing a prefix of 200,000 keys: ours against s3fs, against one bare call, against boto3's paginator.

One bucket on one SeaweedFS for all sides, which take turns in each round; medians of wall-clock seconds, and what
the process holds in memory.

* first page, against s3fs: 1,000 keys through the backend · ``s3fs.ls`` of the prefix, as it is called to show a folder
* first page, against one call: the same through the backend · one ``list_objects_v2`` of aiobotocore, same size
* all keys: page after page through the backend · boto3's ``list_objects_v2`` paginator
* memory: what all pages through the backend add to the process, against what one page adds
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
from typing import Any

import psutil
from aiobotocore.session import AioSession
from botocore.config import Config
from obstore.store import S3Store
from s3fs import S3FileSystem

from jupyterhub_studios.explorer.backends import Backend, Guard, open_backend
from jupyterhub_studios.models import AccessKey, CredentialSpec, Provider
from tests.stores import SeaweedFS, running

KEYS = 200_000
PREFIX = "run/results/"
FIRST_PAGES = 15
ROUNDS = 3
MIB = 1 << 20


def rows() -> list[dict[str, Any]]:
    with running() as server:
        bucket = server.bucket()
        asyncio.run(fill(server, bucket))
        return asyncio.run(_measure(server, bucket))


async def fill(server: SeaweedFS, bucket: str) -> None:
    """Empty objects under names as a pipeline gives them."""
    store = S3Store(
        bucket,
        config={**server.options, "virtual_hosted_style_request": False},
        client_options={"allow_http": True},
    )

    async def put(numbers: range) -> None:
        for number in numbers:
            await store.put_async(f"{PREFIX}sample-{number:06}.bam", b"")

    await asyncio.gather(*(put(range(start, KEYS, 32)) for start in range(32)))


async def _measure(server: SeaweedFS, bucket: str) -> list[dict[str, Any]]:
    key = AccessKey(access_key_id=server.access_key, secret_access_key=server.secret_key)
    spec = CredentialSpec(name="bench", provider="s3", endpoint=server.endpoint, secret=key)
    backend = await open_backend(spec, Provider.S3, bucket, guard=Guard(["127.0.0.1"]))
    try:
        page, call = await _first_pages(server, bucket, backend)
        one, all_, ours, peer = await _all_keys(server, bucket, backend)
        ls = statistics.median([await asyncio.to_thread(_s3fs_ls, server, bucket) for _ in range(ROUNDS)])
    finally:
        await backend.close()
    return [
        _row("listing: first page, s3fs.ls takes", page, ls, "s", ls / page, ">= 50", ls / page >= 50),
        _row("listing: first page, against one call", page, call, "s", page / call, "<= 1.3", page / call <= 1.3),
        _row("listing: all 200,000 keys, against boto3", ours, peer, "s", ours / peer, "<= 1.5", ours / peer <= 1.5),
        _row("listing: memory of all pages", all_, one, "MiB", all_ / one, "<= one + 16", all_ <= one + 16),
    ]  # fmt: skip


async def _first_pages(server: SeaweedFS, bucket: str, backend: Backend) -> tuple[float, float]:
    ours, calls = [], []
    session = AioSession().create_client(
        "s3",
        endpoint_url=server.endpoint,
        region_name="us-east-1",
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
        config=Config(s3={"addressing_style": "path"}),
    )
    async with session as client:
        for attempt in range(FIRST_PAGES + 2):
            start = time.perf_counter()
            page = await backend.page(PREFIX)
            middle = time.perf_counter()
            answer = await client.list_objects_v2(Bucket=bucket, Prefix=PREFIX, Delimiter="/", MaxKeys=1000)
            end = time.perf_counter()
            assert len(page.objects) == len(answer["Contents"]) == 1000
            if attempt >= 2:  # both have their connection and have learned the bucket
                ours.append(middle - start)
                calls.append(end - middle)
    return statistics.median(ours), statistics.median(calls)


async def _all_keys(server: SeaweedFS, bucket: str, backend: Backend) -> tuple[float, float, float, float]:
    """MiB that one page and all pages take at most, and seconds of both sides for all keys."""
    process = psutil.Process()
    ours, peer, one, all_ = [], [], 0.0, 0.0
    for _ in range(ROUNDS):
        gc.collect()
        before = process.memory_info().rss
        start, count, token, first = time.perf_counter(), 0, None, 0.0
        while True:
            page = await backend.page(PREFIX, token=token)
            count, token = count + len(page.objects), page.token
            used = (process.memory_info().rss - before) / MIB
            first, all_ = first or used, max(all_, used)
            if token is None:
                break
        ours.append(time.perf_counter() - start)
        one = max(one, first)
        assert count == KEYS
        start = time.perf_counter()
        pages = (
            server.client()
            .get_paginator("list_objects_v2")
            .paginate(Bucket=bucket, Prefix=PREFIX, Delimiter="/")
        )
        assert sum(len(page["Contents"]) for page in pages) == KEYS
        peer.append(time.perf_counter() - start)
    return max(one, 1.0), max(all_, 1.0), statistics.median(ours), statistics.median(peer)


def _s3fs_ls(server: SeaweedFS, bucket: str) -> float:
    fs = S3FileSystem(
        key=server.access_key,
        secret=server.secret_key,
        endpoint_url=server.endpoint,
        skip_instance_cache=True,
        use_listings_cache=False,
    )
    start = time.perf_counter()
    assert len(fs.ls(f"{bucket}/{PREFIX}", detail=True)) == KEYS
    return time.perf_counter() - start


def _row(
    name: str, ours: float, peer: float, unit: str, ratio: float, bar: str, holds: bool
) -> dict[str, Any]:
    return {
        "name": name,
        "ours": ours,
        "peer": peer,
        "unit": unit,
        "ratio": ratio,
        "bar": bar,
        "holds": holds,
    }
