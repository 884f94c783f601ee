"""No member of any operation that holds the tags of what it makes or changes is missed: botocore's models name them."""

import re
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

import pytest
from gateway import model_members
from running import ACCOUNT

from iamd.data import service_reference
from iamd.gateway.actions import by_rule, tags
from iamd.gateway.actions.asked import Asked
from iamd.wire import models

NAMED = re.compile(r"(?:\A[tT]|T)ag(?=s|ging|[A-Z]|\Z)")
SHAPED = re.compile(r"Tags?(List|Map|Set)?\Z")
OTHERWISE = re.compile(r"\A[eE]Tag\Z|ETag")
PAIRS = [{"Key": "team", "Value": "blue"}]
VALUES = {
    "map": {"team": "blue"},
    "list": PAIRS,
    "specifications": [{"Tags": PAIRS}],
    "wrapped": {"Items": PAIRS},
    "around": {"Tags": PAIRS},
    "keys": ["team"],
    "wrapped keys": {"Items": ["team"]},
    "text": "team=blue",
}
# Tags of objects are keys of S3's own, EC2's those of each kind of what is made, and some services are iamd's own; each is
# tested with its service.
OF_THEIR_OWN = {"s3", "ec2", "s3control", "iam", "sts", "organizations", "cloudformation"}


class Operation(NamedTuple):
    """As much of an operation as the tables look at."""

    service: str
    name: str


def kind(shapes, member, name):
    """In which way a member called after tags holds them."""
    shape = shapes[name]
    is_tagged = NAMED.search(member) or (SHAPED.search(name) and shape["type"] in {"list", "map"})
    if not is_tagged or OTHERWISE.search(member) or shape.get("enum"):
        return None
    match shape["type"]:
        case "map":
            return "map" if shapes[shape["value"]["shape"]]["type"] == "string" else None
        case "list":
            element = shapes[shape["member"]["shape"]]
            inner = {name.lower() for name in element.get("members", ())}
            if element["type"] == "string":
                return "keys"
            return "list" if inner & {"key", "tagkey"} else "specifications" if "tags" in inner else None
        case "structure":
            inner = {name.lower(): one["shape"] for name, one in shape["members"].items()}
            if "items" in inner:
                return "wrapped keys" if kind(shapes, member, inner["items"]) == "keys" else "wrapped"
            return "around" if "tags" in inner else None
        case "string":
            return "text"


def counts(member):
    """Whether AWS's reference gives the operation's action the tags of requests as condition keys."""
    action = by_rule.action_of(member.service, member.operation)
    entry = service_reference.action(*action.split(":")) if action is not None else None
    keys = {key.lower() for key in entry.every_condition_key} if entry is not None else set()
    return any(key.startswith(("aws:requesttag", "aws:tagkeys")) for key in keys)


def is_seen(member):
    """Whether the tags that stand at a member are the request's."""
    given = model_members.given(member.path, VALUES[member.about])
    asked = Asked(Operation(member.service, member.operation), given, ACCOUNT, "us-east-1")
    return tags.of_request(asked).get("aws:tagkeys") == ("team",)


def test_every_member_with_tags_is_known_or_listed_with_a_reason():
    missed = [
        member.name
        for service, model in model_members.models()
        if service not in OF_THEIR_OWN
        for member in model_members.values(service, model, kind)
        if not is_seen(member) and counts(member)
    ]
    listed = tomllib.loads(Path(__file__).with_name("no_tags.toml").read_text("utf-8"))["none"]
    assert all(one["because"] for one in listed)
    patterns = [pattern.replace("[]", "[[]]") for one in listed for pattern in one["members"]]
    assert [name for name in missed if not any(fnmatchcase(name, one) for one in patterns)] == []
    assert [one for one in patterns if not any(fnmatchcase(name, one) for name in missed)] == []


@pytest.mark.parametrize(
    ("service", "operation", "path"),
    [(s, o, p) for s, rows in tags.elsewhere().items() for o, ps in rows.items() for p in ps],
)
def test_every_row_names_a_member_that_the_operation_has(service, operation, path):
    shape = models.service(service).operation(operation).input
    for step in path.split("."):
        shape = shape.members[step.removesuffix("[]")].shape
        shape = shape.element.shape if step.endswith("[]") else shape
    assert shape.type in {"list", "map", "string"} or "Items" in shape.members


def test_tags_elsewhere_count_with_those_at_the_top():
    given = {"Tags": {"a": "1"}, "BackupVaultTags": {"b": "2"}}
    asked = Asked(Operation("backup", "CreateBackupVault"), given, ACCOUNT, "us-east-1")
    assert tags.of_request(asked) == {"aws:requesttag/a": "1", "aws:requesttag/b": "2", "aws:tagkeys": ("a", "b")}
