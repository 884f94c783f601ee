"""Sample values for any shape of botocore's models, and requests as botocore's own client would send them."""

import random
import string
from datetime import UTC, datetime, timedelta
from functools import cache
from urllib.parse import urlsplit

from botocore.awsrequest import HeadersDict, create_request_object, prepare_request_dict
from botocore.loaders import create_loader
from botocore.model import OperationModel, ServiceModel
from botocore.parsers import PROTOCOL_PARSERS
from botocore.serialize import create_serializer

from iamd.http import HttpRequest, HttpResponse

_TEXT = string.ascii_letters + string.digits + "-_./ <>&\"'é語+=@:"
_MOMENT = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)
_DEPTH = 4


@cache
def model(name: str) -> ServiceModel:
    loader = create_loader()
    return ServiceModel(loader.load_service_model(name, "service-2"), name)


class Samples:
    """Values drawn by a seeded source, so that a failure repeats."""

    def __init__(self, seed: int, *, plain: bool = False) -> None:
        self._random = random.Random(seed)
        self._plain = plain

    def structure(self, shape, depth: int = _DEPTH) -> dict:
        chosen = {}
        members = list(shape.members.items())
        if getattr(shape, "is_tagged_union", False):
            members = [self._random.choice(members)]
        for name, member in members:
            # A nested structure without any member cannot be said in Query.
            wanted = name in shape.required_members or name == members[0][0]
            if member.serialization.get("eventstream") or (depth <= 0 and not wanted and member.type_name in _NESTED):
                continue
            if depth > -12 and (wanted or self._random.random() < 0.6):
                chosen[name] = self.value(member, depth - 1)
        return chosen

    def value(self, shape, depth: int, *, plain: bool = False):
        location = shape.serialization.get("location")
        if getattr(shape, "is_document_type", False):
            return {"a": [1, "two", None, {"b": True}]}
        match shape.type_name:
            case "structure":
                return self.structure(shape, depth)
            case "list":
                count = 1 if location or depth < 0 else self._random.randint(1, 3)
                return [self.value(shape.member, depth - 1) for _ in range(count)]
            case "map":
                count = self._random.randint(1, 2)
                return {
                    self._key(shape.key, n): self.value(shape.value, depth - 1, plain=bool(location))
                    for n in range(count)
                }
            case "integer":
                return self._random.randint(0, 1000)
            case "long":
                return self._random.randint(0, 1 << 40)
            case "float" | "double":
                return self._random.randint(0, 1000) / 8
            case "boolean":
                return self._random.random() < 0.5
            case "timestamp":
                return _MOMENT + timedelta(seconds=self._random.randint(0, 10**7))
            case "blob":
                return self._random.randbytes(5)
            case _:
                return self._string(shape, plain=plain or bool(location))

    def _key(self, shape, number: int) -> str:
        return self._random.choice(shape.enum) if getattr(shape, "enum", None) else f"key{number}"

    def _string(self, shape, *, plain: bool) -> str:
        if getattr(shape, "enum", None):
            return self._random.choice(shape.enum)
        if plain or self._plain:
            return "".join(self._random.choices(string.ascii_lowercase, k=8))
        text = "".join(self._random.choices(_TEXT, k=self._random.randint(1, 12)))
        return "x" + text.strip() + "y"


_NESTED = {"structure", "list", "map"}


def request(operation: OperationModel, params: dict, *, protocol: str, host: str = "localhost:4566") -> HttpRequest:
    """The request that botocore makes of these parameters, without its signature."""
    made = create_serializer(protocol, include_validation=False).serialize_to_request(params, operation)
    prepare_request_dict(made, f"http://{host}", context={})
    sent = create_request_object(made).prepare()
    return from_prepared(sent, host)


def from_prepared(sent, host: str = "localhost:4566") -> HttpRequest:
    target = urlsplit(sent.url)
    raw = sent.url[len(f"{target.scheme}://{target.netloc}") :]
    path, _, query = raw.partition("?")
    body = sent.body or b""
    body = body.encode() if isinstance(body, str) else body if isinstance(body, bytes | bytearray) else body.read()
    headers = [(b"host", host.encode())]
    for name, value in sent.headers.items():
        text = value if isinstance(value, bytes) else str(value).encode()
        headers.append((name.lower().encode(), text))
    return HttpRequest("id", sent.method, path.encode(), query.encode(), tuple(headers), bytes(body), "127.0.0.1")


def parsed(operation: OperationModel, response: HttpResponse, *, protocol: str, shape=None) -> dict:
    """What botocore reads in our response."""
    output = shape or operation.output_shape
    body = response.body
    headers = {name.decode(): value.decode() for name, value in response.headers}
    payload = output.serialization.get("payload") if output else None
    if payload and output.members[payload].type_name == "blob":
        body = bytes(body)
    answer = {"status_code": response.status, "headers": HeadersDict(headers), "body": body, "context": {}}
    return PROTOCOL_PARSERS[protocol]().parse(answer, output)
