"""S3 and everything that speaks it, over s3fs: one native call for each request."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from datetime import UTC
from typing import Any
from urllib.parse import quote

from ...models import CredentialSpec, Provider, StudiosError, UploadedPart
from .base import Bucket, NativePage, Object, ReadsByStream
from .errors import exists, faults, gone, not_possible
from .guard import Guard
from .parts import PART_SIZE, UploadState, check_size
from .s3_client import Filesystem, open_filesystem, translate

CHUNK = 1 << 20
COPY_WHOLE = 5 << 30  # the most that one CopyObject copies
COPY_PART = 1 << 30
_NO_CONDITIONS = {
    "NotImplemented",
    "InvalidArgument",
    "InvalidRequest",
}  # said by stores that know no If-None-Match


async def open_bucket(
    spec: CredentialSpec, bucket: str, *, guard: Guard, region: str | None = None
) -> S3Backend:
    return S3Backend(await open_filesystem(spec, guard=guard, region=region), bucket, spec)


async def buckets(spec: CredentialSpec, *, guard: Guard) -> list[Bucket]:
    fs = await open_filesystem(spec, guard=guard)
    found: list[Bucket] = []
    try:
        more: dict[str, str] = {}
        while True:
            with faults(translate, "*", "*"):
                answer = await fs._call_s3("list_buckets", MaxBuckets=1000, **more)
            found += [Bucket(each["Name"], each.get("BucketRegion")) for each in answer.get("Buckets", ())]
            if not answer.get("ContinuationToken"):
                return found
            more = {"ContinuationToken": answer["ContinuationToken"]}
    finally:
        await fs.close()


class S3Backend(ReadsByStream):
    provider = Provider.S3
    parallel_parts = True
    part_size = PART_SIZE

    def __init__(self, fs: Filesystem, bucket: str, spec: CredentialSpec):
        self.fs = fs
        self._bucket = bucket
        self._spec = spec

    async def page(
        self, prefix: str, *, token: str | None = None, recursive: bool = False, limit: int = 1000
    ) -> NativePage:
        asked: dict[str, Any] = {"Prefix": prefix, "MaxKeys": min(limit, 1000)}
        if not recursive:
            asked["Delimiter"] = "/"
        if token is not None:
            asked["ContinuationToken"] = token
        answer = await self._call("list_objects_v2", None, **asked)
        return NativePage(
            folders=[each["Prefix"] for each in answer.get("CommonPrefixes", ())],
            objects=[_object(each["Key"], each) for each in answer.get("Contents", ())],
            token=answer.get("NextContinuationToken") if answer.get("IsTruncated") else None,
        )

    async def stat(self, key: str) -> Object:
        answer = await self._call("head_object", key, Key=key)
        return _object(key, {**answer, "Size": answer["ContentLength"]})

    async def stream(
        self, key: str, start: int = 0, end: int | None = None, *, etag: str | None = None
    ) -> AsyncGenerator[bytes]:
        if end is not None and start >= end:
            return
        asked: dict[str, Any] = {"Key": key}
        if start or end is not None:
            asked["Range"] = f"bytes={start}-{'' if end is None else end - 1}"
        if etag is not None:
            asked["IfMatch"] = f'"{etag}"'
        with faults(translate, self._bucket, key):
            try:
                answer = await self.fs._call_s3("get_object", Bucket=self._bucket, **asked)
            except Exception as error:
                if translate(error) == (416, "InvalidRange"):
                    return  # beyond the end, or an empty object
                raise
        body = answer["Body"]
        try:
            while True:
                with faults(translate, self._bucket, key):
                    chunk = await body.read(CHUNK)
                if not chunk:
                    return
                yield chunk
        finally:
            body.close()  # cuts the connection when there is more

    async def put(self, key: str, body: bytes, *, replace: bool) -> Object:
        await self._conditional(replace, "put_object", key, Key=key, Body=body)
        return await self.stat(key)

    async def begin(self, key: str, size: int, *, replace: bool) -> str:
        check_size(size)
        if not replace:
            await self._refuse_existing(key)
        answer = await self._call("create_multipart_upload", key, Key=key)
        return UploadState(key, size, replace, answer["UploadId"]).write()

    async def put_part(self, upload: str, number: int, body: bytes) -> UploadedPart:
        state = UploadState.read(upload)
        state.check_part(number, len(body))
        answer = await self._call(
            "upload_part", state.key, Key=state.key, UploadId=state.store_id, PartNumber=number, Body=body
        )
        return UploadedPart(number=number, tag=answer["ETag"])

    async def finish(self, upload: str, parts: Sequence[UploadedPart]) -> Object:
        state = UploadState.read(upload)
        await self._complete(state, state.check_all(parts))
        return await self.stat(state.key)

    async def abort(self, upload: str) -> None:
        state = UploadState.read(upload)
        with faults(translate, self._bucket, state.key):
            try:
                await self.fs._call_s3(
                    "abort_multipart_upload", Bucket=self._bucket, Key=state.key, UploadId=state.store_id
                )
            except Exception as error:
                if translate(error) not in ((404, "NoSuchUpload"), (404, "404")):
                    raise

    async def copy(self, source: Object, target: str, *, replace: bool) -> Object:
        if source.key.endswith("/") and not source.size:  # a folder's marker, which some stores do not copy
            return await self.put(target, b"", replace=replace)
        asked: dict[str, Any] = {"CopySource": {"Bucket": self._bucket, "Key": source.key}}
        if source.etag:
            asked["CopySourceIfMatch"] = f'"{source.etag}"'
        try:
            if (source.size or 0) <= COPY_WHOLE:
                await self._conditional(replace, "copy_object", target, Key=target, **asked)
            else:
                await self._copy_in_parts(source, target, asked, replace)
        except StudiosError as error:
            raise gone(source.key) if error.problem.status == 404 else error from None
        return await self.stat(target)

    async def delete(self, keys: Sequence[str]) -> list[str]:
        left: list[str] = []
        # The list of keys travels as XML, which cannot hold control characters: such a key goes by itself.
        # Markers of folders go last: some stores remove a folder only when it is empty.
        order = sorted(keys, key=lambda key: (key.endswith("/"), -key.count("/")))
        listed = [key for key in order if key.isprintable()]
        alone = [key for key in order if not key.isprintable()]
        for start in range(0, len(listed), 1000):
            batch = listed[start : start + 1000]
            asked = {"Objects": [{"Key": key} for key in batch], "Quiet": True}
            answer = await self._call("delete_objects", "*", Delete=asked)
            left += [error["Key"] for error in answer.get("Errors", ()) if error.get("Code") != "NoSuchKey"]
        for key in alone:
            with faults(translate, self._bucket, key):
                await self.fs._call_s3("delete_object", Bucket=self._bucket, Key=key)
        return left

    async def presign(self, key: str, seconds: int, *, filename: str | None = None) -> str:
        if self.fs.anon:
            raise not_possible(
                "this link is read without a credential, so there is nothing to sign with",
                "Its objects can be read by anybody, with any S3 tool",
            )
        await self.stat(key)  # it must be there; and the client learns the bucket's region
        params = {"Bucket": self._bucket, "Key": key}
        if filename is not None:
            params["ResponseContentDisposition"] = f"attachment; filename*=UTF-8''{quote(filename, safe='')}"
        with faults(translate, self._bucket, key):
            url: str = await self.fs.s3.generate_presigned_url("get_object", Params=params, ExpiresIn=seconds)
        return url

    async def close(self) -> None:
        await self.fs.close()

    async def _call(self, method: str, key: str | None, **asked: Any) -> dict[str, Any]:
        with faults(translate, self._bucket, key):
            answer: dict[str, Any] = await self.fs._call_s3(method, Bucket=self._bucket, **asked)
        return answer

    async def _refuse_existing(self, key: str) -> None:
        try:
            await self.fs._call_s3("head_object", Bucket=self._bucket, Key=key)
        except Exception as error:
            told = translate(error)
            if told is None or told[0] not in (404, 403):  # 403: it may write and not read; the store decides
                with faults(translate, self._bucket, key):
                    raise
            return
        raise exists(key)

    async def _conditional(self, replace: bool, method: str, key: str, **asked: Any) -> None:
        """A write that replaces nothing unless it may.

        The store decides by If-None-Match. Some ignore it or refuse to know it: so the key is also looked up
        before, which leaves only a race between two writers there.
        """
        if replace:
            await self._call(method, key, **asked)
            return
        await self._refuse_existing(key)
        with faults(translate, self._bucket, key):
            try:
                await self.fs._call_s3(method, Bucket=self._bucket, IfNoneMatch="*", **asked)
            except Exception as error:
                status, code = translate(error) or (None, "")
                if status == 412 and not await self._source_changed(asked):
                    raise exists(key) from None
                if status == 409 and code == "ConditionalRequestConflict":
                    raise exists(key) from None
                if code not in _NO_CONDITIONS:
                    raise
                await self.fs._call_s3(method, Bucket=self._bucket, **asked)

    async def _source_changed(self, asked: dict[str, Any]) -> bool:
        """A copy has two conditions: which one failed?"""
        if "CopySourceIfMatch" not in asked:
            return False
        source = await self.stat(asked["CopySource"]["Key"])
        return asked["CopySourceIfMatch"] != f'"{source.etag}"'

    async def _complete(self, state: UploadState, parts: Sequence[UploadedPart]) -> None:
        listed = [{"PartNumber": part.number, "ETag": part.tag} for part in parts]
        await self._conditional(
            state.replace,
            "complete_multipart_upload",
            state.key,
            Key=state.key,
            UploadId=state.store_id,
            MultipartUpload={"Parts": listed},
        )

    async def _copy_in_parts(self, source: Object, target: str, asked: dict[str, Any], replace: bool) -> None:
        size = source.size or 0
        if not replace:
            await self._refuse_existing(target)
        begun = await self._call("create_multipart_upload", target, Key=target)
        state = UploadState(target, size, replace, begun["UploadId"])
        try:
            parts = []
            for number, start in enumerate(range(0, size, COPY_PART), start=1):
                answer = await self._call(
                    "upload_part_copy",
                    target,
                    Key=target,
                    UploadId=state.store_id,
                    PartNumber=number,
                    CopySourceRange=f"bytes={start}-{min(start + COPY_PART, size) - 1}",
                    **asked,
                )
                parts.append(UploadedPart(number=number, tag=answer["CopyPartResult"]["ETag"]))
            await self._complete(state, parts)
        except BaseException:
            await self.abort(state.write())
            raise


def _object(key: str, found: dict[str, Any]) -> Object:
    etag, modified = found.get("ETag"), found.get("LastModified")
    return Object(
        key=key,
        size=found["Size"],
        modified=modified.astimezone(UTC) if modified else None,
        storage_class=found.get("StorageClass"),
        etag=etag.strip('"') if etag else None,
    )
