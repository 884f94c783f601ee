"""The names of an organization's policies: their ARNs, and what they are attached to."""

from typing import NamedTuple

from iamd.arn import PARTITION
from iamd.authz.organizations import View, standing_of
from iamd.data.organization_policies import MANAGED, RESOURCE_CONTROL_POLICY, SERVICE_CONTROL_POLICY
from iamd.policy.decision import Layer
from iamd.store.organization_records import Organization, OrganizationalUnit

TYPES = {Layer.SCP: SERVICE_CONTROL_POLICY, Layer.RCP: RESOURCE_CONTROL_POLICY}
"""The layers that are made of an organization's policies, with their types."""


class Attached(NamedTuple):
    """A policy and what it is attached to, `root r-...`, `organizational unit ou-...` or `account ...`.

    The ARN is None when it cannot be told, for the records of the organization are damaged.
    """

    arn: str | None
    target: str

    @property
    def shown(self) -> str:
        """The policy as people know it."""
        return f"{self.arn or 'unreadable policy'} (attached to {self.target})"


def policy_arn(organization: Organization, policy_type: str, policy_id: str) -> str:
    """The ARN of a policy; AWS's own belong to no organization."""
    kind = policy_type.lower()
    if policy_id in MANAGED:
        return f"arn:{PARTITION}:organizations::aws:policy/{kind}/{policy_id}"
    place = f"policy/{organization.organization_id}/{kind}/{policy_id}"
    return f"arn:{PARTITION}:organizations::{organization.management_account_id}:{place}"


def attached(owner: str, view: View, layer: Layer, level: int, number: int) -> Attached | None:
    """One of the SCPs or RCPs that bind an account, by where it stands among them; None when none binds it."""
    standing = standing_of(owner, view)
    if standing is None:
        return None
    target_id, policy_ids = (standing.scp_levels if layer is Layer.SCP else standing.rcp_levels)[level]
    organization = view.shared.get(Organization, standing.organization_id)
    if organization is None or not policy_ids[number]:
        return Attached(None, _target(target_id, view))
    return Attached(policy_arn(organization, TYPES[layer], policy_ids[number]), _target(target_id, view))


def are_together(account_id: str, other_id: str, view: View) -> bool:
    """Whether two accounts are one, or in one organization."""
    if account_id == other_id:
        return True
    one, other = standing_of(account_id, view), standing_of(other_id, view)
    return one is not None and other is not None and one.organization_id == other.organization_id


def _target(target_id: str, view: View) -> str:
    if view.shared.one(Organization, "root", target_id) is not None:
        return f"root {target_id}"
    is_unit = view.shared.get(OrganizationalUnit, target_id) is not None
    return f"organizational unit {target_id}" if is_unit else f"account {target_id}"
