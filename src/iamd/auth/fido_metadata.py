"""What the FIDO Alliance says of models of security keys: the roots of their attestation, and their certifications.

It is read from a file, the Metadata Service's BLOB (FIDO Metadata Service 3.1, 3.1.6 and 3.1.7), which the operator has
fetched. Its signature is not checked: who may write the file is who vouches for it.
"""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

FIDO: Final = "FIDO"
FIPS_140_2: Final = "FIPS-140-2"
FIPS_140_3: Final = "FIPS-140-3"
_FIDO_PREFIX: Final = "FIDO_CERTIFIED_"
_FIPS_PREFIX: Final = "FIPS140_CERTIFIED_"
_FIPS_REVISIONS: Final[Mapping[object, str]] = {2: FIPS_140_2, 3: FIPS_140_3}
_WITHDRAWN: Final = "NOT_FIDO_CERTIFIED"
_BROKEN: Final = frozenset(
    {
        "ATTESTATION_KEY_COMPROMISE",
        "REVOKED",
        "USER_KEY_PHYSICAL_COMPROMISE",
        "USER_KEY_REMOTE_COMPROMISE",
        "USER_VERIFICATION_BYPASS",
    }
)
"""Statuses of a model whose certification says nothing any more (FIDO Metadata Service 3.1, 3.1.4)."""


class InvalidMetadata(Exception):
    """A file that is no BLOB of the Metadata Service."""


@dataclass(frozen=True, slots=True)
class Report:
    """A certification of a model: of what, which level, and on which days it holds; no level ends those before."""

    of: str
    level: str | None
    since: date
    until: date | None


@dataclass(frozen=True, slots=True)
class Model:
    """A model of security keys."""

    roots: tuple[bytes, ...]
    """Certificates, DER, by which keys of this model are known."""
    reports: tuple[Report, ...]
    is_broken: bool

    def certifications(self, today: date) -> dict[str, str]:
        """The level of each certification that holds today; the newest one counts."""
        if self.is_broken:
            return {}
        found: dict[str, str] = {}
        for report in sorted(self.reports, key=lambda report: report.since):
            if report.since <= today:
                holds = report.level is not None and (report.until is None or today <= report.until)
                if holds and report.level is not None:
                    found[report.of] = report.level
                else:
                    found.pop(report.of, None)
        return found


Models = Mapping[str, Model]
"""The models by their AAGUID, in lower case with hyphens."""


def read(path: Path) -> Models:
    """The models in a BLOB; InvalidMetadata or OSError."""
    try:
        payload = json.loads(_payload(path.read_bytes()), object_pairs_hook=_once)
        # Keys of U2F, which is older than AAGUIDs, are known by none.
        return {entry["aaguid"].lower(): _model(entry) for entry in payload["entries"] if "aaguid" in entry}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidMetadata(f"`{path}` is no metadata of the FIDO Alliance") from error


def _payload(blob: bytes) -> bytes:
    header, _, rest = blob.strip().partition(b".")
    payload, dot, _ = rest.partition(b".")
    if not header or not dot:
        raise ValueError("no JWT")
    return base64.b64decode(payload + b"=" * (-len(payload) % 4), altchars=b"-_", validate=True)


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a name is there twice")
    return members


def _model(entry: Mapping[str, Any]) -> Model:
    statuses: Sequence[Mapping[str, Any]] = entry["statusReports"]
    certificates = entry.get("metadataStatement", {}).get("attestationRootCertificates", ())
    return Model(
        roots=tuple(root for text in certificates if (root := _der(text)) is not None),
        reports=tuple(_reports(statuses)),
        is_broken=any(status["status"] in _BROKEN for status in statuses),
    )


def _der(text: str) -> bytes | None:
    """A certificate; None for what is none, by which no key is known then."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error:
        return None


def _reports(statuses: Iterable[Mapping[str, Any]]) -> Iterable[Report]:
    for status in statuses:
        name: str = status["status"]
        since, until = _day(status.get("effectiveDate")) or date.min, _day(status.get("sunsetDate"))
        if name.startswith(_FIDO_PREFIX):
            yield Report(FIDO, name.removeprefix(_FIDO_PREFIX), since, until)
        elif name == _WITHDRAWN:
            yield Report(FIDO, None, since, None)
        elif name.startswith(_FIPS_PREFIX) and status.get("fipsRevision") in _FIPS_REVISIONS:
            of = _FIPS_REVISIONS[status.get("fipsRevision")]
            yield Report(of, name.removeprefix(_FIPS_PREFIX), since, until)


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
