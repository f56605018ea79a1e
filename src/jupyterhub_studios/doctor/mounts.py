"""Looking at whether sessions on this machine can mount buckets."""

from __future__ import annotations

import os
import shutil

from ..models import Mounter
from . import verdicts
from .findings import Result, found
from .programs import Failed, output

DEVICE = "/dev/fuse"
MOUNTPOINT: Mounter = "mount-s3"


async def mounts(mounter: Mounter, path: str, *, is_root: bool, device: str = DEVICE) -> Result:
    """``path``: where a session's agent finds programs."""
    if fault := _fault(device):
        return found("mounts-device", reason=fault)
    if not is_root and shutil.which("fusermount3", path=path) is None:
        return found("mounts-helper")
    program = shutil.which("rclone", path=path)
    if program is None:
        return found("mounts-missing", path=path)
    result = await _rclone(program)
    if result.status == "ok" and mounter == MOUNTPOINT and shutil.which(MOUNTPOINT, path=path) is None:
        return found("mounts-mountpoint", path=path)
    return result


def _fault(device: str) -> str:
    """Why it cannot be used; it is opened, as whoever mounts does. A container may see one that it may not open."""
    try:
        os.close(os.open(device, os.O_RDWR))
    except FileNotFoundError:
        return f"{device} is not there"
    except OSError as error:
        return f"{device} cannot be opened ({error.strerror})"
    return ""


async def _rclone(program: str) -> Result:
    try:
        return verdicts.rclone(await output(program, "version"))
    except Failed as error:
        return found("mounts-broken", reason=str(error))
    except OSError as error:
        return found("mounts-broken", reason=error.strerror)
