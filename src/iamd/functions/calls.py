"""Requests that Lambda makes with a function's role: signed with the role's session, and decided like all others."""

from collections.abc import Mapping
from typing import Any

import msgspec

from iamd.functions.roles import SERVICE
from iamd.inner_requests import InnerRequests, Key, Refused
from iamd.metadata.temporary import Temporary
from iamd.runtime import Runtime


class Told(msgspec.Struct, frozen=True):
    """What a request was answered; `code` is the error's, None when there was none."""

    output: Mapping[str, Any]
    code: str | None
    message: str


async def call(
    runtime: Runtime,
    credentials: Temporary,
    service: str,
    operation: str,
    parameters: Mapping[str, Any],
    *,
    region: str,
) -> Told:
    """Ask for an operation as anybody would who has these credentials."""

    async def key() -> Key:
        return Key(credentials.access_key_id, credentials.secret_access_key, credentials.session_token)

    try:
        output = await InnerRequests(runtime, SERVICE).call(key, service, operation, parameters, region)
    except Refused as error:
        return Told({}, error.code, error.message)
    return Told(output, None, "")
