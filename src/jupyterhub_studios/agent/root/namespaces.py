"""The namespaces that the agent itself runs in, entered before anything else.

A private mount namespace, so that every mount of a session vanishes with the agent, however that ends. An
ordinary user may mount only in a user namespace of their own; with subordinate uids (``/etc/subuid``) it has all
the uids that packages need, without them only root.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from enum import StrEnum
from typing import NoReturn

FORCE = "STUDIOS_ROOT_MODE"
"""``home`` in this environment variable keeps sessions to their home directory, even where more is possible."""


class Namespace(StrEnum):
    ROOT = "root"  # root of the machine, in a mount namespace
    USER = "user"  # an ordinary user, root of a user namespace with many uids
    USER_SINGLE = "user-single"  # the same with one uid: no subordinate uids
    NONE = "none"


NOTHING = [sys.executable, "-I", "-S", "-c", ""]
"""A program that is there in every image."""

_MOUNT = ["--mount", "--propagation", "private"]
_UNSHARE = {
    Namespace.ROOT: _MOUNT,
    Namespace.USER: ["--user", "--map-root-user", "--map-auto", *_MOUNT],
    Namespace.USER_SINGLE: ["--user", "--map-root-user", *_MOUNT],
}


def enter(module: str) -> NoReturn:
    """Starts this process again as ``python -m module <namespace> <why none>`` in the best namespace there is.
    The process keeps its id."""
    namespace, why = _best()
    apart = "-I" if sys.flags.isolated else "-P"  # as it was started itself
    command = [sys.executable, apart, "-m", module, namespace.value, why]
    if namespace is not Namespace.NONE:
        command = ["unshare", *_UNSHARE[namespace], "--", *command]
    os.execvp(command[0], command)


def _best() -> tuple[Namespace, str]:
    if os.environ.get(FORCE) == "home":
        return Namespace.NONE, f"{FORCE}=home is set"
    if sys.platform != "linux" or shutil.which("unshare") is None:
        return Namespace.NONE, "this system has no mount namespaces"
    why = ""
    for namespace, options in _UNSHARE.items():
        if namespace is Namespace.ROOT and os.geteuid() != 0:
            continue
        trial = subprocess.run(
            ["unshare", *options, "--", *NOTHING], stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        if trial.returncode == 0:
            return namespace, ""
        why = trial.stderr.strip()
    return Namespace.NONE, f"no namespace can be made: {why}"
