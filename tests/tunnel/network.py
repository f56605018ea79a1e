"""A machine that can dial out and cannot be dialled: a network namespace with a firewall, and a cable to this one."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"


@dataclass
class OneWay:
    """Between :meth:`up` and :meth:`down`. Each worker of a parallel run has addresses of its own."""

    name: str = field(default_factory=lambda: f"studios-{os.getpid()}")
    third: int = field(default_factory=lambda: os.getpid() % 250)

    @property
    def outside(self) -> str:
        """This machine, as the other one reaches it."""
        return f"198.18.{self.third}.1"  # a network for tests of networks

    @property
    def inside(self) -> str:
        return f"198.18.{self.third}.2"

    @property
    def prefix(self) -> tuple[str, ...]:
        """In front of a command that is to run there."""
        return ("ip", "netns", "exec", self.name)

    def up(self) -> None:
        cable, end = f"st{os.getpid()}a", f"st{os.getpid()}b"
        _run("ip", "netns", "add", self.name)
        _run("ip", "link", "add", cable, "type", "veth", "peer", "name", end, "netns", self.name)
        _run("ip", "address", "add", f"{self.outside}/30", "dev", cable)
        _run("ip", "link", "set", cable, "up")
        inside = ("ip", "-n", self.name)
        _run(*inside, "address", "add", f"{self.inside}/30", "dev", end)
        _run(*inside, "link", "set", end, "up")
        _run(*inside, "link", "set", "lo", "up")
        for rule in (
            ("-A", "INPUT", "-i", "lo", "-j", "ACCEPT"),
            ("-A", "INPUT", "-m", "conntrack", "--ctstate", "ESTABLISHED,RELATED", "-j", "ACCEPT"),
            ("-P", "INPUT", "DROP"),
        ):
            _run(*self.prefix, "iptables", *rule)

    def down(self) -> None:
        subprocess.run(["ip", "netns", "delete", self.name], capture_output=True)
