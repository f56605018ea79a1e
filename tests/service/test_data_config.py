"""What an administrator writes about data: taken as it should be, refused with words that tell no secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from traitlets import TraitError
from traitlets.config import Config

from jupyterhub_studios.config import Studios
from jupyterhub_studios.models import CredentialSpec, DataRole, LinkMarks, LinkSpec, StudiosError
from jupyterhub_studios.service.data.catalogue import ServiceCatalogue
from jupyterhub_studios.service.data.offers import Offers, guard
from jupyterhub_studios.service.data.vault import Vault
from jupyterhub_studios.service.database import Database
from jupyterhub_studios.service.keys import Keys
from jupyterhub_studios.service.permissions import Person

KEY = {"type": "access-key", "access_key_id": "id", "secret_access_key": "the-secret"}
LAB = {"provider": "s3", "endpoint": "http://127.0.0.1:9000", "secret": KEY}


def studios(**traits: Any) -> Studios:
    return Studios(config=Config({"Studios": traits}))


def test_what_is_offered_to_whom() -> None:
    links = {
        "all": {"url": "s3://all-of-it/x"},
        "club": {
            "url": "s3://club/",
            "credential": "lab",
            "allowed_groups": ["club"],
            "role": "write",
            "writable": True,
        },
        "two": {"url": "file:///srv/x", "allowed_users": ["ann"], "allowed_groups": ["club"]},
        "half": {"url": "gs://half/", "writable": True},
    }
    offers = Offers(studios(data_credentials={"lab": LAB}, data_links=links))

    def seen(name: str, *groups: str, admin: bool = False) -> list[str]:
        return [link.id for link in offers.links(Person(name, name, admin, groups))]

    assert seen("bob") == ["ol-all", "ol-half"]
    assert seen("bob", "club") == ["ol-all", "ol-club", "ol-two", "ol-half"]
    assert seen("ann") == ["ol-all", "ol-two", "ol-half"]
    assert seen("root", admin=True) == ["ol-all", "ol-club", "ol-two", "ol-half"]
    club = offers.link(Person("bob", "bob", False, ("club",)), "ol-club")
    assert (
        club is not None and club.writable and club.role is DataRole.WRITE and club.credential_id == "oc-lab"
    )
    half = offers.link(Person("bob", "bob", False), "ol-half")
    assert half is not None and not half.writable  # whose role is not to write
    assert offers.link(Person("bob", "bob", False), "ol-club") is None


@pytest.mark.parametrize(
    ("traits", "words"),
    [
        ({"data_credentials": {"lab": {**LAB, "provider": "azure"}}}, "azure does not take “access-key”"),
        ({"data_credentials": {"lab": {**LAB, "secret": {**KEY, "typo": 1}}}}, "typo"),
        ({"data_credentials": {"lab": {**LAB, "offer": "everything"}}}, "offer"),
        ({"data_links": {"x": {"url": "s3://x/", "credential": "gone"}}}, "“gone” is no entry"),
        ({"data_links": {"x": {"name": "no url"}}}, "url"),
        (
            {"data_links": {"x": "s3://x/"}},
            "c.Studios.data_links['x'] is not valid: its fields must be a mapping",
        ),
        ({"archive_cap": 0}, "archive_cap"),
    ],
)
def test_what_is_not_taken(traits: dict[str, Any], words: str) -> None:
    with pytest.raises(TraitError) as error:
        studios(**traits)
    assert words in str(error.value) and "the-secret" not in str(error.value)


def test_an_address_that_is_none_is_told_when_the_service_starts() -> None:
    with pytest.raises(SystemExit) as error:
        Offers(studios(data_links={"bad": {"url": "nonsense"}}))
    assert "c.Studios.data_links['bad']" in str(error.value)


async def test_what_the_guard_lets_through() -> None:
    reachable = guard(studios(data_credentials={"lab": LAB}, allowed_endpoints=["10.20.0.0/16"]))
    for endpoint in ("http://127.0.0.1:9000", "http://10.20.3.4"):
        await reachable.check(endpoint)
    for endpoint in (
        "http://127.0.0.1:9001",
        "http://127.0.0.1",
        "http://10.21.3.4",
        "http://169.254.169.254",
    ):
        with pytest.raises(StudiosError):
            await reachable.check(endpoint)


class Hub:
    """Stands for the Hub where time matters: what it says of people is remembered for a quarter of a minute."""

    def __init__(self) -> None:
        self.groups: dict[str, list[str]] = {}

    async def person(self, name: str) -> dict[str, Any] | None:
        return {"name": name, "groups": self.groups[name]} if name in self.groups else None


async def catalogue(tmp_path: Path, hub: Hub, key_folder: str = ".", **traits: Any) -> ServiceCatalogue:
    database = Database(f"sqlite:///{tmp_path}/data.sqlite")
    await database.migrate()
    (tmp_path / key_folder).mkdir(exist_ok=True)
    config = studios(**traits)
    vault = Vault(Keys(tmp_path / key_folder))
    return ServiceCatalogue(database, vault, Offers(config), hub, guard(config))  # type: ignore[arg-type]


def spec(name: str = "Mine") -> CredentialSpec:
    # Anonymous: nothing is asked of it.
    return CredentialSpec.model_validate({"name": name, "provider": "s3", "secret": {"type": "anonymous"}})


async def test_an_owner_who_leaves_takes_the_link_along(tmp_path: Path) -> None:
    hub = Hub()
    hub.groups = {"ann": ["club"], "bob": ["club"]}
    found = await catalogue(tmp_path, hub)
    ann, bob = (Person(name, name, False, ("club",)) for name in ("ann", "bob"))
    credential = await found.add_credential(ann, spec())
    made = await found.add_link(
        ann, LinkSpec(name="x", url="s3://a-bucket/", credential=credential.id, workspace="club")
    )
    assert [one.id for one in await found.links(bob)] == [made.id]
    hub.groups["ann"] = []
    assert await found.links(bob) == []
    with pytest.raises(StudiosError):
        await found.link(bob, made.id)
    del hub.groups["ann"]  # from the Hub altogether
    assert await found.links(bob) == []
    await found.close()


async def test_a_credential_that_is_no_longer_offered(tmp_path: Path) -> None:
    hub = Hub()
    hub.groups = {"ann": ["staff"]}
    lab = {**LAB, "offer": "any", "allowed_groups": ["staff"], "secret": {"type": "anonymous"}}
    found = await catalogue(tmp_path, hub, data_credentials={"lab": lab})
    ann = Person("ann", "ann", False, ("staff",))
    made = await found.add_link(ann, LinkSpec(name="x", url="s3://a-bucket/", credential="oc-lab"))
    assert (await found.credential_of(made)) is not None
    hub.groups["ann"] = []
    with pytest.raises(StudiosError, match="no longer offered"):
        await found.credential_of(made)
    await found.close()


async def test_another_signing_key_is_told(tmp_path: Path) -> None:
    hub = Hub()
    ann = Person("ann", "ann", False)
    before = await catalogue(tmp_path, hub)
    credential = await before.add_credential(ann, spec())
    made = await before.add_link(ann, LinkSpec(name="x", url="s3://a-bucket/", credential=credential.id))
    await before.close()
    after = await catalogue(tmp_path, hub, "another")
    (told,) = await after.credentials(ann)
    assert told.status == "invalid" and "another signing key" in told.message and told.name == "Mine"
    (link,) = await after.links(ann)
    assert link.id == made.id
    with pytest.raises(StudiosError, match="another signing key"):
        await after.credential_of(link)
    await after.mark_link(ann, made.id, LinkMarks(hidden=True))
    await after.remove_link(ann, made.id)
    await after.remove_credential(ann, credential.id)
    assert await after.credentials(ann) == []
    await after.close()
