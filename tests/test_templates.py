"""Templates that are ready to be offered, and how a configuration offers them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from jupyterhub_studios.config import Studios
from jupyterhub_studios.templates import DESKTOP, READY_MADE, VSCODE

WORDS = {"{socket}", "{port}", "{prefix}", "{workdir}", "{python}"}


def offered(**templates: Any) -> dict[str, Any]:
    return dict(Studios(templates=templates).templates)


def test_nothing_but_jupyter_is_offered_unasked() -> None:
    assert list(Studios().templates) == ["jupyter"]
    assert list(offered()) == ["jupyter"]


def test_a_name_is_enough_and_fields_replace_single_ones() -> None:
    templates = offered(vscode={}, desktop={"image": "studio-desktop", "title": "XFCE"})
    assert templates["vscode"] == VSCODE
    assert templates["desktop"] == DESKTOP.model_copy(update={"image": "studio-desktop", "title": "XFCE"})


def test_none_takes_a_template_away() -> None:
    assert list(offered(jupyter=None, vscode={})) == ["vscode"]


@pytest.mark.parametrize("template", READY_MADE, ids=lambda template: str(template.id))
def test_each_listens_where_the_gate_looks(template: Any) -> None:
    words = {word for text in template.command for word in re.findall(r"\{\w+\}", text)}
    assert words <= WORDS
    assert len(words & {"{socket}", "{port}"}) == 1
