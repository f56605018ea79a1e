"""Azure Blob Storage, over adlfs: one page of ``walk_blobs`` or one call for each request."""

from __future__ import annotations

import asyncio
import contextlib
import io
import secrets
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from azure.core import MatchConditions
from azure.storage.blob import BlobBlock, BlobSasPermissions, generate_blob_sas
from azure.storage.blob.aio import BlobPrefix

from ...models import AzureSas, CredentialSpec, Provider, StudiosError, UploadedPart
from .azure_client import Filesystem, open_filesystem, translate
from .base import Bucket, NativePage, Object, ReadsByStream
from .errors import exists, fault, faults, not_possible
from .guard import Guard
from .parts import PART_SIZE, UploadState, check_size

CHUNK = 1 << 20
DELETES = 16  # at the same time
PAGE_MAX = 5000
COPY_LOOK_SECONDS = 0.5


async def open_bucket(
    spec: CredentialSpec, bucket: str, *, guard: Guard, region: str | None = None
) -> AzureBackend:
    container, _, account = bucket.partition("@")
    fs = await open_filesystem(spec, guard=guard, account=account or None)
    sas = spec.secret.sas.get_secret_value().lstrip("?") if isinstance(spec.secret, AzureSas) else None
    return AzureBackend(fs, container, sas)


async def buckets(spec: CredentialSpec, *, guard: Guard) -> list[Bucket]:
    fs = await open_filesystem(spec, guard=guard)
    try:
        with faults(translate, "*", "*"):
            return [Bucket(each.name) async for each in fs.service_client.list_containers()]
    finally:
        await fs.close()


