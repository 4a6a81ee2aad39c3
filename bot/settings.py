"""All configuration: from the environment, then `.env` in the working directory, then the default.

Every fault is reported at once, and no value is ever repeated: what looks like a typo may be a secret in the wrong
place. `.env` is read and not put into the environment: two of its names (`SLACK_CLIENT_ID`, `SLACK_CLIENT_SECRET`)
would make Bolt ignore the bot's token. Unknown names are ignored, and an empty value counts as none.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, NamedTuple
from urllib.parse import urlsplit

import phonenumbers
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ModelWrapValidatorHandler,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, EnvSettingsSource, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from bot.alerts import filters

Need = Literal["cxone", "slack", "posts"]

_HASH_KEY_LENGTH = 16


class SettingsError(Exception):
    """What is missing or wrong, one sentence each, without any value."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


# ---- kinds of values ----------------------------------------------------------------------------------------------


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


def _database(url: SecretStr) -> SecretStr:
    text = url.get_secret_value()
    if text.startswith("sqlite:///") and len(text) > len("sqlite:///") and ":memory:" not in text:
        return url
    if text.startswith("postgresql+psycopg://"):
        return url
    raise ValueError("must begin with sqlite:/// and name a file, or begin with postgresql+psycopg://")


def _token(*prefixes: str) -> AfterValidator:
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


def _key(secret: SecretStr) -> SecretStr:
    if 0 < len(secret.get_secret_value()) < _HASH_KEY_LENGTH:
        raise ValueError(f"must have at least {_HASH_KEY_LENGTH} characters")
    return secret


def _region(code: str) -> str:
    if code.upper() not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError("must be a country's two letters, such as US or DE")
    return code.upper()


def _filters(typed: str) -> str:
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


def _slash(url: str) -> str:
    return url if url.endswith("/") else url + "/"


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


Url = Annotated[str, AfterValidator(web_address)]
SecretUrl = Annotated[SecretStr, AfterValidator(_secret_web_address)]
Secret = Annotated[SecretStr, AfterValidator(_no_spaces)]
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_list)]
Seconds = Annotated[float, Field(allow_inf_nan=False)]


# ---- the settings -------------------------------------------------------------------------------------------------


class _Layer(NamedTuple):
    """One place that settings come from: the names there in lower case, and their values."""

    place: str
    values: Mapping[str, str | None]


class _SecretFiles(PydanticBaseSettingsSource):
    """`NAME_FILE` for each secret: the value stands in a file, as container platforms mount it."""

    def __init__(self, settings: type[BaseSettings], layers: list[_Layer]) -> None:
        super().__init__(settings)
        self._layers = layers

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        """One secret from its file, or None. The nearest layer that names the secret in either form decides."""
        del field
        for layer in self._layers:
            path, value = (layer.values.get(name) or "" for name in (f"{field_name}_file", field_name))
            if path and value.strip():
                raise _FileFault(f"{field_name.upper()}: also given as {field_name.upper()}_FILE; keep one of the two.")
            if value.strip():
                return None, field_name, False
            if path.strip():
                return _content(field_name.upper(), path.strip()), field_name, False
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """The secrets that stand in files, and what was wrong with the files."""
        found: dict[str, Any] = {}
        faults = []
        for name in Settings.SECRETS:
            try:
                value, _, _ = self.get_field_value(None, name)
            except _FileFault as fault:
                faults.append(str(fault))
                value = None
            if value:
                found[name] = value
        return found | {"file_faults": faults}


class _FileFault(Exception):  # noqa: N818 - a sentence on its way to the list
    """What is wrong with a secret's file."""


def _content(name: str, path: str) -> str:
    try:
        text = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as why:
        reason = why.strerror if isinstance(why, OSError) and why.strerror else "it is not text"
        raise _FileFault(f"{name}_FILE: the file cannot be read: {reason}.") from None
    if not text:
        raise _FileFault(f"{name}_FILE: the file is empty.")
    return text


