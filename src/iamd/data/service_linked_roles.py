"""Service-linked roles: which service has one, its name, its policy, and whether a suffix may be chosen.

The table is service_linked_roles.tsv beside this file; SOURCES.md tells where its rows come from.
"""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from iamd.data.managed_policies import ARN_PREFIX

TABLE = Path(__file__).with_name("service_linked_roles.tsv")
POLICY_PATH = "/aws-service-role/"


@dataclass(frozen=True, slots=True)
class ServiceLinkedRole:
    """The role that a service makes, or lets make, in an account."""

    # As CreateServiceLinkedRole's AWSServiceName, which is case-sensitive.
    service_name: str
    role_name: str
    policy_name: str
    custom_suffix: bool

    @property
    def path(self) -> str:
        """The path that AWS reserves for the service's roles."""
        return f"/aws-service-role/{self.service_name}/"

    @property
    def policy_arn(self) -> str:
        """The ARN of the AWS managed policy that comes attached and can be attached to nothing else."""
        return f"{ARN_PREFIX}{POLICY_PATH}{self.policy_name}"

    def name(self, suffix: str | None = None) -> str:
        """The role's name; a suffix follows an underscore (IAM API Reference, CreateServiceLinkedRole)."""
        return f"{self.role_name}_{suffix}" if suffix else self.role_name

    def trust_policy(self) -> str:
        """The trust policy, as CreateServiceLinkedRole was seen to answer it: the service alone assumes the role."""
        statement = {"Action": ["sts:AssumeRole"], "Effect": "Allow", "Principal": {"Service": [self.service_name]}}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))


def service_linked_role(service_name: str) -> ServiceLinkedRole | None:
    """The service's role, or None when the service is not known to have one."""
    return service_linked_roles().get(service_name)


@cache
def service_linked_roles() -> Mapping[str, ServiceLinkedRole]:
    """Every known service-linked role by its service name, as `autoscaling.amazonaws.com`."""
    with TABLE.open(newline="") as file:
        rows = csv.DictReader(file, delimiter="\t")
        return MappingProxyType({row["AWSServiceName"]: _role(row) for row in rows})


def _role(row: Mapping[str, str]) -> ServiceLinkedRole:
    return ServiceLinkedRole(
        service_name=row["AWSServiceName"],
        role_name=row["RoleName"],
        policy_name=row["PolicyName"],
        custom_suffix={"yes": True, "no": False}[row["CustomSuffix"]],
    )
