"""What a role's trust policy must hold besides what every policy must, and which principals a policy may name."""

import re
from collections.abc import Iterable, Mapping

from iamd.policy.request import lower
from iamd.policy.values import MalformedPolicy
from iamd.policy.wildcard import cached_typed_matcher

ACTIONS = (
    "sts:assumerole",
    "sts:assumerolewithsaml",
    "sts:assumerolewithwebidentity",
    "sts:tagsession",
    "sts:setsourceidentity",
    "sts:setcontext",
)
OTHER_ACTION = "AssumeRole policy may only specify STS AssumeRole actions."
ODD_PROVIDER = "Federated principals must be valid domain names or SAML metadata ARNs"

_NAME = r"[\w+=,.@-]+"
# SECURITY: a path is one run up to its last slash. Counted folder by folder, where each may hold slashes itself, it
# took time that doubled with each folder.
_PATH = r"(?:[\x21-\x29\x2b-\x3e\x40-\x7e]+/)?"
_ENTITY = re.compile(
    r"arn:[a-z0-9-]+:(?:iam::[0-9]{12}:(?:root|(?:user|role)/" + _PATH + _NAME + ")"
    r"|sts::[0-9]{12}:(?:assumed-role/" + _NAME + "/" + _NAME + "|federated-user/" + _NAME + "))",
    re.ASCII,
)
_ACCOUNT = re.compile(r"[0-9]{12}")
UNIQUE_ID = re.compile(r"(?:AIDA|AROA)[A-Z0-9]{12,124}")
_SERVICE = re.compile(r"(?:[a-z0-9-]+\.)+(?:amazonaws\.com|amazonaws\.com\.cn|amazon\.com|aws\.internal)")
_PROVIDER = re.compile(
    r"arn:[a-z0-9-]+:iam::[0-9]{12}:(?:saml-provider/[\w._-]+|oidc-provider/[^\s*?]+)|(?:[a-z0-9-]+\.)+[a-z]+",
    re.ASCII,
)
_CANONICAL = re.compile(r"[0-9a-fA-F]{64}|[0-9a-fA-F]{32,}")


class InvalidPrincipal(MalformedPolicy):
    """A principal that has no form that one could have; services have words of their own for it."""

    def __init__(self, member: str, value: str) -> None:
        super().__init__(f'Invalid principal in policy: "{member.upper()}":"{value}"')
        self.member = member
        self.value = value


def check_fields(statement: Mapping[str, object]) -> None:
    """Raise unless a trust policy's statement has the elements it needs and none that it may not have."""
    for name in ("Effect", "Principal", "Action"):
        if name not in statement and not (name == "Action" and "NotAction" in statement):
            if name == "Principal" and "NotPrincipal" in statement:
                raise MalformedPolicy("AssumeRole policy must not contain NotPrincipal field.")
            raise MalformedPolicy(f"Missing required field {name}")
    for name in ("Resource", "NotResource", "NotPrincipal"):
        if name in statement:
            raise MalformedPolicy(f"Has prohibited field {name}")


def check_actions(patterns: Iterable[str]) -> None:
    """Raise unless every pattern is of STS and takes in an action that is done to a role."""
    for pattern in patterns:
        matches = cached_typed_matcher(lower(pattern))
        if not lower(pattern).startswith("sts:") or not any(map(matches, ACTIONS)):
            raise MalformedPolicy(OTHER_ACTION)


def check_principal(member: str, value: str) -> None:
    """Raise unless `value` has the form of a principal of its kind; whether it exists is the caller's to know.

    AWS: `*` alone is a wildcard, a part of an ARN is not, and groups are no principals ("Principal",
    reference_policies_elements_principal).
    """
    if member == "Federated":
        if not _PROVIDER.fullmatch(value):
            raise MalformedPolicy(ODD_PROVIDER)
    elif not _FORMS[member](value):
        raise InvalidPrincipal(member, value)


def _is_aws(value: str) -> bool:
    return value == "*" or any(form.fullmatch(value) for form in (_ENTITY, _ACCOUNT, UNIQUE_ID))


def _is_service(value: str) -> bool:
    return _SERVICE.fullmatch(value) is not None


def _is_canonical(value: str) -> bool:
    return _CANONICAL.fullmatch(value) is not None


_FORMS = {"AWS": _is_aws, "Service": _is_service, "CanonicalUser": _is_canonical}
