"""Formats, whole ones: what people see of each."""

from __future__ import annotations

import base64
import gzip
import io
import json
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pysam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .looking import look

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
LINES = [f"line {n:07} of the log\n".encode() for n in range(100_000)]
LOG = b"".join(LINES)


# --- text -------------------------------------------------------------------------------------------


def test_a_text_begins_at_its_start_and_ends_with_a_whole_line() -> None:
    found = look("run.log", LOG)
    assert (found.view, found.start, found.length) == ("text", 0, len(LOG))
    assert found.text.startswith("line 0000000") and found.text.endswith("log\n")
    assert found.end == len(found.text) <= 256 << 10


def test_the_end_of_a_text() -> None:
    found = look("run.log", LOG, at="end")
    assert found.end == len(LOG)
    assert found.text.startswith("line ") and found.text.endswith("line 0099999 of the log\n")
    assert found.bytes_read < 600_000


def test_windows_follow_each_other_without_a_gap() -> None:
    at, parts = 0, []
    while at < len(LOG):
        found = look("run.log", LOG, at=at)
        assert found.start == at
        parts.append(found.text)
        at = found.end
    assert "".join(parts).encode() == LOG


def test_a_jump_lands_on_the_line_that_holds_the_byte() -> None:
    found = look("run.log", LOG, at=1_000_000)
    assert found.start <= 1_000_000 < found.start + len(LINES[0])
    assert found.text.startswith("line ")
    assert look("run.log", LOG, at=len(LOG) + 5).end == len(LOG)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_in_windows(encoding: str) -> None:
    text = "".join(f"Zeile {n} größer\n" for n in range(60_000))
    data = text.encode(encoding)
    found = look("a.txt", data)
    assert found.encoding.startswith("utf-16") and found.text.startswith("Zeile 0 größer\nZeile 1 ")
    end = look("a.txt", data, at="end")
    assert end.text.endswith("Zeile 59999 größer\n") and end.text.startswith("Zeile ")
    middle = look("a.txt", data, at=500_001)
    assert middle.text.startswith("Zeile ") and middle.start % 2 == 0


def test_what_is_not_utf8_is_latin1_and_said() -> None:
    found = look("a.txt", "Größe; naïve; café\n".encode("latin-1"))
    assert found.text.startswith("Größe") and found.encoding == "latin-1"
    assert "Latin-1" in found.note


def test_a_damaged_byte_does_not_change_the_encoding() -> None:
    found = look("a.txt", ("größer ü ö ä\n" * 100).encode() + b"\xff\n")
    assert found.encoding == "utf-8" and "größer" in found.text and "not valid" in found.note


def test_a_mark_at_the_start_is_not_shown() -> None:
    assert look("a.txt", b"\xef\xbb\xbfhello").text == "hello"


def test_a_line_longer_than_the_window() -> None:
    data = ("ä" * 1_000_000).encode()
    at, parts = 0, []
    while at < len(data):
        found = look("a.txt", data, at=at)
        assert found.note == ""
        parts.append(found.text)
        at = found.end
    assert "".join(parts).encode() == data


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=60), max_size=40
    ),
    st.integers(0, 3000),
)
def test_any_text_from_any_byte(lines: list[str], at: int) -> None:
    data = "\n".join(["begin", *lines]).encode()
    found = look("a.txt", data, at=at)
    assert data[found.start : found.end].decode() == found.text
    assert found.start == 0 or data[found.start - 1 : found.start] == b"\n"


@pytest.mark.parametrize(
    ("name", "language"),
    [
        (".command.sh", "bash"), (".command.run", "bash"), (".command.log", "plain"), (".command.out", "plain"),
        (".command.err", "plain"), (".command.trace", "plain"), (".exitcode", "plain"), (".fusion.log", "plain"),
        (".fusion.symlinks", "plain"), (".nextflow.log", "plain"), ("main.nf", "groovy"), ("nextflow.config", "groovy"),
        ("README.md", "markdown"), ("a.py", "python"), ("a.R", "r"), ("params.yml", "yaml"),
        ("Dockerfile", "dockerfile"), ("run", "bash"),
    ],
)  # fmt: skip
def test_names_tell_the_language(name: str, language: str) -> None:
    found = look(f"work/ab/{name}", b"#!/bin/bash\necho hello\n" if name == "run" else b"0\n")
    assert (found.view, found.language) == ("text", language)


