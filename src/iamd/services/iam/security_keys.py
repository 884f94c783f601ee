"""FIDO security keys as IAM's MFA devices: given to a user at the page where the browser asks the key.

AWS has no operation that registers one; its console does it under `iam:EnableMFADevice`, which the caller must be
allowed for both of its steps.
"""

import hashlib
import re
from typing import Any

from msgspec.structs import replace

from iamd import arn, ids
from iamd.auth import fido_metadata
from iamd.auth.security_keys import Registered
from iamd.call import Call
from iamd.services.iam import arns, mfa_devices
from iamd.services.iam.entities import named_or_calling_user
from iamd.services.iam.errors import EntityAlreadyExists, InvalidInput
from iamd.services.registry import Target
from iamd.store.records import ROOT, User
from iamd.store.sign_in_records import SecurityKey

STATE_KEY = "iam:registersecuritykey"
"""`Create` of a key that is asked, `Activate` of one that has answered (IAM User Guide, "Supported configurations for
using passkeys and security keys"); both are decided when it has answered."""
CERTIFICATION_KEYS = {
    fido_metadata.FIDO: "iam:fido-certification",
    fido_metadata.FIPS_140_2: "iam:fido-fips-140-2-certification",
    fido_metadata.FIPS_140_3: "iam:fido-fips-140-3-certification",
}

_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII).fullmatch


def new_serial_number(account_id: str, user: User | None, name: str) -> str:
    """The ARN of a key that a user gives this name (IAM User Guide, "IAM identifiers": `u2f/user/JohnDoe/...`)."""
    if not _NAME(name):
        raise InvalidInput("The name of a security key has letters, digits and +=,.@-_ only, and at most 64 of them.")
    whose = "user/" if user is not None else "root/"
    path = f"/{whose}{user.user_name + '/' if user is not None else ''}"
    return arn.iam(account_id, "u2f", path, f"{name}-{ids.unique_id('')}")


def registration(
    call: Call, *, user_name: str | None = None, registered: Registered, **_: Any
) -> tuple[Target, Target]:
    """What registering a key touches: its user, at each of the steps that `iam:RegisterSecurityKey` tells apart.

    The second one knows the key's certifications.
    """
    user = arns.user(call, user_name=user_name)
    certifications = {CERTIFICATION_KEYS[of]: level for of, level in registered.certifications.items()}
    return (
        replace(user, context={**user.context, STATE_KEY: "Create"}),
        replace(user, context={**user.context, STATE_KEY: "Activate", **certifications}),
    )


def enable_security_key(
    call: Call, *, serial_number: str, user_name: str | None = None, registered: Registered, rp_id: str
) -> dict[str, Any] | None:
    """Give a user a key that has just answered."""
    user = named_or_calling_user(call, user_name)
    mfa_devices.refuse_without_mfa(call, user)
    mfa_devices.check_one_more(call, user)
    if any(key.credential_id == registered.credential_id for key in call.account.all(SecurityKey)):
        raise EntityAlreadyExists("This security key is in use already.")
    call.put(
        SecurityKey(
            serial_number=serial_number,
            user_id=ROOT if user is None else user.user_id,
            enabled=call.now,
            rp_id=rp_id,
            credential_id=registered.credential_id,
            public_key=registered.public_key,
            sign_count=registered.sign_count,
            certifications=tuple(registered.certifications.items()),
        )
    )
    return None


def user_handle(account_id: str, user_id: str) -> bytes:
    """What a key knows its user by: nothing that tells who it is (WebAuthn Level 3, 14.6.1)."""
    return hashlib.sha256(f"iamd {account_id} {user_id}".encode()).digest()
