"""Cases of findings: documents whose expected spans stand between ⟦ and ⟧."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from iamd.policy.lint.subject import AttachedTo, DocumentType

FILES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))
DOTS = "..."

TYPES: Mapping[str, tuple[DocumentType, AttachedTo | None]] = {
    "identity": (DocumentType.IDENTITY, None),
    "resource": (DocumentType.RESOURCE, None),
    "scp": (DocumentType.SCP, None),
    "rcp": (DocumentType.RCP, None),
    "trust": (DocumentType.RESOURCE, AttachedTo.ROLE_TRUST),
    "bucket": (DocumentType.RESOURCE, AttachedTo.BUCKET),
    "access point": (DocumentType.RESOURCE, AttachedTo.ACCESS_POINT),
    "multi-region": (DocumentType.RESOURCE, AttachedTo.MULTI_REGION_ACCESS_POINT),
    "object lambda": (DocumentType.RESOURCE, AttachedTo.OBJECT_LAMBDA_ACCESS_POINT),
    "table": (DocumentType.RESOURCE, AttachedTo.TABLE),
}


@dataclass(frozen=True)
class Case:
    """A document that raises `code` at `spans` and nowhere else, and a near one that does not raise it."""

    id: str
    code: str
    type: DocumentType
    attached_to: AttachedTo | None
    raises: str
    spans: frozenset[tuple[int, int]]
    near: str
    says: str | None


def cases() -> list[Case]:
    """The cases of all files."""
    return [
        _case(f"{file.stem}-{number}-{written['code']}", written)
        for file in FILES
        for number, written in enumerate(yaml.safe_load(file.read_text()))
    ]


def _case(id: str, written: Mapping[str, Any]) -> Case:
    type = written.get("type", "identity")
    marked, near = _document(written["raises"], type), _document(written["near"], type)
    if "length" in written:
        # One character less is what makes the near one near.
        length, filling = written["length"], written.get("filling", "x")
        marked, near = _filled(marked, length, filling), _filled(near, length - 1, filling)
    text, spans = _unmarked(marked)
    return Case(id, written["code"], *TYPES[type], text, spans, near, written.get("says"))


def _document(written: str, type: str) -> str:
    """`written` itself, or a document of one statement when it is members of a statement."""
    try:
        named = json.loads(f"{{{_unmarked(written)[0]}}}")
    except json.JSONDecodeError:
        return written
    members = [written]
    members += [] if "Effect" in named else ['"Effect": "Allow"']
    action = "sts:AssumeRole" if type == "trust" else "s3:GetObject"
    members += [] if {"Action", "NotAction"} & named.keys() else [f'"Action": "{action}"']
    if type != "trust":
        members += [] if {"Resource", "NotResource"} & named.keys() else ['"Resource": "*"']
    if type not in {"identity", "scp"}:
        principal = '"*"' if type == "rcp" else '{"AWS": "111122223333"}'
        members += [] if {"Principal", "NotPrincipal"} & named.keys() else [f'"Principal": {principal}']
    return f'{{"Version": "2012-10-17", "Statement": [{{{", ".join(filter(None, members))}}}]}}'


def _filled(marked: str, length: int, filling: str) -> str:
    """`marked` with `...` replaced, so that the text without marks and outer space has `length` characters."""
    plain = len(_unmarked(marked)[0].strip()) - len(DOTS)
    return marked.replace(DOTS, filling * (length - plain))


def _unmarked(marked: str) -> tuple[str, frozenset[tuple[int, int]]]:
    """The text without its marks, and the spans that they enclose."""
    text, spans = "", []
    for piece in re.split("([⟦⟧])", marked):
        if piece in {"⟦", "⟧"}:
            spans.append(len(text))
        else:
            text += piece
    return text, frozenset(zip(spans[::2], spans[1::2], strict=True))