def test_json_in_one_line_is_laid_out() -> None:
    found = look("a.json", b'{"a":[1,2]}')
    assert found.text == '{\n  "a": [\n    1,\n    2\n  ]\n}' and found.language == "json"
    assert found.end == 11 and found.note


def test_gzip_text() -> None:
    found = look("run.log.gz", gzip.compress(LOG))
    assert found.packed == "gzip" and found.text.startswith("line 0000000")
    end = look("run.log.gz", gzip.compress(LOG), at="end")
    assert end.text.endswith("line 0099999 of the log\n") and end.length == len(LOG) == end.end
    middle = look("run.log.gz", gzip.compress(LOG), at=1_000_000)
    assert LOG[middle.start : middle.end].decode() == middle.text and middle.text.startswith("line ")


def test_bgzip_text_is_all_of_its_blocks() -> None:
    packed = b"".join(gzip.compress(LOG[start : start + 60_000]) for start in range(0, len(LOG), 60_000))
    assert look("a.txt.gz", packed, at="end").end == len(LOG)


def test_long_gzip_text_says_how_far_it_goes() -> None:
    noise = np.random.default_rng(1).integers(97, 122, 6_000_000, dtype=np.uint8)
    noise[::60] = 10
    found = look("a.txt.gz", gzip.compress(noise.tobytes(), 1), at="end")
    assert "only be read from its start" in found.note and found.length is None
    assert found.text.endswith("\n")


# --- tables -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_with_any_delimiter(delimiter: str) -> None:
    text = "\n".join(
        delimiter.join(row) for row in [["name", "mass", "note"], ["a", "1.5", ""], ["b", "2", "x"]]
    )
    found = look("a.csv", text.encode())
    assert [column.name for column in found.columns] == ["name", "mass", "note"]
    assert found.rows == [["a", "1.5", ""], ["b", "2", "x"]] and found.total_rows == 2


def test_csv_with_quotes_and_newlines_in_them() -> None:
    found = look("a.csv", b'name,note\n"Smith, J","two\nlines"\nB,"a ""word"""\n')
    assert found.rows == [["Smith, J", "two\nlines"], ["B", 'a "word"']]


def test_csv_without_names() -> None:
    found = look("a.csv", b"1,2\n3,4\n")
    assert [column.name for column in found.columns] == ["1", "2"] and len(found.rows) == 2


def test_a_long_csv_shows_its_first_rows() -> None:
    data = b"id,name\n" + b"".join(b'%d,"row\n%d"\n' % (n, n) for n in range(200_000))
    found = look("a.csv", data)
    assert len(found.rows) == 1000 and found.total_rows is None and "first 1,000 rows" in found.note
    assert found.rows[-1] == ["999", "row\n999"]
    assert look("a.csv", data, view="text").text.startswith("id,name")


def test_rows_of_different_length() -> None:
    assert look("a.csv", b"a,b\n1\n1,2,3\n").rows == [["1", None, None], ["1", "2", "3"]]


def test_tsv_and_packed() -> None:
    found = look("a.tsv.gz", gzip.compress(b"gene\tcount\nTP53\t12\n"))
    assert found.format == "tsv" and found.rows == [["TP53", "12"]]


def test_ndjson() -> None:
    found = look("a.jsonl", b'{"a": 1, "b": {"c": 2}}\n{"a": null, "d": true}\n')
    assert [column.name for column in found.columns] == ["a", "b", "d"]
    assert found.rows == [[1, '{"c": 2}', None], [None, None, True]]


def parquet(table: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file, **options)
    return file.getvalue()


def test_parquet() -> None:
    table = pa.table(
        {
            "id": range(3000),
            "name": ["ä"] * 3000,
            "big": [2**60] * 3000,
            "raw": [b"\x01"] * 3000,
            "tags": [[1]] * 3000,
        }
    )
    found = look("a.parquet", parquet(table, row_group_size=1000), group=2)
    assert (found.total_rows, found.groups, found.group) == (3000, 3, 2)
    assert found.rows[0] == [2000, "ä", str(2**60), "01", "[1]"]
    assert [column.type for column in found.columns][:2] == ["int64", "string"]
    assert ("compression", "SNAPPY") in found.facts


