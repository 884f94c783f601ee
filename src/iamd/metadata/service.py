"""The instance metadata listeners of a server: which instance each stands for, and what it is told.

Nobody who asks is known: a listener gives the credentials of its instance's role to whoever can reach it, as EC2 gives
them to every program on the instance.
"""

import asyncio
import ipaddress
from collections.abc import Callable
from functools import partial

import msgspec

from iamd import arn as arns
from iamd.auth.identity import Service
from iamd.clock import iso_of
from iamd.exchange import Client, Receive, Send, Serving
from iamd.framing import Head
from iamd.gateway import instances
from iamd.gateway.asking import NotToldError, ask
from iamd.http import HttpResponse
from iamd.metadata import containers, description, guests, imds, sessions
from iamd.metadata.imds import Admitted
from iamd.metadata.instance import Instance, Options, Profile, credentials_document, failure_document
from iamd.metadata.session_tokens import SessionTokens
from iamd.metadata.temporary import Temporary, Unobtainable, is_due
from iamd.runtime import Runtime
from iamd.services.iam import entities
from iamd.services.iamd.workloads import EC2, instance_keys
from iamd.store.metadata_records import MetadataSource
from iamd.store.records import InstanceProfile, Resource, Role

_PURPOSE = "instance-metadata"
_KEPT = 1024
DEFAULT = "default"
"""What the address is known by that nobody asked for an instance of."""

OpenListener = Callable[["Listener"], str]
"""Has an application listen, and gives the address."""


class Kept(msgspec.Struct):
    """Credentials that were given, and when they began, by iamd's clock."""

    credentials: Temporary
    since: float


class MetadataService:
    """What every listener of this process shares."""

    def __init__(self, runtime: Runtime, open_listener: OpenListener, address: str) -> None:
        self.runtime = runtime
        self._open = open_listener
        self._addresses = {DEFAULT: address}
        self._key = runtime.keyring.derived_key(_PURPOSE)
        self._kept: dict[tuple[str, ...], Kept] = {}
        self._locks: dict[tuple[str, ...], asyncio.Lock] = {}

    def addresses(self) -> dict[str, str]:
        """Where metadata is served: by `default`, and for single instances by their ids."""
        return dict(self._addresses)

    def endpoint(self, account_id: str, instance_id: str) -> str | None:
        """The address of an instance's own listener, which begins when it is first asked for."""
        found = self.named(instance_id)
        if found is None or found.owner != account_id:
            return None
        known = self._addresses.get(instance_id)
        if known is None:
            listener = Listener(self, lambda _: self.named(instance_id))
            known = self._addresses[instance_id] = self._open(listener)
        return known

    def forget(self) -> None:
        """Give nobody what was given before: the accounts begin anew."""
        self._kept.clear()

    def asking(self, client: Client) -> Resource | None:
        """Whose metadata a client of the listener that was not asked for is told: its address's, or the only one's."""
        source = self.runtime.store.snapshot().shared.get(MetadataSource, _address(client))
        # SECURITY: an address that stands for an instance is told of no other, though that one be gone.
        return self.only() if source is None else self.named(source.instance_id)

    def only(self) -> Resource | None:
        """The setting's instance, or the only one with a profile that no address is registered for."""
        gateway = self.runtime.gateway
        facts = gateway.facts_of("ec2") if gateway is not None else None
        if facts is None:
            return None
        chosen = self.runtime.settings.metadata_instance
        if chosen is not None:
            return instances.named(chosen, facts)
        shared = facts.view.shared
        found = [
            one
            for one in instances.profiled(facts)
            if not shared.find(MetadataSource, "instance", instances.id_of(one))
        ]
        # SECURITY: of two nobody can tell which one asks, and neither's credentials are given.
        return found[0] if len(found) == 1 else None

    def named(self, instance_id: str) -> Resource | None:
        """The running instance of this id."""
        gateway = self.runtime.gateway
        facts = gateway.facts_of("ec2") if gateway is not None else None
        return instances.named(instance_id, facts) if facts is not None else None

    def tokens(self, instance_id: str) -> SessionTokens:
        """The session tokens of an instance."""
        return SessionTokens(self._key, instance_id, self.runtime.clock.timestamp)

    def options(self, found: Resource) -> Options:
        """How the metadata of an instance may be asked for."""
        facts = found.facts
        return Options(
            is_enabled=facts.get("HttpEndpoint") != "disabled",
            allows_v1=self.runtime.settings.metadata_v1 and facts.get("HttpTokens") != "required",
            shows_tags=facts.get("InstanceMetadataTags") == "enabled",
        )

    def profile(self, found: Resource) -> Profile | None:
        """The instance profile that it has, and that profile's role, as they are now."""
        account = self.runtime.store.snapshot().account(found.owner)
        profile = account.get(InstanceProfile, found.facts.get(instances.PROFILE, "")) if account is not None else None
        if account is None or profile is None:
            return None
        role = account.get(Role, profile.role_id) if profile.role_id is not None else None
        return Profile(
            entities.instance_profile_arn(account, profile),
            profile.instance_profile_id,
            entities.role_arn(account, role) if role is not None else None,
            iso_of(found.created),
            role.role_id if role is not None else "",
        )

    def kept(self, place: tuple[str, ...]) -> Temporary | None:
        """The credentials that were given last, unless their end is near."""
        known = self._kept.get(place)
        if known is None or is_due(known.credentials, self.runtime.clock.timestamp() - known.since):
            return None
        return known.credentials

    async def credentials(self, found: Resource, profile: Profile, version: str) -> Temporary:
        """The credentials of an instance's role, had anew when their end is near."""
        place = place_of(found, profile, version)
        lock = self._locks.setdefault(place, asyncio.Lock())
        async with lock:
            return self.kept(place) or await self._assumed(found, profile, version, place)

    async def _assumed(self, found: Resource, profile: Profile, version: str, place: tuple[str, ...]) -> Temporary:
        since = self.runtime.clock.timestamp()
        service = Service(EC2, found.owner, None, instance_keys(found.arn, version))
        region = found.arn.split(":")[3]
        given = await sessions.assume(self.runtime, service, profile.role_arn or "", instances.id_of(found), region)
        if len(self._kept) >= _KEPT:
            self._kept.clear()
            self._locks.clear()
        self._kept[place] = Kept(given, since)
        return given

    async def described(self, found: Resource, *, with_user_data: bool) -> Instance:
        """The instance as its backend describes it."""
        parsed, gateway = arns.parse(found.arn), self.runtime.gateway
        if parsed is None or gateway is None:
            raise TypeError(found.arn)
        instance = Instance(id=instances.id_of(found), account_id=found.owner, region=parsed.region)
        told = partial(
            ask,
            gateway.backend_of("ec2", found.owner, parsed.region),
            "ec2",
            account=found.owner,
            region=parsed.region,
            now=self.runtime.clock.machine_timestamp(),
        )
        known = description.of(instance, await told("DescribeInstances", {"InstanceIds": [instance.id]})) or instance
        if not with_user_data:
            return known
        asked = {"InstanceId": instance.id, "Attribute": "userData"}
        return description.with_user_data(known, await told("DescribeInstanceAttribute", asked))


