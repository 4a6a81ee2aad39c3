"""The kinds of values that settings have: what each must be, and half a sentence for what it is not. No value in it."""

from __future__ import annotations

import base64
import ipaddress
from typing import Annotated
from urllib.parse import urlsplit

import phonenumbers
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from bot.alerts import filters

_HASH_KEY_LENGTH = 16
_SEAL_KEY_BYTES = 32


def web_address(url: str) -> str:
    """The address, if a token may be sent there. Raises ValueError with half a sentence."""
    parts = urlsplit(url)
    try:
        _ = parts.port
    except ValueError:
        raise ValueError("is not a web address: its port is not a number up to 65535") from None
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError("is not a web address: it must begin with https://")
    if "@" in parts.netloc:
        raise ValueError("holds a user name or password; these have settings of their own")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("is plain http, which is taken for this machine alone (127.0.0.1, localhost): use https://")
    return url


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _secret_web_address(url: SecretStr) -> SecretStr:
    if url.get_secret_value():
        web_address(url.get_secret_value())
    return url


def database(url: SecretStr) -> SecretStr:
    """A database of one of the two kinds."""
    text = url.get_secret_value()
    if text.startswith("sqlite:///") and len(text) > len("sqlite:///") and ":memory:" not in text:
        return url
    if text.startswith("postgresql+psycopg://"):
        return url
    raise ValueError("must begin with sqlite:/// and name a file, or begin with postgresql+psycopg://")


def token(*prefixes: str) -> AfterValidator:
    """A token that begins as Slack's of its kind do."""

    def check(token: SecretStr) -> SecretStr:
        text = token.get_secret_value()
        if text and not text.startswith(prefixes):
            raise ValueError(f"must begin with {' or '.join(prefixes)}")
        return _no_spaces(token)

    return AfterValidator(check)


def _no_spaces(secret: SecretStr) -> SecretStr:
    if any(char.isspace() or not char.isprintable() for char in secret.get_secret_value()):
        raise ValueError("holds a space or a line break; copy the value alone")
    return secret


def hash_key(secret: SecretStr) -> SecretStr:
    """A key long enough to keep numbers apart from guesses."""
    if 0 < len(secret.get_secret_value()) < _HASH_KEY_LENGTH:
        raise ValueError(f"must have at least {_HASH_KEY_LENGTH} characters")
    return secret


def seal_keys(keys: SecretStr) -> SecretStr:
    """One key of Fernet's or more, with commas between them."""
    found = [key for key in keys.get_secret_value().split(",") if key]
    if keys.get_secret_value() and not (found and all(map(_seals, found))):
        raise ValueError("must be keys of 32 bytes in URL-safe base64, with commas between them")
    return keys


def _seals(key: str) -> bool:
    try:
        return len(base64.urlsafe_b64decode(key)) == _SEAL_KEY_BYTES
    except ValueError:
        return False


def region(code: str) -> str:
    """A country's two letters."""
    if code.upper() not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError("must be a country's two letters, such as US or DE")
    return code.upper()


def filter_words(typed: str) -> str:
    """Checked where all else is; what was typed is not repeated."""
    try:
        filters.parse(typed)
    except filters.FilterError:
        raise ValueError(
            f"holds a word that is no filter, or a value that none has; the form is {filters.FORM}"
        ) from None
    return typed


def _list(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def slash(url: str) -> str:
    """A base address, with a slash at its end."""
    return url if url.endswith("/") else url + "/"


def upper(value: object) -> object:
    """The words of an enumeration in capitals."""
    return value.upper() if isinstance(value, str) else value


def lower(value: object) -> object:
    """The same in small letters."""
    return value.lower() if isinstance(value, str) else value


Url = Annotated[str, AfterValidator(web_address)]
SecretUrl = Annotated[SecretStr, AfterValidator(_secret_web_address)]
Secret = Annotated[SecretStr, AfterValidator(_no_spaces)]
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_list)]
Seconds = Annotated[float, Field(allow_inf_nan=False)]
