"""The keys that EC2 uses for its callers: those of volumes that are made and attached, and of copies of snapshots.

AWS: EBS User Guide, "How Amazon EBS encryption works" (how-ebs-encryption-works), "Requirements for Amazon EBS
encryption" (ebs-encryption-requirements), "Copy an Amazon EBS snapshot" (ebs-copy-snapshot); EC2 User Guide, "Use
encryption with EBS-backed AMIs" (AMIEncryption); KMS Developer Guide, services-ebs, ct-ec2two.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from iamd.gateway.actions.asked import at
from iamd.gateway.asking import NotToldError
from iamd.gateway.key_uses import ebs_defaults
from iamd.gateway.key_uses.use import (
    CREATE_GRANT,
    DECRYPT,
    DESCRIBE,
    GENERATE_UNSEEN,
    RE_ENCRYPT_FROM,
    RE_ENCRYPT_TO,
    Use,
    Work,
)

Told = Mapping[str, Any]
_CONTEXT: Final = "aws:ebs:id"
_NONE_SUCH: Final = "400 Invalid"
"""How EC2 answers to an id that is none (EC2 API Reference, "Error codes": InvalidAMIID.Malformed)."""


class Source(msgspec.Struct, frozen=True):
    """A snapshot that something is made from: its key where it is encrypted, None for EBS's own."""

    encrypted: bool
    key: str | None = None
    shared: bool = False
    region: str | None = None
    """Where it lies, and its key with it."""


async def before(work: Work) -> list[Use]:
    """What EC2 asks of KMS before it answers."""
    given = work.given
    if given.get("DryRun"):
        return []
    match work.name:
        case "AttachVolume":
            return await _attached(work)
        case "CreateVolume":
            named = given.get("SnapshotId")
            return await _made(given, await _snapshot(named, work) if named else None, work)
        case "CopySnapshot":
            region = given.get("SourceRegion") or work.asked.region
            return await _copied(given, [await _snapshot(given["SourceSnapshotId"], work, region)], work)
        case "CopyImage":
            region = given.get("SourceRegion") or work.asked.region
            image = await _image(given["SourceImageId"], work, region)
            sources = [await _snapshot(one["Ebs"]["SnapshotId"], work, region) for one in _with_snapshots(image)]
            return await _copied(given, sources, work)
    return await _launched(work)


async def _made(given: Told, source: Source | None, work: Work, *, attached: bool = False) -> list[Use]:
    """A volume that is made."""
    key, encrypted = await _outcome(given, source, work)
    if not encrypted:
        return []
    if source is None:
        actions = [GENERATE_UNSEEN]
    elif source.encrypted:
        actions = [GENERATE_UNSEEN, RE_ENCRYPT_TO]
    else:
        actions = [CREATE_GRANT, GENERATE_UNSEEN, DECRYPT]
    if attached and CREATE_GRANT not in actions:
        actions.append(CREATE_GRANT)
    return [*_read(source, work), *(_use(action, key, work) for action in actions)]


async def _copied(given: Told, sources: Iterable[Source | None], work: Work) -> list[Use]:
    """Copies of snapshots.

    AWS: who copies an encrypted one may describe the account's default key, whichever it gets (ebs-copy-snapshot).
    """
    found: list[Use] = []
    for source in sources:
        key, encrypted = await _outcome(given, source, work)
        if encrypted:
            if source is not None and source.encrypted:
                found.append(_use(DESCRIBE, await ebs_defaults.key(work), work))
            again = RE_ENCRYPT_TO if source is not None and source.encrypted else DECRYPT
            found += _read(source, work)
            found += [_use(action, key, work) for action in (DESCRIBE, CREATE_GRANT, GENERATE_UNSEEN, again)]
    return _distinct(found)


def _distinct(uses: list[Use]) -> list[Use]:
    found: list[Use] = []
    for use in uses:
        if use not in found:
            found.append(use)
    return found


def _read(source: Source | None, work: Work) -> list[Use]:
    """What is encrypted anew."""
    if source is None or not source.encrypted:
        return []
    return [_use(RE_ENCRYPT_FROM, source.key, work, region=source.region)]


async def _outcome(given: Told, source: Source | None, work: Work) -> tuple[str | None, bool]:
    """The key of what is made, None for EBS's own, and whether it is encrypted at all.

    AWS: AMIEncryption and ebs-copy-snapshot, the outcomes of each combination.
    """
    named, is_encrypted = given.get("KmsKeyId"), source is not None and source.encrypted
    if not (named or given.get("Encrypted") or is_encrypted or await ebs_defaults.is_on(work)):
        return None, False
    if named:
        return str(named), True
    if source is not None and source.encrypted and not source.shared and source.region == work.asked.region:
        return source.key, True
    return await ebs_defaults.key(work), True


