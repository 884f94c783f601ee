"""Commands of moto's Systems Manager: the document that they run is the one that is asked for.

AWS: Systems Manager API Reference, SendCommand (DocumentVersion; DocumentHash, "created by the system when the document
was created"; DocumentHashType: Sha1 is deprecated), Command. Which error another hash is answered with is not public:
here InvalidDocument.
"""

from collections.abc import Callable
from typing import Any, Final

from moto.ssm.exceptions import InvalidDocument, InvalidDocumentVersion
from moto.ssm.models import Command
from moto.ssm.responses import SimpleSystemManagerResponse

from iamd.backend.replacement import replace
from iamd.backend.verdict import NOT_TAKEN, Refused

_DEFAULT: Final = "$DEFAULT"
_FOLLOWING: Final = frozenset({_DEFAULT, "$LATEST"})
_VERSION: Final = "document_version"
_SHA256: Final = "Sha256"


def install() -> None:
    """Look at the document first, and tell its version."""
    replace(SimpleSystemManagerResponse, "send_command", _sent)
    replace(Command, "response_object", _told)


def _sent(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def send_command(response: Any) -> Any:
        asked = response._get_param  # noqa: SLF001 - moto's responses have no other way
        version, expected = asked("DocumentVersion") or _DEFAULT, asked("DocumentHash")
        if asked("DocumentHashType") not in {None, _SHA256}:
            raise Refused(NOT_TAKEN, "a DocumentHashType other than Sha256")
        backend = response.ssm_backend
        _check(backend._documents.get(asked("DocumentName")), version, expected)  # noqa: SLF001 - as moto does
        answer = original(response)
        told = answer.result["Command"]
        [command] = [one for one in backend._commands if one.command_id == told["CommandId"]]  # noqa: SLF001
        setattr(command, _VERSION, version)
        told["DocumentVersion"] = version
        return answer

    return send_command


def _check(document: Any, version: str, expected: str | None) -> None:
    if document is None:
        # moto has no documents of AWS's, and would run one of any name.
        for name, is_asked in (("DocumentHash", expected), ("DocumentVersion", version not in _FOLLOWING)):
            if is_asked:
                raise Refused(NOT_TAKEN, f"{name} of a document that is not the account's own")
        return
    found = document.find(None if version == _DEFAULT else version, strict=False)
    if found is None:
        raise InvalidDocumentVersion("The document version is not valid or does not exist.")
    if expected is not None and found.hash != expected.lower():
        # SECURITY: another content than the one that was looked at would be run.
        raise InvalidDocument("The document does not have this hash.")


def _told(original: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    def response_object(command: Any) -> dict[str, Any]:
        return {**original(command), "DocumentVersion": getattr(command, _VERSION, _DEFAULT)}

    return response_object
