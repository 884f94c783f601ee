"""Checks of statements that let roles be passed, or service-linked roles be made, for more than was meant.

AWS: IAM User Guide, "Grant a user permissions to pass a role to an AWS service" (id_roles_use_passrole) and "Create a
service-linked role" (id_roles_create-service-linked-role).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from iamd.policy.lint import arns
from iamd.policy.lint.finding import Note, note
from iamd.policy.lint.subject import Document, DocumentType, Statement, Text
from iamd.policy.tree import Place
from iamd.policy.wildcard import has_wildcard


@dataclass(frozen=True, slots=True)
class Privilege:
    """An action of this kind: how its codes begin, the key that narrows it, and the names that leave the role open."""

    code: str
    action: str
    narrowed_by: str
    open: tuple[str, ...]


PRIVILEGES: Final = (
    # AWS: names that begin with a service's name are open to nobody else (PASS_ROLE_WITH_STAR_IN_RESOURCE).
    Privilege("PASS_ROLE", "iam:passrole", "iam:passedtoservice", ("role/any", "role/any/any")),
    Privilege(
        "CREATE_SLR",
        "iam:createservicelinkedrole",
        "iam:awsservicename",
        ("role/any", "role/any/any", "role/aws-service-role/any", "role/aws-service-role/any/any"),
    ),
)


def check(document: Document) -> Iterator[Note]:
    """What identity policies allow of these."""
    if document.type is not DocumentType.IDENTITY:
        return
    for statement in document.statements:
        for privilege in PRIVILEGES if statement.allows else ():
            yield from _of_statement(privilege, statement)


def _of_statement(privilege: Privilege, statement: Statement) -> Iterator[Note]:
    how, actions = _by_action(privilege, statement)
    if how is None:
        return
    if statement.has("NotResource"):
        yield note(_code(privilege, how, "NOT_RESOURCE"), *actions, *_places(statement.not_resources))
        return
    resources = [text for text in statement.resources if _is_open(privilege, text.value)]
    if resources and privilege.narrowed_by not in statement.condition_keys:
        yield note(_code(privilege, how, "STAR_IN_RESOURCE"), *actions, *_places(resources))


def _by_action(privilege: Privilege, statement: Statement) -> tuple[str | None, list[Place]]:
    """How the statement's actions take the privilege in (by its name, a wildcard or a NotAction), and by which."""
    if statement.has("NotAction"):
        excluded = any(arns.matches(text.lower, privilege.action) for text in statement.not_actions)
        return (None, []) if excluded else ("NOT_ACTION", _places(statement.not_actions))
    fitting = [text for text in statement.actions if arns.matches(text.lower, privilege.action)]
    named = [text for text in fitting if not has_wildcard(text.value)]
    if named:
        return "", _places(named)
    return ("STAR_IN_ACTION", _places(fitting)) if fitting else (None, [])


def _code(privilege: Privilege, how: str, what: str) -> str:
    match how, what:
        case "", _:
            return f"{privilege.code}_WITH_{what}"
        case "NOT_ACTION", "STAR_IN_RESOURCE":
            return f"{privilege.code}_WITH_STAR_IN_RESOURCE_AND_NOT_ACTION"
        case _, "STAR_IN_RESOURCE":
            return f"{privilege.code}_WITH_{how}_AND_RESOURCE"
        case _:
            return f"{privilege.code}_WITH_{how}_AND_{what}"


def _is_open(privilege: Privilege, resource: str) -> bool:
    """Whether a resource is a pattern for the roles of every name, or of every service."""
    if resource == "*":
        return True
    arn = arns.parse(resource, substitute=True)
    if not arn.is_whole or not arns.matches(arn.service, "iam"):
        return False
    # `any` stands for a name that nobody would single out.
    return has_wildcard(arn.resource) and any(arns.matches(arn.resource, name) for name in privilege.open)


def _places(texts: list[Text] | tuple[Text, ...]) -> list[Place]:
    return [text.place for text in texts]
