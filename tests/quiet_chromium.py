#!/usr/bin/env python3
"""Debian's Chromium, deaf to the machine's network interfaces: arguments as Chromium's own.

Chromium breaks off what it is connecting (ERR_NETWORK_CHANGED) whenever an address comes or goes on any interface,
as with every container that another test starts. It hears of that by netlink; without netlink it takes the network as
it is. A seccomp filter refuses such sockets, for this program and its children alone.
"""

import ctypes
import errno
import os
import platform
import socket
import struct
import sys

PROGRAM = "/usr/bin/chromium-headless-shell"
SOCKET_CALL = {"x86_64": 41, "aarch64": 198}[platform.machine()]

# linux/filter.h and linux/seccomp.h
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
CALL_NUMBER, FIRST_ARGUMENT = 0, 16  # bytes into struct seccomp_data
REFUSE, ALLOW = 0x00050000 | errno.EAFNOSUPPORT, 0x7FFF0000
FILTER = [  # operation, steps to skip if equal and if not, operand
    (LOAD, 0, 0, CALL_NUMBER),
    (JUMP_IF_EQUAL, 0, 3, SOCKET_CALL),
    (LOAD, 0, 0, FIRST_ARGUMENT),
    (JUMP_IF_EQUAL, 0, 1, socket.AF_NETLINK),
    (RETURN, 0, 0, REFUSE),
    (RETURN, 0, 0, ALLOW),
]
SET_SECCOMP, SET_NO_NEW_PRIVILEGES, FILTER_MODE = 22, 38, 2  # of prctl(2)


class Program(ctypes.Structure):
    """struct sock_fprog"""

    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))


def prctl(*arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(*arguments):
        sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")


steps = b"".join(struct.pack("HBBI", *step) for step in FILTER)
prctl(SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
prctl(SET_SECCOMP, FILTER_MODE, ctypes.byref(Program(len(FILTER), steps)))
os.execv(PROGRAM, [PROGRAM, *sys.argv[1:]])
