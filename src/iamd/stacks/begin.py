"""Beginning: a stack is written as one that is worked on, and the work begins."""

import uuid

from msgspec.structs import replace

from iamd.call import Call
from iamd.stacks.client import Client
from iamd.stacks.faults import TokenAlreadyExists
from iamd.stacks.journal import Page
from iamd.stacks.service import stacks_of
from iamd.store.stack_records import Stack

REASON = "User Initiated"


def begun(call: Call, stack: Stack, status: str, client: Client, token: str | None) -> None:
    """Write the stack with its new status, and have the work done that it asks for."""
    stacks = stacks_of(call)
    task = f"{stacks.worker}-{uuid.uuid4()}"
    asked = replace(stack, task=task, token=token, asked=call.operation)
    page_of(call).stack(asked, status, REASON)
    # It begins with a write of its own, which comes after this one, or finds that this one did not come to be.
    stacks.begin(call.identity.account_id, stack.stack_id, task, client)


def page_of(call: Call) -> Page:
    """The stack's page in the write that the call makes."""
    return Page(call.change, call.identity.account_id, call.clock.timestamp())


def is_repeated(call: Call, stack: Stack, token: str | None) -> bool:
    """Whether the request was made before, and is only sent again; TokenAlreadyExists when it was another one.

    AWS: a token is for one request, which may be sent several times (API Reference, CreateStack, ClientRequestToken).
    """
    if token is None or stack.token != token:
        return False
    if stack.asked != call.operation:
        raise TokenAlreadyExists(f"Token {token} was already used for another operation.")
    return True
