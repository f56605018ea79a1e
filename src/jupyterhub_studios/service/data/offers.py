"""What the configuration offers: credentials and links of the administrator's."""

from __future__ import annotations

from urllib.parse import urlsplit

from ...config import Studios, allowed
from ...explorer.backends import Guard, split_url
from ...explorer.catalogue import Caller
from ...models import DataRole, OfferedCredential, OfferedLink, StudiosError
from .links import Link

CREDENTIAL, LINK = "oc-", "ol-"  # ids of what is configured begin so; the configuration's own ids follow


class Offers:
    def __init__(self, config: Studios) -> None:
        self._credentials = {CREDENTIAL + key: one for key, one in config.data_credentials.items()}
        self._links = {LINK + key: (one, _link(LINK + key, one)) for key, one in config.data_links.items()}

    def credential(self, credential_id: str | None) -> OfferedCredential | None:
        return self._credentials.get(credential_id or "")

    def credentials(self, caller: Caller) -> dict[str, OfferedCredential]:
        """Those whose buckets ``caller`` sees or may name."""
        return {
            key: one
            for key, one in self._credentials.items()
            if one.offer != "links" and allowed(one, caller.name, caller.groups, caller.admin)
        }

    def credential_id_of(self, link_id: str) -> str | None:
        """Of a link of the configuration."""
        _, link = self._links.get(link_id, (None, None))
        return link.credential_id if link else None

    def links(self, caller: Caller) -> list[Link]:
        return [link for one, link in self._links.values() if _may_see(one, caller)]

    def link(self, caller: Caller, link_id: str) -> Link | None:
        one, link = self._links.get(link_id, (None, None))
        return link if one is not None and _may_see(one, caller) else None


def _may_see(one: OfferedLink, caller: Caller) -> bool:
    return allowed(one, caller.name, caller.groups, caller.admin)


def _link(link_id: str, one: OfferedLink) -> Link:
    try:
        provider, bucket, prefix = split_url(one.url)
    except StudiosError as error:
        raise SystemExit(f"c.Studios.data_links[{one.id!r}]: {error}") from None
    writable = one.writable and one.role is DataRole.WRITE
    why = one.why or f"An administrator offers it {'for writing' if writable else 'for reading'}."
    return Link(
        id=link_id,
        name=one.name,
        description=one.description,
        url=one.url,
        provider=provider,
        bucket=bucket,
        prefix=prefix,
        region=one.region,
        credential_id=CREDENTIAL + one.credential if one.credential is not None else None,
        source="offered",
        owner=None,
        role=one.role,
        writable=writable,
        why=why,
    )


def guard(config: Studios) -> Guard:
    """People's credentials reach what an administrator allowed, and the stores that the configuration uses."""
    used = [one.endpoint for one in config.data_credentials.values() if one.endpoint]
    return Guard([*config.allowed_endpoints, *filter(None, map(_host_and_port, used))])


def _host_and_port(url: str) -> str | None:
    parts = urlsplit(url)
    if parts.hostname is None:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{host}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
