"""What a service-linked role is still used for: its service's resources, asked of the backend in every Region.

The rows of role_usages.toml say who is asked for what. AWS: IAM User Guide, "Create a service-linked role"
(id_roles_create-service-linked-role, "Deleting a service-linked role"); API Reference, RoleUsageType.
"""

import asyncio
import tomllib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import resources
from typing import Any, Final, NamedTuple

import jmespath
import msgspec

from iamd import arn as arns
from iamd.backend.embedded import BackendDown
from iamd.data.regions import regions
from iamd.errors import CommonError
from iamd.gateway.asking import NotToldError, ask
from iamd.gateway.backend import Backend
from iamd.gateway.backends import Backends
from iamd.store.records import Role
from iamd.store.report_records import RoleUsage

MOST_PAGES: Final = 100
AT_ONCE: Final = 8
"""Regions that are asked at the same time."""


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One operation that tells of resources; the members are those that role_usages.toml explains."""

    service: str
    operation: str
    resources: str
    more: tuple[str, str]
    arn: str = "{}"
    given: Mapping[str, str] = {}


@cache
def table() -> Mapping[str, tuple[Row, ...]]:
    """The rows of role_usages.toml, by service principal."""
    text = resources.files(__package__).joinpath("role_usages.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, tuple[Row, ...]])


class Asked(NamedTuple):
    """A row, the account and Region that are asked for, and who is asked."""

    row: Row
    account: str
    region: str
    backend: Backend


async def usages(role: Role, account: str, backends: Backends, now: float) -> tuple[RoleUsage, ...]:
    """The resources that an account's service-linked role is used for; NotToldError when they can't be known."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def told(one: Asked) -> list[str]:
        async with turns:
            return await _told(one, role, now)

    asked = [one for row in table().get(role.service_linked or "", ()) for one in await _asked(row, account, backends)]
    found: dict[str, list[str]] = {}
    for one, there in zip(asked, await asyncio.gather(*map(told, asked)), strict=True):
        found.setdefault(one.region, []).extend(there)
    return tuple(RoleUsage(region, tuple(there)) for region, there in sorted(found.items()) if there)


async def _asked(row: Row, account: str, backends: Backends) -> list[Asked]:
    """Who is asked for a row, Region by Region: where there is no backend there are no resources."""
    found: list[Asked] = []
    for region in await asyncio.to_thread(regions_of, row.service):
        with suppress(CommonError):
            found.append(Asked(row, account, region, backends.of(row.service, account, region).backend))
    embedded = next((one.backend.embedded for one in found if one.backend.embedded is not None), None)
    if embedded is None:
        return found
    try:
        # Those that nobody has used it would make, and that takes long.
        used = await embedded.regions(account)
    except BackendDown as error:
        raise NotToldError(str(error)) from error
    return [one for one in found if one.backend.embedded is None or one.region in used]


@cache
def regions_of(service: str) -> Sequence[str]:
    """The Regions in which AWS has a service; all of them when botocore's table has none."""
    # Imported here: a gateway's start would take a third longer.
    from botocore.loaders import create_loader  # noqa: PLC0415
    from botocore.regions import EndpointResolver  # noqa: PLC0415

    loader = create_loader()
    prefix = loader.load_service_model(service, "service-2")["metadata"]["endpointPrefix"]
    found = EndpointResolver(loader.load_data("endpoints")).get_available_endpoints(prefix, arns.PARTITION)
    return found or sorted(regions()[arns.PARTITION])


async def _told(asked: Asked, role: Role, now: float) -> list[str]:
    row, account, region, _backend = asked
    path = jmespath.compile(row.resources.replace("{role}", arns.iam(account, "role", role.path, role.role_name)))
    return [
        row.arn.format(one, partition=arns.PARTITION, region=region, account=account)
        async for page in _pages(asked, now)
        for one in path.search(page) or ()
    ]


async def _pages(asked: Asked, now: float) -> AsyncIterator[Mapping[str, Any]]:
    row, account, region, backend = asked
    given: dict[str, Any] = dict(row.given)
    for _ in range(MOST_PAGES):
        page = await ask(backend, row.service, row.operation, given, account=account, region=region, now=now)
        if page is None:
            return
        yield page
        token = page.get(row.more[0])
        if not token:
            return
        given[row.more[1]] = token
    raise NotToldError("there are too many resources")
