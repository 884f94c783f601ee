"""AWS's own policies of AWS Organizations, which stand attached where nothing else limits what an account may do.

AWS: Organizations User Guide, "SCP evaluation" (orgs_manage_policies_scps_evaluation) and "Resource control policy
examples" (orgs_manage_policies_rcps_examples), which shows RCPFullAWSAccess.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

SERVICE_CONTROL_POLICY = "SERVICE_CONTROL_POLICY"
RESOURCE_CONTROL_POLICY = "RESOURCE_CONTROL_POLICY"


@dataclass(frozen=True, slots=True)
class ManagedOrganizationPolicy:
    """A policy of AWS's; in every organization it has the same id."""

    policy_id: str
    type: str
    name: str
    description: str
    content: str


_STATEMENTS = {
    SERVICE_CONTROL_POLICY: '{"Effect":"Allow","Action":"*","Resource":"*"}',
    RESOURCE_CONTROL_POLICY: '{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}',
}


def _full_access(policy_type: str, name: str, description: str) -> ManagedOrganizationPolicy:
    content = f'{{"Version":"2012-10-17","Statement":[{_STATEMENTS[policy_type]}]}}'
    return ManagedOrganizationPolicy(f"p-{name}", policy_type, name, description, content)


FULL_AWS_ACCESS = _full_access(SERVICE_CONTROL_POLICY, "FullAWSAccess", "Allows access to every operation")
RCP_FULL_AWS_ACCESS = _full_access(
    RESOURCE_CONTROL_POLICY, "RCPFullAWSAccess", "Allows all principals and actions access to resources"
)

MANAGED: Mapping[str, ManagedOrganizationPolicy] = MappingProxyType(
    {policy.policy_id: policy for policy in (FULL_AWS_ACCESS, RCP_FULL_AWS_ACCESS)}
)
"""AWS's policies by their ids."""

DEFAULTS: Mapping[str, ManagedOrganizationPolicy] = MappingProxyType(
    {policy.type: policy for policy in MANAGED.values()}
)
"""The policy that stands attached everywhere when a policy type is enabled, by the type."""
