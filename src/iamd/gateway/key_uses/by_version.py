"""Which key each version of a parameter or a secret is encrypted by: it stays that one's, whatever key the next has.

AWS: Systems Manager User Guide, secure-string-parameter-kms-encryption; Secrets Manager User Guide,
manage_update-encryption-key: of a secret with another key the versions AWSCURRENT, AWSPENDING and AWSPREVIOUS are
encrypted anew, others stay as they are.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from iamd.gateway.key_uses.named import KEY
from iamd.gateway.key_uses.use import Work

ENCRYPTED_ANEW: Final = frozenset({"AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"})
_VERSIONS: Final = "kms_key_versions"
_FORMER: Final = "kms_key_was:"
# AWS keeps 100 versions of either (parameter-store-versions; Secrets Manager API Reference, PutSecretValue).
_MOST: Final = 200


def known(arn: str, work: Work) -> dict[str, str]:
    """The keys of versions, by version: empty for the service's own."""
    text = work.facts.known(arn).get(_VERSIONS)
    return msgspec.json.decode(text, type=dict[str, str]) if text else {}


def may_be(arn: str, work: Work) -> list[str]:
    """The keys that a version may be encrypted by of which none is known: each that any had."""
    facts = work.facts.known(arn)
    was = (name.removeprefix(_FORMER) for name in facts if name.startswith(_FORMER))
    return list(dict.fromkeys([*([facts[KEY]] if KEY in facts else []), *was]))


async def remember(arn: str, versions: Iterable[str], key: str, work: Work, *, is_first: bool = False) -> None:
    """Remember the key that versions have been encrypted by; the first one has none before it."""
    found: Mapping[str, str] = {**({} if is_first else known(arn, work)), **dict.fromkeys(versions, key)}
    kept = dict(list(found.items())[-_MOST:])
    await work.note(arn, {_VERSIONS: msgspec.json.encode(kept).decode(), _FORMER + key: "true"})
