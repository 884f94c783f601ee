"""What a delegation request asks for, in plain English."""

import json
from collections.abc import Mapping
from typing import Any

from iamd.services.iam import template_values
from iamd.store.delegation_records import DelegationRequest

MAX_CHARACTERS = 10_000


def is_spoken(locale: str) -> bool:
    """Whether there are summaries in this language."""
    return locale.replace("_", "-").partition("-")[0].lower() == "en"


def summary(request: DelegationRequest) -> str:
    """Who asks for what, statement by statement."""
    hours, minutes = divmod(request.session_duration // 60, 60)
    lines = [
        f"{request.requestor_name} (account {request.requestor_account}) asks for access for {hours} h {minutes} min.",
        *(_line(statement) for statement in _statements(request.policy)),
    ]
    return "\n".join(lines)[:MAX_CHARACTERS]


def _statements(policy: str) -> list[Mapping[str, Any]]:
    found = template_values.parsed(policy)["Statement"]
    return found if isinstance(found, list) else [found]


def _line(statement: Mapping[str, Any]) -> str:
    verb = "It may" if statement["Effect"] == "Allow" else "It may not"
    actions = (
        f"do {_listed(statement['Action'])}"
        if "Action" in statement
        else (f"do everything but {_listed(statement['NotAction'])}")
    )
    resources = (
        f"on {_listed(statement['Resource'])}"
        if "Resource" in statement
        else (f"on everything but {_listed(statement['NotResource'])}")
    )
    condition = f", if {json.dumps(statement['Condition'])}" if statement.get("Condition") else ""
    return f"{verb} {actions} {resources}{condition}."


def _listed(value: str | list[str]) -> str:
    return ", ".join(value) if isinstance(value, list) else value
