"""Images made by hand and put into a registry with plain requests: another pair of eyes than the client under test."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.registries import PASSWORD, USER, Registry

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"


_CLIENT = httpx.Client(timeout=60, trust_env=False, verify=False)


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def layer(files: dict[str, bytes | Path]) -> bytes:
    """A tar of programs: names that end with "/" are folders, names that begin with "@" links."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name.rstrip("/").lstrip("@"))
            info.mode = 0o755
            data = content.read_bytes() if isinstance(content, Path) else content
            if name.endswith("/"):
                info.type = tarfile.DIRTYPE
            elif name.startswith("@"):
                info.type, info.linkname = tarfile.SYMTYPE, data.decode()
            else:
                info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


@dataclass
class Maker:
    registry: Registry
    repository: str
    login: bool = False

    @property
    def name(self) -> str:
        return f"{self.registry.host}/{self.repository}"

    def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        url = path if path.startswith("http") else f"{self.registry.url}/v2/{self.repository}/{path}"
        if self.login:
            options["auth"] = (USER, PASSWORD)
        return _CLIENT.request(method, url, **options)

    def blob(self, content: bytes) -> str:
        begun = self._ask("POST", "blobs/uploads/")
        assert begun.status_code == 202, begun.text
        place = httpx.URL(begun.headers["Location"]).copy_merge_params({"digest": digest_of(content)})
        done = self._ask("PUT", str(place), content=content)
        assert done.status_code == 201, done.text
        return digest_of(content)

    def document(self, tag: str, document: dict[str, Any], media_type: str) -> str:
        content = json.dumps(document).encode()
        done = self._ask("PUT", f"manifests/{tag}", content=content, headers={"Content-Type": media_type})
        assert done.status_code == 201, done.text
        return digest_of(content)

    def get(self, tag: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Manifest and config of an image."""
        accept = {"Accept": ", ".join([OCI_MANIFEST, DOCKER_MANIFEST])}
        manifest = self._ask("GET", f"manifests/{tag}", headers=accept)
        assert manifest.status_code == 200, manifest.text
        config = self._ask("GET", f"blobs/{manifest.json()['config']['digest']}")
        return manifest.json(), config.json()

    def image(
        self,
        tag: str,
        *layers: bytes,
        architecture: str = "amd64",
        media_type: str = DOCKER_MANIFEST,
        **config: Any,
    ) -> str:
        """An image of tars, and how it runs; answers its digest."""
        kinds = {
            DOCKER_MANIFEST: ("application/vnd.docker.container.image.v1+json",
                              "application/vnd.docker.image.rootfs.diff.tar.gzip"),
            OCI_MANIFEST: ("application/vnd.oci.image.config.v1+json", "application/vnd.oci.image.layer.v1.tar+gzip"),
        }  # fmt: skip
        config_type, layer_type = kinds[media_type]
        packed = [gzip.compress(one, 1, mtime=0) for one in layers]
        about = {
            "architecture": architecture,
            "os": "linux",
            "created": "2026-01-01T00:00:00Z",
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [digest_of(one) for one in layers]},
            "history": [{"created": "2026-01-01T00:00:00Z", "created_by": "test"} for _ in layers],
        }
        content = json.dumps(about).encode()
        manifest = {
            "schemaVersion": 2,
            "mediaType": media_type,
            "config": {"mediaType": config_type, "size": len(content), "digest": self.blob(content)},
            "layers": [
                {"mediaType": layer_type, "size": len(one), "digest": self.blob(one)} for one in packed
            ],
        }
        return self.document(tag, manifest, media_type)
