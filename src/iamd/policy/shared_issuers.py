"""Identity providers that many tenants share: a role that trusts one must say whose tokens it means.

AWS: IAM User Guide, "Identity-provider controls for shared OIDC providers"
(id_roles_providers_oidc_secure-by-default) and "Configuring a role for GitHub OIDC identity provider"
(id_roles_create_for-idp_oidc).
"""

from collections.abc import Iterator, Mapping
from typing import Final

from iamd.policy import syntax
from iamd.policy.conditions import operator_name
from iamd.policy.request import lower
from iamd.policy.values import MalformedPolicy
from iamd.policy.wildcard import cached_typed_matcher

WEB_IDENTITY: Final = "sts:assumerolewithwebidentity"

CLAIMS: Final[Mapping[str, tuple[str, ...]]] = {
    # One of these keys must be tested; `sub`, `aud` ... are the issuer's own, as `gitlab.com:sub`. AWS: the table of
    # id_roles_providers_oidc_secure-by-default, row by row.
    "agent.buildkite.com": ("sub",),
    "api.pulumi.com/oidc": ("aud",),
    "app.terraform.io": ("sub",),
    "cognito-identity.amazonaws.com": ("aud",),
    "gitlab.com": ("sub",),
    # IBM Turbonomic, whose issuers change; these six are those that AWS's samples of resource control policies name.
    "oidc.op1.openshiftapps.com/2c51blsaqa9gkjt0o9rt11mle8mmropu": ("sub",),
    "oidc.op1.openshiftapps.com/2f785sojlpb85i7402pk3qogugim5nfb": ("sub",),
    "rh-oidc.s3.us-east-1.amazonaws.com/22ejnvnnturfmt6km08idd0nt4hekbn7": ("sub",),
    "rh-oidc.s3.us-east-1.amazonaws.com/23e3sd27sju1hoou6ohfs68vbno607tr": ("sub",),
    "rh-oidc.s3.us-east-1.amazonaws.com/23ne21h005qjl3n33d8dui5dlrmv2tmg": ("sub",),
    "rh-oidc.s3.us-east-1.amazonaws.com/24jrf12m5dj7ljlfb4ta2frhrcoadm26": ("sub",),
    "oidc-configuration.audit-log.githubusercontent.com": ("sub",),
    "oidc.codefresh.io": ("sub",),
    "oidc.vercel.com": ("aud",),
    "proidc.upbound.io": ("sub",),
    "sandboxes.cloud": ("aud",),
    "scalr.io": ("sub",),
    "studio.datachain.ai/api": ("sub",),
    "sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d": ("sts:rolesessionname",),
    "token.actions.githubusercontent.com": ("sub",),
    "tokens.cloud.shisho.dev": ("sub",),
    "vstoken.actions.githubusercontent.com": ("sub",),
    # Not in that table: Google's audiences are registered nowhere, so one of its keys must be tested all the same.
    "accounts.google.com": ("aud", "oaud", "sub"),
}
"""What a trust policy must test of a shared issuer's tokens: the claim that tells its tenants apart."""

TESTING: Final = frozenset({"StringEquals", "StringEqualsIgnoreCase", "StringLike"})
"""The operators that choose among tenants; a negated one leaves all but a few in."""

STRANGERS: Final[Mapping[str, tuple[str, ...]]] = {
    # All of GitHub's subjects begin with `repo:` (GitHub, "OpenID Connect reference", "Example subject claims"), so
    # `repo:*` and `r*` are as good as `*`.
    "token.actions.githubusercontent.com:sub": ("repo:-/.:ref:refs/heads/-", "repo:_/_:environment:_"),
}
"""Claims of tenants that have nothing in common but what all have: a value that matches them all chooses none."""

Members = Mapping[str, object]


def check(statement: Members) -> None:
    """Raise MalformedPolicy when a trust policy's statement lets every tenant of a shared issuer in."""
    if statement.get("Effect") != "Allow" or not _allows_web_identity(statement):
        return
    for issuer in _shared(statement):
        keys = [claim if ":" in claim else f"{issuer}:{claim}" for claim in CLAIMS[issuer]]
        # SECURITY: without this every repository of everybody at such a provider could assume the role (FED-04).
        if not any(_is_tested(statement, key) for key in keys):
            raise MalformedPolicy(
                f"The trust policy must evaluate {' or '.join(keys)} for the shared identity provider {issuer}, "
                "with a value that is not only wildcards."
            )


def _allows_web_identity(statement: Members) -> bool:
    patterns = syntax.strings(statement.get("Action", statement.get("NotAction", []))) or []
    named = any(cached_typed_matcher(lower(pattern))(WEB_IDENTITY) for pattern in patterns)
    return named is ("Action" in statement)


def _shared(statement: Members) -> Iterator[str]:
    principal = statement.get("Principal")
    federated = principal.get("Federated", []) if isinstance(principal, dict) else []
    for provider in syntax.strings(federated) or ():
        issuer = provider.partition(":oidc-provider/")[2] or provider
        if lower(issuer) in CLAIMS:
            yield lower(issuer)


def _is_tested(statement: Members, key: str) -> bool:
    conditions = statement.get("Condition", {})
    if not isinstance(conditions, dict):
        return False
    for operator, entries in conditions.items():
        if operator_name(operator).base in TESTING and isinstance(entries, dict):
            for name, value in entries.items():
                values = syntax.scalars(value) or []
                if lower(name) == key and values and all(_chooses(text, key) for text in values):
                    return True
    return False


def _chooses(text: str, key: str) -> bool:
    """Whether a value leaves some tenants out."""
    # SECURITY: a variable may be the very key that is tested, or what the caller sends: it leaves nobody out.
    if not text.strip("*?") or "${" in text:
        return False
    strangers = STRANGERS.get(key)
    return strangers is None or not all(map(cached_typed_matcher(text), strangers))
