"""Placing: at which backend the resources of a request are, where they lie at several by their accounts and Regions.

A bucket's name tells neither: iamd remembers at which backend it was made, and sends what is for it there.
"""

from collections.abc import Sequence

from iamd import arn as arns
from iamd.arn import REGION
from iamd.authz.target import Target
from iamd.errors import Common, CommonError
from iamd.gateway.actions import mapping
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.by_rule import account_of
from iamd.gateway.backends import Backends, Place
from iamd.gateway.resources import Facts
from iamd.policy_places import bucket_of, is_s3
from iamd.store.account import Snapshot
from iamd.store.records import Resource


def home(asked: Asked, backends: Backends, facts: Facts) -> Place:
    """The backend of what a request is for first."""
    service = asked.operation.service
    if service == "s3" and "Bucket" in asked.parameters:
        return of_bucket(f"arn:{asked.partition}:s3:::{asked.parameters['Bucket']}", asked, backends, facts)
    targets = mapping.targets(asked)
    if service == "s3control" and is_s3(targets[0].arn):
        return of_bucket(targets[0].arn, asked, backends, facts)
    owners = [owner for target in targets if (owner := account_of(target.arn)) is not None]
    return backends.of(service, owners[0] if owners else asked.account, asked.region)


def check(targets: Sequence[Target], place: Place, asked: Asked, backends: Backends, facts: Facts) -> None:
    """Refuse a request for something that another backend has.

    SECURITY: what this backend has by the same name is not what was decided on.
    """
    for target in targets:
        if _of(target.arn, asked, backends, facts) not in {None, place}:
            raise CommonError(Common.VALIDATION, "One request cannot be for resources of several backends.")


def _of(arn: str, asked: Asked, backends: Backends, facts: Facts) -> Place | None:
    """The backend of a resource of the service that is asked; None for what else a request touches."""
    if is_s3(arn):
        return of_bucket(arn, asked, backends, facts) if arn.split(":", 5)[5] != "*" else None
    found, owner = arns.parse(arn), account_of(arn)
    if found is not None and owner is None and found.region not in {"", "*", asked.region}:
        # What EC2 copies from another Region has no account in its ARN.
        owner = asked.account
    if found is None or owner is None or found.service in {"iam", "kms"}:
        return None
    region = found.region if REGION.fullmatch(found.region) else asked.region
    return backends.of(asked.operation.service, owner, region)


def of_bucket(arn: str, asked: Asked, backends: Backends, facts: Facts) -> Place:
    """The backend that has a bucket, or what is in it."""
    arn = bucket_of(arn)
    record = facts.view.shared.get(Resource, arn)
    if record is None or not is_alive(record, backends):
        return backends.of("s3", asked.account, asked.region)
    if record.backend_boot is not None:
        found = backends.local
    elif record.place is not None:
        found = backends.named(record.place, "s3", asked.region)
    else:
        found = backends.of("s3", record.owner, asked.region)
    if found is None:
        raise CommonError(
            Common.UNAVAILABLE, f"The bucket is at the backend `{record.place}`, which is not configured."
        )
    return found


def living(name: str, view: Snapshot, backends: Backends) -> str | None:
    """The ARN of what is known by a name at any of the backends."""
    found = [one for one in view.shared.find(Resource, "name", name) if is_alive(one, backends)]
    return found[-1].arn if found else None


def is_alive(record: Resource, backends: Backends) -> bool:
    """Whether a record is of a life of its backend that has not ended."""
    local = backends.embedded
    return record.backend_boot is None or (local is not None and record.backend_boot == local.boot)
