"""Service-specific credentials: a name and a password, or an API key, of a user for one service.

Names, forms, codes and words are those of AWS's recorded answers (September 2026), where no page has them.
"""

import base64
import re
import secrets
from itertools import count
from typing import Any

from msgspec.structs import replace

from iamd import arn, ids
from iamd.authz.target import Target
from iamd.call import Call
from iamd.services.iam import arns, quotas, statuses
from iamd.services.iam.entities import moment, named_or_calling_iam_user, named_user
from iamd.services.iam.errors import InvalidInput, NoSuchEntity, ValidationError
from iamd.services.paging import page
from iamd.services.registry import operation, reading
from iamd.store.records import ServiceSpecificCredential, User

PURPOSE = "service-specific-credential"
DAY = 24 * 60 * 60
PASSWORD_BYTES = 45
"""AWS's passwords have 60 characters of base64."""

API_KEY_PREFIXES = {
    "aws-external-anthropic.amazonaws.com": "AEAA",
    "bedrock.amazonaws.com": "ABSK",
    "cloudwatch.amazonaws.com": "APIAACWM",
    "logs.amazonaws.com": "ACWL",
}
"""The services whose credentials are API keys, which begin so (IAM User Guide, "API keys for AWS services")."""
SERVICES = frozenset({"cassandra.amazonaws.com", "codecommit.amazonaws.com", *API_KEY_PREFIXES})

_SERVICE_NAME = re.compile("[a-zA-Z0-9.-]*")

SERVICE_KEY = "iam:servicespecificcredentialservicename"
AGE_KEY = "iam:servicespecificcredentialagedays"


def _created(call: Call, *, user_name: str, service_name: str, credential_age_days: int | None = None) -> Target:
    """The user, with the service that is asked for, and with the age only when one is.

    AWS: Service Authorization Reference, CreateServiceSpecificCredential.
    """
    target = arns.user(call, user_name=user_name)
    age = {} if credential_age_days is None else {AGE_KEY: str(credential_age_days)}
    return replace(target, context={**target.context, SERVICE_KEY: service_name.lower(), **age})


def _changed(call: Call, *, service_specific_credential_id: str, user_name: str | None = None, **_: Any) -> Target:
    """The user, with the service that the credential is for."""
    target = arns.user(call, user_name=user_name)
    credential = call.account.get(ServiceSpecificCredential, service_specific_credential_id)
    if credential is None:
        return target
    return replace(target, context={**target.context, SERVICE_KEY: credential.service_name})


def _listed_users(call: Call, *, user_name: str | None = None, all_users: bool = False, **_: Any) -> Target:
    """The user, or for those of all users what only a policy for `user/*` matches."""
    return Target(arn=arn.iam(call.account.id, "user", "/", "*")) if all_users else arns.user(call, user_name=user_name)


@operation(on=_created)
def create_service_specific_credential(
    call: Call, *, user_name: str, service_name: str, credential_age_days: int | None = None
) -> dict[str, Any]:
    """Create a credential for one service; its secret is in this answer and never again."""
    user = named_user(call, user_name)
    service = _service(service_name)
    held = [one for one in _credentials(call, user) if one.service_name == service]
    quotas.check(
        "ContextSpecificCredentialsPerUserPerContext", len(held) + 1, quotas.SERVICE_SPECIFIC_CREDENTIALS_PER_SERVICE
    )
    credential = ServiceSpecificCredential(
        service_specific_credential_id=ids.unique_id(ids.CONTEXT_SPECIFIC_CREDENTIAL),
        user_id=user.user_id,
        service_name=service,
        service_user_name=_free_name(call, user, service),
        created=call.now,
        expires=None if credential_age_days is None else call.now + credential_age_days * DAY,
        sealed_password=b"",
    )
    return {"ServiceSpecificCredential": _with_new_password(call, user, credential)}


@reading(on=_listed_users)
def list_service_specific_credentials(
    call: Call,
    *,
    user_name: str | None = None,
    service_name: str | None = None,
    all_users: bool = False,
    marker: str | None = None,
    max_items: int | None = None,
) -> dict[str, Any]:
    """List the credentials of a user, or of all, for every service or one."""
    if all_users and user_name is not None:
        raise InvalidInput("Cannot list credentials for all users if a username is given")
    service = _service(service_name) if service_name else ""
    user = None if all_users else named_or_calling_iam_user(call, user_name)
    found = call.account.all(ServiceSpecificCredential) if user is None else _credentials(call, user)
    query = ("*" if user is None else user.user_id, service)
    chosen = [one for one in found if service in {"", one.service_name}]
    cut, more = page(call, chosen, key=_id, max_items=max_items, marker=marker, query=query)
    return {"ServiceSpecificCredentials": [_listed(call, one) for one in cut], **more}