def test_parquet_reads_the_first_pages_alone() -> None:
    table = pa.table({"n": np.random.default_rng(1).random(4_000_000)})
    data = parquet(table, row_group_size=4_000_000, use_dictionary=False, compression="none")
    found = look("a.parquet", data)
    assert len(found.rows) == 500 and found.bytes_read < 2_000_000 < len(data)


def test_parquet_with_many_columns() -> None:
    found = look("a.parquet", parquet(pa.table({f"c{n}": [n] for n in range(1000)})))
    assert len(found.columns) == 200 == len(found.rows[0]) and "200 of 1,000 columns" in found.note


def test_parquet_without_rows() -> None:
    found = look("a.parquet", parquet(pa.table({"a": pa.array([], pa.int64())})))
    assert found.rows == [] and found.total_rows == 0


# --- genomics ---------------------------------------------------------------------------------------

SAM_HEADER = {"HD": {"VN": "1.6"}, "SQ": [{"SN": "chr1", "LN": 248956422}]}


def bam(records: int, mode: str = "wb") -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x")
        with pysam.AlignmentFile(str(path), mode, header=SAM_HEADER) as file:
            for n in range(records):
                read = pysam.AlignedSegment(file.header)
                read.query_name, read.query_sequence, read.flag = f"read{n}", "ACGT" * 20, 0
                read.reference_id, read.reference_start, read.mapping_quality = 0, 100 + n, 60
                read.cigarstring, read.query_qualities = "80M", pysam.qualitystring_to_array("I" * 80)
                read.set_tag("NM", n)
                file.write(read)
        return path.read_bytes()


def bcf(records: int, mode: str = "wb") -> bytes:
    header = pysam.VariantHeader()
    header.add_line("##contig=<ID=chr1,length=248956422>")
    header.add_sample("S1")
    header.formats.add("GT", 1, "String", "Genotype")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x")
        with pysam.VariantFile(str(path), mode, header=header) as file:
            for n in range(records):
                file.write(file.new_record(contig="chr1", start=n, alleles=("A", "C")))
        return path.read_bytes()


def test_bam() -> None:
    found = look("a.bam", bam(3))
    assert found.format == "bam" and "@SQ\tSN:chr1\tLN:248956422" in found.header
    assert found.total_rows == 3 and found.rows[2][:4] == ["read2", "0", "chr1", "103"]
    assert found.rows[2][-1] == "NM:i:2" and found.note == ""


def test_a_long_bam_shows_its_first_records() -> None:
    data = bam(200_000)
    assert len(data) > 1_000_000
    found = look("a.bam", data)
    assert len(found.rows) == 200 and "The first 200 records" in found.note


def test_cram_shows_its_header() -> None:
    found = look("a.cram", bam(3, "wc"))
    assert found.rows == [["chr1", 248956422]] and "@HD" in found.header and "reference" in found.note


def test_sam_and_packed_sam() -> None:
    for name, data in (("a.sam", bam(3, "w")), ("a.sam.gz", gzip.compress(bam(3, "w")))):
        found = look(name, data)
        assert found.header.startswith("@HD") and found.rows[0][0] == "read0"


@pytest.mark.parametrize(("name", "mode"), [("a.vcf", "w"), ("a.vcf.gz", "wz"), ("a.bcf", "wb")])
def test_variants(name: str, mode: str) -> None:
    found = look(name, bcf(5, mode))
    assert found.format == name.split(".")[1] and found.header.startswith("##fileformat=VCF")
    assert found.columns[0].name == "CHROM"
    assert found.columns[-1].name == "S1" and found.rows[4][:2] == ["chr1", "5"] and found.total_rows == 5


def test_fastq_and_fasta() -> None:
    fastq = b"@r1 first\nACGT\n+\nIIII\n@r2\nAC\n+\nII\n"
    assert look("a.fastq.gz", gzip.compress(fastq)).rows == [
        ["r1 first", 4, "ACGT", "IIII"],
        ["r2", 2, "AC", "II"],
    ]
    fasta = b">chr1 the first\nACGT\nAC\n>chr2\nA\n"
    assert look("a.fa", fasta).rows == [["chr1", "the first", 6, "ACGTAC"], ["chr2", "", 1, "A"]]


