"""The access point, job, grant or configuration that one of S3's control calls is for, all of the caller's account.

AWS: S3 API Reference, "Amazon S3 Control"; S3 User Guide, "Configuring IAM policies for using access points".
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from iamd.errors import AWSError, Common, CommonError
from iamd.gateway.actions import s3
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.given_arn import given, own
from iamd.gateway.actions.points import INTERNET, ORIGIN, VPC

_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_POINT: Final = re.compile(r"[a-z0-9-]{3,63}", re.ASCII)
_BUCKET_ARN: Final = re.compile(r"arn:(?P<partition>[a-z-]+):s3:::[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)
_TAGGED: Final = re.compile(
    rf"accesspoint/{_POINT.pattern}|storage-lens-group/{_NAME.pattern}"
    rf"|access-grants/default(?:/(?:grant|location)/{_NAME.pattern})?",
    re.ASCII,
)
_REQUEST: Final = re.compile(r"async-request/mrap/[a-z-]{1,32}/[A-Za-z0-9_-]{1,128}", re.ASCII)
_ROUTED: Final = re.compile(
    r"arn:(?P<partition>[a-z-]+):s3::(?P<account>[0-9]{12}):accesspoint/[a-z0-9.-]{3,63}", re.ASCII
)
_NAMES: Final = {"AccessGrantId": "grant", "AccessGrantsLocationId": "location", "JobId": "job", "ConfigId": "lens"}


class InvalidRequest(AWSError):
    """A name or an ARN of nothing that S3 Control can have (S3 API Reference, "List of error codes")."""

    code = "InvalidRequest"
    status = 400


def values(asked: Asked) -> Mapping[str, Any]:
    """The names in ARNs, what is told of an access point or a job, and how the request is signed."""
    parameters = asked.parameters
    if parameters["AccountId"] != asked.account and not _is_bucket(parameters.get("ResourceArn"), asked):
        # SECURITY: the backend acts in this account, and no policy of another account's is kept for it here.
        raise CommonError(Common.ACCESS_DENIED, "Access Denied")
    found: dict[str, Any] = {
        name: _checked(parameters[member], _NAME) for member, name in _NAMES.items() if member in parameters
    }
    return found | _of_name(asked) | _of_arns(asked) | _of_job(parameters) | s3.of_signature(asked)


def _checked(value: Any, pattern: re.Pattern[str]) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise InvalidRequest(f"{value} is not valid.")
    return value


def _of_name(asked: Asked) -> dict[str, Any]:
    parameters, operation = asked.parameters, asked.operation.name
    if operation == "CreateStorageLensGroup":
        return {"new_lens_group": _checked(parameters["StorageLensGroup"]["Name"], _NAME)}
    if "Name" not in parameters:
        return {}
    name = _checked(parameters["Name"], _POINT if "AccessPoint" in operation else _NAME)
    found: dict[str, Any] = {"name": name}
    if "AccessPoint" in operation and "MultiRegion" not in operation and "ObjectLambda" not in operation:
        found |= {"access_point": own("s3", f"accesspoint/{name}", asked), "access_point_account": asked.account}
        known = asked.known(found["access_point"])
        if ORIGIN in known:
            found["network_origin"] = known[ORIGIN]
    if operation == "CreateAccessPoint":
        found["network_origin"] = VPC if parameters.get("VpcConfiguration") else INTERNET
    return found


def _of_arns(asked: Asked) -> dict[str, Any]:
    parameters = asked.parameters
    found: dict[str, Any] = {}
    if "ResourceArn" in parameters:
        found["tagged"] = _tagged(parameters["ResourceArn"], asked)
    if "RequestTokenARN" in parameters:
        found["request"] = _whole(parameters["RequestTokenARN"], _REQUEST, asked)
    if "Mrap" in parameters:
        match = _ROUTED.fullmatch(parameters["Mrap"])
        if match is None or (match["partition"], match["account"]) != (asked.partition, asked.account):
            raise InvalidRequest(f"{parameters['Mrap']} is not the ARN of an access point of several regions.")
        found["routed"] = parameters["Mrap"]
    return found


def _tagged(value: Any, asked: Asked) -> str:
    return str(value) if _is_bucket(value, asked) else _whole(value, _TAGGED, asked)


def _is_bucket(value: Any, asked: Asked) -> bool:
    """Whether it is a bucket's ARN; whose the bucket is, what is known of it tells."""
    bucket = _BUCKET_ARN.fullmatch(value) if isinstance(value, str) else None
    return bucket is not None and bucket["partition"] == asked.partition


def _whole(value: Any, pattern: re.Pattern[str], asked: Asked) -> str:
    found = given(value, "s3", asked)
    if found is None or found.account != asked.account or not pattern.fullmatch(found.resource):
        raise InvalidRequest(f"{value} is not the ARN of a resource of this account.")
    return str(found)


def _of_job(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The one operation of a job of S3 Batch Operations, by its member's name."""
    operation = parameters.get("Operation")
    return {"job_operation": next(iter(operation))} if isinstance(operation, Mapping) and operation else {}
