"""Beginning: a stack is written as one that is worked on, and the work begins."""

import uuid
from typing import NamedTuple

from msgspec.structs import replace

from iamd.call import Call
from iamd.stacks.client import Client
from iamd.stacks.faults import TokenAlreadyExists, ValidationError
from iamd.stacks.journal import Page
from iamd.stacks.service import stacks_of
from iamd.store.stack_records import Stack

REASON = "User Initiated"


class Able(NamedTuple):
    """A stack that is to be worked on, as which role, and what asks other services as that one."""

    stack_id: str
    role_arn: str | None
    client: Client


async def able(call: Call, found: Stack, role_arn: str | None) -> Able:
    """Who works on a stack; ValidationError at once when CloudFormation can't assume the role."""
    return Able(found.stack_id, role_arn, await stacks_of(call).able_client(call, role_arn, found.stack_id))


def client_of(call: Call, found: Stack, role_arn: str | None) -> Client:
    """What was found to be able to work on a stack; ValidationError when it was for another stack or role."""
    able: Able | None = call.prepared
    if able is None or (able.stack_id, able.role_arn) != (found.stack_id, role_arn):
        raise ValidationError(f"Stack [{found.name}] has changed since the request was made.")
    return able.client


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
