"""The condition keys that a policy speaks of: what a request must bring for it to be decided.

AWS: IAM API Reference, GetContextKeysForCustomPolicy; the order is that of the example of AWS CLI,
get-context-keys-for-custom-policy.
"""

from collections.abc import Iterable, Iterator, Mapping

from iamd.policy import syntax, variables
from iamd.policy.document import VARIABLES_SINCE, Policy
from iamd.policy.syntax import SyntaxProblem
from iamd.policy.variables import Variable


def context_keys(policy: Policy) -> list[str]:
    """The keys of its conditions and variables, as they are written, each spelling once, in the order of the text."""
    try:
        document = syntax.read(policy.text)
    except SyntaxProblem:
        return []
    substitute = policy.version == VARIABLES_SINCE
    found = (key for one in document.statements for key in _of_statement(one.members, substitute=substitute))
    return list(dict.fromkeys(found))


def _of_statement(members: Mapping[str, object], *, substitute: bool) -> Iterator[str]:
    for name, element in members.items():
        if name in {"Resource", "NotResource"} and substitute:
            yield from _variables(syntax.strings(element) or ())
        elif name == "Condition" and isinstance(element, dict):
            for entries in element.values():
                yield from _of_entries(entries, substitute=substitute)


def _of_entries(entries: Mapping[str, object], *, substitute: bool) -> Iterator[str]:
    for key, value in entries.items():
        yield key
        if substitute:
            yield from _variables(syntax.scalars(value) or ())


def _variables(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield from (part.name for part in variables.parse(text) if isinstance(part, Variable))
