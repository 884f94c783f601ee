"""Roles that a request hands to a service: the caller needs `iam:PassRole` on them, and they must trust the service.

AWS: IAM User Guide, "Grant a user permissions to pass a role to an AWS service" (id_roles_use_passrole); a role is
passed within its own account only. Operations stand in passed_roles.toml where a role has another form than an ARN, or
where the name of the service that assumes it is known; all other ARNs of roles that members called `...role...` hold
are handed over too, by whatever operation changes something.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from iamd import arn as arns
from iamd.authz.target import Target
from iamd.backend.embedded import MirroredProfile, MirroredRole
from iamd.data import regional_principals
from iamd.errors import AWSError, Common, CommonError
from iamd.gateway.actions import apigateway, ecs_definitions, launch_templates, role_refusals, role_settings
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.passed_roles_table import NONE, assuming, leaf, leaves, row_of
from iamd.gateway.actions.role_settings import ROLE_ARN
from iamd.policy.document import PolicyType, load
from iamd.policy.evaluate import Gate, Layers, decide
from iamd.policy.request import Principal, PrincipalKind, Request
from iamd.services.iam import entities
from iamd.store.account import Account, Snapshot
from iamd.store.change import Change
from iamd.store.records import InstanceProfile, Role
from iamd.wire.models import Operation

View = Snapshot | Change

_READS: Final = ("Get", "List", "Describe", "Search", "BatchGet", "Head", "Lookup")
_EC2: Final = "ec2.amazonaws.com"
_API_GATEWAY: Final = "apigateway.amazonaws.com"
# API Gateway API Reference, PutIntegration and CreateAuthorizer. Another value there means the caller of the API.
_CREDENTIALS: Final = ("credentials", "authorizerCredentials", "CredentialsArn", "AuthorizerCredentialsArn")
_ECS_TASKS: Final = "ecs-tasks.amazonaws.com"
# AWS: whoever runs a task is told that its roles can't be assumed; of a service's tasks the service's events tell (ECS
# Developer Guide, "Viewing Amazon ECS service event messages").
_STARTING: Final = frozenset({"RunTask", "StartTask"})


class InvalidProfile(AWSError):
    """An instance profile that EC2 can't use (EC2 API Reference, "Error codes": InvalidParameterValue)."""

    code = "InvalidParameterValue"
    status = 400


@dataclass(frozen=True, slots=True)
class Passed:
    """A role that is handed over: its ARN, to which service, and whether that is known or taken from the request's.

    `is_later` says that the service finds out only when it assumes the role whether it is there and may be assumed.
    """

    arn: str
    service: str
    is_known: bool = True
    is_later: bool = False


def may_pass(operation: Operation) -> bool:
    """Whether requests for an operation may hand roles over."""
    row = row_of(operation)
    return not row.nothing and (row is not NONE or not operation.name.startswith(_READS))


def of(asked: Asked, view: View) -> list[Passed]:
    """Each role that a request hands over."""
    if not may_pass(asked.operation):
        return []
    found = [*_of_row(asked, view), *_of_settings(asked, view)]
    found += [Passed(role, _API_GATEWAY, is_later=is_integrated) for role, is_integrated in _of_api(asked)]
    if asked.operation.service == "ecs":
        is_later = asked.operation.name not in _STARTING
        found += [Passed(role, _ECS_TASKS, is_later=is_later) for role in ecs_definitions.roles(asked)]
    for account, profile in profiles(asked, view):
        # AWS: the instance's metadata tells of a role that EC2 can't assume (IAM User Guide, troubleshoot_iam-ec2).
        found.append(Passed(entities.role_arn(account, _role_within(account, profile)), _EC2, is_later=True))
    return [*dict.fromkeys(found), *_by_rule(asked, found)]


