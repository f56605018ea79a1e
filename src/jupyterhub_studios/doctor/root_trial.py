"""``python -m jupyterhub_studios.doctor.root_trial``: which root would a session have here? A process of its own,
because it enters the namespaces that an agent enters, and mounts."""

from __future__ import annotations

import sys

from ..agent.root.namespaces import Namespace, enter

MODULE = "jupyterhub_studios.doctor.root_trial"


async def trial(namespace: Namespace, why: str) -> dict[str, str]:
    import asyncio
    import json
    import os
    import secrets

    from ..agent.root import Folders, open_root
    from ..agent.root.mounts import remove
    from ..models import Kind, LaunchSpec, StoreAccess, Template

    spec = LaunchSpec(
        session_id=f"doctor-{secrets.token_hex(6)}", studio_id="doctor", studio_name="doctor", owner="doctor",
        server_name="doctor", prefix="/", kind=Kind.LOCAL, template=Template(id="doctor", title="", command=[]),
        control_url="", control_token="", ticket_key="", enter_url="", epoch=1, store=StoreAccess(url="memory:"),
        hide=json.loads(os.environ["DOCTOR_HIDE"]), scratch=os.environ["DOCTOR_SCRATCH"],
    )  # fmt: skip
    folders = Folders(spec)
    await asyncio.to_thread(folders.make)
    try:
        root = await open_root(spec, folders, namespace, why)
        reason = "; ".join(root.notices).removeprefix("Only the home directory is kept: ")
        await root.close()
        return {"mode": root.mode.value, "reason": reason}
    finally:
        await asyncio.to_thread(remove, folders.all)


def main() -> None:
    import asyncio
    import json

    print(json.dumps(asyncio.run(trial(Namespace(sys.argv[1]), sys.argv[2]))))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        enter(MODULE)
    main()
