"""What every store must do, whatever it is. A subclass names the store and what is peculiar about it.

Nothing is skipped: where a store cannot do a thing, that it refuses, and how, is what is checked.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Collection, Mapping

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyterhub_studios.explorer.backends import Backend, NativePage, Object
from jupyterhub_studios.models import Problem, StudiosError, UploadedPart

from .stores import Server

ODD_KEYS = {
    "spaces": " lead/two  spaces/trail ",
    "double slash": "a//b",
    "leading slash": "/lead",
    "folder marker": "folder/",
    "percent": "100%/%2F%zz%25",
    "plus": "a+b c",
    "query": "a?b=c&d=e",
    "hash": "a#b",
    "markup": '<a href="x">&amp;\'</a>',
    "punctuation": "a;b:c,d=e@f$g!h(i)*[j]{k}|l^m`n~",
    "backslash": "a\\b",
    "composed": "caf\u00e9",
    "decomposed": "cafe\u0301",
    "beyond the basic plane": "日本語/😀",
    "1,024 bytes": "k" * 1024,
    "1,024 bytes of two each": "ü" * 512,
    "white space": "tab\tline\nreturn\rend",
    "control": "a\x01\x02\x1f\x7fb",
    "dots": "...",
    "final dot": "a.",
    "one dot": ".",
    "two dots": "..",
    "inner dot": "a/./b",
    "inner two dots": "a/../b",
    "outer two dots": "../a",
    "final two dots": "a/..",
    "hidden": ".command.run",
}

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
TAME = st.text("abcXYZ019 %+?#&=é日/-_.", min_size=1, max_size=60).filter(
    lambda key: all(part.strip(".") for part in key.split("/"))
)


class Conformance:
    """Name the fixture of a server."""

    store: str
    refuses: Mapping[str, int] = {}  # odd keys that the store refuses, with the status
    rewrites: Mapping[str, str] = {}  # odd keys that the store takes for another one
    unlistable: Collection[str] = ()  # odd keys of which the store itself cannot make a listing
    no_parts: Collection[str] = ()  # odd keys for which the store itself cannot begin an upload
    checks_sources = True  # copies only what was read
    keeps_folders = False  # for a while after they are empty
    presigns = True
    folders_are_real = False  # a file and a folder cannot have one name; folders stay when they are empty
    fuzz_controls = True

    # --- pages ---

    async def test_an_empty_bucket(self, backend: Backend) -> None:
        assert await backend.page("") == NativePage()
        assert await backend.page("", recursive=True) == NativePage()
        assert await backend.page("nothing/here/") == NativePage()

    async def test_one_level(self, backend: Backend) -> None:
        await fill(backend, "a/1", "a/2", "a/b/3", "c", "c2/x", "d")
        page = await backend.page("")
        assert (page.folders, keys(page), page.token) == (["a/", "c2/"], ["c", "d"], None)
        page = await backend.page("a/")
        assert (page.folders, keys(page)) == (["a/b/"], ["a/1", "a/2"])

    async def test_a_prefix_is_no_folder(self, backend: Backend) -> None:
        await fill(backend, "ab/1", "abc", "abd/2", "b")
        page = await backend.page("ab")
        assert (page.folders, keys(page)) == (["ab/", "abd/"], ["abc"])
        page = await backend.page("abd/")
        assert (page.folders, keys(page)) == ([], ["abd/2"])
        assert files(await backend.page("ab", recursive=True)) == ["ab/1", "abc", "abd/2"]

    async def test_recursive(self, backend: Backend) -> None:
        made = ["a/1", "a/b/2", "a/b/c/3", "ab", "z"]
        await fill(backend, *made)
        page = await backend.page("", recursive=True)
        assert (page.folders, files(page)) == ([], made)
        assert files(await backend.page("a/", recursive=True)) == made[:3]

    @pytest.mark.parametrize("recursive", [False, True])
    async def test_every_page(self, backend: Backend, recursive: bool) -> None:
        names = [f"{n:03}" for n in range(25)]
        await fill(backend, *names, *(f"f{n:02}/x" for n in range(5)))
        pages = await all_pages(backend, "", recursive=recursive, limit=7)
        assert len(pages) >= 4
        assert all(len(page.objects) <= 7 for page in pages)
        found = [key for page in pages for key in files(page)]
        assert found == (names + [f"f{n:02}/x" for n in range(5)] if recursive else names)
        folders = [name for page in pages for name in page.folders]
        assert sorted(set(folders)) == ([] if recursive else [f"f{n:02}/" for n in range(5)])

    async def test_a_page_after_a_change_goes_on(self, backend: Backend) -> None:
        await fill(backend, *"abcdef")
        first = await backend.page("", limit=3)
        await backend.delete(["a", "b", "c", "d"])
        rest = await all_pages(backend, "", limit=3, token=first.token)
        assert [key for page in rest for key in keys(page)] == ["e", "f"]

    async def test_what_a_listing_tells(self, backend: Backend) -> None:
        made = await backend.put("x", b"12345", replace=False)
        (listed,) = (await backend.page("")).objects
        found = await backend.stat("x")
        assert listed.size == found.size == made.size == 5
        assert listed.etag == found.etag == made.etag
        assert listed.etag
        assert listed.modified and found.modified
        assert listed.modified.tzinfo and abs((listed.modified - found.modified).total_seconds()) < 1

    # --- reading ---

    async def test_ranges(self, backend: Backend) -> None:
        body = bytes(range(256)) * 8
        await backend.put("x", body, replace=False)
        for start, length in [(0, 2048), (0, 1), (100, 50), (2000, 500), (2047, 1), (0, 5000)]:
            assert await backend.read("x", start, length) == body[start : start + length], (start, length)
        for start, length in [(2048, 1), (9999, 5), (5, 0), (0, 0)]:
            assert await backend.read("x", start, length) == b"", (start, length)

    async def test_nothing_in_it(self, backend: Backend) -> None:
        await backend.put("x", b"", replace=False)
        assert (await backend.stat("x")).size == 0
        assert await backend.read("x", 0, 100) == b""
        assert await collect(backend, "x") == b""
        assert await collect(backend, "x", 5, 10) == b""

    async def test_streams(self, backend: Backend) -> None:
        body = bytes(range(251)) * 20_000  # 5 MB
        await backend.put("x", body, replace=False)
        assert await collect(backend, "x") == body
        assert await collect(backend, "x", 17) == body[17:]
        assert await collect(backend, "x", 17, 3_000_000) == body[17:3_000_000]
        assert await collect(backend, "x", 4_000_000, 99_000_000) == body[4_000_000:]
        assert await collect(backend, "x", 99_000_000) == b""

    async def test_a_stream_may_end_early(self, backend: Backend) -> None:
        await backend.put("x", b"." * 9_000_000, replace=False)
        for _ in range(40):  # more than there are connections
            async with contextlib.aclosing(backend.stream("x")) as chunks:
                assert await anext(chunks)
        assert await backend.read("x", 8_999_999, 9) == b"."

    async def test_an_etag_tells_a_change(self, backend: Backend) -> None:
        old = await backend.put("x", b"old", replace=False)
        assert await backend.read("x", 0, 9, etag=old.etag) == b"old"
        await asyncio.sleep(0.01)
        new = await backend.put("x", b"newer", replace=True)
        assert old.etag != new.etag
        assert (await fault(backend.read("x", 0, 9, etag=old.etag))).status == 412
        assert (await fault(collect(backend, "x", etag=old.etag))).status == 412
        assert await collect(backend, "x", etag=new.etag) == b"newer"

    async def test_what_is_not_there(self, backend: Backend) -> None:
        other = Object("no", 5)
        for attempt in (
            lambda: backend.stat("no"),
            lambda: backend.read("no", 0, 5),
            lambda: collect(backend, "no"),
            lambda: backend.copy(other, "x", replace=True),
            lambda: backend.presign("no", 60) if self.presigns else backend.stat("no/"),
        ):
            problem = await fault(attempt())
            assert (problem.status, "“no”" in problem.title) == (404, True), problem

    # --- writing ---

    async def test_nothing_is_replaced_unasked(self, backend: Backend) -> None:
        await backend.put("x", b"old", replace=False)
        problem = await fault(backend.put("x", b"new", replace=False))
        assert (problem.status, problem.action != "") == (409, True)
        assert await collect(backend, "x") == b"old"
        await backend.put("x", b"new", replace=True)
        assert await collect(backend, "x") == b"new"

    async def test_a_race_has_one_winner(self, backend: Backend) -> None:
        tries = [backend.put("x", b"%d" % n, replace=False) for n in range(8)]
        results = await asyncio.gather(*tries, return_exceptions=True)
        won = [n for n, result in enumerate(results) if isinstance(result, Object)]
        lost = [result for result in results if isinstance(result, StudiosError)]
        assert len(won) + len(lost) == 8
        assert {error.problem.status for error in lost} == {409}
        assert len(won) == 1
        assert await collect(backend, "x") == b"%d" % won[0]

    async def test_an_upload_in_parts(self, backend: Backend) -> None:
        size = backend.part_size
        bodies = [b"1" * size, b"2" * size, b"3" * 5]
        upload = await backend.begin("d/big", 2 * size + 5, replace=False)
        order = [3, 1, 2] if backend.parallel_parts else [1, 2, 3]
        parts = [await backend.put_part(upload, number, bodies[number - 1]) for number in order]
        made = await backend.finish(upload, parts)
        assert made.size == 2 * size + 5
        assert await backend.read("d/big", size - 2, 4) == b"1122"
        assert await backend.read("d/big", 2 * size - 2, 99) == b"2233333"
        assert files(await backend.page("", recursive=True)) == ["d/big"]

    async def test_a_part_sent_twice(self, backend: Backend) -> None:
        size = backend.part_size
        upload = await backend.begin("x", size + 1, replace=False)
        first = await backend.put_part(upload, 1, b"a" * size)
        again = await backend.put_part(upload, 1, b"a" * size)
        assert again.number == first.number
        parts = [again, await backend.put_part(upload, 2, b"b")]
        assert (await backend.finish(upload, parts)).size == size + 1
        assert await backend.read("x", size - 1, 9) == b"ab"

    async def test_parts_in_a_wrong_order(self, backend: Backend) -> None:
        upload = await backend.begin("x", backend.part_size + 1, replace=False)
        if not backend.parallel_parts:
            problem = await fault(backend.put_part(upload, 2, b"b"))
            assert problem.status == 409
        parts = [await backend.put_part(upload, 1, b"a" * backend.part_size)]
        parts.insert(0, await backend.put_part(upload, 2, b"b"))
        assert (await backend.finish(upload, parts)).size == backend.part_size + 1

    async def test_parts_that_do_not_fit(self, backend: Backend) -> None:
        upload = await backend.begin("x", backend.part_size + 1, replace=False)
        for number, body in [(1, b"short"), (2, b"too long"), (3, b"b"), (0, b"b")]:
            assert (await fault(backend.put_part(upload, number, body))).status == 400
        first = await backend.put_part(upload, 1, b"a" * backend.part_size)
        second = UploadedPart(number=2, tag=first.tag)
        for parts in ([first], [first, first], [first, second, UploadedPart(number=3, tag="x")]):
            assert (await fault(backend.finish(upload, parts))).status == 400
        await backend.abort(upload)
        assert (await fault(backend.stat("x"))).status == 404

    async def test_an_abandoned_upload_leaves_nothing(self, backend: Backend) -> None:
        upload = await backend.begin("x", backend.part_size + 1, replace=False)
        await backend.put_part(upload, 1, b"a" * backend.part_size)
        await backend.abort(upload)
        await backend.abort(upload)
        assert await backend.page("", recursive=True) == NativePage()
        assert (await fault(backend.stat("x"))).status == 404

    async def test_an_upload_replaces_nothing_unasked(self, backend: Backend) -> None:
        await backend.put("x", b"old", replace=False)
        assert (await fault(backend.begin("x", 5, replace=False))).status == 409
        upload = await backend.begin("x", 5, replace=True)
        parts = [await backend.put_part(upload, 1, b"12345")]
        await backend.finish(upload, parts)
        assert await collect(backend, "x") == b"12345"

    async def test_what_appears_during_an_upload_stays(self, backend: Backend) -> None:
        upload = await backend.begin("x", 5, replace=False)
        await backend.put("x", b"first", replace=False)
        with pytest.raises(StudiosError) as caught:
            await backend.finish(upload, [await backend.put_part(upload, 1, b"12345")])
        assert caught.value.problem.status == 409
        assert await collect(backend, "x") == b"first"
        await backend.abort(upload)

    async def test_an_empty_upload(self, backend: Backend) -> None:
        upload = await backend.begin("x", 0, replace=False)
        assert (await backend.finish(upload, [await backend.put_part(upload, 1, b"")])).size == 0

    async def test_an_upload_that_is_too_large(self, backend: Backend) -> None:
        assert (await fault(backend.begin("x", 10_001 * backend.part_size, replace=False))).status == 413

    async def test_copies(self, backend: Backend) -> None:
        source = await backend.put("a/x", b"hello", replace=False)
        made = await backend.copy(source, "b/c/y", replace=False)
        assert (made.key, made.size) == ("b/c/y", 5)
        assert await collect(backend, "b/c/y") == await collect(backend, "a/x") == b"hello"
        other = await backend.put("z", b"other", replace=False)
        assert (await fault(backend.copy(other, "b/c/y", replace=False))).status == 409
        assert await collect(backend, "b/c/y") == b"hello"
        await backend.copy(other, "b/c/y", replace=True)
        assert await collect(backend, "b/c/y") == b"other"

    async def test_a_copy_of_what_was_read(self, backend: Backend) -> None:
        old = await backend.put("x", b"old", replace=False)
        await asyncio.sleep(0.01)
        await backend.put("x", b"newer", replace=True)
        if not self.checks_sources:
            assert (await backend.copy(old, "y", replace=True)).size == 5
            return
        assert (await fault(backend.copy(old, "y", replace=True))).status == 412
        assert (await fault(backend.copy(old, "y", replace=False))).status == 412
        assert (await fault(backend.stat("y"))).status == 404

    async def test_deletes(self, backend: Backend) -> None:
        await fill(backend, "a", "b/c", "b/d", "e")
        assert await backend.delete(["a", "b/c", "never/was"]) == []
        assert files(await backend.page("", recursive=True)) == ["b/d", "e"]
        assert await backend.delete([]) == []

    async def test_a_whole_folder_goes(self, backend: Backend) -> None:
        await fill(backend, *(f"d/{n}" for n in range(5)), "d/sub/x", "d/sub/deep/y", "e")
        while (page := await backend.page("d/", recursive=True, limit=3)).objects:
            assert await backend.delete(keys(page)) == []
        page = await backend.page("")
        assert (page.folders, keys(page)) == (["d/"] if self.keeps_folders else [], ["e"])
        assert files(await backend.page("d/", recursive=True)) == []

    async def test_folder_markers(self, backend: Backend) -> None:
        await backend.put("d/", b"", replace=False)
        assert (await backend.page("")).folders == ["d/"]
        assert (await backend.stat("d/")).size == 0
        assert (await fault(backend.put("d/", b"", replace=False))).status == 409
        await backend.put("d/x", b"1", replace=False)
        copy = await backend.copy(await backend.stat("d/"), "e/", replace=False)
        assert copy.key == "e/"
        assert await backend.delete(["d/", "d/x", "e/"]) == []
        assert await backend.page("") == NativePage()

    async def test_a_file_and_a_folder_of_one_name(self, backend: Backend) -> None:
        await backend.put("n", b"file", replace=False)
        if self.folders_are_real:
            assert (await fault(backend.put("n/x", b"inside", replace=False))).status in (404, 409)
            assert await collect(backend, "n") == b"file"
            return
        await backend.put("n/x", b"inside", replace=False)
        page = await backend.page("")
        assert (page.folders, keys(page)) == (["n/"], ["n"])
        assert await collect(backend, "n") == b"file"
        assert await collect(backend, "n/x") == b"inside"

    async def test_links(self, backend: Backend) -> None:
        await backend.put("d/a b+%é.txt", b"hello", replace=False)
        if not self.presigns:
            problem = await fault(backend.presign("d/a b+%é.txt", 60))
            assert (problem.status, problem.action != "") == (409, True)
            return
        url = await backend.presign("d/a b+%é.txt", 60, filename='r"é 1.txt')
        async with httpx.AsyncClient() as client:
            answer = await client.get(url)
        assert (answer.status_code, answer.content) == (200, b"hello")

    # --- keys ---

    @pytest.mark.asyncio(loop_scope="class")
    @pytest.mark.parametrize("which", ODD_KEYS)
    async def test_odd_keys(self, shared: Backend, which: str) -> None:
        key = ODD_KEYS[which]
        body = b"" if key.endswith("/") else b"hello"
        try:
            if which in self.refuses:
                await self._refused(shared, key, body, self.refuses[which])
            elif which in self.rewrites:
                await shared.put(key, body, replace=False)
                assert files(await shared.page("", recursive=True)) == [self.rewrites[which]]
                assert await collect(shared, key) == body
            else:
                await self._round_trip(shared, key, body, which)
        finally:
            with contextlib.suppress(StudiosError):
                await shared.delete([key, self.rewrites.get(which, key)])
        assert files(await shared.page("", recursive=True)) == []

    async def _refused(self, backend: Backend, key: str, body: bytes, status: int) -> None:
        assert (await fault(backend.put(key, body, replace=True))).status == status
        for attempt in (backend.stat, lambda key: collect(backend, key), lambda key: backend.read(key, 0, 5)):
            assert (await fault(attempt(key))).status in (400, 404)

    async def _round_trip(self, backend: Backend, key: str, body: bytes, which: str) -> None:
        """Everything that is done to a key; at the end it is gone."""
        await backend.put(key, body, replace=False)
        assert (await backend.stat(key)).key == key
        if which in self.unlistable:
            assert (await fault(backend.page("", recursive=True))).status == 502
        else:
            assert await self._found_by_walking(backend, key)
            assert key in keys(await backend.page("", recursive=True))
        if not key.endswith("/"):
            assert await collect(backend, key) == body
            assert await backend.read(key, 1, 3) == body[1:4]
        if which in self.no_parts:
            assert (await fault(backend.begin(key, 3, replace=True))).status == 502
        elif not key.endswith("/"):
            upload = await backend.begin(key, 3, replace=True)
            await backend.finish(upload, [await backend.put_part(upload, 1, b"new")])
            assert await collect(backend, key) == b"new"
        copy = f"{key[:-2]}z" if len(key.encode()) > 1000 else f"{key}copy"
        copy += "/" if key.endswith("/") else ""
        await backend.copy(await backend.stat(key), copy, replace=False)
        assert await backend.delete([copy]) + await backend.delete([key]) == []
        assert (await fault(backend.stat(key))).status == 404

    async def _found_by_walking(self, backend: Backend, key: str) -> bool:
        """Whether clicking from folder to folder leads to the key."""
        prefix = ""
        while True:
            page = await backend.page(prefix)
            if key in keys(page):
                return True
            deeper = [name for name in page.folders if key.startswith(name)]
            if key in deeper and self.folders_are_real:
                return True
            if len(deeper) != 1 or deeper[0] == prefix:
                return False
            prefix = deeper[0]

    @settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
    @given(names=st.lists(TAME, min_size=1, max_size=5, unique=True))
    async def test_any_tame_keys(self, server: Server, names: list[str]) -> None:
        backend = await server.place().open()
        try:
            made = set()
            for name in names:
                with contextlib.suppress(StudiosError):  # a folder's name, for one, may be taken by a file
                    await backend.put(name, b"" if name.endswith("/") else name.encode(), replace=False)
                    made.add(name)
            pages = await all_pages(backend, "", recursive=True, limit=2)
            listed = [key for page in pages for key in keys(page)]
            if self.folders_are_real:
                listed = [key for key in listed if not key.endswith("/") or key in made]
            assert sorted(listed) == sorted(made)
            for name in made:
                assert await collect(backend, name) == name.encode() or name.endswith("/")
        finally:
            await backend.close()

    @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
    @given(key=TEXT)
    async def test_any_key_works_or_is_refused(self, backend: Backend, key: str) -> None:
        if not self.fuzz_controls:
            key = "".join(c for c in key if c.isprintable()) or "x"
        try:
            await backend.put(key, b"" if key.endswith("/") else b"x", replace=True)
        except StudiosError as error:
            assert error.problem.status in (400, 404, 409), (key, error.problem)
        else:
            await backend.stat(key)
            assert await backend.delete([key]) == []

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(start=st.integers(0, 3000), length=st.integers(0, 3000))
    async def test_any_range(self, backend: Backend, start: int, length: int) -> None:
        body = bytes(n * n % 251 for n in range(2000))
        await backend.put("x", body, replace=True)
        assert await backend.read("x", start, length) == body[start : start + length]
        assert await collect(backend, "x", start, start + length) == body[start : start + length]


async def fill(backend: Backend, *names: str) -> None:
    await asyncio.gather(*(backend.put(name, name.encode(), replace=False) for name in names))


async def all_pages(
    backend: Backend, prefix: str, *, recursive: bool = False, limit: int, token: str | None = None
) -> list[NativePage]:
    pages = [await backend.page(prefix, token=token, recursive=recursive, limit=limit)]
    while pages[-1].token is not None:
        assert len(pages) < 1000
        pages.append(await backend.page(prefix, token=pages[-1].token, recursive=recursive, limit=limit))
    return pages


async def collect(
    backend: Backend, key: str, start: int = 0, end: int | None = None, *, etag: str | None = None
) -> bytes:
    body = b""
    async for chunk in backend.stream(key, start, end, etag=etag):
        assert 0 < len(chunk) <= 1 << 20
        body += chunk
    return body


async def fault(attempt: Awaitable[object]) -> Problem:
    with pytest.raises(StudiosError) as caught:
        await attempt
    return caught.value.problem


def keys(page: NativePage) -> list[str]:
    return [item.key for item in page.objects]


def files(page: NativePage) -> list[str]:
    """The keys of a page in their own order, without the markers of folders."""
    return sorted(key for key in keys(page) if not key.endswith("/"))
