"""Beginning: a stack is written as one that is worked on, and the work begins."""

import uuid

from msgspec.structs import replace

from iamd.call import Call
from iamd.stacks.client import Client
from iamd.stacks.faults import TokenAlreadyExists
from iamd.stacks.journal import Page
from iamd.stacks.service import stacks_of
from iamd.store.stack_records import Stack


def begun(call: Call, page: Page, stack: Stack, status: str, client: Client, reason: str = "User Initiated") -> None:
    """Write the stack with its new status, and have the work done that it asks for."""
    stacks = stacks_of(call)
    task = f"{stacks.worker}-{uuid.uuid4()}"
    page.stack(replace(stack, task=task), status, reason)
    # It begins with a write of its own, which comes after this one, or finds that this one did not come to be.
    stacks.begin(call.identity.account_id, stack.stack_id, task, client)


def check_token(stack: Stack, token: str | None) -> None:
    """A token is for one operation only.

    AWS: API Reference, CreateStack, ClientRequestToken, and the error TokenAlreadyExists.
    """
    if token is not None and stack.token == token:
        raise TokenAlreadyExists(f"Token {token} was already used for another operation.")