def test_bed_and_gff() -> None:
    found = look("a.bed", b"track name=x\nchr1\t1\t5\tgene\n")
    assert found.header == "track name=x" and [c.name for c in found.columns] == [
        "chrom",
        "start",
        "end",
        "name",
    ]
    assert look("a.gtf", b"#!x\nchr1\tHAVANA\tgene\t1\t5\t.\t+\t.\tid 1\n").rows[0][2] == "gene"


# --- documents --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data", "media", "kind"),
    [
        ("a.png", PNG, "image", "image/png"),
        ("photo", b"\xff\xd8\xff\xe0" + bytes(100), "image", "image/jpeg"),
        ("a.pdf", b"%PDF-1.7\n", "pdf", "application/pdf"),
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image", "image/svg+xml"),
        ("report.html", b"<!doctype html><script>alert(1)</script>", "html", "text/html"),
    ],
)
def test_documents_are_shown_by_the_browser(name: str, data: bytes, media: str, kind: str) -> None:
    found = look(name, data)
    assert (found.view, found.media, found.content_type) == ("document", media, kind)


def test_html_can_be_seen_as_text() -> None:
    assert look("a.html", b"<p>hi</p>", view="text").text == "<p>hi</p>"


def notebook(*cells: Any) -> bytes:
    metadata = {"language_info": {"name": "python"}}
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}).encode()


