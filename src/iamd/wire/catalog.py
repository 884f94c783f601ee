"""Which services exist and how requests name them: a small generated file, so that routing loads no model."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """How one service is named: by botocore, in credential scopes, hosts and `X-Amz-Target`, and what it speaks.

    `sdk_id` is its name in SDKs, in small letters without blanks.
    """

    name: str
    folder: str
    api_version: str
    protocols: tuple[str, ...]
    endpoint_prefix: str
    signing_name: str
    target_prefix: str | None
    sdk_id: str


# Protocols that AWS speaks and the model does not name, each with its reason.
FURTHER_PROTOCOLS: Final[Mapping[str, tuple[str, ...]]] = {
    # SQS still answers the Query protocol that clients before 2023 speak ("Amazon SQS API reference: AWS JSON
    # protocol", SQS Developer Guide).
    "sqs": ("query",),
}

# Credential scopes that AWS accepts and no model names, each with its reason.
FURTHER_SCOPES: Final[Mapping[str, str]] = {
    # Directory buckets sign as s3express, answers of object lambdas as s3-object-lambda; both are S3's API (S3 User
    # Guide).
    "s3express": "s3",
    "s3-object-lambda": "s3",
}

# Of services that share a scope and operations, these come last; each is the older form of another.
OLDER: Final = frozenset(
    {
        # Amazon Chime SDK's own services took over (Chime API Reference, each operation's note).
        "chime",
        # Wisdom is Amazon Q in Connect now, with the same paths and actions.
        "wisdom",
        # The second versions have paths of their own; what they share with the first is tagging.
        "greengrass",
    }
)


OWN: Final = (Entry("iamd", "own", "2026-01-01", ("json",), "iamd", "iamd", "iamd", "iamd"),)
"""iamd's own service, which its command line calls; its model stands in `wire/own/`."""


class Catalog:
    """All services, by each way of naming them; in a service family its namesake stands first, then by name."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.by_name: Final = {entry.name: entry for entry in entries}

    def scoped(self, scope: str) -> tuple[Entry, ...]:
        """Give the services whose requests are signed for `scope`."""
        return self._by_scope.get(FURTHER_SCOPES.get(scope, scope), ())

    def hosted(self, label: str) -> tuple[Entry, ...]:
        """Give the services that a host's first labels name (`iam`, `portal.sso`)."""
        return self._by_host.get(label, ())

    def targeted(self, prefix: str) -> tuple[Entry, ...]:
        """Give the services that `X-Amz-Target` or a CBOR path names by this prefix."""
        return self._by_target.get(prefix, ())

    def versioned(self, version: str) -> tuple[Entry, ...]:
        """Give the services that speak Query in this `Version`."""
        return self._by_version.get(version, ())

    def in_sdks(self, name: str) -> Entry | None:
        """Give AWS's service that SDKs call so, in small letters without blanks."""
        return self._by_sdk_id.get(name)

    @cached_property
    def _by_sdk_id(self) -> dict[str, Entry]:
        return {entry.sdk_id: entry for entry in self.by_name.values() if entry not in OWN}

    @cached_property
    def _by_scope(self) -> dict[str, tuple[Entry, ...]]:
        return _grouped((entry.signing_name, entry) for entry in self.by_name.values())

    @cached_property
    def _by_host(self) -> dict[str, tuple[Entry, ...]]:
        return _grouped(
            (label, entry)
            for entry in self.by_name.values()
            for label in {entry.name, entry.endpoint_prefix, entry.signing_name}
        )

    @cached_property
    def _by_target(self) -> dict[str, tuple[Entry, ...]]:
        return _grouped((entry.target_prefix, entry) for entry in self.by_name.values() if entry.target_prefix)

    @cached_property
    def _by_version(self) -> dict[str, tuple[Entry, ...]]:
        speakers = (entry for entry in self.by_name.values() if {"query", "ec2"} & set(entry.protocols))
        return _grouped((entry.api_version, entry) for entry in speakers)


def _grouped(pairs: Iterable[tuple[str, Entry]]) -> dict[str, tuple[Entry, ...]]:
    groups: dict[str, list[Entry]] = {}
    for word, entry in pairs:
        groups.setdefault(word, []).append(entry)
    return {
        word: tuple(sorted(found, key=lambda e: (e.name in OLDER, e.name != word, e.name)))
        for word, found in groups.items()
    }


def _read() -> Catalog:
    text = Path(__file__).with_name("services.json").read_text("utf-8")
    rows = json.loads(text)
    entries = [
        Entry(name, folder, version, tuple(protocols) + FURTHER_PROTOCOLS.get(name, ()), *named)
        for name, (folder, version, protocols, *named) in rows.items()
    ]
    return Catalog([*entries, *OWN])


CATALOG: Final = _read()
