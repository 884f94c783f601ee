"""What temporary credentials may not ask of IAM and STS, whatever the policies say.

AWS: STS API Reference, GetSessionToken and GetFederationToken, "Permissions"; IAM User Guide, "Compare AWS STS
credentials" (id_credentials_sts-comparison).
"""

from iamd.auth.identity import Identity
from iamd.auth.tokens import SessionKind
from iamd.errors import AWSError, Common, CommonError
from iamd.services import registry
from iamd.wire.models import Operation

WITH_SESSION_TOKEN = frozenset({"AssumeRole", "GetCallerIdentity", "GetWebIdentityToken"})
"""What credentials of GetSessionToken may call of STS; the last as AWS was seen to answer."""

WITH_FEDERATION_TOKEN = frozenset({"GetCallerIdentity"})
"""What credentials of GetFederationToken may call of STS."""

DECIDED_FIRST = frozenset({"GetFederationToken", "GetSessionToken"})
"""What refuses every session by itself, the one after its decision and the other before it."""


NOT_FEDERATED = {"GetWebIdentityToken": "GetWebIdentityToken does not support federated user sessions"}
"""What AWS says to credentials of GetFederationToken of operations that have words of their own for them."""


class SessionCredentials(AWSError):
    """An operation that these temporary credentials can't call."""

    code = "AccessDenied"
    status = 403

    def __init__(self, operation_name: str, words: str | None = None) -> None:
        super().__init__(words or f"Cannot call {operation_name} with session credentials")


def check(identity: Identity, operation: Operation) -> None:
    """Refuse what sessions of GetSessionToken and GetFederationToken cannot call; others are not limited."""
    session = identity.session
    if session is None or session.kind not in {SessionKind.USER, SessionKind.FEDERATED}:
        return
    is_federated = session.kind is SessionKind.FEDERATED
    # SECURITY: STS-10: whoever has such a session alone must not make of it keys that outlive it.
    if _makes_lasting(operation) and (is_federated or session.mfa_time is None):
        # AWS answers so, in IAM's words for a key that it does not know.
        raise CommonError(Common.UNKNOWN_ACCESS_KEY, "The security token included in the request is invalid.")
    if operation.service == "sts" and not operation.unsigned and operation.name not in DECIDED_FIRST:
        allowed = WITH_FEDERATION_TOKEN if is_federated else WITH_SESSION_TOKEN
        if operation.name not in allowed:
            raise SessionCredentials(operation.name, NOT_FEDERATED.get(operation.name) if is_federated else None)


def _makes_lasting(operation: Operation) -> bool:
    """Whether an operation is IAM's, or of iamd's own service one that changes something, as a root user's password."""
    if operation.service == "iamd":
        return registry.find(operation.service, operation.name).writes
    return operation.service == "iam"
