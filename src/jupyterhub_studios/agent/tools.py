"""The programs that the agent runs: the machine's own, but in an image those of the agent's bundle.

They are found by PATH, so this one place decides for all of them. An image may have no programs at all, not even
a shell, and none of its libraries or settings may reach the agent's.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from .image import BUNDLE

CERTIFICATES = BUNDLE / "etc" / "ca-certificates.crt"
_IMAGES_OWN = ("LD_PRELOAD", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME")


def prepare() -> None:
    """Before anything else of the agent, because some modules remember what they find."""
    if not Path(sys.executable).is_relative_to(BUNDLE):
        return
    os.environ["PATH"] = f"{BUNDLE / 'bin'}:{os.environ.get('PATH', os.defpath)}"
    os.environ.setdefault("SSL_CERT_FILE", str(CERTIFICATES))
    for name in _IMAGES_OWN:
        os.environ.pop(name, None)
    # Bubblewrap builds a root on it, and an image from scratch has none.
    tmp = Path("/tmp")
    if not tmp.exists():
        tmp.mkdir()
        tmp.chmod(0o1777)
