"""Values: what a property of a template is, where it can be told before the stack is made.

Told are texts, and `Ref`, `Fn::GetAtt` of Arn, `Fn::Sub` and `Fn::Join` over texts, parameters, pseudo parameters and
resources whose names are told: what every reader reads alike. All else depends on what is made on the way or elsewhere.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from iamd.gateway.actions.asked import Asked

_PLACEHOLDER: Final = re.compile(r"\$\{([A-Za-z0-9:.]+)\}")
# SECURITY: a value with `$`, `{` or `"` could be read as a placeholder again.
_PLAIN: Final = re.compile(r"[^${}\"^]*", re.DOTALL)


class Untold(Exception):
    """A value that is not known before the stack is made; its words name what makes it so."""


@dataclass(frozen=True, slots=True)
class Values:
    """What `Ref` can mean: parameters, pseudo parameters and resources by name; `Name.Arn` is a resource's ARN."""

    known: Mapping[str, str]

    def of(self, value: Any) -> Any:
        """The value with its functions done; Untold when one of them can't be."""
        if isinstance(value, Mapping):
            return self._of_mapping(value)
        if isinstance(value, list):
            return [self.of(item) for item in value]
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, str | bool) or (isinstance(value, str) and "${" in value):
            raise Untold(str(value))
        return value

    def _of_mapping(self, value: Mapping[str, Any]) -> Any:
        match value:
            case {"Ref": str(name)} if len(value) == 1:
                return self._named(name)
            case {"Fn::GetAtt": [str(name), "Arn"]} if len(value) == 1:
                return self._named(f"{name}.Arn")
            case {"Fn::Sub": str(text)} if len(value) == 1:
                return self._substituted(text)
            case {"Fn::Join": [str(between), list(parts)]} if len(value) == 1:
                return self._joined(between, parts)
        function = next((name for name in value if name == "Ref" or name.startswith("Fn::")), None)
        if function is not None:
            raise Untold(function)
        return {name: self.of(inner) for name, inner in value.items()}

    def _named(self, name: str) -> str:
        if name not in self.known:
            raise Untold(f"Ref {name}")
        return _plain(self.known[name])

    def _substituted(self, text: str) -> str:
        found = _PLACEHOLDER.sub(lambda match: self._named(match[1]), text)
        return _plain(found)

    def _joined(self, between: str, parts: list[Any]) -> str:
        texts = [self.of(part) for part in parts]
        if not all(isinstance(text, str) for text in texts):
            raise Untold("Fn::Join")
        return _plain(between.join(texts))


def _plain(text: str) -> str:
    if not _PLAIN.fullmatch(text):
        raise Untold(text)
    return text


def pseudo(asked: Asked, stack: str) -> dict[str, str]:
    """The pseudo parameters that are known before the stack is made (User Guide, "Pseudo parameters reference")."""
    return {
        "AWS::AccountId": asked.account,
        "AWS::Partition": asked.partition,
        "AWS::Region": asked.region,
        "AWS::StackName": stack,
        "AWS::URLSuffix": "amazonaws.com.cn" if asked.partition == "aws-cn" else "amazonaws.com",
    }


def of_parameters(declared: Mapping[str, Mapping[str, Any]], given: Mapping[str, str]) -> dict[str, str]:
    """The parameters of type String with a value: the one that is given, or the default."""
    found = {}
    for name, parameter in declared.items():
        value = given.get(name, parameter.get("Default"))
        if parameter.get("Type") == "String" and isinstance(value, str):
            found[name] = value
    return found