def _of_row(asked: Asked, view: View) -> Iterator[Passed]:
    """The roles in the members that the operation's row names."""
    row = row_of(asked.operation)
    if row is NONE:
        return
    for members, service in ((row.roles, row.service), *(((member,), who) for member, who in row.others.items())):
        for member in members:
            for value in _texts(asked, member):
                yield Passed(_role_arn(value, asked, view), service, is_later=row.later)
    for member in (*row.named, *row.maybe):
        service = assuming(asked.operation.service, leaf(member))
        for value in _texts(asked, member):
            if ROLE_ARN.fullmatch(value) or (member in row.named and not value.startswith("arn:")):
                yield Passed(_role_arn(value, asked, view), service, is_known=False)
    for member in row.documents:
        for text in _texts(asked, member):
            for _, value in _named_roles(role_settings.in_document(text), asked, ""):
                yield Passed(value, row.service or assuming(asked.operation.service, ""), is_known=bool(row.service))


def _texts(asked: Asked, member: str) -> Iterator[str]:
    return (value for value in _values(asked.parameters, member.split(".")) if isinstance(value, str) and value)


def _of_settings(asked: Asked, view: View) -> Iterator[Passed]:
    for one in role_settings.of(asked):
        if not one.is_profile:
            yield Passed(_role_arn(one.value, asked, view), one.service)


def _of_api(asked: Asked) -> Iterator[tuple[str, bool]]:
    """The roles that an API of API Gateway gets: as credentials of integrations and authorizers, in patches, and
    wherever an imported definition names them; and whether it is a request to the API that needs them.

    AWS: a role of an API is assumed when the API is called, which then fails ("Execution failed due to configuration
    error: API Gateway does not have permission to assume the provided role"); the account's role for logs at once.
    """
    if asked.operation.service not in {"apigateway", "apigatewayv2"}:
        return
    given, name = asked.parameters, asked.operation.name
    patched = [one.get("value") for one in given.get("patchOperations") or []]
    for role in (*map(given.get, _CREDENTIALS), *patched):
        if isinstance(role, str) and ROLE_ARN.fullmatch(role):
            yield role, name != "UpdateAccount"
    if name in {"ImportApi", "ImportRestApi", "PutRestApi", "ReimportApi"}:
        yield from ((role, True) for _, role in _named_roles(apigateway.definition(asked), asked, "role"))


def _by_rule(asked: Asked, found: Sequence[Passed]) -> Iterator[Passed]:
    """The further roles that members of a request name, which its row says nothing of."""
    if asked.operation.name.startswith(_READS):
        return
    told = {(passed.arn, passed.service) for passed in found}
    arns_told = {arn for arn, _ in told}
    for member, value in dict.fromkeys(_named_roles(asked.parameters, asked, "")):
        service = assuming(asked.operation.service, member)
        if (value, service) in told or (value in arns_told and member in leaves(asked.operation)):
            continue
        told.add((value, service))
        yield Passed(value, service, is_known=False)


def _named_roles(value: Any, asked: Asked, within: str) -> Iterator[tuple[str, str]]:
    """Every ARN of a role in a member whose name speaks of a role, however deep, with that name."""
    if isinstance(value, str):
        if within and ROLE_ARN.fullmatch(value) and not _is_elsewhere(within, value, asked):
            yield within, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _named_roles(inner, asked, name if _speaks_of_role(name, value) else within)
    elif isinstance(value, list):
        for inner in value:
            yield from _named_roles(inner, asked, within)


def _is_elsewhere(member: str, role: str, asked: Asked) -> bool:
    """Whether a member is for a role of another account, which that account's own trust policy hands over."""
    return "crossaccount" in member.lower() and role.split(":")[4] != asked.account


_NAMED_BY: Final = {"AttributeValue": "AttributeName", "ParameterValue": "ParameterName"}


def _speaks_of_role(name: Any, beside: Mapping[Any, Any]) -> bool:
    """Whether a member's name speaks of a role; an attribute's value (SetSubscriptionAttributes) is named beside it."""
    named = beside.get(_NAMED_BY[name]) if name in _NAMED_BY else name
    return isinstance(named, str) and "role" in named.lower()


