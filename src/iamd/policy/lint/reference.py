"""What the checks ask about services, regions and names; whoever calls `lint` hands it in.

The policy engine knows no files, so the shapes stand here as protocols and the data come from `iamd.data`.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Protocol

from iamd.policy.lint.arns import Format, format_of
from iamd.policy.lint.global_keys import global_key
from iamd.policy.lint.work import Work
from iamd.policy.request import lower
from iamd.policy.wildcard import has_wildcard, typed_matcher


class ActionResource(Protocol):
    """A resource type that an action acts on."""

    @property
    def name(self) -> str: ...
    @property
    def condition_keys(self) -> Sequence[str]: ...


class Action(Protocol):
    """One action of a service."""

    @property
    def name(self) -> str: ...
    @property
    def resources(self) -> Sequence[ActionResource]: ...
    @property
    def every_condition_key(self) -> frozenset[str]: ...


class ResourceType(Protocol):
    """One resource type of a service, its ARN with placeholders."""

    @property
    def name(self) -> str: ...
    @property
    def arn(self) -> str: ...
    @property
    def condition_keys(self) -> Sequence[str]: ...


class ConditionKey(Protocol):
    """One condition key; its type is String, ARN, Bool, Numeric, Date or IPAddress, perhaps after `ArrayOf`."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...


class Service(Protocol):
    """One service of AWS's Service Authorization Reference."""

    @property
    def prefix(self) -> str: ...
    @property
    def resource_control_policies(self) -> bool: ...
    @property
    def actions(self) -> Mapping[str, Action]: ...
    @property
    def resource_types(self) -> Mapping[str, ResourceType]: ...
    @property
    def condition_keys(self) -> Mapping[str, ConditionKey]: ...
    def condition_key(self, key: str) -> ConditionKey | None: ...


class Services(Protocol):
    """All services, by their action prefixes."""

    def prefixes(self) -> Collection[str]: ...
    def service(self, prefix: str) -> Service | None: ...


class Reference:
    """The services, the regions of each partition, and the prefixes of services by their other names.

    Names of services are those of AWS's endpoints and SDKs (`stepfunctions`); the prefix is IAM's (`states`).
    """

    def __init__(self, services: Services, regions: Mapping[str, frozenset[str]], names: Mapping[str, str]) -> None:
        self.services = services
        self.regions = regions
        self.names = names

    def service(self, prefix: str) -> Service | None:
        """The service of an action prefix in whatever case, or None."""
        return self.services.service(prefix)

    def has_region(self, pattern: str, partition: str, work: Work) -> bool:
        """Whether a partition has a region whose name matches `pattern`."""
        names = self.regions.get(partition, frozenset())
        if not has_wildcard(pattern):
            return pattern in names
        work.compare(pattern, names)
        return any(map(typed_matcher(pattern), names))

    def key_owners(self, prefix: str) -> tuple[Service, ...]:
        """The services that have condition keys with this prefix, which is in lower case; `aws` is nobody's.

        AWS: most often the service of that prefix, and others have some besides: `catalog:ChangeType` is AWS
        Marketplace's, `ec2:osuser` is EC2 Instance Connect's.
        """
        own = self.services.service(prefix)
        return (*([own] if own is not None else []), *self._key_owners.get(prefix, ()))

    def condition_key(self, name: str, work: Work) -> ConditionKey | None:
        """What AWS's pages say of a condition key in whatever case, with its tag's name, or None."""
        lowered = lower(name)
        found = global_key(lowered)
        if found is not None:
            return found
        # Keys of identity providers stand with those of STS, some with a part of their host left open.
        owners = self.key_owners(lowered.partition(":")[0]) or self.key_owners("sts")
        exact = next((owner.condition_keys[lowered] for owner in owners if lowered in owner.condition_keys), None)
        return exact or _open_key(owners, name, work)

    def formats(self, arn_service: str) -> tuple[Format, ...]:
        """The ARN formats of all resource types whose ARN names this service."""
        return self._formats.get(arn_service, ())

    def knows_arn_service(self, arn_service: str) -> bool:
        """Whether some resource's ARN, or some action, has this service's name."""
        return arn_service in self._formats or arn_service in self.services.prefixes()

    @cached_property
    def _key_owners(self) -> Mapping[str, tuple[Service, ...]]:
        found: dict[str, dict[str, Service]] = defaultdict(dict)
        for service in self._services():
            for key in service.condition_keys:
                found[key.partition(":")[0]][service.prefix] = service
        return {
            prefix: tuple(service for name, service in owners.items() if name != prefix)
            for prefix, owners in found.items()
            if prefix != "aws"
        }

    def _services(self) -> Iterator[Service]:
        for prefix in self.services.prefixes():
            service = self.services.service(prefix)
            if service is not None:
                yield service

    @cached_property
    def _formats(self) -> Mapping[str, tuple[Format, ...]]:
        # ARNs name services otherwise than actions do here and there, so all services have to be asked.
        found: dict[str, list[Format]] = defaultdict(list)
        for service in self._services():
            for resource in service.resource_types.values():
                form = format_of(resource.arn)
                if form is not None:
                    found[form.service].append(form)
        return {name: tuple(forms) for name, forms in found.items()}


def _open_key(owners: Sequence[Service], name: str, work: Work) -> ConditionKey | None:
    """A key whose name AWS gives with a part left open, as those of tags are."""
    for owner in owners:
        work.compare(name, owner.condition_keys)
        found = owner.condition_key(name)
        if found is not None:
            return found
    return None
