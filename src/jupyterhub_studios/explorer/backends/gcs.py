"""Google Cloud Storage, over gcsfs: one call of the JSON API for each request. An etag here is the generation."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncGenerator, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from google.auth.credentials import Signing

from ...models import CredentialSpec, Provider, StudiosError, UploadedPart
from .base import Bucket, NativePage, Object, ReadsByStream
from .errors import changed, exists, faults, not_possible
from .gcs_client import Filesystem, StoreAnswer, object_path, open_filesystem, translate
from .guard import Guard
from .parts import PART_SIZE, UploadState, check_size

CHUNK = 1 << 20
DELETES = 16  # at the same time
_FIELDS = "name,size,updated,storageClass,generation"


async def open_bucket(
    spec: CredentialSpec, bucket: str, *, guard: Guard, region: str | None = None
) -> GCSBackend:
    return GCSBackend(await open_filesystem(spec, guard=guard), bucket)


async def buckets(spec: CredentialSpec, *, guard: Guard) -> list[Bucket]:
    fs = await open_filesystem(spec, guard=guard)
    found: list[Bucket] = []
    try:
        params: dict[str, str | None] = {"project": fs.project, "pageToken": None}
        while True:
            with faults(translate, "*", "*"):
                _, answer = await fs.request("GET", "/storage/v1/b", params)
            found += [Bucket(each["name"], each.get("location")) for each in answer.get("items", ())]
            params["pageToken"] = answer.get("nextPageToken")
            if not params["pageToken"]:
                return found
    finally:
        await fs.close()


class GCSBackend(ReadsByStream):
    provider = Provider.GCS
    parallel_parts = False  # a resumable upload takes its parts in order
    part_size = PART_SIZE

    def __init__(self, fs: Filesystem, bucket: str):
        self.fs = fs
        self._bucket = bucket
        self._next: dict[str, int] = {}  # the part that an upload waits for, as far as it went through here

    async def page(
        self, prefix: str, *, token: str | None = None, recursive: bool = False, limit: int = 1000
    ) -> NativePage:
        params = {
            "prefix": prefix,
            "delimiter": None if recursive else "/",
            "maxResults": min(limit, 1000),
            "pageToken": token,
            "fields": f"items({_FIELDS}),prefixes,nextPageToken",
        }
        answer = await self._call("GET", f"/storage/v1/b/{quote(self._bucket, safe='')}/o", params)
        return NativePage(
            folders=list(answer.get("prefixes", ())),
            objects=[_object(each) for each in answer.get("items", ())],
            token=answer.get("nextPageToken") or None,
        )

    async def stat(self, key: str) -> Object:
        return _object(await self._call("GET", self._path(key), {"fields": _FIELDS}, key=key))

    async def stream(
        self, key: str, start: int = 0, end: int | None = None, *, etag: str | None = None
    ) -> AsyncGenerator[bytes]:
        if end is not None and start >= end:
            return
        # The stored bytes, also of an object that is stored compressed.
        headers = {"Accept-Encoding": "gzip"}
        if start or end is not None:
            headers["Range"] = f"bytes={start}-{'' if end is None else end - 1}"
        params = {"alt": "media", "ifGenerationMatch": etag}
        async with contextlib.AsyncExitStack() as stack:
            with faults(translate, self._bucket, key):
                answer = await stack.enter_async_context(
                    self.fs.open_request(
                        "GET", self._path(key), params, None, headers, (200, 206, 416), decompress=False
                    )
                )
            if etag is not None and answer.headers.get("x-goog-generation", etag) != etag:
                raise changed(key)
            if answer.status == 416:
                return  # beyond the end, or an empty object
            while True:
                with faults(translate, self._bucket, key):
                    chunk = await answer.content.read(CHUNK)
                if not chunk:
                    return
                yield chunk

    async def put(self, key: str, body: bytes, *, replace: bool) -> Object:
        self._path(key)
        # Metadata and content in one request. The boundary is random: it must not occur in the content.
        boundary = secrets.token_hex(24)
        head = f"--{boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{json.dumps({'name': key})}\r\n"
        head += f"--{boundary}\r\nContent-Type: application/octet-stream\r\n\r\n"
        with self._conditional(key, replace):
            _, answer = await self.fs.request(
                "POST",
                self._upload_path(),
                {"uploadType": "multipart", "ifGenerationMatch": None if replace else 0},
                body=head.encode() + body + f"\r\n--{boundary}--".encode(),
                headers={"Content-Type": f"multipart/related; boundary={boundary}"},
            )
        return await self.stat(answer["name"])

    async def begin(self, key: str, size: int, *, replace: bool) -> str:
        check_size(size)
        self._path(key)
        if not replace:
            await self._refuse_existing(key)
        with self._conditional(key, replace):
            headers, _ = await self.fs.request(
                "POST",
                self._upload_path(),
                {"uploadType": "resumable", "name": key, "ifGenerationMatch": None if replace else 0},
                body=json.dumps({"name": key}).encode(),
                headers={
                    "Content-Type": "application/json; charset=UTF-8",
                    "X-Upload-Content-Type": "application/octet-stream",
                    "X-Upload-Content-Length": str(size),
                },
            )
        self._next[headers["Location"]] = 1
        return UploadState(key, size, replace, headers["Location"]).write()

    async def put_part(self, upload: str, number: int, body: bytes) -> UploadedPart:
        state = UploadState.read(upload)
        state.check_part(number, len(body))
        due = self._next.get(state.store_id, number)
        if number > due:
            raise StudiosError(
                "This part came too early", f"part {due} comes first", "Send them in order", status=409
            )
        if number == due:
            if number == state.count and not state.replace:
                await self._refuse_existing(state.key)
            start = state.offset(number)
            span = f"{start}-{start + len(body) - 1}" if body else "*"
            with self._conditional(state.key, state.replace):
                await self.fs.request(
                    "PUT",
                    state.store_id,
                    body=body,
                    headers={"Content-Range": f"bytes {span}/{state.size}"},
                    good=(200, 201, 308),
                )
            self._next[state.store_id] = number + 1
        return UploadedPart(number=number, tag=str(number))

    async def finish(self, upload: str, parts: Sequence[UploadedPart]) -> Object:
        state = UploadState.read(upload)
        state.check_all(parts)
        self._next.pop(state.store_id, None)
        found = await self.stat(state.key)  # Google finished it with the last part
        if found.size != state.size:
            raise changed(state.key)
        return found

    async def abort(self, upload: str) -> None:
        state = UploadState.read(upload)
        self._next.pop(state.store_id, None)
        with faults(translate, self._bucket, state.key):
            await self.fs.request("DELETE", state.store_id, good=(200, 204, 404, 410, 499))

    async def copy(self, source: Object, target: str, *, replace: bool) -> Object:
        if not replace:
            await self._refuse_existing(target)
        path = (
            f"{self._path(source.key)}/rewriteTo/b/{quote(self._bucket, safe='')}/o/{quote(target, safe='')}"
        )
        self._path(target)
        params: dict[str, str | int | None] = {
            "ifSourceGenerationMatch": source.etag,
            "ifGenerationMatch": None if replace else 0,
            "rewriteToken": None,
        }
        while True:  # large objects take several calls
            try:
                with faults(translate, self._bucket, source.key):
                    _, answer = await self.fs.request("POST", path, params)
            except StudiosError as error:
                if error.problem.status == 412 and (await self.stat(source.key)).etag == source.etag:
                    raise exists(target) from None
                raise
            if answer["done"]:
                return await self.stat(target)
            params["rewriteToken"] = answer["rewriteToken"]

    async def delete(self, keys: Sequence[str]) -> list[str]:
        slots = asyncio.Semaphore(DELETES)

        async def delete(key: str) -> str | None:
            async with slots:
                try:
                    with faults(translate, self._bucket, key):
                        await self.fs.request("DELETE", self._path(key), good=(200, 204, 404))
                except StudiosError as error:
                    if error.problem.status in (403, 429, 502):
                        raise
                    return key
            return None

        return [key for key in await asyncio.gather(*map(delete, keys)) if key is not None]

    async def presign(self, key: str, seconds: int, *, filename: str | None = None) -> str:
        await self.stat(key)
        credentials = self.fs.credentials.credentials
        extra: dict[str, Any] = {}
        if not isinstance(credentials, Signing):
            # A machine's own account signs at Google, with its token; a person's cannot.
            email = getattr(credentials, "service_account_email", None)
            if not email:
                raise not_possible(
                    "this credential cannot sign links", "Use the key of a service account for links"
                )
            extra = {"service_account_email": email, "access_token": credentials.token}
        if filename is not None:
            extra["response_disposition"] = f"attachment; filename*=UTF-8''{quote(filename, safe='')}"
        with faults(translate, self._bucket, key):
            return await asyncio.to_thread(self._sign, key, seconds, extra)

    async def close(self) -> None:
        await self.fs.close()

    def _sign(self, key: str, seconds: int, extra: dict[str, Any]) -> str:
        from google.cloud.storage import Client

        client = Client(project=self.fs.project, credentials=self.fs.credentials.credentials)
        url: str = (
            client.bucket(self._bucket)
            .blob(key)
            .generate_signed_url(
                version="v4",
                expiration=timedelta(seconds=seconds),
                api_access_endpoint=self.fs._location,
                **extra,
            )
        )
        return url

    def _path(self, key: str) -> str:
        """A 400 for what is no name at Google."""
        with faults(translate, self._bucket, key):
            return object_path(self._bucket, key)

    def _upload_path(self) -> str:
        return f"/upload/storage/v1/b/{quote(self._bucket, safe='')}/o"

    async def _call(
        self, method: str, path: str, params: dict[str, Any], *, key: str | None = None
    ) -> dict[str, Any]:
        with faults(translate, self._bucket, key):
            _, answer = await self.fs.request(method, path, params)
        return answer or {}

    async def _refuse_existing(self, key: str) -> None:
        try:
            await self.stat(key)
        except StudiosError as error:
            if error.problem.status not in (404, 403):  # 403: it may write and not read; the store decides
                raise
            return
        raise exists(key)

    @contextlib.contextmanager
    def _conditional(self, key: str, replace: bool) -> Any:
        with faults(translate, self._bucket, key):
            try:
                yield
            except StoreAnswer as error:
                if error.status == 412 and not replace:
                    raise exists(key) from None
                raise


def _object(found: dict[str, Any]) -> Object:
    return Object(
        key=found["name"],
        size=int(found.get("size", 0)),
        modified=datetime.fromisoformat(found["updated"]) if "updated" in found else None,
        storage_class=found.get("storageClass"),
        etag=found.get("generation"),
    )
