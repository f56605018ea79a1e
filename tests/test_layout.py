"""The layout is the architecture: who may import whom."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "src" / "jupyterhub_studios"

MAY_IMPORT = {
    "models": set(),
    "tickets": set(),
    "templates": {"models"},
    "entries": set(),
    "config": {"models", "templates", "entries"},
    "culling": set(),
    "checkpoints": {"models"},
    "agent": {"models", "checkpoints", "tickets"},
    "compute": {"models", "images"},
    "images": {"models"},
    "web": {"models"},
    "explorer": {"models", "web"},
    "lab": {"models", "tickets", "entries", "web", "explorer"},
    "tunnel": {"models"},
    "spawner": {"models", "config", "compute"},
    "service": {"models", "config", "checkpoints", "tickets", "web", "explorer", "compute", "tunnel"},
    "demo": set(),
    "forge": {"models", "config"},
    # agent: to try the very root that a session would have.
    "doctor": {"models", "config", "checkpoints", "compute", "images", "agent", "tunnel"},
    "cli": {"models", "forge", "doctor", "images"},
}


def part_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_parts(file: Path) -> set[str]:
    """The parts of our package that ``file`` imports, with relative imports resolved."""
    package = ["jupyterhub_studios", *file.relative_to(PACKAGE).parts[:-1]]
    parts = set()
    for node in ast.walk(ast.parse(file.read_text())):
        names: list[str] = []
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            names = [f"{module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        parts |= {n.split(".")[1] for n in names if n.startswith("jupyterhub_studios.")}
    return parts - {part_of(file), "__version__"}


@pytest.mark.parametrize("file", sorted(PACKAGE.rglob("*.py")), ids=lambda f: str(f.relative_to(PACKAGE)))
def test_imports_follow_the_layout(file: Path) -> None:
    part = part_of(file)
    if part == "__init__":
        return
    assert imported_parts(file) <= MAY_IMPORT[part]
