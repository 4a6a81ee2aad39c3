"""The key under which numbers are hashed: given, or made once and kept beside the database for its owner alone.

A changed key loses no alert: what was hashed under the old one is no longer found by number, and a look-up asks CXone.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from sqlalchemy.engine import make_url

from bot.store.engine import StoreBroken


def hash_key(given: str, url: str) -> str:
    """`HASH_KEY`, or the one in `<database>.key`, made if it is not there. Raises StoreBroken."""
    if given:
        return given
    parsed = make_url(url)
    path = parsed.database
    if parsed.get_backend_name() != "sqlite":
        raise StoreBroken("HASH_KEY must be set: several processes share this database and must share the key.")
    if not path or path == ":memory:":
        return secrets.token_hex(32)
    file = Path(f"{path}.key")
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read(file)
    except OSError as error:
        raise StoreBroken(f"The key file {file} cannot be made: {error.strerror}. Set HASH_KEY.") from error
    with os.fdopen(descriptor, "w", encoding="ascii") as opened:
        key = secrets.token_hex(32)
        opened.write(key)
    return key


def kept(url: str) -> str:
    """The key beside a SQLite database, "" if there is none. Makes nothing. Raises StoreBroken."""
    path = make_url(url).database
    file = Path(f"{path}.key")
    return _read(file) if path and file.exists() else ""


def _read(file: Path) -> str:
    try:
        key = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StoreBroken(
            f"The key file {file} cannot be read. Set HASH_KEY, or delete it to have a new one made."
        ) from error
    if not key:
        raise StoreBroken(f"The key file {file} is empty. Delete it to have a new one made.")
    return key