def _address(client: Client) -> str:
    """The address of a client as addresses are registered."""
    if client is None:
        return ""
    found = ipaddress.ip_address(client[0].partition("%")[0])
    return str(getattr(found, "ipv4_mapped", None) or found)


def place_of(found: Resource, profile: Profile, version: str) -> tuple[str, ...]:
    """What credentials are kept by: another profile, role or version has others."""
    return (found.arn, profile.id, profile.role_id, profile.role_arn or "", version)


class Listener:
    """The application on one listener; `which` says what instance it stands for to a client."""

    def __init__(self, service: MetadataService, which: Callable[[Client], Resource | None]) -> None:
        self._service = service
        self._which = which

    async def __call__(self, scope: object, receive: object, send: object) -> None:
        """Uvicorn takes nothing but ASGI applications; iamd's connections ask `begin`."""
        raise TypeError("this listener answers iamd's connections only")

    def begin(self, head: Head, client: Client, body: bytes | None = None) -> HttpResponse | Serving:
        """Answer a request, or give what does."""
        refusal = guests.foreign(head)
        if refusal is not None:
            return refusal
        if head.length or head.chunked or body:
            return imds.error(400)
        if containers.is_asked(head.path):
            return containers.refused("InvalidIdInRequest", "CredentialsV2Request: ID not found", 400)
        found = self._which(client)
        if found is None:
            return imds.error(404)
        service = self._service
        options = service.options(found)
        admitted = imds.admit(head, service.tokens(instances.id_of(found)), options)
        if isinstance(admitted, HttpResponse):
            return admitted
        return self._found(head, found, options, admitted)

    def _found(self, head: Head, found: Resource, options: Options, admitted: Admitted) -> HttpResponse | Serving:
        service = self._service
        profile = service.profile(found)
        role = imds.role_asked(head.path)
        if role is None:
            return partial(self._described, head, found, profile, options, admitted)
        if profile is None or role != profile.role_name:
            return imds.error(404)
        known = service.kept(place_of(found, profile, admitted.version))
        if known is not None:
            return imds.text(credentials_document(known), admitted)
        return partial(self._credentials, found, profile, admitted)

    async def _credentials(
        self, found: Resource, profile: Profile, admitted: Admitted, _receive: Receive, _send: Send
    ) -> HttpResponse:
        try:
            given = await self._service.credentials(found, profile, admitted.version)
        except Unobtainable as error:
            return imds.text(failure_document(error), admitted) if error.status == 403 else imds.error(503)
        return imds.text(credentials_document(given), admitted)

    async def _described(
        self,
        head: Head,
        found: Resource,
        profile: Profile | None,
        options: Options,
        admitted: Admitted,
        _receive: Receive,
        _send: Send,
    ) -> HttpResponse:
        if imds.is_of_profile(head.path):
            # Nothing of it is the backend's to tell, and every SDK asks it first.
            instance = Instance(id=instances.id_of(found), account_id=found.owner, region=found.arn.split(":")[3])
        else:
            try:
                instance = await self._service.described(found, with_user_data=imds.is_of_user_data(head.path))
            except NotToldError:
                return imds.error(503)
        return imds.found(head.path, instance, profile, options, admitted)
