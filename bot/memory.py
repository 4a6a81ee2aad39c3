"""What the bot's process asks of its C library: memory for some eighty threads, most of which wait.

glibc is after speed: each thread keeps what it freed for itself (0.1 MB), up to eight heaps a core grow beside each
other, and large blocks stay. Without the first two of these settings 6,000 commands left 9 MB more, and it went on to
grow. Another C library is left alone.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import sys

_LARGE = 131_072  # bytes; glibc's own first value, which it would raise as large blocks come and go
TUNABLES = ":".join(
    f"glibc.malloc.{name}={value}"
    for name, value in (
        ("tcache_count", 0),
        ("arena_max", 1),
        ("mmap_threshold", _LARGE),
        ("trim_threshold", _LARGE),
    )
)


def share() -> None:
    """Begin this process anew, once, with glibc's allocator set: it reads its settings at a program's start alone.

    Whoever set GLIBC_TUNABLES keeps what they set.
    """
    if _is_glibc() and sys.executable and "GLIBC_TUNABLES" not in os.environ:
        os.environ["GLIBC_TUNABLES"] = TUNABLES
        with contextlib.suppress(OSError):  # it goes on as it is
            os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - ourselves


def freeze() -> None:
    """What is there once all has started stays to the end: Python's collector walks around it from now on."""
    gc.collect()
    gc.freeze()


def give_back() -> None:
    """Give back what is free between blocks in use; glibc does so of itself at the end of a heap alone."""
    if _is_glibc():
        ctypes.CDLL(None).malloc_trim(0)


def _is_glibc() -> bool:
    try:
        return bool(os.confstr("CS_GNU_LIBC_VERSION"))
    except (ValueError, OSError):  # another system does not know the name
        return False
