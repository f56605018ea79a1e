"""Python that reads or copies a place. Names are written so that every key works, also one with [ or * in it."""

from __future__ import annotations

from ...models import Provider, Snippet
from .shell import ANYBODY, OWN
from .source import Source

_PROTOCOLS = {Provider.S3: "s3", Provider.GCS: "gs", Provider.AZURE: "az", Provider.FOLDER: "file"}
_NEEDS = {Provider.S3: " s3fs", Provider.GCS: " gcsfs", Provider.AZURE: " adlfs"}
# What pandas calls for a name's ending, and with what.
_READERS = {
    ".csv": ("read_csv", ""),
    ".tsv": ("read_csv", ', sep="\\t"'),
    ".tab": ("read_csv", ', sep="\\t"'),
    ".parquet": ("read_parquet", ""),
    ".pq": ("read_parquet", ""),
    ".json": ("read_json", ""),
    ".jsonl": ("read_json", ", lines=True"),
    ".ndjson": ("read_json", ", lines=True"),
    ".feather": ("read_feather", ""),
    ".xlsx": ("read_excel", ""),
}


def code(source: Source) -> list[Snippet]:
    if source.provider not in _PROTOCOLS:
        return []
    whose = "" if source.provider is Provider.FOLDER else ANYBODY if source.public else OWN
    note = f"pip install fsspec{_NEEDS.get(source.provider, '')}. {whose}".strip()
    copied = _copy_folder(source) if source.folder else _copy_file(source)
    found = [Snippet(tool="python", title="Python: copy", language="python", code=copied, note=note)]
    if not source.folder:
        found.append(_read(source, note))
    return found


def _filesystem(source: Source) -> str:
    options: list[str] = []
    if source.provider is Provider.S3:
        if source.public:
            options.append("anon=True")
        if source.endpoint:
            options.append(f"endpoint_url={source.endpoint!r}")
        if source.region:
            options.append(f"client_kwargs={{'region_name': {source.region!r}}}")
    elif source.provider is Provider.GCS:
        if source.public:
            options.append("token='anon'")
        if source.endpoint:
            options.append(f"endpoint_url={source.endpoint!r}")
    elif source.provider is Provider.AZURE:
        if source.account:
            options.append(f"account_name={source.account!r}")
        if source.endpoint:
            options.append(f"account_host={source.endpoint.partition('://')[2]!r}")
        options.append(f"anon={source.public}")
    return f"fs = fsspec.filesystem({', '.join([repr(_PROTOCOLS[source.provider]), *options])})"


def _copy_file(source: Source) -> str:
    return f"import fsspec\n\n{_filesystem(source)}\nfs.get_file({source.where!r}, {source.name!r})\n"


def _copy_folder(source: Source) -> str:
    return (
        "from pathlib import Path\n\nimport fsspec\n\n"
        f"{_filesystem(source)}\n"
        f"root = {source.where.rstrip('/')!r}\n"
        f"target = Path({source.name!r})\n"
        "found = fs.find(root)\n"
        "fs.get(found, [str(target / path.removeprefix(root).lstrip('/')) for path in found])\n"
    )


def _read(source: Source, note: str) -> Snippet:
    name = source.name.lower()
    packed = name.endswith(".gz")
    stem = name.removesuffix(".gz")
    reader = next((found for suffix, found in _READERS.items() if stem.endswith(suffix)), None)
    head = f"{_filesystem(source)}\nwith fs.open({source.where!r}, 'rb') as file:\n"
    unpack = ", compression='gzip'" if packed else ""
    if reader is not None:
        call, options = reader
        text = f"import fsspec\nimport pandas as pd\n\n{head}    df = pd.{call}(file{options}{unpack})\ndf\n"
        return Snippet(tool="pandas", title="pandas: read", language="python", code=text, note=note)
    if name.endswith(".h5ad"):
        text = f"import anndata\nimport fsspec\n\n{head}    adata = anndata.read_h5ad(file)\nadata\n"
    elif packed:
        text = f"import gzip\n\nimport fsspec\n\n{head}    data = gzip.open(file).read(1_000_000)\n"
    else:
        text = f"import fsspec\n\n{head}    data = file.read(1_000_000)\n"
    return Snippet(tool="pandas", title="Python: read", language="python", code=text, note=note)
