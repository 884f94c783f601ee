"""GetDelegatedAccessToken: what a partner gets for the token of a delegation request that was accepted.

AWS: STS API Reference, GetDelegatedAccessToken; IAM User Guide, "IAM temporary delegation": the access is that of who
accepted the request, within the policy of the request, for as long as the request says, from when the token was sent.
"""

from typing import Any

from iamd import arn
from iamd.auth.sealing import Keyring, SealError
from iamd.auth.tokens import Session, SessionKind
from iamd.call import Call
from iamd.services.registry import Target, operation
from iamd.services.sts import session_policies, sessions
from iamd.services.sts.errors import AccessDenied, ExpiredTradeInToken
from iamd.store.delegation_records import Approver, DelegationRequest
from iamd.store.records import Role, User

PURPOSE = "trade-in-token"
LONGEST = 1024


def trade_in_token(keyring: Keyring, request: DelegationRequest) -> str:
    """The token of a request; only the account that made the request can use it."""
    return keyring.seal_text(PURPOSE, (request.requestor_account,), request.request_id.encode())


def nothing(_call: Call, **_parameters: Any) -> Target:
    """An operation that touches no resource."""
    return Target()


@operation(on=nothing)
def get_delegated_access_token(call: Call, *, trade_in_token: str) -> dict[str, Any]:
    """Give credentials of who accepted the request, as far as its policy goes."""
    request = _request(call, trade_in_token)
    approver = None if request is None else request.approver
    if request is None or approver is None or request.finalized is None or request.owner_account is None:
        raise AccessDenied("The trade-in token is not valid.")
    expires = request.finalized + request.session_duration
    if call.now >= expires:
        raise ExpiredTradeInToken("The trade-in token has expired.")
    _check_approver(call, request.owner_account, approver)
    percent = session_policies.packed_size(request.policy, (), {})
    key_id, secret = sessions.new_key(request.owner_account)
    session = Session(
        kind=SessionKind.DELEGATED,
        access_key_id=key_id,
        secret_access_key=secret,
        account=request.owner_account,
        principal_id=approver.principal_id,
        issued=call.now,
        expires=expires,
        session_name=request.request_id[:32],
        name=approver.name,
        path=approver.path,
        policy=request.policy,
        assumed_by=call.identity.arn,
        source_account=call.identity.account_id,
        ancestors=tuple(dict.fromkeys((*approver.lineage, *sessions.ancestors(call)))),
    )
    return {
        "Credentials": sessions.credentials(session, sessions.sealed(call, session, 0)),
        "PackedPolicySize": percent,
        "AssumedPrincipal": approver.arn,
    }


def _request(call: Call, token: str) -> DelegationRequest | None:
    try:
        if len(token) > LONGEST:
            raise SealError
        # SECURITY: the caller's account is bound into the token: a partner cannot use that of another.
        request_id = call.keyring.open_text(PURPOSE, (call.identity.account_id,), token).decode()
    except SealError:
        return None
    return call.view.shared.get(DelegationRequest, request_id)


def _check_approver(call: Call, account_id: str, approver: Approver) -> None:
    account = call.account_of(account_id)
    is_there = approver.arn == arn.root(account_id) or any(
        account.get(kind, approver.principal_id) is not None for kind in (User, Role)
    )
    if not is_there:
        raise AccessDenied("Who accepted the delegation request is not there any more.")
