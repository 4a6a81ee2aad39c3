"""The allocator of a process with many threads: set at its start, and nobody else's settings touched."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from bot import memory

_MANY_THREADS = """
import ctypes, os, threading
from bot import memory

memory.share()
stay = threading.Barrier(21)
for _ in range(20):
    threading.Thread(target=lambda: (bytearray(2_000), stay.wait())).start()
stay.wait()
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
stream = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, stream)
libc.fflush(stream)
os.write(1, f"{os.getpid()} {os.environ['GLIBC_TUNABLES']}".encode())
"""


def _ran(**settings: str) -> tuple[int, str]:
    """The process's id, and what it told."""
    kept = {name: value for name, value in os.environ.items() if name != "GLIBC_TUNABLES"}
    with subprocess.Popen(  # noqa: S603 - ours
        [sys.executable, "-c", _MANY_THREADS], env=kept | settings, stdout=subprocess.PIPE, text=True
    ) as process:
        return process.pid, process.communicate(timeout=30)[0]


@pytest.fixture
def thawed() -> Iterator[None]:
    """The tests' own objects are collected as before."""
    yield
    gc.unfreeze()


def test_it_begins_anew_once_and_its_threads_share_one_heap() -> None:
    """It is the same process, with the same command line."""
    pid, told = _ran()
    assert told.endswith(f"{pid} {memory.TUNABLES}")
    assert told.count("<heap nr=") == 1


def test_what_somebody_set_stays() -> None:
    """And then it goes on as it is, with glibc's many heaps."""
    pid, told = _ran(GLIBC_TUNABLES="glibc.malloc.perturb=0")
    assert told.endswith(f"{pid} glibc.malloc.perturb=0")
    assert told.count("<heap nr=") > 1


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither musl nor macOS knows such a name."""

    def unknown(name: str) -> str:
        raise ValueError(name)

    begun: list[object] = []
    monkeypatch.setattr("os.confstr", unknown)
    monkeypatch.setattr("os.execv", lambda *args: begun.append(args))
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    memory.share()
    memory.give_back()
    assert (begun, "GLIBC_TUNABLES" in os.environ) == ([], False)


def test_where_it_cannot_begin_anew_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that forbids it still gets its bot."""

    def forbidden(*_args: object) -> None:
        raise PermissionError

    monkeypatch.setattr("os.execv", forbidden)
    monkeypatch.setenv("GLIBC_TUNABLES", "")
    monkeypatch.delenv("GLIBC_TUNABLES")
    memory.share()


@pytest.mark.usefixtures("thawed")
def test_what_is_there_at_the_start_is_not_walked_again() -> None:
    """The collector's rounds are those of what came later."""
    before = gc.get_freeze_count()
    memory.freeze()
    assert gc.get_freeze_count() > before + 10_000
    memory.give_back()
