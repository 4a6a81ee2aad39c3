"""What is missing among the settings and what is wrong with them, as sentences without any value."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from pydantic import ValidationError

_CONTACTS = {
    "cxone_access_key_id": "CXONE_ACCESS_KEY_ID: missing. It is made in CXone for a service user (Access Keys).",
    "cxone_access_key_secret": "CXONE_ACCESS_KEY_SECRET: missing. CXone shows it once, when the access key is made.",
}
_COGNIGY = {
    "cognigy_api_url": "It is where Cognigy's API answers, such as https://api-app.cognigy.ai.",
    "cognigy_api_key": "It is made in Cognigy (My Profile, API Keys).",
    "cognigy_project_id": "It stands in the address of the project in Cognigy.",
}
_OF_SLACK = ("slack_", "alert_", "ops_", "allowed_")
_WORKSPACES = {
    "slack_client_secret": "It stands beside the client id (your app, Basic Information).",
    "slack_token_keys": "With it the workspaces' tokens are sealed; docs/setup.md says how to make one.",
    "tenants_file": "Where several workspaces install the app, each tenant names its own there.",
}


def that_matter(faults: Iterable[str], needs: Collection[str]) -> list[str]:
    """Not those of Slack's settings where nobody needs Slack: `diagnose` asks CXone alone."""
    slack = {"slack", "posts"} & set(needs)
    return [fault for fault in faults if slack or not fault.lower().startswith(_OF_SLACK)]


def missing(values: Mapping[str, Any]) -> list[str]:
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
        if lacks("slack_client_id"):
            faults.append("SLACK_BOT_TOKEN: missing. It begins with xoxb- (your app, Install App).")
        else:
            faults += [f"{name.upper()}: missing. {what}" for name, what in _WORKSPACES.items() if lacks(name)]
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


def wrong(error: ValidationError) -> dict[str, str]:
    """A sentence for each value that does not do, by the setting's name in the code.

    Pydantic's own are kept where they name the range, not the value.
    """
    faults = {}
    for fault in error.errors(include_url=False, include_context=False, include_input=False):
        setting = ".".join(str(part) for part in fault["loc"][:1]) or "settings"
        name = setting.upper()
        message = fault["msg"].removeprefix("Value error, ").removesuffix(".").replace("Input should be", "must be")
        if fault["type"] == "string_pattern_mismatch":
            message = _PATTERNS[name]
        message = _PARSING.get(fault["type"], message)
        faults[setting] = f"{name}: {message[:1].lower()}{message[1:]}."
    return faults