class Settings(BaseSettings):
    """Every setting, with its type, range and default. The environment's names are these in capitals."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
        env_ignore_empty=True,
        str_strip_whitespace=True,
        validate_default=False,
    )

    SECRETS: ClassVar[tuple[str, ...]] = (
        "cxone_client_secret",
        "cxone_access_key_secret",
        "cognigy_api_key",
        "slack_bot_token",
        "slack_signing_secret",
        "slack_app_token",
        "database_url",
        "hash_key",
        "heartbeat_url",
    )

    needs: Annotated[frozenset[str], NoDecode] = Field(default=frozenset(), exclude=True, repr=False)
    file_faults: Annotated[tuple[str, ...], NoDecode] = Field(default=(), exclude=True, repr=False)

    cxone_tenant_id: str = Field(default="", pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,62}$")
    cxone_client_id: str = ""
    cxone_client_secret: Secret = SecretStr("")
    cxone_base_url: Url = ""
    cxone_api: Annotated[Literal["conversations", "contacts"], BeforeValidator(_lower)] = "conversations"
    cxone_access_key_id: str = ""
    cxone_access_key_secret: Secret = SecretStr("")
    cxone_issuer: Url = "https://cxone.niceincontact.com"
    cxone_api_version: str = Field(default="v33.0", pattern=r"^[vV]?[0-9]{1,3}(\.[0-9])?$")
    cxone_max_rps: Seconds | None = Field(default=None, gt=0, le=10_000)

    tenants_file: str = ""

    cognigy_api_url: Url = ""
    cognigy_api_key: Secret = SecretStr("")
    cognigy_project_id: str = ""
    agent_names: Annotated[Literal["off", "id", "name"], BeforeValidator(_lower)] = "off"

    slack_bot_token: Annotated[SecretStr, _token("xoxb-", "xoxe.xoxb-")] = SecretStr("")
    slack_signing_secret: Secret = SecretStr("")
    slack_app_token: Annotated[SecretStr, _token("xapp-")] = SecretStr("")
    slack_api_url: Annotated[Url, AfterValidator(_slash)] = "https://slack.com/api/"

    database_url: Annotated[SecretStr, AfterValidator(_database)] = SecretStr("sqlite:///handover.db")
    host: str = "127.0.0.1"
    port: int = Field(default=3000, ge=0, le=65535)

    alert_channel: str = ""
    alert_filter: Annotated[str, AfterValidator(_filters)] = ""
    ops_channel: str = ""
    allowed_channels: Names = ()
    allowed_usergroups: Names = ()

    poll_seconds: Seconds = Field(default=15, ge=1, le=86400)
    grace_seconds: Seconds = Field(default=60, ge=0, le=3600)
    abandon_seconds: Seconds = Field(default=5, ge=0, le=60)
    resolve_accepted: int = Field(default=3, ge=1, le=1000)
    resolve_minutes: Seconds = Field(default=5, ge=0, le=1440)
    quiet_minutes: Seconds = Field(default=30, ge=1, le=1440)
    thread_minutes: Seconds = Field(default=5, ge=0, le=1440)
    lookback_hours: Seconds = Field(default=24, ge=1, le=744)
    deadline_seconds: Seconds = Field(default=20, ge=1, le=120)
    retention_days: int = Field(default=30, ge=1, le=3650)
    audit_days: int = Field(default=365, ge=1, le=3650)

    default_region: Annotated[str, AfterValidator(_region)] = "US"
    hash_key: Annotated[Secret, AfterValidator(_key)] = SecretStr("")
    heartbeat_url: SecretUrl = SecretStr("")

    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)] = "INFO"
    log_format: Annotated[Literal["json", "console"], BeforeValidator(_lower)] = "console"

    @property
    def platform_url(self) -> str:
        """Where CXone answers, without a slash at the end."""
        return (self.cxone_base_url or f"https://{self.cxone_tenant_id}.api.nice.incontact.com").rstrip("/")

    @property
    def many_processes(self) -> bool:
        """Whether the database can be shared by several processes."""
        return self.database_url.get_secret_value().startswith("postgresql")

    @property
    def socket_mode(self) -> bool:
        """Whether Slack is reached over a WebSocket that we open, instead of by requests that Slack sends."""
        return bool(self.slack_app_token.get_secret_value())

    def secrets(self) -> list[str]:
        """Every secret's value, for the filter of the logs alone."""
        values = [getattr(self, name).get_secret_value() for name in self.SECRETS]
        return [value for value in values if value and not value.startswith("sqlite:")]

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment before `.env`, and for secrets the files that either of them names."""
        del file_secret_settings
        layers = [
            _Layer(place, source.env_vars)
            for place, source in (("environment", env_settings), (".env", dotenv_settings))
            if isinstance(source, EnvSettingsSource)
        ]
        return init_settings, _SecretFiles(settings_cls, layers), env_settings, dotenv_settings

    @model_validator(mode="wrap")
    @classmethod
    def _every_fault_at_once(cls, values: dict[str, Any], handler: ModelWrapValidatorHandler[Settings]) -> Settings:
        """What is missing and what is wrong, in one list. `SettingsError` is no ValueError, so it passes as it is."""
        values = {name: value for name, value in values.items() if not (isinstance(value, str) and value.isspace())}
        faults = [*values.get("file_faults", ()), *_missing(values)]
        try:
            settings = handler(values)
        except ValidationError as wrong:
            faults += _wrong(wrong)
            raise SettingsError(faults) from None
        if faults:
            raise SettingsError(faults)
        return settings


def load(needs: Collection[Need] = (), *, env_file: Path | None = Path(".env")) -> Settings:
    """The settings, with what the command needs. Raises `SettingsError` with every fault."""
    if env_file is not None and not env_file.is_file():
        env_file = None
    try:
        return Settings(needs=frozenset(needs), _env_file=env_file)  # type: ignore[call-arg]
    except UnicodeDecodeError:
        raise SettingsError([".env: the file is not UTF-8 text."]) from None
    except OSError as why:
        raise SettingsError([f".env: the file cannot be read: {why.strerror}."]) from None


_CONTACTS = {
    "cxone_access_key_id": "CXONE_ACCESS_KEY_ID: missing. It is made in CXone for a service user (Access Keys).",
    "cxone_access_key_secret": "CXONE_ACCESS_KEY_SECRET: missing. CXone shows it once, when the access key is made.",
}
_COGNIGY = {
    "cognigy_api_url": "It is where Cognigy's API answers, such as https://api-app.cognigy.ai.",
    "cognigy_api_key": "It is made in Cognigy (My Profile, API Keys).",
    "cognigy_project_id": "It stands in the address of the project in Cognigy.",
}


def _missing(values: Mapping[str, Any]) -> list[str]:
    """A sentence for each setting that the command needs and nobody gave."""
    needs = values.get("needs", frozenset())
    named = {fault.partition("_FILE:")[0].partition(":")[0] for fault in values.get("file_faults", ())}

    def lacks(name: str) -> bool:
        return not str(values.get(name) or "").strip() and name.upper() not in named

    faults = []
    if "cxone" in needs and not str(values.get("tenants_file") or "").strip():  # the file says it of each tenant
        contacts = str(values.get("cxone_api") or "").strip().lower() == "contacts"
        if lacks("cxone_tenant_id"):
            what = "the tenant's id (a UUID)" if contacts else "the first part of your tenant's API host name"
            faults.append(f"CXONE_TENANT_ID: missing. It is {what}.")
        faults += [fault for name, fault in _CONTACTS.items() if contacts and lacks(name)]
        if any(map(lacks, _COGNIGY)) and not all(map(lacks, _COGNIGY)):
            faults += [f"{name.upper()}: missing. {what}" for name, what in _COGNIGY.items() if lacks(name)]
        if lacks("cxone_client_id"):
            faults.append("CXONE_CLIENT_ID: missing. It belongs to the service account that reads conversations.")
        if lacks("cxone_client_secret"):
            faults.append("CXONE_CLIENT_SECRET: missing. It belongs to the same service account.")
    if {"slack", "posts"} & set(needs) and lacks("slack_bot_token"):
        faults.append("SLACK_BOT_TOKEN: missing. It begins with xoxb- (your app, Install App).")
    if "slack" in needs and lacks("slack_signing_secret") and lacks("slack_app_token"):
        faults.append(
            "SLACK_APP_TOKEN or SLACK_SIGNING_SECRET: one of the two is missing. The first (xapp-…) means Socket"
            " Mode; the second is for a public address that Slack can call."
        )
    return faults


_PATTERNS = {
    "CXONE_TENANT_ID": "may hold letters, digits and hyphens only; it is not the whole host name",
    "CXONE_API_VERSION": "must be a version such as v33.0",
}

_PARSING = {"int_parsing": "must be a whole number", "float_parsing": "must be a number"}


def _wrong(error: ValidationError) -> list[str]:
    """A sentence for each value that does not do. Pydantic's own are kept where they name the range, not the value."""
    faults = []
    for fault in error.errors(include_url=False, include_context=False, include_input=False):
        name = ".".join(str(part) for part in fault["loc"][:1]).upper() or "settings"
        message = fault["msg"].removeprefix("Value error, ").removesuffix(".").replace("Input should be", "must be")
        if fault["type"] == "string_pattern_mismatch":
            message = _PATTERNS[name]
        message = _PARSING.get(fault["type"], message)
        faults.append(f"{name}: {message[:1].lower()}{message[1:]}.")
    return faults