async def _attached(work: Work) -> list[Use]:
    """A volume is decrypted where it is attached, by a grant."""
    volume = str(work.given["VolumeId"])
    told = await _asked("DescribeVolumes", {"VolumeIds": [volume]}, work)
    found = (told.get("Volumes") or [{}])[0]
    if not found.get("Encrypted"):
        return []
    return [_use(CREATE_GRANT, _own_or(found.get("KmsKeyId"), work), work, {_CONTEXT: volume})]


async def _launched(work: Work) -> list[Use]:
    """The volumes of instances, by the request, the launch template and the image."""
    given = work.given
    template = await _template(given["LaunchTemplate"], work) if given.get("LaunchTemplate") else {}
    image = given.get("ImageId") or template.get("ImageId")
    devices: dict[str, Told] = {}
    for told in (await _image(image, work, work.asked.region) if image else {}, template, given):
        for one in told.get("BlockDeviceMappings") or ():
            name = str(one.get("DeviceName"))
            before = (devices.get(name) or {}).get("Ebs") or {}
            # An image does not say by which key its snapshots are encrypted.
            devices[name] = {**one, "Ebs": {**before, **(one.get("Ebs") or {})}}
    found: list[Use] = []
    for one in devices.values():
        ebs = one["Ebs"]
        if not ebs or one.get("NoDevice") is not None:
            continue
        snapshot = ebs.get("SnapshotId")
        found += await _made(ebs, await _snapshot(snapshot, work) if snapshot else None, work, attached=True)
    return _distinct(found)


async def _template(named: Told, work: Work) -> Told:
    """What a launch template says."""
    names = {name: named[name] for name in ("LaunchTemplateId", "LaunchTemplateName") if named.get(name)}
    versions = [str(named.get("Version") or "$Default")]
    told = await _asked("DescribeLaunchTemplateVersions", {**names, "Versions": versions}, work)
    data: Told = at((told.get("LaunchTemplateVersions") or [{}])[0], "LaunchTemplateData") or {}
    return data


async def _image(image: str, work: Work, region: str) -> Told:
    """An image, which stays as it is."""
    asked = ("image", work.facts.boot or work.step.place.name, work.owner, region, image)
    known = work.remembered.get(asked, work.now)
    if known is None:
        told = await _asked("DescribeImages", {"ImageIds": [image]}, work, region)
        known = ((told.get("Images") or [{}])[0],)
        if known[0]:
            work.remembered.put(asked, known[0], work.now)
    found: Told = known[0]
    return found


def _with_snapshots(image: Told) -> list[Told]:
    return [one for one in image.get("BlockDeviceMappings") or () if at(one, "Ebs.SnapshotId")]


async def _snapshot(named: str, work: Work, region: str | None = None) -> Source | None:
    """A snapshot, whose encryption stays as it is; None when there is none, which EC2 says itself."""
    place = region or work.asked.region
    asked = ("snapshot", work.facts.boot or work.step.place.name, work.owner, place, named)
    known = work.remembered.get(asked, work.now)
    if known is None:
        told = await _asked("DescribeSnapshots", {"SnapshotIds": [named]}, work, place)
        known = ((told.get("Snapshots") or [None])[0],)
        if known[0] is not None:
            work.remembered.put(asked, known[0], work.now)
    found = known[0]
    if found is None:
        return None
    owner = found.get("OwnerId")
    key, is_shared = _own_or(found.get("KmsKeyId"), work), owner not in {None, work.owner}
    return Source(bool(found.get("Encrypted")), key, is_shared, place)


async def _asked(operation: str, parameters: dict[str, Any], work: Work, region: str | None = None) -> Told:
    """What the backend says; nothing where there is no such thing, which it says itself to the request."""
    backend, region = None, region or work.asked.region
    if region != work.asked.region:
        backend = work.backends.of("ec2", work.owner, region).backend
    try:
        return await work.told(operation, parameters, backend=backend, region=region) or {}
    except NotToldError as error:
        # SECURITY: AWS always tells; of other backends those that tell nothing encrypt nothing.
        if (work.step.place.backend.rules.is_aws or work.is_embedded) and not str(error).startswith(_NONE_SUCH):
            raise
        return {}


def _own_or(key: Any, work: Work) -> str | None:
    """The key that the backend tells, None for EBS's own: all others of the embedded backend iamd has seen made."""
    if not key or (work.is_embedded and work.facts.get(str(key)) is None):
        return None
    return str(key)


def _use(
    action: str,
    key: str | None,
    work: Work,
    context: Mapping[str, str] | None = None,
    region: str | None = None,
) -> Use:
    return Use(
        action=action,
        key=key,
        account=work.owner,
        region=region or work.asked.region,
        context=context or {},
        own_alias="ebs",
    )
