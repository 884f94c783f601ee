"""Amazon Cognito: user pools and identity pools by their ids, which say their region, and by ARN."""

import re
from collections.abc import Mapping
from typing import Any, Final

from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.forms import Form, InvalidParameter, arn, check

# API References of both, UserPoolIdType and IdentityPoolId.
_USER_POOL: Final = r"[a-z0-9-]+_[0-9a-zA-Z]+"
_IDENTITY_POOL: Final = r"[a-z0-9-]+:[0-9a-f-]+"
_FORMS: Final[Mapping[str, Mapping[str, Form]]] = {
    "cognito-idp": {
        "UserPoolId": Form(re.compile(_USER_POOL, re.ASCII)),
        "ResourceArn": arn("cognito-idp", f"userpool/{_USER_POOL}"),
    },
    "cognito-identity": {
        "IdentityPoolId": Form(re.compile(_IDENTITY_POOL, re.ASCII)),
        "ResourceArn": arn("cognito-identity", f"identitypool/{_IDENTITY_POOL}"),
    },
}


def values(asked: Asked) -> Mapping[str, Any]:
    """Checks of what the templates name; a pool of another region is none of this one's."""
    check(asked, _FORMS[asked.operation.service], _refused)
    for member, end in (("UserPoolId", "_"), ("IdentityPoolId", ":")):
        pool = asked.parameters.get(member)
        if pool is not None and not str(pool).startswith(f"{asked.region}{end}"):
            raise _refused(member, str(pool))
    return {}


def _refused(member: str, value: str) -> Exception:
    words = f"Value '{value}' at '{member[0].lower() + member[1:]}' failed to satisfy constraint"
    return InvalidParameter(f"1 validation error detected: {words}")
