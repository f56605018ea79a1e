"""The catalogue of a plain JupyterLab: what its configuration names, what the machine has, what the person added.

Everybody whom the server lets in can run code as its owner, so all callers see the same.
"""

from __future__ import annotations

import asyncio
import getpass
from pathlib import Path

from ..explorer.backends import Guard, split_url
from ..explorer.catalogue import Caller
from ..explorer.finding import Finder, origin
from ..models import (
    CredentialSpec,
    CredentialView,
    LinkMarks,
    LinkPatch,
    LinkSpec,
    LinkView,
    Provider,
    StudiosError,
    new_id,
)
from ..web import problems
from . import machine
from .configured import ConfiguredLink
from .kept import Kept, KeptFile
from .links import GONE, Held, Link, added, configured, folder, found, link_view

PATIENCE = 4.0  # seconds that a list waits for credentials that were never asked
ASKED = 15.0  # the same, where the answer is what is wanted: a found link by its id, a refresh
CONFIGURED, MACHINE = "oc-", "mc-"  # what ids of credentials begin with, that are not the person's own


class LabCatalogue:
    def __init__(
        self,
        *,
        credentials: dict[str, CredentialSpec],
        links: dict[str, ConfiguredLink],
        ambient: bool,
        root: str,
        file: KeptFile,
        guard: Guard,
    ) -> None:
        self._configured = {CONFIGURED + key: spec for key, spec in credentials.items()}
        self._links = links
        self._ambient, self._root = ambient, root
        self._file = file
        self._finder = Finder(guard)
        self._owner = _user()

    async def close(self) -> None:
        await self._finder.close()

    # --- links ---

    async def links(self, caller: Caller) -> list[LinkView]:
        kept, held = await self._known()
        await self._look(held, PATIENCE)
        return [self._view(link, kept, held) for link in self._all(kept, held).values()]

    async def link(self, caller: Caller, link_id: str) -> LinkView:
        kept, held, link = await self._link(link_id)
        return self._view(link, kept, held)

    async def credential_of(self, link: LinkView) -> CredentialSpec | None:
        _, held, known = await self._link(link.id)
        if known.credential_id is None:
            return None
        one = held.get(known.credential_id, GONE)
        if one.fault is not None:
            raise one.fault
        return one.spec

    async def add_link(self, caller: Caller, spec: LinkSpec) -> LinkView:
        provider, bucket, _ = split_url(spec.url)
        _no_workspace(spec.workspace)
        if spec.credential is not None:
            _, held = await self._known()
            if spec.credential not in held:
                raise problems.no_such("credential", "credential")
            _check_provider(provider, held[spec.credential])
        if provider is Provider.FOLDER and not await asyncio.to_thread(Path(bucket).is_dir):
            raise StudiosError(
                "There is no such folder", f"{bucket} is not a folder of this machine", "Check the path",
                field="url",
            )  # fmt: skip
        link_id = new_id("dl")
        await self._file.change(lambda kept: kept.links.update({link_id: spec}))
        return await self.link(caller, link_id)

    async def change_link(self, caller: Caller, link_id: str, patch: LinkPatch) -> LinkView:
        _, _, link = await self._link(link_id)
        if not link.may_edit:
            raise _set_elsewhere(link.name, "changed")
        _no_workspace(patch.workspace or None)
        fields = patch.model_dump(
            exclude_unset=True, exclude_none=True, exclude={"workspace", "workspace_role"}
        )

        def change(kept: Kept) -> None:
            if link_id in kept.links:
                kept.links[link_id] = kept.links[link_id].model_copy(update=fields)
            else:
                before = kept.changes.get(link_id, LinkPatch())
                kept.changes[link_id] = before.model_copy(update=fields)

        await self._file.change(change)
        return await self.link(caller, link_id)

    async def remove_link(self, caller: Caller, link_id: str) -> None:
        _, _, link = await self._link(link_id)
        if link.source == "found":
            raise StudiosError(
                f"“{link.name}” cannot be removed",
                "a credential lists it, so it would be found again",
                "Hide it",
                status=409,
            )
        if not link.may_edit:
            raise _set_elsewhere(link.name, "removed")

        def remove(kept: Kept) -> None:
            kept.links.pop(link_id, None)
            kept.marks.pop(link_id, None)

        await self._file.change(remove)

    async def mark_link(self, caller: Caller, link_id: str, marks: LinkMarks) -> LinkView:
        await self._link(link_id)
        fields = marks.model_dump(exclude_none=True)

        def mark(kept: Kept) -> None:
            kept.marks[link_id] = kept.marks.get(link_id, LinkMarks()).model_copy(update=fields)

        await self._file.change(mark)
        return await self.link(caller, link_id)

    async def refresh(self, caller: Caller) -> None:
        _, held = await self._known()
        await self._look(held, ASKED, anew=True)

    # --- credentials ---

    async def credentials(self, caller: Caller) -> list[CredentialView]:
        _, held = await self._known()
        await self._look(held, PATIENCE)
        return [self._credential_view(one) for one in held.values()]

    async def add_credential(self, caller: Caller, spec: CredentialSpec) -> CredentialView:
        credential_id = new_id("cr")
        sealed = await self._file.seal(spec)
        await self._file.change(lambda kept: kept.credentials.update({credential_id: sealed}))
        _, held = await self._known()
        await self._look({credential_id: held[credential_id]}, PATIENCE)
        return self._credential_view(held[credential_id])

    async def remove_credential(self, caller: Caller, credential_id: str) -> None:
        _, held = await self._known()
        if credential_id not in held:
            raise problems.no_such("credential")
        if held[credential_id].source == "offered":
            raise _set_elsewhere(held[credential_id].name, "removed")

        def remove(kept: Kept) -> None:
            used = [spec.name for spec in kept.links.values() if spec.credential == credential_id]
            if used:
                raise StudiosError(
                    "Data links use this credential",
                    f"these: {', '.join(used)}",
                    "Remove them first",
                    status=409,
                )
            kept.credentials.pop(credential_id, None)

        await self._file.change(remove)
        self._finder.forget(credential_id)

    # --- what is known ---

    async def _known(self) -> tuple[Kept, dict[str, Held]]:
        kept = await self._file.read()
        offered = dict(self._configured)
        if self._ambient:
            own = await asyncio.to_thread(machine.credentials)
            offered |= {MACHINE + key: spec for key, spec in own.items()}
        held = {key: Held.offered(key, spec) for key, spec in offered.items()}
        for key, sealed in kept.credentials.items():
            spec, fault = None, None
            try:
                spec = await self._file.unseal(sealed)
            except StudiosError as error:
                fault = error
            held[key] = Held(key, sealed.name, sealed.provider, sealed.type, "added", spec, fault)
        return kept, held

    async def _look(self, held: dict[str, Held], patience: float, *, anew: bool = False) -> None:
        asked = {one.id: one.spec for one in held.values() if one.finds and one.spec is not None}
        await self._finder.look(asked, patience=patience, anew=anew)

    async def _link(self, link_id: str) -> tuple[Kept, dict[str, Held], Link]:
        kept, held = await self._known()
        link = self._all(kept, held).get(link_id)
        if link is None:  # after a restart a found one is not known yet
            await self._look(held, ASKED)
            link = self._all(kept, held).get(link_id)
        if link is None:
            raise problems.no_such("data link")
        return kept, held, link

    def _all(self, kept: Kept, held: dict[str, Held]) -> dict[str, Link]:
        links = []
        if self._ambient:
            links += [folder(one, self._owner) for one in machine.folders(self._root)]
        for key, entry in self._links.items():
            credential = CONFIGURED + entry.credential if entry.credential is not None else None
            links.append(configured(key, entry, held.get(credential or "")))
        for one in held.values():
            for bucket in self._finder.answer(one.id).buckets or ():
                links.append(found(one, bucket, kept.changes, self._owner))
        for key, spec in kept.links.items():
            links.append(added(key, spec, held.get(spec.credential or ""), self._owner))
        return {link.id: link for link in links}

    def _view(self, link: Link, kept: Kept, held: dict[str, Held]) -> LinkView:
        one = held.get(link.credential_id, GONE) if link.credential_id is not None else None
        answer = self._finder.answer(one.id) if one else None
        return link_view(link, one, answer, kept.marks.get(link.id, LinkMarks()))

    def _credential_view(self, one: Held) -> CredentialView:
        answer = self._finder.answer(one.id)
        spec = one.spec
        return CredentialView(
            id=one.id,
            name=one.name,
            provider=one.provider,
            type=one.type,
            endpoint=origin(spec.endpoint) if spec and spec.endpoint else None,
            region=spec.region if spec else None,
            source=one.source,
            status="invalid" if one.fault else answer.status,
            message=str(one.fault) if one.fault else answer.message,
            links_found=len(answer.buckets) if answer.buckets is not None else None,
            may_edit=one.source == "added",
        )


def _no_workspace(workspace: str | None) -> None:
    if workspace is not None:
        raise StudiosError(
            "There are no workspaces here", "this JupyterLab belongs to one person", "", field="workspace"
        )


def _check_provider(provider: Provider, held: Held) -> None:
    if held.provider is not provider:
        raise StudiosError(
            "The credential does not fit",
            f"“{held.name}” is one of {held.provider}, the address is one of {provider}",
            "Choose a credential of the same provider",
            field="credential",
        )


def _set_elsewhere(name: str, what: str) -> StudiosError:
    return StudiosError(
        f"“{name}” cannot be {what} here",
        "it comes from this machine or from the configuration of its Jupyter server",
        f"It is {what} there",
        status=403,
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        return "you"
