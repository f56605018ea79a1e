"""How busy the job's GPUs are, as ``nvidia-smi`` tells. Not on kind local, whose GPUs are everybody's."""

from __future__ import annotations

import shutil
import subprocess

from ...models import Kind

QUERY = ["--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]


class Gpu:
    def __init__(self, kind: Kind) -> None:
        self._program = shutil.which("nvidia-smi") if kind != Kind.LOCAL else None

    def busy(self) -> float | None:
        """The share of the busiest; None: there is none. Blocks; raises OSError or ValueError where it fails."""
        if self._program is None:
            return None
        ran = subprocess.run([self._program, *QUERY], capture_output=True, text=True, timeout=10, check=False)
        if ran.returncode != 0:
            raise OSError(ran.stderr.strip() or f"code {ran.returncode}")
        return max(float(line) for line in ran.stdout.splitlines()) / 100
