"""What a snippet needs to know of a place: addresses and names, nothing secret."""

from __future__ import annotations

from dataclasses import dataclass

from ...models import AzureConnectionString, CredentialSpec, Provider
from ..archives.names import safe
from ..places import Place


@dataclass(frozen=True)
class Source:
    provider: Provider
    bucket: str
    key: str
    folder: bool
    name: str  # to call it here
    endpoint: str | None
    region: str | None
    public: bool
    account: str | None  # of Azure
    url: str  # of the link

    @classmethod
    def of(cls, place: Place, folder: bool, spec: CredentialSpec | None) -> Source:
        link = place.link
        bucket, _, account = (
            link.bucket.partition("@") if link.provider is Provider.AZURE else (link.bucket, "", "")
        )
        return cls(
            provider=link.provider,
            bucket=bucket,
            key=place.as_folder().key if folder else place.key,
            folder=folder,
            name=safe(place.name).strip("/"),
            endpoint=link.endpoint,
            region=link.region,
            public=spec is None or spec.secret.type == "anonymous",
            account=account or _account(spec),
            url=link.url,
        )

    @property
    def where(self) -> str:
        return f"{self.bucket}/{self.key}"

    @property
    def local(self) -> str:
        """Where the copy goes; "./" keeps a name that begins with "-" from being an option."""
        return f"./{self.name}/" if self.folder else f"./{self.name}"


def _account(spec: CredentialSpec | None) -> str | None:
    if spec is None:
        return None
    if isinstance(spec.secret, AzureConnectionString):
        for part in spec.secret.connection_string.get_secret_value().split(";"):
            name, _, value = part.partition("=")
            if name.strip().lower() == "accountname":
                return value.strip()
    return getattr(spec.secret, "account", None) or spec.account
