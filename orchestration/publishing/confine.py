"""Takes rights from this process for good, by the kernel's own means (Landlock): to write files and to start programs.
DuckDB's own locks are set elsewhere; this wall stands behind them, for what they leave open."""

import ctypes
import os
import sys
from collections.abc import Iterable
from pathlib import Path

# Numbers of the system calls, the same on all architectures since they are of after 5.0; and of linux/landlock.h.
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
ASK_FOR_VERSION, PATH_BENEATH = 1, 1
NO_NEW_PRIVILEGES = 38
EXECUTE, WRITE_FILE, TRUNCATE, REFER = 1 << 0, 1 << 1, 1 << 14, 1 << 13
# Removing and making files, folders, links, sockets, pipes and devices: bits 4 to 12.
REMOVE_AND_MAKE = sum(1 << bit for bit in range(4, 13))
BIND_AND_CONNECT = 0b11
# By the version of Landlock, since a bit that the kernel doesn't know is an error.
FILE_RIGHTS_SINCE = {1: EXECUTE | WRITE_FILE | REMOVE_AND_MAKE, 2: REFER, 3: TRUNCATE}
NETWORK_SINCE = 4
LOADERS = ("/lib*/ld-linux*.so*", "/lib*/ld-musl*.so*", "/lib/*/ld-linux*.so*")  # a program's start needs its loader


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


def can_confine() -> bool:
    """Whether this system's kernel has Landlock (Linux 5.13 or newer, unless it was left out)."""
    return _version() >= 1


def confine(*, writable: Iterable[Path] = (), programs: Iterable[Path] = ()) -> bool:
    """From now on this process and its children write below `writable` and to devices only, start `programs` only, and
    open no TCP connection where the kernel can refuse one. It can't be undone. False, and nothing done, without Landlock.

    What is open stays open. Raises `OSError` where the kernel refuses, so that nobody goes on without the wall.
    """
    version = _version()
    if version < 1:
        return False
    rights = sum(right for since, right in FILE_RIGHTS_SINCE.items() if since <= version)
    ruleset = _Ruleset(rights, BIND_AND_CONNECT if version >= NETWORK_SINCE else 0)
    size = ctypes.sizeof(ruleset) if version >= NETWORK_SINCE else 8
    handle = _call(CREATE_RULESET, ctypes.byref(ruleset), size, 0)
    try:
        for path in writable:
            _allow(handle, path, rights & ~EXECUTE)
        _allow(handle, Path("/dev"), WRITE_FILE)
        loaders = [path for pattern in LOADERS for path in Path("/").glob(pattern.removeprefix("/"))]
        programs = list(programs)
        for path in [*programs, *(loaders if programs else [])]:
            _allow(handle, path, EXECUTE)
        if _libc().prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        _call(RESTRICT_SELF, handle, 0)
    finally:
        os.close(handle)
    return True


def _allow(handle: int, path: Path, rights: int) -> None:
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = _PathBeneath(rights, descriptor)
        _call(ADD_RULE, handle, PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(descriptor)


def _version() -> int:
    if not sys.platform.startswith("linux"):
        return 0
    return _libc().syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ASK_FOR_VERSION)


def _call(number: int, *arguments: object) -> int:
    result = _libc().syscall(number, *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), f"Landlock: {os.strerror(ctypes.get_errno())}")
    return result


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
