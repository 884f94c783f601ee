"""What a VPC endpoint brings to the decision on a request through it: condition keys, and its policy."""

from collections.abc import Iterator
from typing import Final

from iamd.auth.identity import Identity
from iamd.authz import organizations
from iamd.http import HttpRequest
from iamd.policy.document import PolicyType, load
from iamd.policy.evaluate import Layers
from iamd.policy.lint.global_keys import ONLY_WITH
from iamd.policy.request import lower
from iamd.store.account import Snapshot
from iamd.store.change import Change
from iamd.vpc_endpoint import VpcEndpoint

# AWS: IAM User Guide, reference_policies_condition-keys: the services, by action prefix, that have each key.
_WITH_ACCOUNT: Final = ONLY_WITH["aws:vpceaccount"]
_WITH_PATHS: Final = ONLY_WITH["aws:vpceorgpaths"]
_WITH_ORGANIZATION: Final = ONLY_WITH["aws:vpceorgid"]
_WITH_VPC_ARN: Final = _WITH_ACCOUNT - {"dynamodb", "gamelift", "shield"}
_WITHOUT: Final = frozenset({"iam:passrole"})
"""AWS: "AWS Identity and Access Management (except for the iam:PassRole action)", of each of these keys."""


def of(request: HttpRequest, identity: Identity) -> VpcEndpoint | None:
    """The endpoint that a caller's request came through; what a service asks comes through none."""
    endpoint = request.vpc_endpoint
    if endpoint is None or identity.invoked_by is not None or identity.service is not None:
        return None
    return endpoint


def of_action(endpoint: VpcEndpoint, action: str, view: Snapshot | Change) -> dict[str, str | tuple[str, ...]]:
    """The keys that only some services have."""
    name = lower(action)
    prefix = name.partition(":")[0]
    keys: dict[str, str | tuple[str, ...]] = {}
    if name in _WITHOUT:
        return keys
    if prefix in _WITH_ACCOUNT:
        keys["aws:vpceaccount"] = endpoint.account
    if prefix in _WITH_VPC_ARN:
        keys["aws:sourcevpcarn"] = _vpc_arn(endpoint)
    if prefix in _WITH_ORGANIZATION:
        standing = organizations.standing_of(endpoint.account, view)
        if standing is not None:
            keys["aws:vpceorgid"] = standing.organization_id
            if prefix in _WITH_PATHS:
                keys["aws:vpceorgpaths"] = (standing.path,)
    return keys


def _vpc_arn(endpoint: VpcEndpoint) -> str:
    region = endpoint.region
    partition = "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"
    return f"arn:{partition}:ec2:{region}:{endpoint.account}:vpc/{endpoint.vpc}"


def layers(found: Layers, endpoint: VpcEndpoint) -> Iterator[Layers]:
    """The layers with each of the endpoint's policies, all of which must allow."""
    for held in endpoint.policies:
        yield found.with_endpoint((load(held.text, PolicyType.ENDPOINT),), gateway=held.is_gateway)
