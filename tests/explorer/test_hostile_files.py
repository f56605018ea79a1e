"""Files that are empty, cut off, misnamed, damaged or made to do harm: always a preview and a word why."""

from __future__ import annotations

import gzip
import io
import json
import random
import tarfile
import zipfile
import zlib
from functools import cache
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .looking import look
from .test_previews import bam, bcf, hdf5, notebook, parquet, tar

TABLE = pa.table({"a": list(range(5000)), "b": ["text"] * 5000})


@cache
def whole(kind: str) -> bytes:
    """A good file of each kind whose bytes are more than text."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("a.txt", "hello" * 1000)
    return {
        "a.parquet": lambda: parquet(TABLE),
        "a.bam": lambda: bam(500),
        "a.cram": lambda: bam(500, "wc"),
        "a.bcf": lambda: bcf(500),
        "a.h5": lambda: hdf5(lambda file: file.create_dataset("x", data=list(range(1000)))),
        "a.zip": packed.getvalue,
        "a.tar": lambda: tar("w", [1000, 1000]),
        "a.tar.gz": lambda: tar("w:gz", [1000, 1000]),
        "a.txt.gz": lambda: gzip.compress(random.Random(1).randbytes(3000).hex().encode()),
        "a.ipynb": lambda: notebook({"cell_type": "markdown", "source": "# x" * 500, "metadata": {}}),
    }[kind]()


KINDS = [
    "a.parquet", "a.bam", "a.cram", "a.bcf", "a.h5", "a.zip", "a.tar", "a.tar.gz", "a.txt.gz", "a.ipynb",
]  # fmt: skip


@pytest.mark.parametrize("name", [*KINDS, "a.csv", "a.txt", "a.png", "a"])
def test_empty(name: str) -> None:
    found = look(name, b"")
    assert (found.view, found.text, found.note) == ("text", "", "The file is empty.")


@pytest.mark.parametrize("name", KINDS)
def test_cut_off(name: str) -> None:
    data = whole(name)
    found = look(name, data[: len(data) // 2])
    assert found.note, found


@pytest.mark.parametrize("name", ["a.parquet", "a.zip", "a.tar", "a.tar.gz", "a.txt.gz", "a.ipynb"])
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_damaged_anywhere(name: str, data: st.DataObject) -> None:
    """Bytes changed at any place: some preview. What a library of C might die of is tried in the worker."""
    good = bytearray(whole(name))
    for _ in range(data.draw(st.integers(1, 20))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    look(name, bytes(good))


@pytest.mark.parametrize("name", ["a.parquet", "a.bam", "a.h5", "a.zip", "a.png", "a.tar", "a.pdf"])
def test_misnamed(name: str) -> None:
    found = look(name, b"just some text\n")
    assert found.view == "text" and found.text == "just some text\n"
    assert "Its name says" in found.note


def test_a_name_without_its_format_is_no_matter() -> None:
    assert look("results", whole("a.parquet")).format == "parquet"
    assert look("a.csv", whole("a.zip")).view == "archive"


@cache
def bomb(size: int, start: bytes = b"") -> bytes:
    """So many letters, packed into a thousandth of them."""
    packer = zlib.compressobj(1, wbits=31)
    block = b"a" * (1 << 20)
    return (
        packer.compress(start) + b"".join(packer.compress(block) for _ in range(size >> 20)) + packer.flush()
    )


@pytest.mark.parametrize("name", ["a.csv", "a.txt", "a.json", "a.vcf", "a.fasta", "a.ipynb"])
def test_a_packed_bomb(name: str) -> None:
    data = bomb(400 << 20)
    assert len(data) < 2_000_000
    found = look(f"{name}.gz", data)
    assert found.view == "text" and len(found.text) <= 256 << 10
    end = look(f"{name}.gz", data, view="text", at="end")
    assert len(end.text) <= 256 << 10 and "only be read from its start" in end.note


def test_a_packed_tar_that_is_a_bomb() -> None:
    info = tarfile.TarInfo("letters")
    info.size = 400 << 20
    found = look("a.tar.gz", bomb(400 << 20, info.tobuf()))
    assert [(m.path, m.size) for m in found.members] == [("letters", 400 << 20)] and found.truncated


@pytest.mark.parametrize("name", ["a.json", "a.ndjson", "a.ipynb"])
def test_json_that_is_nested_too_deeply(name: str) -> None:
    found = look(name, b"[" * 100_000 + b"]" * 100_000)
    assert found.view == "text" and found.text.startswith("[[[[")
    deep = b'{"cells":' + b"[" * 50_000 + b"]" * 50_000 + b"}"
    assert look(name, deep).view == "text"


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.ndjson", "a.vcf", "a.fastq"])
def test_a_line_of_many_megabytes(name: str) -> None:
    found = look(name, b"a,b,c," * 2_000_000)
    assert found.view == "text" and "longer than 256 KiB" in found.note


def test_a_csv_with_a_quote_that_never_ends() -> None:
    found = look("a.csv", b'a,b\n1,"' + b"x,y\n" * 200_000)
    assert found.view == "table" and found.rows == []
    assert look("a.csv", b'"' + b"x,y\n" * 200_000).view == "text"


def test_a_csv_with_a_hundred_thousand_columns() -> None:
    found = look("a.csv", b",".join(b"%d" % n for n in range(30_000)) + b"\n")
    assert len(found.columns) == 200 and "200 of 30,000 columns" in found.note


def test_a_cell_of_many_letters_is_cut() -> None:
    assert len(look("a.csv", b"a,b\n1," + b"x" * 100_000 + b"\n").rows[0][1]) < 3000


def test_a_tar_with_a_header_that_claims_gigabytes() -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 7 << 30
    found = look("a.tar", info.tobuf(tarfile.USTAR_FORMAT) + bytes(2048))
    assert found.view == "binary" and "damaged or cut off" in found.note


def test_a_zip_with_too_long_a_table_of_contents() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as opened:
        for n in range(25_000):
            opened.writestr(f"a rather long folder name/and a file {n:09}", b"")
    found = look("a.zip", file.getvalue())
    assert found.view == "binary" and "table of contents is longer" in found.note


def test_names_in_archives_are_shown_as_they_are() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as opened:
        opened.writestr("../../etc/passwd", "x")
    assert look("a.zip", file.getvalue()).members[0].path == "../../etc/passwd"


@pytest.mark.parametrize(
    "document",
    [
        {"cells": "no list"}, {"cells": [1, 2]}, {"cells": [{"cell_type": "code", "outputs": 5}]}, [], "x",
        {"cells": [{"cell_type": "code", "outputs": [{"output_type": "display_data", "data": {"image/png": 7}}]}]},
    ],
)  # fmt: skip
def test_notebooks_of_odd_shape(document: Any) -> None:
    assert look("a.ipynb", json.dumps(document).encode()).view in ("text", "notebook")


def test_an_image_in_a_notebook_cannot_leave_its_address() -> None:
    hostile = {"output_type": "display_data", "data": {"image/png": 'x" onerror="alert(1)'}}
    data = notebook({"cell_type": "code", "source": "", "outputs": [hostile]})
    assert look("a.ipynb", data).cells[0].outputs[0].text == "data:image/png;base64,xonerror=alert1"


def test_a_view_that_the_file_has_not() -> None:
    assert look("a.txt", b"hello", view="tree").view == "text"


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(
        ["a.csv", "a.tsv", "a.json", "a.ndjson", "a.vcf", "a.sam", "a.fastq", "a.fa", "a.bed", "a.txt", "a"]
    ),
    st.binary(max_size=400),
    st.sampled_from([None, "start", "end", 7]),
)  # fmt: skip
def test_any_bytes_under_any_name(name: str, data: bytes, at: Any) -> None:
    look(name, data, at=at)
    look(f"{name}.gz", gzip.compress(data), at=at)
