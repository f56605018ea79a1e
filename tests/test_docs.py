"""Documentation that must not lag behind: every setting is described, in its help string and on the page."""

from pathlib import Path

import pytest

from jupyterhub_studios.config import Studios
from jupyterhub_studios.lab.app import DataExplorer
from jupyterhub_studios.spawner import BatchSpawner

PAGE = (Path(__file__).parent.parent / "docs" / "administrator.md").read_text()
SETTINGS = [
    (cls, name) for cls in (Studios, BatchSpawner, DataExplorer) for name in cls.class_own_traits(config=True)
]


@pytest.mark.parametrize(("cls", "name"), SETTINGS, ids=lambda value: getattr(value, "__name__", value))
def test_setting_is_documented(cls: type, name: str) -> None:
    help_text = cls.class_own_traits()[name].help
    assert "Default:" in help_text, f"{cls.__name__}.{name}: the help string states no default"
    assert "Example" in help_text, f"{cls.__name__}.{name}: the help string gives no example"
    assert f"`c.{cls.__name__}.{name}`" in PAGE, f"{cls.__name__}.{name} is missing in docs/administrator.md"


def test_the_page_names_no_setting_that_is_gone() -> None:
    known = {f"`c.{cls.__name__}.{name}`" for cls, name in SETTINGS}
    rows = [line.split("|")[1].strip() for line in PAGE.splitlines() if line.startswith("| `c.")]
    assert set(rows) == known