def code(*outputs: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": ["a = 1\n", "a"], "outputs": outputs, "metadata": {}}


def test_a_notebook() -> None:
    found = look(
        "a.ipynb",
        notebook(
            {"cell_type": "markdown", "source": "# Title", "metadata": {}},
            code(
                {"output_type": "stream", "name": "stdout", "text": ["\x1b[31mhello\x1b[0m\n"]},
                {"output_type": "display_data", "data": {"image/png": base64.b64encode(PNG).decode() + "\n"}},
                {
                    "output_type": "execute_result",
                    "data": {"text/html": "<script>x</script>", "text/plain": "  x"},
                },
                {"output_type": "display_data", "data": {"text/html": "<script>x</script>"}},
                {"output_type": "error", "traceback": ["boom"]},
            ),
        ),
    )
    assert found.view == "notebook" and found.language == "python"
    assert found.cells[0].source == "# Title" and found.cells[1].source == "a = 1\na"
    assert [o.kind for o in found.cells[1].outputs] == ["text", "image", "text", "hidden", "error"]
    assert found.cells[1].outputs[0].text == "hello\n"
    assert found.cells[1].outputs[1].text.startswith("data:image/png;base64,iVBOR")
    assert "script" not in found.model_dump_json()


def test_the_beginning_of_a_big_notebook() -> None:
    image = base64.b64encode(bytes(300_000)).decode()
    big = [code({"output_type": "display_data", "data": {"image/png": image}}) for _ in range(10)]
    found = look("a.ipynb", notebook(*big))
    assert 2 <= len(found.cells) < 10 and "longer than a preview reads" in found.note


# --- archives and trees -----------------------------------------------------------------------------


def test_zip_by_its_end() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as opened:
        opened.mkdir("folder")
        opened.writestr("folder/ä.txt", "hello")
        opened.writestr("big", bytes(5_000_000))
    found = look("a.zip", file.getvalue())
    assert [(m.path, m.size, m.folder) for m in found.members] == [
        ("folder/", 0, True), ("folder/ä.txt", 5, False), ("big", 5_000_000, False)
    ]  # fmt: skip
    assert not found.truncated and found.bytes_read < 200_000


def tar(mode: str, sizes: list[int]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as opened:  # type: ignore[call-overload]
        for n, size in enumerate(sizes):
            info = tarfile.TarInfo(f"member {n}")
            info.size = size
            opened.addfile(info, io.BytesIO(bytes(size)))
    return file.getvalue()


def test_tar_reads_headers_alone() -> None:
    found = look("a.tar", tar("w", [3_000_000, 5, 3_000_000]))
    assert [(m.path, m.size) for m in found.members] == [
        ("member 0", 3_000_000),
        ("member 1", 5),
        ("member 2", 3_000_000),
    ]
    assert not found.truncated and found.bytes_read < 200_000


def test_a_tar_with_many_members() -> None:
    found = look("a.tar", tar("w", [1] * 1000))
    assert len(found.members) == 300 and found.truncated and "first 300" in found.note


def test_packed_tar() -> None:
    found = look("a.tar.gz", tar("w:gz", [10, 20]))
    assert found.format == "tar.gz" and [m.size for m in found.members] == [10, 20] and not found.truncated


def hdf5(fill: Any) -> bytes:
    file = io.BytesIO()
    with h5py.File(file, "w") as opened:
        fill(opened)
    return file.getvalue()


def test_hdf5() -> None:
    def fill(file: Any) -> None:
        file.attrs["title"] = "run 7"
        group = file.create_group("images")
        group.attrs["unit"] = "nm"
        group.create_dataset("frames", (100, 64, 64), "u2", chunks=(1, 64, 64))
        file["names"] = ["a", "b"]
        file["elsewhere"] = h5py.ExternalLink("/etc/passwd", "/x")
        file["soft"] = h5py.SoftLink("/images")

    found = look("a.h5", hdf5(fill))
    nodes = {node.path: node for node in found.nodes}
    assert found.format == "hdf5" and ("title", "run 7") in found.facts
    assert nodes["/images"].kind == "group" and nodes["/images"].detail == "unit=nm"
    assert nodes["/images/frames"].shape == [100, 64, 64] and nodes["/images/frames"].type == "uint16"
    assert nodes["/names"].detail == "[a, b]"
    assert nodes["/elsewhere"].type == "link" and nodes["/soft"].type == "link"


def test_hdf5_with_values_in_another_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"SECRET" * 10)

    def fill(file: Any) -> None:
        file.create_dataset("outside", (10,), "u1", external=[(str(secret), 0, 10)])

    found = look("a.h5", hdf5(fill))
    assert found.nodes[0].detail == "" and "83" not in found.nodes[0].detail  # 83 is the letter S


def test_anndata() -> None:
    def fill(file: Any) -> None:
        file.attrs["encoding-type"] = "anndata"
        x = file.create_group("X")
        x.attrs["encoding-type"], x.attrs["shape"] = "csr_matrix", [2700, 32738]
        x["data"] = np.ones(10, "f4")
        for name, columns in (("obs", ["louvain", "n_genes"]), ("var", ["highly_variable"])):
            frame = file.create_group(name)
            frame.attrs["_index"], frame.attrs["column-order"] = "_index", columns
            frame["_index"] = [b"x"]
        file.create_group("obsm")["X_umap"] = np.zeros((2, 2))

    found = look("pbmc.h5ad", hdf5(fill))
    facts = dict(found.facts)
    assert found.format == "anndata"
    assert (facts["cells"], facts["genes"]) == ("2,700", "32,738")
    assert facts["matrix"] == "csr_matrix, float32, 10 values"
    assert facts["annotations of cells"] == "louvain, n_genes" and facts["obsm"] == "X_umap"


def test_anndata_of_before_version_0_7() -> None:
    def fill(file: Any) -> None:
        file["X"] = np.zeros((3, 2), "f4")
        file["obs"] = np.zeros(3, [("index", "S3"), ("louvain", "i1"), ("n_genes", "i8")])
        file["var"] = np.zeros(2, [("index", "S3")])
        file.create_group("raw.X")

    facts = dict(look("old.h5ad", hdf5(fill)).facts)
    assert (facts["cells"], facts["genes"], facts["raw counts"]) == ("3", "2", "yes")
    assert facts["annotations of cells"] == "louvain, n_genes"


def test_unknown_bytes_are_shown_as_they_are() -> None:
    found = look("a.bin", bytes(range(256)) * 100)
    assert found.view == "binary" and found.note and found.views == ["binary"]
    assert found.hexdump.splitlines()[2].startswith("00000020  20 21 22")
    assert look("a.tif", b"II*\x00" + bytes(100)).note.startswith("It is a TIFF image")
