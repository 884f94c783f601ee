"""Names and ARNs that clients write, held to a form before they become a part of what is decided on."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from iamd.errors import AWSError
from iamd.gateway.actions.asked import Asked, at

ACCOUNT: Final = re.compile(r"[0-9]{12}", re.ASCII)


class InvalidParameter(AWSError):
    """A parameter that names nothing that the service can have (the code of most JSON services)."""

    code = "InvalidParameterException"
    status = 400


class InvalidParameterValue(AWSError):
    """The same (the code of EC2 and of Query services)."""

    code = "InvalidParameterValue"
    status = 400


@dataclass(frozen=True, slots=True)
class Form:
    """What a parameter must look like: a name, or the end of an ARN of a service, in the region that is asked."""

    pattern: re.Pattern[str]
    service: str | None = None
    is_global: bool = False

    def fits(self, value: Any, asked: Asked) -> bool:
        """Tell whether a value has this form."""
        if not isinstance(value, str):
            return False
        if self.service is None:
            return self.pattern.fullmatch(value) is not None
        # SECURITY: backends look at an ARN's end alone, so all that stands before it must be this place's.
        parts = value.split(":", 5)
        region = "" if self.is_global else asked.region
        return (
            len(parts) == 6
            and parts[:4] == ["arn", asked.partition, self.service, region]
            and ACCOUNT.fullmatch(parts[4]) is not None
            and self.pattern.fullmatch(parts[5]) is not None
        )


def name(pattern: str) -> Form:
    """The form of a name."""
    return Form(re.compile(pattern, re.ASCII))


def arn(service: str, resource: str, *, is_global: bool = False) -> Form:
    """The form of an ARN, by the pattern of its resource."""
    return Form(re.compile(resource, re.ASCII), service, is_global)


Refuse = Callable[[str, str], Exception]


def check(asked: Asked, forms: Mapping[str, Form], refuse: Refuse) -> None:
    """Refuse the request when one of these parameters, or an item of one that is a list, has another form.

    SECURITY: what a client writes must bring no `:`, `/` or `*` of its own into an ARN.
    """
    for member, form in forms.items():
        for value in _items(at(asked.parameters, member)):
            if not form.fits(value, asked):
                raise refuse(member, str(value))


def _items(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        yield from value
    elif value is not None:
        yield value