def _values(value: Any, path: list[str]) -> Iterator[Any]:
    if not path:
        yield value
        return
    name, rest = path[0], path[1:]
    if not isinstance(value, Mapping):
        return
    inner = value.get(name.removesuffix("[]"))
    if name.endswith("[]"):
        for item in inner or []:
            yield from _values(item, rest)
    else:
        yield from _values(inner, rest)


def _role_arn(value: str, asked: Asked, view: View | None) -> str:
    """The ARN of a role of the caller's account by its name, with its path; a path before the name must be its own."""
    if value.startswith("arn:"):
        return value
    account = view.account(asked.account) if view is not None else None
    role = entities.role_in(account, value.rpartition("/")[2]) if account is not None else None
    if account is not None and role is not None:
        arn = entities.role_arn(account, role)
        if arn.endswith(f"/{value.removeprefix('/')}"):
            return arn
    return f"arn:{asked.partition}:iam::{asked.account}:role/{value.removeprefix('/')}"


def profiles(asked: Asked, view: View) -> Iterator[tuple[Account, InstanceProfile]]:
    """The instance profiles that a request hands over, by name or ARN, or by a launch template that has them."""
    yield from own_profiles(asked, view)
    for member in row_of(asked.operation).templates:
        for template in _values(asked.parameters, member.split(".")):
            if template:
                for named in launch_templates.profiles(launch_templates.arn_of(template, asked), asked):
                    yield _profile(named, asked, view)


def own_profiles(asked: Asked, view: View) -> Iterator[tuple[Account, InstanceProfile]]:
    """The instance profiles that stand in the request itself."""
    for one in role_settings.of(asked):
        if one.is_profile:
            yield _profile(one.value, asked, view)
    for member in row_of(asked.operation).profiles:
        for value in _values(asked.parameters, member.split(".")):
            named = (value.get("Arn") or value.get("Name")) if isinstance(value, Mapping) else value
            if named:
                yield _profile(str(named), asked, view)


def _profile(named: str, asked: Asked, view: View) -> tuple[Account, InstanceProfile]:
    account = view.account(asked.account)
    name = named.rpartition("/")[2] if named.startswith("arn:") else named
    profile = entities.instance_profile_in(account, name) if account is not None else None
    if (
        account is None
        or profile is None
        or named not in {entities.instance_profile_arn(account, profile), profile.instance_profile_name}
    ):
        raise InvalidProfile(
            f"Value ({named}) for parameter iamInstanceProfile is invalid. Invalid IAM Instance Profile"
        )
    return account, profile


def _role_within(account: Account, profile: InstanceProfile) -> Role:
    role = account.get(Role, profile.role_id) if profile.role_id is not None else None
    if role is None:
        raise InvalidProfile(f"IAM Instance Profile {profile.instance_profile_name} has no associated IAM Roles")
    return role


def targets(handed: Sequence[Passed], asked: Asked) -> list[Target]:
    """`iam:PassRole` on each role that is handed over; a role of another account is refused."""
    found = []
    for passed in handed:
        parsed = arns.parse(passed.arn)
        if parsed is None or parsed.service != "iam" or not parsed.resource.startswith("role/"):
            raise CommonError(Common.VALIDATION, f"{passed.arn} is not the ARN of a role.")
        if parsed.account != asked.account:
            raise CommonError(Common.ACCESS_DENIED, "Cross-account pass role is not allowed.")
        found.append(Target(arn=passed.arn, action="iam:PassRole", context={"iam:passedtoservice": passed.service}))
    return found


