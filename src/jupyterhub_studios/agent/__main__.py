"""``python -m jupyterhub_studios.agent``: a job's first process."""

from __future__ import annotations

import sys

from .tools import prepare

prepare()

from .root.namespaces import Namespace, enter  # noqa: E402

if len(sys.argv) < 2:
    enter("jupyterhub_studios.agent")
else:
    # Only now: whatever starts a thread or opens a file must be born inside the namespace.
    from .main import main

    sys.exit(main(Namespace(sys.argv[1]), sys.argv[2]))
