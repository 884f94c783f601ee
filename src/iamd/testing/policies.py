"""Policies as tests give them: documents, texts or files."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from iamd.cli.storable import refused
from iamd.policy.cases import Case

Document = Mapping[str, Any] | str | Path
"""A policy: a document, its JSON text, or the name of the file that it stands in."""

Documents = Document | Sequence[Document]
Levels = Sequence[Documents]
"""The policies of an organization, level by level from its root to the account."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads policies as they are given; `files` comes to name those that stand in files, by text."""

    folder: Path
    files: dict[str, str]

    def levels(self, given: Levels | None) -> list[dict[str, Any]] | None:
        """The levels as a case has them."""
        return None if given is None else [{"policies": self.documents(level)} for level in given]

    def documents(self, given: Documents | None) -> list[str] | None:
        """The texts; None for a type of policy that is not in play."""
        if given is None:
            return None
        several = [given] if isinstance(given, Mapping | str | Path) else given
        return [self._text(one) for one in several]

    def _text(self, given: Document) -> str:
        if isinstance(given, Mapping):
            return json.dumps(given)
        if isinstance(given, str) and given.lstrip().startswith("{"):
            return given
        text = (self.folder / given).read_text("utf-8")
        self.files[text] = str(given)
        return text


def check(case: Case, files: Mapping[str, str]) -> None:
    """Raise ValueError for a policy that AWS would not store."""
    # A policy that cannot be read denies everything: a test of a denial would pass, and show nothing.
    for one in refused(case):
        raise ValueError(f"{one.place(files)}: {one.why}")
