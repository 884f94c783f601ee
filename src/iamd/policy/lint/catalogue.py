"""The table of findings: every issue code with its type, its messages and the part of AWS's page that explains it.

AWS: IAM User Guide, "IAM policy validation check reference" (access-analyzer-reference-policy-checks).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from iamd.policy.lint.errors import ERRORS
from iamd.policy.lint.security_warnings import SECURITY_WARNINGS
from iamd.policy.lint.suggestions import SUGGESTIONS
from iamd.policy.lint.warnings import WARNINGS
from iamd.policy.request import lower

PAGE: Final = "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html"


class FindingType(StrEnum):
    """What a finding means, by the API's names; the page calls a WARNING a general warning."""

    ERROR = "ERROR"
    SECURITY_WARNING = "SECURITY_WARNING"
    WARNING = "WARNING"
    SUGGESTION = "SUGGESTION"


@dataclass(frozen=True, slots=True)
class Check:
    """One issue code; `messages` go by what follows the code's slash, the plain one by the empty string."""

    code: str
    type: FindingType
    messages: Mapping[str, str]

    @property
    def link(self) -> str:
        """Where AWS explains it."""
        kind = _ANCHORS[self.type]
        return f"{PAGE}#access-analyzer-reference-policy-checks-{kind}-{lower(self.code).replace('_', '-')}"

    def message(self, wording: str, values: Mapping[str, object]) -> str:
        """The message in one of its wordings, with what is put into it."""
        return _PLACEHOLDER.sub(lambda name: str(values.get(name[1], name[0])), self.messages[wording])


_ANCHORS: Final[Mapping[FindingType, str]] = {
    FindingType.ERROR: "error",
    FindingType.SECURITY_WARNING: "security-warning",
    FindingType.WARNING: "general-warning",
    FindingType.SUGGESTION: "suggestion",
}
_PLACEHOLDER: Final = re.compile(r"\{([A-Za-z_0-9]+)\}")


def _checks(type: FindingType, messages: Mapping[str, str]) -> dict[str, Check]:
    wordings: dict[str, dict[str, str]] = {}
    for name, message in messages.items():
        code, _, wording = name.partition("/")
        wordings.setdefault(code, {})[wording] = message
    return {code: Check(code, type, found) for code, found in wordings.items()}


CATALOGUE: Final[Mapping[str, Check]] = {
    **_checks(FindingType.ERROR, ERRORS),
    **_checks(FindingType.SECURITY_WARNING, SECURITY_WARNINGS),
    **_checks(FindingType.WARNING, WARNINGS),
    **_checks(FindingType.SUGGESTION, SUGGESTIONS),
}
