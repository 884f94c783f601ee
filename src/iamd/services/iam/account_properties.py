"""Account properties: settings of the account by `Namespace/PropertyName`, of which AWS has RoleManager/Enabled alone.

AWS: IAM API Reference, PutAccountProperties; the words of refusals and what enabling makes are those of AWS's recorded
answers (September 2026).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec.structs import replace

from iamd import arn, ids
from iamd.call import Call
from iamd.data.service_linked_roles import ServiceLinkedRole, service_linked_role
from iamd.services.iam import quotas
from iamd.services.iam.account import record_of
from iamd.services.iam.errors import InvalidInput
from iamd.services.registry import Target, operation, reading
from iamd.store.records import Role, fold

NAMESPACE: Final = "RoleManager"
ENABLED: Final = f"{NAMESPACE}/Enabled"
SERVICE: Final = "role-manager.iam.amazonaws.com"
TRUTHS: Final[Mapping[str, bool]] = {"true": True, "false": False}

NAMESPACES = "iam:accountpropertynamespaces"


def read(_call: Call) -> Target:
    """No resource; every namespace is read."""
    return Target(context={NAMESPACES: (NAMESPACE,)})


def written(call: Call, *, properties: Mapping[str, str]) -> Sequence[Target]:
    """No resource, with the namespaces that are written; and the role that enabling Role Manager needs."""
    namespaces = tuple(dict.fromkeys(key.partition("/")[0] for key in properties))
    own = Target(context={NAMESPACES: namespaces})
    if properties.get(ENABLED) != "true":
        return (own,)
    template = _template()
    role = Target(
        arn=arn.iam(call.account.id, "role", template.path, template.role_name),
        action="iam:CreateServiceLinkedRole",
        context={"iam:awsservicename": SERVICE},
    )
    return (own, role)


@reading(on=read)
def get_account_properties(call: Call) -> dict[str, Any]:
    """Show the properties; those that were never set have their defaults."""
    return {"Properties": {ENABLED: "true" if record_of(call).role_manager_enabled else "false"}}


@operation(on=written)
def put_account_properties(call: Call, *, properties: Mapping[str, str]) -> None:
    """Set the properties of a namespace; the role of a feature is made when it is enabled, and stays."""
    is_enabled = _checked(properties)
    call.put(replace(record_of(call), role_manager_enabled=is_enabled))
    if is_enabled:
        _make_role(call)


def _checked(properties: Mapping[str, str]) -> bool:
    """Whether Role Manager is to be enabled; AWS passes over what else is in its namespace."""
    for key in properties:
        separator = key.partition("/")[1]
        if not separator or key.endswith("/"):
            raise InvalidInput(f"Property key must be in format Namespace/PropertyName: {key}")
    namespaces = {key.partition("/")[0] for key in properties}
    if len(namespaces) > 1:
        raise InvalidInput("All properties must belong to the same namespace")
    for namespace in namespaces - {NAMESPACE}:
        raise InvalidInput(f"Unsupported namespace: {namespace}")
    if ENABLED not in properties:
        raise InvalidInput(f"{NAMESPACE} namespace requires Enabled property")
    if properties[ENABLED] not in TRUTHS:
        raise InvalidInput("Enabled must be 'true' or 'false'")
    return TRUTHS[properties[ENABLED]]


def _make_role(call: Call) -> None:
    template = _template()
    if call.account.find(Role, "name", fold(template.role_name)):
        return
    quotas.check_roles(call)
    role = Role(
        role_name=template.role_name,
        role_id=ids.unique_id(ids.ROLE),
        path=template.path,
        created=call.now,
        trust_policy=template.trust_policy(),
        attached_policies=(template.policy_arn,),
        service_linked=SERVICE,
    )
    call.put(role)


def _template() -> ServiceLinkedRole:
    template = service_linked_role(SERVICE)
    if template is None:
        raise LookupError(SERVICE)
    return template
