"""The tunnel: what an agent needs for it, and what the service and the tunnel's process tell each other."""

from __future__ import annotations

from pydantic import Field

from .base import Model


class TunnelAccess(Model):
    """In a launch spec: how this one session reaches the tunnel, and what it may ask for there."""

    host: str  # of the tunnel, as jobs reach it
    port: int
    host_key: str  # the tunnel's own, as a line of OpenSSH: anything else there is refused
    user: str  # the session's id
    private_key: str = Field(repr=False)  # OpenSSH's format; good until the session ends
    listen_host: str  # the one place that may be forwarded to the session's gate
    listen_port: int

    @property
    def address(self) -> str:
        """Where the Hub's proxy dials the session: ``http://ip:port``."""
        host = f"[{self.listen_host}]" if ":" in self.listen_host else self.listen_host
        return f"http://{host}:{self.listen_port}"


class TunnelSettings(Model):
    """What a process of the tunnel was started with: one with others is replaced."""

    version: str  # of this project
    bind_host: str
    bind_port: int
    listen_host: str  # where the sessions' own ports are


class TunnelSession(Model):
    id: str
    key: str  # public, as a line of OpenSSH
    port: int


class TunnelTable(Model):
    """Service → tunnel: all sessions that there are. Others are refused, and cut."""

    sessions: list[TunnelSession] = []
    end: bool = False  # the process is to end: another takes its place


class TunnelReport(Model):
    """Tunnel → service: first of all, and after each table."""

    settings: TunnelSettings
    fault: str = ""  # why agents cannot connect, such as a port that is taken
    taken: dict[str, str] = {}  # sessions whose port cannot be had, and why
    connected: list[str] = []  # sessions whose gates can be reached now
