"""All configuration: from the environment, then `.env` in the working directory, then the default.

Every fault is reported at once, and no value is ever repeated: what looks like a typo may be a secret in the wrong
place. `.env` is read and not put into the environment: two of its names (`SLACK_CLIENT_ID`, `SLACK_CLIENT_SECRET`)
would make Bolt ignore the bot's token. Unknown names are ignored, and an empty value counts as none.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

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

from bot import setting_faults
from bot import setting_kinds as kinds
from bot.setting_kinds import Names, Seconds, Secret, SecretUrl, Url

Need = Literal["cxone", "slack", "posts"]


class SettingsError(Exception):
    """What is missing or wrong, one sentence each, without any value."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


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
        "slack_client_secret",
        "slack_token_keys",
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
    cxone_api: Annotated[Literal["conversations", "contacts"], BeforeValidator(kinds.lower)] = "conversations"
    cxone_access_key_id: str = ""
    cxone_access_key_secret: Secret = SecretStr("")
    cxone_issuer: Url = "https://cxone.niceincontact.com"
    cxone_api_version: str = Field(default="v33.0", pattern=r"^[vV]?[0-9]{1,3}(\.[0-9])?$")
    cxone_max_rps: Seconds | None = Field(default=None, gt=0, le=10_000)

    tenants_file: str = ""

    cognigy_api_url: Url = ""
    cognigy_api_key: Secret = SecretStr("")
    cognigy_project_id: str = ""
    agent_names: Annotated[Literal["off", "id", "name"], BeforeValidator(kinds.lower)] = "off"

    slack_bot_token: Annotated[SecretStr, kinds.token("xoxb-", "xoxe.xoxb-")] = SecretStr("")
    slack_signing_secret: Secret = SecretStr("")
    slack_app_token: Annotated[SecretStr, kinds.token("xapp-")] = SecretStr("")
    slack_client_id: str = ""
    slack_client_secret: Secret = SecretStr("")
    slack_token_keys: Annotated[Secret, AfterValidator(kinds.seal_keys)] = SecretStr("")
    slack_api_url: Annotated[Url, AfterValidator(kinds.slash)] = "https://slack.com/api/"

    database_url: Annotated[SecretStr, AfterValidator(kinds.database)] = SecretStr("sqlite:///handover.db")
    host: str = "127.0.0.1"
    port: int = Field(default=3000, ge=0, le=65535)

    alert_channel: str = ""
    alert_filter: Annotated[str, AfterValidator(kinds.filter_words)] = ""
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

    default_region: Annotated[str, AfterValidator(kinds.region)] = "US"
    hash_key: Annotated[Secret, AfterValidator(kinds.hash_key)] = SecretStr("")
    heartbeat_url: SecretUrl = SecretStr("")

    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(kinds.upper)] = "INFO"
    log_format: Annotated[Literal["json", "console"], BeforeValidator(kinds.lower)] = "console"

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

    @property
    def several_workspaces(self) -> bool:
        """Whether workspaces install the app by OAuth; a bot's token means its one workspace."""
        return bool(self.slack_client_id) and not self.slack_bot_token.get_secret_value()

    @property
    def seal_keys(self) -> list[str]:
        """What tokens are sealed with: the first seals, all open."""
        return [key for key in self.slack_token_keys.get_secret_value().split(",") if key]

    def secrets(self) -> list[str]:
        """Every secret's value, for the filter of the logs alone."""
        values = [getattr(self, name).get_secret_value() for name in self.SECRETS] + self.seal_keys
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
        needs = values.get("needs", frozenset())
        faults = [*values.get("file_faults", ()), *setting_faults.missing(values)]
        wrong: dict[str, str] = {}
        settings = None
        try:
            settings = handler(values)
        except ValidationError as error:
            wrong = setting_faults.wrong(error)
        faults = setting_faults.that_matter([*faults, *wrong.values()], needs)
        if faults:
            raise SettingsError(faults)
        return settings or handler(_without(values, wrong))


def _without(values: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


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
