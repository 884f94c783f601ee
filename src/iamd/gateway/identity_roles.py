"""Which role a user of an identity pool gets.

AWS: Cognito Developer Guide, "Using role-based access control" (role-based-access-control).
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from iamd.errors import AWSError
from iamd.gateway.identity_pools import Pool, RoleMapping, Rules
from iamd.gateway.user_pool_tokens import Login
from iamd.gateway.user_pools import NotAuthorized


class InvalidIdentityPoolConfiguration(AWSError):
    """No role is for this user, or it may not be assumed (API Reference, GetCredentialsForIdentity)."""

    code = "InvalidIdentityPoolConfigurationException"
    status = 400


UNFIT: Final = "Invalid identity pool configuration. Check assigned IAM roles for this pool."
_NO_ROLE: Final = "No role of this identity pool is for the user."


def role_of(pool: Pool, login: Login | None, custom: str | None) -> str:
    """The ARN of the role of a user who logged in so, or of a guest; `custom` is the one that the user asks for."""
    mapping = pool.mappings.get(f"{login.provider}:{login.client}") if login is not None else None
    if login is None or mapping is None:
        if custom is not None:
            raise NotAuthorized("CustomRoleArn is for users whose roles their token or rules tell.")
        return _of_pool(pool, "unauthenticated" if login is None else "authenticated")
    found = _of_token(login, custom) if mapping.type == "Token" else _of_rules(mapping, login, custom)
    if found is not None:
        return found
    if mapping.ambiguous_role_resolution != "AuthenticatedRole":
        raise NotAuthorized(_NO_ROLE)
    return _of_pool(pool, "authenticated")


def _of_pool(pool: Pool, kind: str) -> str:
    role = pool.roles.get(kind)
    if role is None:
        raise InvalidIdentityPoolConfiguration(UNFIT)
    return role


def _of_token(login: Login, custom: str | None) -> str | None:
    """The role that the token's claims tell: the one asked for among them, or the preferred one."""
    roles = login.claims.get("cognito:roles")
    listed = roles.split(",") if isinstance(roles, str) else roles if isinstance(roles, list) else []
    if custom is not None:
        if custom not in listed:
            raise NotAuthorized(_NO_ROLE)
        return custom
    preferred = login.claims.get("cognito:preferred_role")
    return preferred if isinstance(preferred, str) else None


def _of_rules(mapping: RoleMapping, login: Login, custom: str | None) -> str | None:
    """The role of the first rule that holds, or of the first that gives the role asked for."""
    rules = mapping.rules_configuration or Rules(())
    held = [rule.role_arn for rule in rules.rules if _holds(rule.match_type, login.claims.get(rule.claim), rule.value)]
    if custom is not None:
        if custom not in held:
            raise NotAuthorized(_NO_ROLE)
        return custom
    return held[0] if held else None


_MATCHES: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "Equals": lambda claim, value: claim == value,
    "NotEqual": lambda claim, value: claim != value,
    "StartsWith": lambda claim, value: claim.startswith(value),
    "Contains": lambda claim, value: value in claim,
}


def _holds(match_type: str, claim: Any, value: str) -> bool:
    """Whether a rule holds; of a claim that is not there, or is no text, none does."""
    if isinstance(claim, list):
        # AWS: groups are a list, which a rule sees as one text.
        claim = f"[{', '.join(map(str, claim))}]"
    return isinstance(claim, str) and _MATCHES[match_type](claim, value)
