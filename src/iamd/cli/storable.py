"""Which of the policies of a case AWS would not store: checked as they are when somebody stores them."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from json import JSONDecodeError, dumps, loads
from typing import Final

from iamd import arn
from iamd.data.organization_policies import RESOURCE_CONTROL_POLICY, SERVICE_CONTROL_POLICY
from iamd.errors import AWSError
from iamd.policy import syntax
from iamd.policy.cases import IMPLIED, Case
from iamd.policy.document import MalformedPolicy, Policy, validate
from iamd.policy.kinds import PolicyType
from iamd.policy.malformed import VERSION, check
from iamd.policy.positions import position
from iamd.policy.request import PrincipalKind, Request
from iamd.policy.syntax import RawDocument, SyntaxProblem
from iamd.services.iam import policy_documents, quotas
from iamd.services.organizations.policies import check_content

SMALL: Final = 5_000
"""No service refuses a resource policy of fewer bytes for its size."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A policy that AWS would not store: which of a case's it is, the line of its text, AWS's code and words."""

    policy: Policy
    name: str
    line: int
    why: str

    def place(self, files: Mapping[str, str]) -> str:
        """Where it stands; `files` names those that stand in files of their own, by text."""
        file = files.get(self.policy.text)
        return self.name if file is None else f"{file}:{self.line}: {self.name}"


class _MalformedPolicy(AWSError):
    # What services that store resource policies call it differs by service; this is S3's.
    code = "MalformedPolicy"


def refused(case: Case) -> Iterator[Refused]:
    """The policies of a case that AWS would not store."""
    for found in case.layers.sets():
        level = "" if found.level is None else f" of level {found.level}"
        for number, policy in enumerate(found.policies, 1):
            if policy.text in IMPLIED:
                continue
            try:
                _CHECKS[policy.kind](policy.text, case.request)
            except AWSError as error:
                why = f"{error.code}: {error.message}"
                yield Refused(policy, f"{found.layer} {number}{level}", _line(policy), why)


# Each type as it is stored


def _check_identity(text: str, request: Request) -> None:
    # AWS: no policy that a user has by itself or by a group is larger than a managed one, and a role's inline one may
    # be (IAM User Guide, "IAM and AWS STS quotas", reference_iam-quotas). Which of them it is a case doesn't say.
    if request.principal.kind is not PrincipalKind.ROLE_SESSION:
        policy_documents.check_managed(text)
        return
    policy_documents.check(text, PolicyType.IDENTITY)
    quotas.check("PolicySize", policy_documents.size(text), quotas.ROLE_POLICY_SIZE)


def _check_managed(text: str, _: Request) -> None:
    # A session's policies may be managed ones, which its own 2,048 characters don't bind.
    policy_documents.check_managed(text)


def _check_trust(text: str, _: Request) -> None:
    policy_documents.check_trust(text)


def _check_resource(text: str, request: Request) -> None:
    _validate(text, PolicyType.RESOURCE)
    if len(text.encode()) > SMALL:
        # The gateway is much to load for policies that are hardly ever so large.
        from iamd.gateway.effects import check_size

        named = arn.parse(request.resource)
        check_size(named.service if named is not None else "", text)


def _check_endpoint(text: str, _: Request) -> None:
    _validate(text, PolicyType.ENDPOINT)


def _validate(text: str, kind: PolicyType) -> None:
    try:
        validate(text, kind)
    except MalformedPolicy as malformed:
        raise _MalformedPolicy(malformed.message) from malformed


def _check_scp(text: str, _: Request) -> None:
    check_content(text, SERVICE_CONTROL_POLICY)


def _check_rcp(text: str, _: Request) -> None:
    check_content(text, RESOURCE_CONTROL_POLICY)


_CHECKS: Final[Mapping[PolicyType, Callable[[str, Request], None]]] = {
    PolicyType.IDENTITY: _check_identity,
    PolicyType.BOUNDARY: _check_managed,
    PolicyType.SESSION: _check_managed,
    PolicyType.TRUST: _check_trust,
    PolicyType.RESOURCE: _check_resource,
    PolicyType.ENDPOINT: _check_endpoint,
    PolicyType.SCP: _check_scp,
    PolicyType.RCP: _check_rcp,
}


# Where the fault is


def _line(policy: Policy) -> int:
    """The line of the first statement that can't be stored; of what is no JSON, where it ends to be some."""
    try:
        loads(policy.text)
        document = syntax.read(policy.text)
    except JSONDecodeError as error:
        return error.lineno
    except (SyntaxProblem, ValueError, RecursionError):
        return 1
    if _fault(policy, document, len(document.statements)) in {None, VERSION}:
        return 1  # its size, or its head
    count = range(len(document.statements) + 1)
    first = bisect_left(count, 1, lo=1, key=lambda several: _fault(policy, document, several) is not None)
    return position(policy.text, document.statements[first - 1].start).line


def _fault(policy: Policy, document: RawDocument, count: int) -> str | None:
    """What is wrong with a document that has its first statements only."""
    some = ",".join(policy.text[one.start : one.end] for one in document.statements[:count])
    head = dumps(document.members)
    text = f'{head[:-1]}{", " if document.members else ""}"Statement":[{some}]}}'
    try:
        check(text, policy.kind)
    except MalformedPolicy as malformed:
        return malformed.message
    return None
