"""ValidatePolicy: the findings in a policy document."""

import hashlib
from typing import TYPE_CHECKING, Any

from iamd.arn import PARTITION, Arn
from iamd.auth.sealing import SealError
from iamd.call import Call
from iamd.services.accessanalyzer.errors import ValidationException
from iamd.services.accessanalyzer.findings import shown
from iamd.services.registry import Target, reading

if TYPE_CHECKING:
    from iamd.policy.lint.lint import Report
    from iamd.policy.lint.subject import AttachedTo

PREFIX = "access-analyzer"
ENGLISH = "EN"
PAGE = 1_000
"""The most findings in one answer; AWS names no number (Access Analyzer API Reference, ValidatePolicy, maxResults)."""

TOKEN_PURPOSE = "validate-policy"


def everything(call: Call, **_parameters: Any) -> Target:
    """AWS: ValidatePolicy has no resource type, and recorded denials name all that the account has in the region."""
    arn = Arn(PARTITION, PREFIX, call.region, call.identity.account_id, "*")
    return Target(arn=str(arn), action=f"{PREFIX}:ValidatePolicy")


def examined(
    _call: Call,
    *,
    policy_document: str,
    policy_type: str,
    locale: str = ENGLISH,
    max_results: int = PAGE,
    validate_policy_resource_type: str | None = None,
    **_parameters: Any,
) -> "Report":
    """The findings in the document, or what is wrong with the parameters."""
    if locale != ENGLISH:
        raise ValidationException("locale", "Findings are worded in English (EN) only.", reason="notSupported")
    if max_results < 1:
        raise ValidationException("maxResults", "The number of findings in a page is at least 1.")
    # Imported here: a server that validates no policy starts without its 152 checks, in less memory.
    from iamd.policy.lint.lint import lint  # noqa: PLC0415
    from iamd.policy.lint.subject import DocumentType  # noqa: PLC0415
    from iamd.services.accessanalyzer.reference import aws  # noqa: PLC0415

    return lint(
        policy_document, DocumentType(policy_type), aws(), _attached(policy_type, validate_policy_resource_type)
    )


def _attached(policy_type: str, resource_type: str | None) -> "AttachedTo | None":
    if resource_type is None:
        return None
    from iamd.policy.lint.subject import AttachedTo, DocumentType  # noqa: PLC0415 (as in `examined`)

    if policy_type != DocumentType.RESOURCE:
        # AWS: seen by users of its own policy validators.
        only = f"A resource type goes with the policy type {DocumentType.RESOURCE} only."
        raise ValidationException("validatePolicyResourceType", only, words="InvalidInput")
    return AttachedTo(resource_type)


@reading(on=everything, prepare=examined)
def validate_policy(
    call: Call,
    *,
    policy_document: str,
    policy_type: str,
    locale: str = ENGLISH,
    max_results: int = PAGE,
    next_token: str | None = None,
    validate_policy_resource_type: str | None = None,
) -> dict[str, Any]:
    """Show the findings in the order of their places; a page may be shorter than was asked for."""
    report: Report = call.prepared
    digest = hashlib.sha256(policy_document.encode(errors="surrogatepass")).hexdigest()
    chosen = (policy_type, validate_policy_resource_type or "", locale, digest)
    bound = (call.identity.account_id, call.identity.user_id, *chosen)
    start = _opened(call, next_token, bound) if next_token is not None else 0
    end = start + min(max_results, PAGE)
    answer: dict[str, Any] = {"findings": [shown(finding) for finding in report.findings[start:end]]}
    if end < len(report.findings):
        answer["nextToken"] = call.keyring.seal_text(TOKEN_PURPOSE, bound, str(end).encode())
    return answer


def _opened(call: Call, token: str, bound: tuple[str, ...]) -> int:
    try:
        return int(call.keyring.open_text(TOKEN_PURPOSE, bound, token))
    except SealError as error:
        raise ValidationException("nextToken", "The token was not given to this caller for this policy.") from error