class AzureBackend(ReadsByStream):
    provider = Provider.AZURE
    parallel_parts = True
    part_size = PART_SIZE

    def __init__(self, fs: Filesystem, container: str, sas: str | None = None):
        self.fs = fs
        self._bucket = container
        self._container: Any = fs.service_client.get_container_client(container)
        self._sas = sas

    async def page(
        self, prefix: str, *, token: str | None = None, recursive: bool = False, limit: int = 1000
    ) -> NativePage:
        # "metadata" tells the folders of an account with a hierarchy, which are listed as blobs as well.
        asked: dict[str, Any] = {
            "name_starts_with": prefix or None,
            "include": ["metadata"],
            "results_per_page": min(limit, PAGE_MAX),
        }
        list_ = self._container.list_blobs if recursive else self._container.walk_blobs
        pages = list_(**asked).by_page(continuation_token=token)
        page = NativePage()
        with faults(translate, self._bucket):
            try:
                items = [item async for item in await anext(pages)]
            except (AttributeError, TypeError, ValueError) as error:
                if translate(error) is None:  # an answer that is no listing: what the SDK says of it
                    raise fault(502, bucket=self._bucket) from None
                raise
        for item in items:
            if isinstance(item, BlobPrefix):
                page.folders.append(item.name)
            elif recursive or not _is_folder(item):
                page.objects.append(_object(item))
        return NativePage(page.folders, page.objects, pages.continuation_token or None)

    async def stat(self, key: str) -> Object:
        with faults(translate, self._bucket, key):
            return _object(await self._blob(key).get_blob_properties())

    async def stream(
        self, key: str, start: int = 0, end: int | None = None, *, etag: str | None = None
    ) -> AsyncGenerator[bytes]:
        if end is not None and start >= end:
            return
        with faults(translate, self._bucket, key):
            try:
                blob = await self._blob(key).download_blob(
                    offset=start,
                    length=None if end is None else end - start,
                    max_concurrency=1,
                    decompress=False,
                    **_if_unchanged(etag),
                )
            except Exception as error:
                if (translate(error) or (0, ""))[0] == 416:
                    return  # beyond the end
                raise
        blocks = blob.chunks().__aiter__()
        while True:
            try:
                with faults(translate, self._bucket, key):
                    block = await anext(blocks)
            except StopAsyncIteration:
                return
            for at in range(0, len(block), CHUNK):
                yield block[at : at + CHUNK]

    async def put(self, key: str, body: bytes, *, replace: bool) -> Object:
        with self._conditional(key, replace):
            await self._blob(key).upload_blob(io.BytesIO(body), length=len(body), overwrite=replace)
        return await self.stat(key)

    async def begin(self, key: str, size: int, *, replace: bool) -> str:
        check_size(size)
        if not replace:
            await self._refuse_existing(key)
        # Blocks of two uploads to one name are kept apart by this; nothing is sent yet.
        return UploadState(key, size, replace, secrets.token_hex(16)).write()

    async def put_part(self, upload: str, number: int, body: bytes) -> UploadedPart:
        state = UploadState.read(upload)
        state.check_part(number, len(body))
        tag = _block(state, number)
        if body:
            with faults(translate, self._bucket, state.key):
                await self._blob(state.key).stage_block(tag, io.BytesIO(body), length=len(body))
        return UploadedPart(number=number, tag=tag)

    async def finish(self, upload: str, parts: Sequence[UploadedPart]) -> Object:
        state = UploadState.read(upload)
        blocks = (
            [BlobBlock(_block(state, part.number)) for part in state.check_all(parts)] if state.size else []
        )
        condition = {} if state.replace else {"match_condition": MatchConditions.IfMissing}
        with self._conditional(state.key, state.replace):
            await self._blob(state.key).commit_block_list(blocks, **condition)
        return await self.stat(state.key)

    async def abort(self, upload: str) -> None:
        """Azure has no call for this: blocks that belong to no blob are not seen, and removed after a week."""

    async def copy(self, source: Object, target: str, *, replace: bool) -> Object:
        blob = self._blob(target)
        asked: dict[str, Any] = {} if replace else {"match_condition": MatchConditions.IfMissing}
        if source.etag:
            asked |= {
                "source_etag": f'"{source.etag}"',
                "source_match_condition": MatchConditions.IfNotModified,
            }
        url = self._blob(source.key).url
        try:
            with faults(translate, self._bucket, source.key):
                await blob.start_copy_from_url(f"{url}?{self._sas}" if self._sas else url, **asked)
        except StudiosError as error:
            # Two conditions: which one failed?
            if not replace and error.problem.status in (409, 412) and await self._is_as(source):
                raise exists(target) from None
            raise
        while True:
            with faults(translate, self._bucket, target):
                found = await blob.get_blob_properties()
            if found.copy.status in (None, "success"):
                return _object(found)
            if found.copy.status != "pending":
                raise fault(500, bucket=self._bucket, key=target)
            await asyncio.sleep(COPY_LOOK_SECONDS)

    async def delete(self, keys: Sequence[str]) -> list[str]:
        slots = asyncio.Semaphore(DELETES)

        async def delete(key: str) -> str | None:
            async with slots:
                try:
                    with faults(translate, self._bucket, key):
                        await self._blob(key).delete_blob(delete_snapshots="include")
                except StudiosError as error:
                    if error.problem.status in (403, 429, 502):
                        raise
                    return None if error.problem.status == 404 else key
            return None

        return [key for key in await asyncio.gather(*map(delete, keys)) if key is not None]

    async def presign(self, key: str, seconds: int, *, filename: str | None = None) -> str:
        await self.stat(key)
        blob = self._blob(key)
        disposition = filename and f"attachment; filename*=UTF-8''{quote(filename, safe='')}"
        expiry = datetime.now(UTC) + timedelta(seconds=seconds)
        signed = generate_blob_sas(
            account_name=blob.account_name,
            container_name=self._bucket,
            blob_name=key,
            permission=BlobSasPermissions(read=True),
            expiry=expiry,
            content_disposition=disposition,
            **await self._signing_key(key, expiry),
        )
        return f"{blob.url.partition('?')[0]}?{signed}"

    async def close(self) -> None:
        await self.fs.close()

    async def _signing_key(self, key: str, expiry: datetime) -> dict[str, Any]:
        """What signs a link: the account's key, or one that Azure makes for an identity."""
        credential = self.fs.service_client.credential
        if getattr(credential, "account_key", None):
            return {"account_key": credential.account_key}
        if not hasattr(credential, "get_token"):
            raise not_possible(
                "this credential cannot sign links", "Use the key of the storage account for links"
            )
        with faults(translate, self._bucket, key):
            made = await self.fs.service_client.get_user_delegation_key(
                datetime.now(UTC) - timedelta(minutes=5), expiry
            )
        return {"user_delegation_key": made}

    def _blob(self, key: str) -> Any:
        # In a URL such parts would lead elsewhere, to another container even.
        if not key or any(part in (".", "..") for part in key.split("/")):
            raise fault(400, "InvalidName", bucket=self._bucket, key=key)
        return self._container.get_blob_client(key)

    async def _is_as(self, source: Object) -> bool:
        return (await self.stat(source.key)).etag == source.etag

    async def _refuse_existing(self, key: str) -> None:
        try:
            await self.stat(key)
        except StudiosError as error:
            if error.problem.status not in (404, 403):  # 403: it may write and not read; Azure decides
                raise
            return
        raise exists(key)

    @contextlib.contextmanager
    def _conditional(self, key: str, replace: bool) -> Any:
        with faults(translate, self._bucket, key):
            try:
                yield
            except Exception as error:
                status, code = translate(error) or (0, "")
                if not replace and (code == "BlobAlreadyExists" or status == 412):
                    raise exists(key) from None
                raise


def _block(state: UploadState, number: int) -> str:
    """48 characters, as other tools have them: all names of a blob's blocks must be of one length."""
    return f"{state.store_id:>32}-{number:015d}"


def _if_unchanged(etag: str | None) -> dict[str, Any]:
    if etag is None:
        return {}
    return {"etag": f'"{etag}"', "match_condition": MatchConditions.IfNotModified}


def _is_folder(item: Any) -> bool:
    return bool(item.metadata) and item.metadata.get("hdi_isfolder") == "true"


def _object(found: Any) -> Object:
    return Object(
        key=found.name,
        size=found.size,
        modified=found.last_modified,
        storage_class=found.blob_tier,
        etag=found.etag.strip('"') if found.etag else None,
    )
