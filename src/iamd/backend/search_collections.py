"""moto's collections of OpenSearch Serverless: deletion protection, and that it is taken away.

AWS: OpenSearch Serverless API Reference, CreateCollection, UpdateCollection and DeleteCollection. The error for a
protected one is none of its own there: ConflictException is taken, and its words are iamd's.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec
from moto.opensearchserverless.exceptions import ConflictException, ResourceNotFoundException
from moto.opensearchserverless.models import Collection, OpenSearchServiceServerlessBackend
from moto.opensearchserverless.responses import OpenSearchServiceServerlessResponse

from iamd.backend.replacement import replace
from iamd.backend.verdict import NOT_TAKEN, Refused

_PROTECTED: Final = "ENABLED"
_UPDATED: Final = frozenset({"clientToken", "deletionProtection", "description", "id"})


def install() -> None:
    """Keep it, tell it, and hold it."""
    replace(OpenSearchServiceServerlessResponse, "create_collection", _made)
    replace(OpenSearchServiceServerlessBackend, "delete_collection", _unprotected)
    replace(Collection, "to_dict", _described)
    if not hasattr(OpenSearchServiceServerlessResponse, "update_collection"):
        OpenSearchServiceServerlessResponse.update_collection = _update  # type: ignore[attr-defined]


def _made(original: Callable[[Any], str]) -> Callable[[Any], str]:
    def create_collection(response: Any) -> str:
        answer = msgspec.json.decode(original(response))
        protection = msgspec.json.decode(response.body).get("deletionProtection")
        if protection is not None:
            told = answer["createCollectionDetail"]
            response.opensearchserverless_backend.collections[told["id"]].deletion_protection = protection
            told["deletionProtection"] = protection
        return msgspec.json.encode(answer).decode()

    return create_collection


def _update(response: Any) -> str:
    given = msgspec.json.decode(response.body)
    passed_over = given.keys() - _UPDATED
    if passed_over:
        raise Refused(NOT_TAKEN, min(passed_over))
    found = response.opensearchserverless_backend.collections.get(given["id"])
    if found is None:
        raise ResourceNotFoundException(f"Collection with ID {given['id']} cannot be found.")
    if "description" in given:
        found.description = given["description"]
    if "deletionProtection" in given:
        found.deletion_protection = given["deletionProtection"]
    return msgspec.json.encode({"updateCollectionDetail": found.to_dict()}).decode()


def _unprotected(original: Callable[..., Any]) -> Callable[..., Any]:
    def delete_collection(backend: Any, client_token: str, id: str) -> Any:
        if getattr(backend.collections.get(id), "deletion_protection", None) == _PROTECTED:
            raise ConflictException(f"Collection {id} cannot be deleted while its deletion protection is enabled")
        return original(backend, client_token, id)

    return delete_collection


def _described(original: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    def to_dict(collection: Any) -> dict[str, Any]:
        protection = getattr(collection, "deletion_protection", None)
        return {**original(collection), **({"deletionProtection": protection} if protection else {})}

    return to_dict
