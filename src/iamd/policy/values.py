"""Which actions, resources, dates and variables may stand in a stored policy, and AWS's words for those that may not.

The answers that these rest on were published as test data by getmoto/moto (tests/test_iam/test_iam_policies.py).
"""

import re

from iamd.policy import variables
from iamd.policy.operators import moment, network, number, octets
from iamd.policy.wildcard import matches

PARTITIONS = ("aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc")
IAM_PATHS = (
    "user/",
    "federated-user/",
    "role/",
    "group/",
    "instance-profile/",
    "mfa/",
    "server-certificate/",
    "policy/",
    "sms-mfa/",
    "saml-provider/",
    "oidc-provider/",
    "report/",
    "access-report/",
)
LATER_IAM_PATHS = ("role-template/",)
"""What AWS takes as well and its message leaves out: PutUserPolicy with role templates, as recorded in 2026."""
S3_REGIONAL = ("accesspoint/", "job/", "storage-lens", "access-grants/", "*")
"""S3 resources that belong to a region; a bucket's ARN has none (S3 User Guide, "Policy resources for Amazon S3")."""

_VENDOR = re.compile(r"[A-Za-z0-9.-]+")


class MalformedPolicy(ValueError):
    """A document that AWS refuses to store; `message` is AWS's."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def check_action(action: str) -> None:
    """Raise unless `action` is `*` or a service's prefix, one colon and a name."""
    if action == "*":
        return
    vendor, colon, name = action.partition(":")
    if not colon:
        raise MalformedPolicy("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
    if ":" in name:
        raise MalformedPolicy("Actions/Condition can contain only one colon.")
    if not _VENDOR.fullmatch(vendor):
        raise MalformedPolicy(f"Vendor {vendor} is not valid")


def check_arn_format(resource: str) -> None:
    """Raise unless `resource` is `*` or has the beginnings of an ARN."""
    if resource != "*" and ":" not in resource:
        raise MalformedPolicy(f'Resource {resource} must be in ARN format or "*".')


def check_resource(resource: str) -> None:
    """Raise unless `resource` may stand in an identity, boundary or session policy."""
    check_arn_format(resource)
    if resource == "*":
        return
    partition, service, region, _account, path = _segments(resource)
    if not _is_partition(partition):
        whole = ":".join(["arn", *_segments(resource)])
        raise MalformedPolicy(f'Partition "{partition}" is not valid for resource "{whole}".')
    if not _VENDOR.fullmatch(service):
        raise MalformedPolicy("Resource vendor must be fully qualified and cannot contain regexes.")
    if service == "iam":
        _check_iam_resource(resource, region, path)
    if service == "s3" and region not in {"", "*"} and not path.startswith(S3_REGIONAL):
        raise MalformedPolicy(f"Resource {resource} can not contain region information.")


def _segments(resource: str) -> list[str]:
    """The five segments after `arn`; a missing one is `*`."""
    found = resource.split(":", 5)[1:]
    return found + ["*"] * (5 - len(found))


def _is_partition(text: str) -> bool:
    return text in PARTITIONS or any(matches(text, partition) for partition in PARTITIONS)


def _check_iam_resource(resource: str, region: str, path: str) -> None:
    # A short ARN has no region that an author wrote.
    if region and resource.count(":") >= 5:
        raise MalformedPolicy(f"IAM resource {resource} cannot contain region information.")
    # AWS's own policies for root tasks name the root user, which the message leaves out.
    if path not in {"*", "root"} and not path.startswith(IAM_PATHS + LATER_IAM_PATHS):
        raise MalformedPolicy(f'IAM resource path must either be "*" or start with {", ".join(IAM_PATHS)}.')


def is_whole_arn(resource: str) -> bool:
    """Whether AWS's older parser takes `resource`: a service, and no segment left empty before a missing one."""
    parts = resource.split(":", 5)
    if len(parts) < 3 or not _is_partition(parts[1]):
        return True  # another check has words for these
    return bool(parts[2]) and (len(parts) == 6 or "" not in parts)


def check_long_arn(resource: str) -> None:
    """Raise unless `resource` is `*` or an ARN of six segments."""
    if resource != "*" and resource.count(":") < 5:
        raise MalformedPolicy(f'Resource {resource} must be in ARN format or "*".')


def check_long_or_open_arn(resource: str) -> None:
    """Raise unless `resource` is an ARN of six segments, or a shorter one that ends in `*`."""
    if not resource.endswith("*"):
        check_long_arn(resource)


_YEAR = re.compile(r"[0-9]{1,9}T")


def is_stored_date(value: str) -> bool:
    """Whether AWS stores `value` under a date operator; it takes a bare year before a `T`, which no moment matches."""
    return moment(value) is not None or _YEAR.fullmatch(value) is not None


def is_dated(operator: str, value: str) -> bool:
    """Whether a value is none of a date operator, or is a date."""
    return not operator.startswith("Date") or is_stored_date(value)


def is_passed(operator: str, value: str) -> bool:
    """Whether AWS takes a value in a session policy: it was seen to refuse what is no base64, and to take all else."""
    return operator != "BinaryEquals" or octets(value) is not None


def is_stored(operator: str, value: str) -> bool:
    """Whether IAM stores a value: AWS was seen to refuse words that are no number, date, address, ARN or base64.

    What may be a pattern or a variable is taken.
    """
    if not is_dated(operator, value) or not is_passed(operator, value):
        return False
    if "${" in value:
        return True
    if operator.startswith("Numeric"):
        return number(value) is not None
    if operator.endswith("IpAddress"):
        return network(value) is not None
    return not operator.startswith("Arn") or _PERHAPS_AN_ARN.search(value) is not None


_PERHAPS_AN_ARN = re.compile(r"[:*?]")


def has_variables_in_order(value: str) -> bool:
    """Whether every `${` of `value` begins a variable or an escape."""
    return variables.is_well_formed(value)
