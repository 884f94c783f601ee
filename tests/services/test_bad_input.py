"""Each thing that can be wrong with a parameter, of every operation of IAM and STS: refused in AWS's words, and undone.

The requests are made from botocore's models: a good one of each operation, and then one with each fault of each member.
What AWS says is written down here once more, independent of the code that says it.
"""

import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import pytest
import regex
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.loaders import create_loader
from botocore.model import ServiceModel, Shape, StringShape
from botocore.serialize import create_serializer
from running import ACCOUNT, REGION

from iamd.services import registry

registry.load()
SERVICES = ("iam", "sts")
WORKING = {(one.service, one.name.lower()) for one in registry.registered()}

# One of these fits each pattern of the models.
TEXTS = (
    "abcdefgh", "123456", "123456789012", "/team/", f"arn:aws:iam::{ACCOUNT}:user/abcdefgh", "AKIAIOSFODNN7EXAMPLE",
    "v1", "arn:aws:iam::aws:policy/abcdefgh", "iam.amazonaws.com", "abcdefgh.amazonaws.com", "a" * 40, "1234567",
    "https://idp.example.com", "ABCDEFGHIJKLMNOPQRST", "Password", "{}", "urn:x", "o-a1b2c3d4e5/r-f6g7", "123e4567-e89b-12d3-a456-426614174000",
)  # fmt: skip
BREAKING = ("語", " ", "a b", "*", "ab!", "-")
LONGEST = 300_000
"""Members that may be longer are not sent longer than they may be: the request itself would be too long."""

NAME_WORDS = "It must contain only alphanumeric characters and/or the following: +=,.@_-"
PATH_WORDS = "It must begin and end with / and contain only alphanumeric characters and/or / characters."
PREFIX_WORDS = "It must begin with the / character and contain only alphanumeric characters and/or / characters."
IAM_WORDS = {"path": PATH_WORDS, "newPath": PATH_WORDS, "pathPrefix": PREFIX_WORDS}
# AWS's answer to GetAccountAuthorizationDetails, recorded in September 2026.
ORDERS = {"EntityType": ["LocalManagedPolicy", "User", "AWSManagedPolicy", "Role", "Group"]}
HIDDEN = {"authenticationCodeType", "contextAssertionType", "tokenCodeType", "tradeInTokenType"}


@dataclass(frozen=True)
class Fault:
    """A request's form, and the words of the ValidationError that AWS refuses it with."""

    what: str
    form: list[tuple[str, str]]
    message: str


@cache
def model(service: str) -> ServiceModel:
    return ServiceModel(create_loader().load_service_model(service, "service-2"), service)


NAMES = sorted(
    f"{service}:{name}"
    for service in SERVICES
    for name in model(service).operation_names
    if (service, name.lower()) in WORKING
)


def fitting(shape: Shape) -> Any:
    """A value that keeps every constraint of a shape."""
    match shape.type_name:
        case "structure":
            # A structure that is sent without any member is not sent at all.
            wanted = shape.required_members or list(shape.members)[:1]
            return {name: fitting(member) for name, member in shape.members.items() if name in wanted}
        case "list":
            return [fitting(shape.member)] * max(1, shape.metadata.get("min", 1))
        case "map":
            return {fitting(shape.key): fitting(shape.value)}
        case "boolean":
            return True
        case "integer" | "long":
            return shape.metadata.get("min", 1)
        case "blob":
            return b"abc"
        case "timestamp":
            return 1_800_000_000
    return next(text for text in candidates(shape) if broken(shape, text) is None)


