"""GetFederationToken: temporary credentials that a user hands to somebody whom IAM does not know."""

from collections.abc import Mapping, Sequence
from typing import Any

from iamd import arn
from iamd.auth.tokens import Session, SessionKind
from iamd.call import Call
from iamd.services.registry import Target, operation
from iamd.services.session_limits import SessionCredentials
from iamd.services.sts import session_policies, session_tags, sessions

DEFAULT_SECONDS = 43_200


def targets(call: Call, *, name: str, tags: Sequence[Mapping[str, str]] = (), **_: Any) -> list[Target]:
    """The federated user, for the operation itself and for the tags that the session is to carry.

    AWS: Service Authorization Reference, AWS Security Token Service, federated-user.
    """
    federated_user = arn.federated_user(call.identity.account_id, name)
    actions = ["sts:GetFederationToken", *(["sts:TagSession"] if tags else [])]
    return [Target(arn=federated_user, action=action) for action in actions]


@operation(on=targets)
def get_federation_token(
    call: Call,
    *,
    name: str,
    policy: str | None = None,
    policy_arns: Sequence[Mapping[str, str]] = (),
    duration_seconds: int = DEFAULT_SECONDS,
    tags: Sequence[Mapping[str, str]] = (),
    minimum_session_token_size: int = 0,
) -> dict[str, Any]:
    """Give temporary credentials with what both the caller and the session policies are allowed; without any, nothing.

    AWS: IAM User Guide, "Permissions for GetFederationToken" (id_credentials_temp_control-access_getfederationtoken).
    """
    identity = call.identity
    if identity.session is not None:
        # AWS decides first: a session that may not is told that.
        raise SessionCredentials(call.operation)
    session_tags.check(tags, (), None)
    arns = session_policies.checked(call, identity.account_id, policy, policy_arns, whose="user")
    given_tags = {tag["Key"]: tag["Value"] for tag in tags}
    percent = session_policies.packed_size(policy, arns, given_tags)
    key_id, secret = sessions.new_key(identity.account_id)
    session = Session(
        kind=SessionKind.FEDERATED,
        access_key_id=key_id,
        secret_access_key=secret,
        account=identity.account_id,
        principal_id=identity.entity_id or identity.account_id,
        issued=call.now,
        expires=call.now + sessions.seconds(call, duration_seconds),
        session_name=name,
        name=identity.name or "",
        tags=given_tags,
        policy=policy,
        policy_arns=arns,
        assumed_by=identity.arn,
        source_account=identity.account_id,
        ancestors=sessions.ancestors(call),
    )
    token = sessions.sealed(call, session, minimum_session_token_size)
    return {
        "Credentials": sessions.credentials(session, token),
        "FederatedUser": {
            "FederatedUserId": f"{session.account}:{name}",
            "Arn": arn.federated_user(session.account, name),
        },
        # AWS: 0 where there is nothing; AssumeRole leaves it out.
        "PackedPolicySize": percent or 0,
        **sessions.token_size(token),
    }