def check_trust(handed: Sequence[Passed], asked: Asked, view: View) -> None:
    """Each role exists, and its trust policy lets the service that assumes it; else the service's own error.

    What a service finds out later it is not told now: it has no session of a role that does not trust it.
    """
    for passed in handed:
        if passed.is_later:
            continue
        role = role_of(passed.arn, view)
        if role is None or (passed.is_known and not _trusts(role, passed, asked)):
            raise role_refusals.refusal(asked, passed.arn, passed.service)


def role_of(arn: str, view: View) -> Role | None:
    """The role of this ARN, its path and case included."""
    parsed = arns.parse(arn)
    account = view.account(parsed.account) if parsed is not None else None
    if parsed is None or account is None:
        return None
    role = entities.role_in(account, parsed.resource.rpartition("/")[2])
    return role if role is not None and entities.role_arn(account, role) == arn else None


def _trusts(role: Role, passed: Passed, asked: Asked) -> bool:
    names = regional_principals.names(passed.service, asked.region)
    caller = Principal(PrincipalKind.SERVICE, arn="", service_names=names)
    # AWS: a service that assumes a role names the account it acts for.
    keys: dict[str, str | tuple[str, ...]] = {
        "aws:principalisawsservice": "true",
        "aws:principalservicename": passed.service,
        "aws:principalservicenameslist": names,
        "aws:sourceaccount": asked.account,
        **_told_now(asked),
    }
    request = Request(caller, "sts:AssumeRole", passed.arn, asked.account, keys)
    layers = Layers(resource=(load(_knowable(role.trust_policy, frozenset(keys)), PolicyType.TRUST),), gate=Gate.TRUST)
    return decide(request, layers).allowed


# What a service tells when it assumes the role, and not yet: for which resource of which organization, and what it says
# of itself.
_TOLD_LATER: Final = frozenset({"aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths", "sts:externalid"})


def _told_now(asked: Asked) -> Mapping[str, str]:
    """For which resource the service will assume the role, where that is known."""
    if asked.operation.service != "scheduler":
        return {}
    # AWS: EventBridge Scheduler User Guide, "Confused deputy prevention": the schedule's group, and no schedule.
    group = asked.parameters.get("GroupName") or "default"
    place = f"arn:{asked.partition}:scheduler:{asked.region}:{asked.account}"
    return {"aws:sourcearn": f"{place}:schedule-group/{group}"}


@lru_cache(maxsize=256)
def _knowable(trust_policy: str, told: frozenset[str]) -> str:
    """A trust policy without the conditions that can't be decided yet; they are when the service assumes the role."""
    document = json.loads(trust_policy)
    statements = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    kept = [left for one in statements if (left := _without(one, _TOLD_LATER - told)) is not None]
    return json.dumps({**document, "Statement": kept}) if kept else trust_policy


def _without(statement: Mapping[str, Any], unknown: frozenset[str]) -> Mapping[str, Any] | None:
    """A statement without those conditions; None for one that then denies more than it says."""
    conditions = statement.get("Condition") or {}
    left = {
        operator: {key: value for key, value in entries.items() if key.lower() not in unknown}
        for operator, entries in conditions.items()
    }
    if left == conditions:
        return statement
    left = {operator: entries for operator, entries in left.items() if entries}
    return {**statement, "Condition": left} if statement["Effect"] == "Allow" else None


def mirrored(handed: Sequence[Passed], view: View) -> list[MirroredRole]:
    """The roles as an embedded backend is to find them in its own IAM."""
    found = []
    for passed in handed:
        role = role_of(passed.arn, view)
        if role is not None:
            found.append(MirroredRole(passed.arn, role.role_id, role.role_name, role.path, role.trust_policy))
    return found


def mirrored_profiles(asked: Asked, view: View) -> list[MirroredProfile]:
    """The instance profiles, likewise."""
    return [
        MirroredProfile(
            profile.instance_profile_id,
            profile.instance_profile_name,
            profile.path,
            (entities.role_arn(account, _role_within(account, profile)),),
        )
        for account, profile in profiles(asked, view)
    ]
