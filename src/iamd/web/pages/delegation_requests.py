"""A delegation request, as whoever follows the partner's link sees it, and what one may do with it there."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from iamd.errors import AWSError
from iamd.http import HttpResponse
from iamd.services.iam import delegation_summaries, template_values
from iamd.services.signin.sessions import SignedIn
from iamd.store.delegation_records import DelegationRequest
from iamd.web.operations import perform, read, recheck_of
from iamd.web.visit import HOME, Visit

PATH: Final = f"{HOME}delegation-requests/"
_ID = re.compile(re.escape(PATH.encode()) + rb"([\w-]{16,128})", re.ASCII)

STEPS: Final[Mapping[str, str]] = {
    "associate": "AssociateDelegationRequest",
    "update": "UpdateDelegationRequest",
    "accept": "AcceptDelegationRequest",
    "reject": "RejectDelegationRequest",
    "send": "SendDelegationToken",
}
WITH_NOTES: Final = frozenset({"update", "reject"})
OFFERED: Final[Mapping[str, tuple[str, ...]]] = {
    "UNASSIGNED": ("associate",),
    "ASSIGNED": ("accept", "update", "reject"),
    "PENDING_APPROVAL": ("accept", "reject"),
    "ACCEPTED": ("send", "reject"),
}
OPTIONAL: Final = ("RequestMessage", "OwnerId", "ApproverId", "Notes", "RejectionReason", "RedirectUrl")
"""What a request may not have."""


def id_in(path: bytes) -> str | None:
    """The id of the request that a path is the page of."""
    found = _ID.fullmatch(path)
    return None if found is None else found[1].decode()


async def show(visit: Visit) -> HttpResponse:
    """The request; who is not signed in is asked to, and comes back."""
    found = visit.signed_in
    if found is None:
        return visit.to_sign_in(visit.request.path.decode())
    return _page(visit, found)


async def submit(visit: Visit) -> HttpResponse:
    """Take one of the steps, as the person who is signed in."""
    found = visit.signed_in
    if found is None:
        return visit.to_sign_in(visit.request.path.decode())
    step = visit.field("step")
    if step not in STEPS:
        return _page(visit, found)
    parameters = {"DelegationRequestId": _id(visit)}
    if step in WITH_NOTES and visit.field("notes"):
        parameters["Notes"] = visit.field("notes")
    try:
        await perform(visit, found.identity, recheck_of(visit), STEPS[step], parameters)
    except AWSError as error:
        return _page(visit, found, error=error.message or "That could not be done.")
    return visit.redirect(visit.request.path.decode())


def _id(visit: Visit) -> str:
    return id_in(visit.request.path) or ""


def _page(visit: Visit, found: SignedIn, *, error: str | None = None) -> HttpResponse:
    try:
        answer = read(visit, found.identity, "GetDelegationRequest", {"DelegationRequestId": _id(visit)})
    except AWSError as refusal:
        text = error or refusal.message or "This delegation request cannot be shown."
        return visit.page("message.html", status=403, title="Delegation request", text=text, link=HOME)
    asked: dict[str, Any] = dict.fromkeys(OPTIONAL) | answer["DelegationRequest"]
    record = visit.runtime.store.snapshot().shared.get(DelegationRequest, _id(visit))
    return visit.page(
        "delegation_request.html",
        status=403 if error else 200,
        action=visit.request.path.decode(),
        asked=asked,
        policy=json.dumps(template_values.parsed(asked["PermissionPolicy"]), indent=2),
        summary=[] if record is None else delegation_summaries.summary(record).splitlines(),
        steps=OFFERED.get(asked["State"], ()),
        error=error,
    )