def candidates(shape: Shape) -> Iterator[str]:
    yield from getattr(shape, "enum", [])
    for text in TEXTS:
        yield text
        yield (text * (int(shape.metadata.get("min", 1)) // len(text) + 1))


def broken(shape: Shape, text: str) -> str | None:
    """The first constraint that a text does not keep; None when it keeps all."""
    found = constraints(shape, text)
    return found[0] if found else None


def constraints(shape: Shape, text: str) -> list[str]:
    """AWS's words for each constraint that a text does not keep."""
    limits, words = shape.metadata, []
    if isinstance(shape, StringShape) and shape.enum and text not in shape.enum:
        words.append(f"Member must satisfy enum value set: [{', '.join(ORDERS.get(shape.name, shape.enum))}]")
    pattern = limits.get("pattern")
    if pattern is not None and regex.fullmatch(java(pattern), text) is None:
        words.append(f"Member must satisfy regular expression pattern: {pattern}")
    if len(text) > limits.get("max", len(text)):
        words.append(f"Member must have length less than or equal to {limits['max']}")
    if len(text) < limits.get("min", 0):
        words.append(f"Member must have length greater than or equal to {limits['min']}")
    return words


def java(pattern: str) -> str:
    r"""A pattern of Java's for Python: `\w` and `\d` are ASCII's, and classes have other names."""
    return "(?a)" + pattern.replace(r"\p{IsAlphabetic}", r"\p{Alphabetic}")


def faults(name: str) -> Iterator[Fault]:
    """Everything that can be wrong with the parameters of an operation."""
    service, _, operation = name.partition(":")
    shape = model(service).operation_model(operation).input_shape
    good = fitting(shape) if shape is not None and shape.required_members else {}
    plain = form(service, operation, good)
    yield Fault("unknown", [*plain, ("Strange", "1")], "Unknown parameter: Strange")
    for first, value in plain[:1]:
        yield Fault("twice", [*plain, (first, value)], f"Duplicate parameter: {first}")
        yield Fault("in other letters", [*plain, (first.swapcase(), value)], f"Duplicate parameter: {first.swapcase()}")
    for member, inner in (shape.members if shape is not None else {}).items():
        at = member[0].lower() + member[1:]
        if member in shape.required_members:
            rest = {key: value for key, value in good.items() if key != member}
            yield Fault(f"no {member}", form(service, operation, rest), missing(service, at))
        for what, given, message in wrong_values(service, inner, at):
            yield Fault(f"{member}: {what}", form(service, operation, {**good, member: given}), message)


def wrong_values(service: str, shape: Shape, at: str) -> Iterator[tuple[str, Any, str]]:
    limits = shape.metadata
    match shape.type_name:
        case "string":
            for what, text in wrong_texts(shape):
                yield what, text, sentence(service, shape, at, text)
        case "integer" | "long":
            if "max" in limits:
                words = f"Member must have value less than or equal to {limits['max']}"
                yield "too large", limits["max"] + 1, told(service, at, str(limits["max"] + 1), words)
            if "min" in limits:
                words = f"Member must have value greater than or equal to {limits['min']}"
                yield "too small", limits["min"] - 1, told(service, at, str(limits["min"] - 1), words)
        case "list" if shape.member.type_name == "structure":
            for name in shape.member.required_members:
                given = fitting(shape)
                given[0] = {key: value for key, value in given[0].items() if key != name}
                if given[0]:
                    yield f"without {name}", given, missing(service, f"{at}.1.member.{name[0].lower()}{name[1:]}")


def wrong_texts(shape: Shape) -> Iterator[tuple[str, str]]:
    limits = shape.metadata
    if getattr(shape, "enum", None):
        yield "not one of them", "Strange"
        return
    if limits.get("min", 0) > 0:
        yield "too short", fitting(shape)[: limits["min"] - 1]
    if limits.get("max", LONGEST) < LONGEST:
        yield "too long", (fitting(shape) * (limits["max"] // len(fitting(shape)) + 2))[: limits["max"] + 1]
    if "pattern" in limits:
        least = max(1, limits.get("min", 1))
        tried = (text * (least // len(text) + 1) for text in BREAKING)
        for text in tried:
            if [words.partition(":")[0] for words in constraints(shape, text)] == [
                "Member must satisfy regular expression pattern"
            ]:
                yield "of another pattern", text
                return


def sentence(service: str, shape: Shape, at: str, text: str) -> str:
    found = constraints(shape, text)
    pattern = shape.metadata.get("pattern")
    if service == "iam" and found == [f"Member must satisfy regular expression pattern: {pattern}"]:
        words = NAME_WORDS if pattern == r"[\w+=,.@-]+" else IAM_WORDS.get(at)
        if words:
            return f"The specified value for {at} is invalid. {words}"
    secret = service == "iam" or shape.metadata.get("sensitive") or shape.name in HIDDEN
    value = "Value" if secret else f"Value '{text}'"
    sentences = [f"{value} at '{at}' failed to satisfy constraint: {words}" for words in found]
    return f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected: {'; '.join(sentences)}"


def told(service: str, at: str, value: str, words: str) -> str:
    given = "Value" if service == "iam" else f"Value '{value}'"
    return f"1 validation error detected: {given} at '{at}' failed to satisfy constraint: {words}"


def missing(service: str, at: str) -> str:
    given = "Value" if service == "iam" else "Value null"
    return f"1 validation error detected: {given} at '{at}' failed to satisfy constraint: Member must not be null"


def form(service: str, operation: str, parameters: dict[str, Any]) -> list[tuple[str, str]]:
    """The parameters as botocore writes them, without Action and Version."""
    made = create_serializer("query", include_validation=False).serialize_to_request(
        parameters, model(service).operation_model(operation)
    )
    return [(name, str(value)) for name, value in made["body"].items() if name not in {"Action", "Version"}]


@pytest.fixture(scope="module")
def post(shared_aws):
    """`post(name, form)` sends a signed form; gives status, code and message."""
    shared_aws.server.post("/_iamd/reset")
    admin = shared_aws.server.administrator
    key = Credentials(admin.access_key_id, admin.secret_access_key)

    def send(name: str, pairs: list[tuple[str, str]]) -> tuple[int, str, str]:
        service, _, operation = name.partition(":")
        body = urlencode([("Action", operation), ("Version", model(service).api_version), *pairs]).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        request = AWSRequest("POST", shared_aws.endpoint + "/", headers, body)
        SigV4Auth(key, service, REGION).add_auth(request)
        sent = urllib.request.Request(request.url, body, dict(request.headers.items()), method="POST")
        try:
            with urllib.request.urlopen(sent, timeout=30) as answer:
                return answer.status, "", answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                root = ET.fromstring(error.read())
            space = re.match(r"\{.*\}", root.tag)[0]
            return error.code, root.findtext(f".//{space}Code"), root.findtext(f".//{space}Message")

    return send


@pytest.fixture(scope="module")
def revision(shared_aws, post):
    """`revision()` is that of the newest state, as the event of a refusal tells it."""

    def newest() -> int:
        post("iam:GetUser", [("UserName", "nobody")])
        return int(shared_aws.explain(shared_aws.events("GetUser")[0]["requestID"])["Revision"])

    return newest


@pytest.fixture(scope="module")
def first_revision(revision):
    return revision()


@pytest.mark.parametrize("name", NAMES)
def test_each_fault_is_refused_in_awss_words_and_changes_nothing(post, revision, first_revision, name):
    told = [(fault, post(name, fault.form)) for fault in faults(name)]
    other = {fault.what: got for fault, got in told if got != (400, "ValidationError", fault.message)}
    assert told
    assert other == {}
    assert revision() == first_revision
