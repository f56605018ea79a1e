"""The image that the agent runs in, where it runs in one: what the app takes over from it."""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..models import ImageConfig, StudiosError

BUNDLE = Path("/.studio")  # the agent's own folder in an image that has nothing else of ours
FILE = BUNDLE / "image.json"
VARIABLE = "STUDIOS_IMAGE"


@cache
def image() -> ImageConfig | None:
    """None on a machine that is no container. The variable wins, field by field: it knows the image's name."""
    fields: dict[str, Any] = {}
    try:
        for text in (FILE.read_text() if FILE.exists() else None, os.environ.get(VARIABLE)):
            if text:
                fields |= ImageConfig.model_validate_json(text).model_dump(exclude_unset=True)
    except ValidationError as error:
        raise StudiosError(
            "What is said of the image cannot be understood", str(error), "Adapt the image again"
        ) from error
    return ImageConfig.model_validate(fields) if fields else None


def python() -> str:
    """The Python that a template's ``{python}`` means: the agent's own, but that of the image where the agent
    brings one that is for itself."""
    return "python3" if Path(sys.executable).is_relative_to(BUNDLE) else sys.executable
