"""Target: one thing that a request touches and must be allowed on."""

from collections.abc import Mapping

import msgspec


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a request touches and must be allowed on.

    `action` is the IAM action, or None for the operation's own. `account` owns the resource; None is the caller's.
    `service_account` is an account of AWS's that has what every account may be allowed to see, as if it were its own.
    `context` holds the condition keys that are bound to this resource, in lower case. `policies` are the texts of the
    resource's own policies. `trust` says that the resource is a role, whose trust policy (the only one of `policies`,
    none when the role does not exist) has a gate of its own. `kms_key` says that it is a KMS key whose key policy is
    among `policies`: nobody is let in without it, the root user included. `makes` says that the request makes the
    resource. `any_of_kind` says that the `*` in the ARN stands for what the request does not tell of a resource that is
    there. `shown` is what a denial calls the resource in place of its ARN.
    """

    arn: str = "*"
    action: str | None = None
    account: str | None = None
    service_account: str | None = None
    context: Mapping[str, str | tuple[str, ...]] = msgspec.field(default_factory=dict)
    policies: tuple[str, ...] = ()
    trust: bool = False
    makes: bool = False
    kms_key: bool = False
    any_of_kind: bool = False
    shown: str | None = None
