"""Which links a list shows."""

from __future__ import annotations

from collections.abc import Iterable

from ...models import LinkView
from .answers import LinkQuery


def selected(links: Iterable[LinkView], query: LinkQuery) -> list[LinkView]:
    """Links that fit the query: every word of it, in any order. Starred ones come first, then by name."""
    words, facets = _parsed(query.q)
    for name, value in (("provider", query.provider), ("region", query.region)):
        if value:
            facets.append((name, value.casefold()))
    found = [link for link in links if _fits(link, words, facets, query.hidden)]
    return sorted(found, key=lambda link: (not link.starred, link.name.casefold(), link.id))


def _parsed(text: str) -> tuple[list[str], list[tuple[str, str]]]:
    words, facets = [], []
    for word in text.casefold().split():
        name, colon, value = word.partition(":")
        if colon and value and name in ("provider", "region"):
            facets.append((name, value))
        else:
            words.append(word)
    return words, facets


def _fits(link: LinkView, words: list[str], facets: list[tuple[str, str]], hidden: str) -> bool:
    if hidden != "all" and link.hidden != (hidden == "only"):
        return False
    text = " ".join((link.name, link.url, link.description)).casefold()
    facts = {"provider": link.provider.value, "region": link.region or ""}
    return all(word in text for word in words) and all(facts[n].casefold() == v for n, v in facets)
