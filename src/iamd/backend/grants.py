"""Grants of moto's KMS: for whom they are, one for each name, and those that are asked for.

AWS: KMS API Reference, CreateGrant: with a Name and identical parameters "the original GrantId is returned without
creating a new grant"; a grant is for a principal or for a service, which needs a SourceArn and who may retire it;
ListGrants (GranteePrincipal, GranteeServicePrincipal). The words of refusals are iamd's.
"""

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

from moto.kms.exceptions import ValidationException
from moto.kms.models import Grant
from moto.kms.responses import KmsResponse

from iamd.backend.replacement import always, replace

_SERVICE: Final = "GranteeServicePrincipal"
_FILTERS: Final = ("GranteePrincipal", _SERVICE)
_MAKING: Final = threading.Lock()


def install() -> None:
    """Look at the name and the service, keep what is kept, and tell those that are asked for."""
    replace(KmsResponse, "create_grant", _granted)
    replace(KmsResponse, "list_grants", always(_listed))
    replace(Grant, "to_json", _told)


def _granted(original: Callable[[Any], str]) -> Callable[[Any], str]:
    def create_grant(response: Any) -> str:
        asked = response._get_param  # noqa: SLF001 - moto's responses have no other way
        service = asked(_SERVICE)
        _check(asked, service)
        key = response.kms_backend.describe_key(asked("KeyId"))
        # SECURITY: of two that try again at a time one would be left when the other is revoked.
        with _MAKING:
            same = next((one for one in key.grants.values() if _is_same(one, asked)), None)
            if same is not None:
                return json.dumps({"GrantId": same.id, "GrantToken": same.token})
            before = set(key.grants)
            answer = original(response)
            [made] = key.grants.keys() - before
            key.grants[made].grantee_service = service
        return answer

    return create_grant


def _check(asked: Callable[[str], Any], service: str | None) -> None:
    if bool(asked("GranteePrincipal")) is bool(service):
        raise ValidationException(f"Either GranteePrincipal or {_SERVICE} must be given.")
    if service and not (asked("Constraints") or {}).get("SourceArn"):
        raise ValidationException(f"A grant for a {_SERVICE} must have the constraint SourceArn.")
    if service and not asked("RetiringPrincipal"):
        raise ValidationException(f"A grant for a {_SERVICE} must have a RetiringPrincipal.")


def _is_same(grant: Any, asked: Callable[[str], Any]) -> bool:
    """Whether a grant has the name and all else that a new one is asked for with."""
    return bool(grant.name) and _kept(grant) == (
        asked("Name"),
        asked("GranteePrincipal"),
        asked(_SERVICE),
        asked("RetiringPrincipal"),
        sorted(asked("Operations")),
        asked("Constraints") or {},
    )


def _kept(grant: Any) -> tuple[Any, ...]:
    service, constraints = getattr(grant, "grantee_service", None), grant.constraints or {}
    who = (grant.grantee_principal, service, grant.retiring_principal)
    return (grant.name, *who, sorted(grant.operations), constraints)


def _told(original: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    def to_json(grant: Any) -> dict[str, Any]:
        told = {**original(grant), _SERVICE: getattr(grant, "grantee_service", None)}
        return {name: value for name, value in told.items() if value is not None}

    return to_json


def _listed(response: Any) -> str:
    asked = response._get_param  # noqa: SLF001
    found = [one.to_json() for one in response.kms_backend.list_grants(asked("KeyId"), asked("GrantId"))]
    chosen = [one for one in found if _is_chosen(one, asked)]
    return json.dumps({"Grants": chosen, "GrantCount": len(chosen), "Truncated": False})


def _is_chosen(grant: Mapping[str, Any], asked: Callable[[str], Any]) -> bool:
    return all(asked(name) in {None, grant.get(name)} for name in _FILTERS)
