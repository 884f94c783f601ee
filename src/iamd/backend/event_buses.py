"""Policies of moto's event buses: each is kept as it was put.

moto has the statements by their Sid, needs one, adds those of a policy to what the bus has, drops what another
statement says of the same principal, and takes `*` for an account. AWS: in a policy a Sid is optional and Statement may
be a single object (IAM User Guide, "IAM JSON policy elements"); EventBridge API Reference, PutPermission and
RemovePermission.
"""

from collections.abc import Mapping
from typing import Any

from moto.events.models import EventBus

from iamd.backend.replacement import always, replace


class _Statement:
    """A statement as moto keeps one: it tells what it says when it is asked."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document

    def describe(self) -> Mapping[str, Any]:
        """The statement as it was put."""
        return self._document

    @property
    def sid(self) -> str | None:
        """Its Sid, where it has one."""
        return self._document.get("Sid")


def install() -> None:
    """Have a bus keep its statements one after the other."""
    replace(EventBus, "add_policy", always(_put_policy))
    replace(EventBus, "add_permission", always(_add))
    replace(EventBus, "remove_statement", always(_remove))


def _put_policy(bus: Any, policy: Mapping[str, Any]) -> None:
    found = policy["Statement"]
    _keep(bus, [_Statement(one) for one in (found if isinstance(found, list) else [found])])


def _add(bus: Any, statement_id: str, action: str, principal: Mapping[str, str], condition: Any) -> None:
    """The statement of an id that is there already is replaced."""
    everybody = principal["AWS"].endswith("::*:root")
    document = {
        "Sid": statement_id,
        "Effect": "Allow",
        "Principal": "*" if everybody else principal,
        "Action": action,
        "Resource": bus.arn,
        **({"Condition": condition} if condition else {}),
    }
    _keep(bus, [*_others(bus, statement_id), _Statement(document)])


def _remove(bus: Any, sid: str) -> bool:
    kept, before = _others(bus, sid), len(_statements(bus))
    _keep(bus, kept)
    return len(kept) < before


def _others(bus: Any, sid: str) -> list[_Statement]:
    return [one for one in _statements(bus).values() if one.sid != sid]


def _statements(bus: Any) -> dict[Any, _Statement]:
    found: dict[Any, _Statement] = vars(bus)["_statements"]
    return found


def _keep(bus: Any, statements: list[_Statement]) -> None:
    vars(bus)["_statements"] = dict(enumerate(statements))
