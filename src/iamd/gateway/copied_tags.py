"""Tags that CopyObject takes over from its source: whoever copies an object with tags reads them and sets them.

AWS: S3 API Reference, CopyObject: the tags are copied unless x-amz-tagging-directive is REPLACE; Service Authorization
Reference, "API operations", CopyObject: s3:PutObjectTagging; AWS re:Post, "Access Denied" when objects with tags are
copied: s3:GetObjectTagging on the source too.
"""

from collections.abc import Mapping
from typing import Any, Final

from iamd.authz.target import Target
from iamd.gateway import placing
from iamd.gateway.actions import keys, s3
from iamd.gateway.actions.asked import Asked
from iamd.gateway.asking import NotToldError, ask
from iamd.gateway.backends import Backends
from iamd.gateway.deciding import Step
from iamd.gateway.resources import Facts
from iamd.policy_places import bucket_of

_READING: Final = "s3:GetObjectTagging"


async def further(step: Step, backends: Backends) -> list[Target]:
    """What must be allowed besides, once the copy itself is; nothing where no tags are copied.

    SECURITY: the backend is asked only for who may read the source and write the copy.
    """
    asked = step.asked
    source = s3.copied_with_tags(asked.parameters)
    if source is None or not await _has_tags(source, asked, step.facts, backends):
        return []
    reading = "s3:GetObjectVersionTagging" if "VersionId" in source else _READING
    copy = f"{asked.parameters['Bucket']}/{asked.parameters['Key']}"
    wanted = ((reading, f"{source['Bucket']}/{source['Key']}"), ("s3:PutObjectTagging", copy))
    values = {**asked.parameters, **s3.values(asked)}
    return [
        Target(arn=f"arn:{asked.partition}:s3:::{name}", action=action, context=keys.of("s3", action, values))
        for action, name in wanted
    ]


async def _has_tags(source: Mapping[str, Any], asked: Asked, facts: Facts, backends: Backends) -> bool:
    """Whether an object has tags, asked of the backend as its owner."""
    arn = f"arn:{asked.partition}:s3:::{source['Bucket']}/{source['Key']}"
    account = facts.bucket_owner(facts.get(bucket_of(arn)), asked.account)
    backend = placing.of_bucket(arn, asked, backends, facts).backend
    try:
        told = await ask(backend, "s3", "GetObjectTagging", source, account=account, region=asked.region, now=asked.now)
    except NotToldError:
        # SECURITY: an object whose tags the backend does not tell counts as one that has some.
        return True
    return told is not None and told.get("TagSet") != []
