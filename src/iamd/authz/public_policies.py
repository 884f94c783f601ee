"""Whether the policy of a bucket or an access point lets in the public, and whether an ACL does.

AWS: S3 User Guide, "Blocking public access to your Amazon S3 storage", The meaning of "public": a policy is public
unless each of its grants is to fixed principals, or bound to fixed values of certain condition keys; an ACL is that
gives anything to AllUsers or AuthenticatedUsers.
"""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from iamd.policy import syntax
from iamd.policy.syntax import SyntaxProblem

_OPEN: Final = re.compile(r"[*?]|\$\{")
_FIXED_PRINCIPALS: Final = frozenset({"AWS", "Service", "CanonicalUser"})
_KEYS: Final = frozenset(
    {
        "aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:principalorgpaths",
        "aws:principalservicename", "aws:sourceaccount", "aws:sourcearn", "aws:sourceip", "aws:sourceowner",
        "aws:sourcevpc", "aws:sourcevpce", "aws:userid", "s3:dataaccesspointaccount", "s3:dataaccesspointarn",
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
    }
)  # fmt: skip
_OPERATORS: Final = frozenset({"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike"})
_PRIVATE: Final = tuple(ipaddress.IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
_WIDEST: Final = {4: 8, 6: 32}
"""AWS: broader ranges of addresses than /8, and /32 of IPv6, are public."""


_POINTS: Final = re.compile(r"arn:[a-z-]+:s3:[a-z0-9-]+:[0-9]{12}:accesspoint/[a-z0-9*?-]+", re.ASCII)
_PUBLIC_ACLS: Final = frozenset({"authenticated-read", "public-read", "public-read-write"})
_PUBLIC_GROUPS: Final = ("/groups/global/AllUsers", "/groups/global/AuthenticatedUsers")


def has_public_acl(parameters: Mapping[str, Any]) -> bool:
    """Tell whether a request of S3 sets an ACL that is public."""
    if parameters.get("ACL") in _PUBLIC_ACLS:
        return True
    grants = [value for name, value in parameters.items() if name.startswith("Grant")]
    policy = parameters.get("AccessControlPolicy") or {}
    grants += [grantee.get("URI") for grant in policy.get("Grants") or () if (grantee := grant.get("Grantee"))]
    return any(group in grant for grant in grants if isinstance(grant, str) for group in _PUBLIC_GROUPS)


@lru_cache(maxsize=256)
def is_public(text: str, *, of_bucket: bool = False) -> bool:
    """Tell whether a policy lets in the public; one that can't be read does.

    A bucket's policy is not public for access points of any name of one account and Region; an access point's is.
    """
    try:
        statements = syntax.read(text).statements
    except SyntaxProblem:
        return True
    return any(_is_open(statement.members, of_bucket=of_bucket) for statement in statements)


def _is_open(statement: Mapping[str, Any], *, of_bucket: bool) -> bool:
    if statement.get("Effect") != "Allow" or _names_fixed(statement.get("Principal")):
        return False
    return not any(_is_fixed(*entry, of_bucket=of_bucket) for entry in _entries(statement.get("Condition")))


def _names_fixed(principal: Any) -> bool:
    """Whether a Principal names none but fixed principals; who is federated is the public's."""
    if not isinstance(principal, Mapping) or not principal.keys() <= _FIXED_PRINCIPALS:
        return False
    return all(_all_fixed(syntax.strings(names)) for names in principal.values())


def _all_fixed(values: list[str] | None) -> bool:
    return values is not None and not any(_OPEN.search(value) for value in values)


def _entries(condition: Any) -> Iterator[tuple[str, str, list[str] | None]]:
    if isinstance(condition, Mapping):
        for operator, keys in condition.items():
            for key, values in keys.items() if isinstance(keys, Mapping) else ():
                yield operator.lower().removeprefix("foranyvalue:"), key.lower(), syntax.strings(values)


def _is_fixed(operator: str, key: str, values: list[str] | None, *, of_bucket: bool) -> bool:
    if key not in _KEYS or not values:
        return False
    if key == "aws:sourceip":
        return operator == "ipaddress" and all(_is_narrow(value) for value in values)
    if of_bucket and key == "s3:dataaccesspointarn":
        return operator in _OPERATORS and all(_POINTS.fullmatch(value) for value in values)
    return operator in _OPERATORS and _all_fixed(values)


def _is_narrow(text: str) -> bool:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    is_private = isinstance(network, ipaddress.IPv4Network) and any(map(network.subnet_of, _PRIVATE))
    return is_private or network.prefixlen >= _WIDEST[network.version]
