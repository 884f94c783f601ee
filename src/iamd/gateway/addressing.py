"""Where a request goes at its backend: the host and the path, with the bucket where that backend looks for it."""

import re
from typing import Final

from iamd.backend.verdict import Verdict
from iamd.errors import Common, CommonError
from iamd.gateway.backend import Backend
from iamd.wire.models import service as model_of

# AWS: a bucket's name is a host's, but a dot in it is one that no certificate covers (S3 User Guide, "Virtual hosting
# of buckets").
_AS_HOST: Final = re.compile(rb"/([a-z0-9][a-z0-9-]{1,61}[a-z0-9])(/.*|)", re.DOTALL)


def placed(path: bytes, verdict: Verdict, backend: Backend) -> tuple[str, bytes]:
    """The host and the path of a decided request; what stands behind the bucket stays byte for byte as it was."""
    host, rules = backend.host, backend.rules
    if rules.is_aws and model_of(verdict.service).host_prefix(verdict.operation) is not None:
        # The host of the operation's own may be another server than the endpoint's.
        raise CommonError(
            Common.NOT_IMPLEMENTED, f"{verdict.operation} is at a host of its own, which iamd does not ask."
        )
    bucket = verdict.bucket_host
    if bucket is not None and rules.addressing == "path":
        path, bucket = b"/" + bucket.encode() + (path if path != b"/" else b""), None
    elif bucket is None and rules.addressing == "virtual" and verdict.service == "s3":
        found = _AS_HOST.fullmatch(path)
        if found is not None:
            bucket, path = found[1].decode(), found[2] or b"/"
    if bucket is not None:
        host = f"{bucket}.{host}"
    if rules.base_path:
        _check_within(path)
        path = rules.base_path + path
    return host, path


def _check_within(path: bytes) -> None:
    # SECURITY: what stands below a path of somebody else's server must stay below it, however that server reads dots.
    if any(
        re.fullmatch(rb"(?:\.|%2e){1,2}", part, re.IGNORECASE)
        for part in re.split(rb"/|\\|%2f|%5c", path, flags=re.IGNORECASE)
    ):
        raise CommonError(Common.MALFORMED_HEADER, "The path of this backend's requests may have no `.` or `..` in it.")
