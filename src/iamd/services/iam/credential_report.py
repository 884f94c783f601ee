"""The credential report: one line of CSV for the root user and each user, made at most once in four hours.

AWS: IAM User Guide, "Generate credential reports for your AWS account" (id_credentials_getting-report), says what the
columns hold. Their order, the form of dates and truth values, the order of lines, keys and certificates, and what
inactive credentials show are those of AWS's recorded reports (September 2026), which differ from the page in places.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

from iamd import arn
from iamd.call import Call
from iamd.services.iam import arns
from iamd.services.iam.account import record_of
from iamd.services.iam.entities import moment, user_arn
from iamd.services.iam.errors import ReportExpired, ReportNotPresent
from iamd.services.registry import operation, reading
from iamd.store.records import (
    ROOT,
    AccessKey,
    LoginProfile,
    MFADevice,
    SigningCertificate,
    User,
    fold,
)
from iamd.store.report_records import CredentialReport
from iamd.store.sign_in_records import SecurityKey

FOUR_HOURS = 4 * 60 * 60
DAY = 24 * 60 * 60

COLUMNS = (
    "user", "arn", "user_creation_time", "password_enabled", "password_last_used", "password_last_changed",
    "password_next_rotation", "mfa_active",
    "access_key_1_active", "access_key_1_last_rotated", "access_key_1_last_used_date", "access_key_1_last_used_region",
    "access_key_1_last_used_service",
    "access_key_2_active", "access_key_2_last_rotated", "access_key_2_last_used_date", "access_key_2_last_used_region",
    "access_key_2_last_used_service",
    "cert_1_active", "cert_1_last_rotated", "cert_2_active", "cert_2_last_rotated",
)  # fmt: skip

ROOT_NAME = "<root_account>"
NOT_APPLICABLE = "N/A"
NO_INFORMATION = "no_information"
NOT_SUPPORTED = "not_supported"
NO_ACCESS_KEY = ("false", *(NOT_APPLICABLE,) * 4)
NO_CERTIFICATE = ("false", NOT_APPLICABLE)
TWO = 2
"""How many keys and certificates a report has columns for, which is as many as a user can have."""


def _make(call: Call) -> str | None:
    return None if _current(call) else _report(call)


@operation(on=arns.anything, prepare=_make)
def generate_credential_report(call: Call) -> dict[str, Any]:
    """Make a report, unless there is one that is not older than four hours."""
    if _current(call):
        return {"State": "COMPLETE"}
    is_first = _newest(call) is None
    call.put(CredentialReport(generated=call.now, content=call.prepared or _report(call)))
    described = {"Description": "No report exists. Starting a new report generation task"} if is_first else {}
    return {"State": "STARTED", **described}


@reading(on=arns.anything)
def get_credential_report(call: Call) -> dict[str, Any]:
    """Show the newest report as it was made, for four hours."""
    # AWS's words for both refusals are this one.
    if _newest(call) is None:
        raise ReportNotPresent("Unknown")
    report = _current(call)
    if report is None:
        raise ReportExpired("Unknown")
    return {
        "Content": report.content.encode(),
        "ReportFormat": "text/csv",
        "GeneratedTime": moment(report.generated),
    }


def _newest(call: Call) -> CredentialReport | None:
    return call.account.get(CredentialReport, CredentialReport.KEY)


def _current(call: Call) -> CredentialReport | None:
    report = _newest(call)
    return report if report is not None and call.now - report.generated <= FOUR_HOURS else None


def _report(call: Call) -> str:
    """The report of the account as it is now; lines end with a line feed, but the last with nothing."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerow(_root_line(call))
    writer.writerows(_user_line(call, user) for user in sorted(call.account.all(User), key=_name))
    return text.getvalue().removesuffix("\n")


def _name(user: User) -> str:
    return fold(user.user_name)


def _root_line(call: Call) -> Sequence[str]:
    # The root user never has a date to change its password: the password policy is not for it.
    record, profile = record_of(call), call.account.get(LoginProfile, ROOT)
    if profile is None:
        password = ("false", NOT_APPLICABLE, NOT_APPLICABLE, NOT_SUPPORTED)
    else:
        password = ("true", _used(record.root_password_last_used), _date(profile.changed), NOT_SUPPORTED)
    who = (ROOT_NAME, arn.root(call.account.id), _date(record.created))
    return (*who, *password, *_of_devices_keys_and_certificates(call, ROOT))


def _user_line(call: Call, user: User) -> Sequence[str]:
    who = (user.user_name, user_arn(call.account, user), _date(user.created))
    return (*who, *_of_password(call, user), *_of_devices_keys_and_certificates(call, user.user_id))


def _of_password(call: Call, user: User) -> Sequence[str]:
    profile = call.account.get(LoginProfile, user.user_id)
    if profile is None:
        return ("false", *(NOT_APPLICABLE,) * 3)
    policy = record_of(call).password_policy
    age = None if policy is None else policy.max_password_age
    rotation = NOT_APPLICABLE if age is None else _date(profile.changed + age * DAY)
    return ("true", _used(user.password_last_used), _date(profile.changed), rotation)


def _used(seconds: int | None) -> str:
    return NO_INFORMATION if seconds is None else _date(seconds)


def _of_devices_keys_and_certificates(call: Call, user_id: str) -> Iterator[str]:
    account = call.account
    yield _truth(any(account.find(kind, "user", user_id) for kind in (MFADevice, SecurityKey)))
    keys = sorted(account.find(AccessKey, "user", user_id), key=lambda key: key.access_key_id)
    certificates = sorted(account.find(SigningCertificate, "user", user_id), key=_certificate_order)
    for place in range(TWO):
        yield from _of_key(call, keys[place]) if place < len(keys) else NO_ACCESS_KEY
    for place in range(TWO):
        yield from _of_certificate(certificates[place]) if place < len(certificates) else NO_CERTIFICATE


def _of_key(call: Call, key: AccessKey) -> Sequence[str]:
    use = call.last_used.access_key(key.access_key_id)
    used = (NOT_APPLICABLE,) * 3 if use is None else (_date(use.time), use.region, use.service)
    return (_truth(key.status == "Active"), _date(key.created), *used)


def _of_certificate(certificate: SigningCertificate) -> Sequence[str]:
    return (_truth(certificate.status == "Active"), _date(certificate.uploaded))


def _certificate_order(certificate: SigningCertificate) -> tuple[bool, int, str]:
    """Inactive ones come first."""
    return (certificate.status == "Active", certificate.uploaded, certificate.certificate_id)


def _truth(value: bool) -> str:
    return "true" if value else "false"


def _date(seconds: int) -> str:
    return f"{moment(seconds):%Y-%m-%dT%H:%M:%SZ}"
