"""Code to copy and paste: the same place, with a tool of one's own."""

from __future__ import annotations

from ...models import CredentialSpec, Snippet
from ..places import Place
from .python import code
from .shell import commands
from .source import Source


def snippets(place: Place, folder: bool, spec: CredentialSpec | None) -> list[Snippet]:
    """Commands and code for a file or a folder. ``spec`` gives whether it is public and whose account it is."""
    source = Source.of(place, folder, spec)
    return [*commands(source), *code(source)]
