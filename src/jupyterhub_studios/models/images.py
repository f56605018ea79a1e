"""What is known of an image."""

from __future__ import annotations

from .base import Model

SCRATCH = "/.studio-scratch"  # where a container's scratch volume is


class ImageConfig(Model):
    """An image as the agent inside it needs to know it, because the agent is what runs instead of the image's own
    program: in the file ``/.studio/image.json`` of an adapted image, or in the job's variable ``STUDIOS_IMAGE``."""

    image: str = ""  # as people wrote it
    digest: str = ""  # sha256:… of its bytes
    entrypoint: list[str] = []
    command: list[str] = []
    user: str = ""  # name or number, maybe with a group: "rstudio", "1000:100"
    environment: dict[str, str] = {}
    workdir: str = ""
