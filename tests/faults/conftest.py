"""The Hub's parts one by one, so that a test can kill any of them and start it again."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from obstore.store import S3Store

from jupyterhub_studios.demo.home import WORK_BUCKET, DemoHome, write_private
from jupyterhub_studios.demo.run import start_hub
from jupyterhub_studios.demo.store import start_store, store_options
from tests.demo import PASSWORD, Demo, wait_for
from tests.faults.store_proxy import StoreProxy

CONFIG = Path(__file__).with_name("jupyterhub_config.py")


class Parts(Demo):
    """Store, proxy in front of it, and Hub, without the program that runs them together."""

    store: subprocess.Popen[bytes]
    hub: subprocess.Popen[bytes]
    proxy: StoreProxy

    def start(self) -> None:
        home = DemoHome(self.home)
        home.prepare()
        self.store = start_store(home)
        self.proxy = StoreProxy(("127.0.0.1", home.port("s3")))
        write_private(home.token_file, home.secret("admin-token"))
        self.start_hub()

    def start_hub(self) -> None:
        environment = {
            "STUDIOS_PORT": str(self.port),
            "STUDIOS_DEMO_PASSWORD": PASSWORD,
            "TEST_STORE_ENDPOINT": self.proxy.endpoint,
            **self.environment,
        }
        self.hub = start_hub(DemoHome(self.home), CONFIG, environment)
        self.wait_up()

    def wait_up(self) -> None:
        headers = {"Authorization": f"token {(self.home / 'token').read_text()}"}

        def up() -> bool:
            assert self.hub.poll() is None, self.log()
            try:
                answer = httpx.get(f"{self.url}/services/studios/api/v1/me", headers=headers)
            except httpx.TransportError:
                return False
            return answer.status_code == 200

        wait_for("the Hub and the service", up)

    def kill_part(self, victim: str) -> None:
        """``kill -9`` of ``hub``, ``service`` or every ``agent``."""
        words = {
            "hub": ["jupyterhub", "-f"],
            "service": ["jupyterhub_studios.service"],
            "agent": ["jupyterhub_studios.agent"],
        }[victim]
        for pid in self.pids(*words):
            _kill(pid)

    @property
    def secret(self) -> str:
        return DemoHome(self.home).secret("store-key")

    def pause(self) -> None:
        """A moment for the processes to go on."""
        time.sleep(0.5)

    def damage(self, digest: str) -> None:
        """Flip a byte in the middle of a layer in the bucket."""
        store = S3Store(WORK_BUCKET, **store_options(DemoHome(self.home)))
        path = f".studios/layers/{digest}.sqsh"
        content = bytearray(store.get(path).bytes())
        content[len(content) // 2] ^= 0xFF
        store.put(path, bytes(content))

    def finalised(self, studio: str) -> bool:
        """Whether the bucket holds a finalised checkpoint of the studio."""
        store = S3Store(WORK_BUCKET, **store_options(DemoHome(self.home)))
        found = store.list(f".studios/studios/{studio}/checkpoints/").collect()
        return any(b'"finalised"' in bytes(store.get(one["path"]).bytes()) for one in found)

    def close(self) -> None:
        self.kill()
        self.proxy.close()


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    demo = Parts(
        tmp_path_factory.mktemp("faults") / "home",
        config=CONFIG,
        environment={"STUDIOS_SAVE_INTERVAL": "3600"},
    )
    try:
        demo.start()
        yield demo
    finally:
        demo.close()