@operation(on=_changed)
def update_service_specific_credential(
    call: Call, *, service_specific_credential_id: str, status: str, user_name: str | None = None
) -> None:
    """Make a credential active or inactive."""
    credential = _credential(call, named_or_calling_iam_user(call, user_name), service_specific_credential_id)
    statuses.check_settable(status)
    call.put(replace(credential, status=status))


@operation(on=_changed)
def reset_service_specific_credential(
    call: Call, *, service_specific_credential_id: str, user_name: str | None = None
) -> dict[str, Any]:
    """Give a credential another secret; its name, status and dates stay."""
    user = named_or_calling_iam_user(call, user_name)
    credential = _credential(call, user, service_specific_credential_id)
    return {"ServiceSpecificCredential": _with_new_password(call, user, credential)}


@operation(on=_changed)
def delete_service_specific_credential(
    call: Call, *, service_specific_credential_id: str, user_name: str | None = None
) -> None:
    """Delete a credential."""
    call.delete(_credential(call, named_or_calling_iam_user(call, user_name), service_specific_credential_id))


def _service(name: str) -> str:
    """The service of this name, whatever its case."""
    if not _SERVICE_NAME.fullmatch(name):
        raise ValidationError("ServiceName must match [a-zA-Z0-9.-]*")
    if name.lower() not in SERVICES:
        raise NoSuchEntity(f"No such service {name} is supported for Service Specific Credentials")
    return name.lower()


def _credentials(call: Call, user: User) -> list[ServiceSpecificCredential]:
    return call.account.find(ServiceSpecificCredential, "user", user.user_id)


def _credential(call: Call, user: User, credential_id: str) -> ServiceSpecificCredential:
    credential = call.account.get(ServiceSpecificCredential, credential_id)
    if credential is None:
        raise NoSuchEntity(f"No such credential {credential_id} exists")
    # SECURITY: a credential is reached through its own user only; the decision was about that user.
    if credential.user_id != user.user_id:
        raise ValidationError(
            f"User {user.user_name} does not have a service specific credential with id {credential_id}"
        )
    return credential


def _free_name(call: Call, user: User, service: str) -> str:
    """The first name that no credential for this service has: `ann-at-123456789012`, `ann+1-at-123456789012` ..."""
    names = (f"{user.user_name}{f'+{n}' if n else ''}-at-{call.account.id}" for n in count())
    return next(name for name in names if not call.account.find(ServiceSpecificCredential, "name", f"{service} {name}"))


def _with_new_password(call: Call, user: User, credential: ServiceSpecificCredential) -> dict[str, Any]:
    """Write the credential with a new password, and show it with what its user needs of that."""
    password = base64.b64encode(secrets.token_bytes(PASSWORD_BYTES)).decode("ascii")
    place = (call.account.id, credential.service_specific_credential_id)
    call.put(replace(credential, sealed_password=call.keyring.seal(PURPOSE, place, password.encode())))
    return _shown(call, user, credential) | _secret(credential, password)


def _secret(credential: ServiceSpecificCredential, password: str) -> dict[str, str]:
    prefix = API_KEY_PREFIXES.get(credential.service_name)
    if prefix is None:
        return {"ServicePassword": password}
    name_and_password = f"{credential.service_user_name}:{password}"
    return {"ServiceCredentialSecret": prefix + base64.b64encode(name_and_password.encode()).decode("ascii")}


def _id(credential: ServiceSpecificCredential) -> str:
    return credential.service_specific_credential_id


def _listed(call: Call, credential: ServiceSpecificCredential) -> dict[str, Any]:
    user = call.account.get(User, credential.user_id)
    return {} if user is None else _shown(call, user, credential)


def _shown(call: Call, user: User, credential: ServiceSpecificCredential) -> dict[str, Any]:
    is_key = credential.service_name in API_KEY_PREFIXES
    is_over = credential.expires is not None and credential.expires <= call.now
    expires = {} if credential.expires is None else {"ExpirationDate": moment(credential.expires)}
    return {
        "CreateDate": moment(credential.created),
        **expires,
        "ServiceName": credential.service_name,
        "ServiceCredentialAlias" if is_key else "ServiceUserName": credential.service_user_name,
        "ServiceSpecificCredentialId": credential.service_specific_credential_id,
        "UserName": user.user_name,
        "Status": "Expired" if is_over else credential.status,
    }
