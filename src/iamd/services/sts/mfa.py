"""The MFA code of a request: which device, whose, and whether it is right."""

from collections.abc import Mapping

from iamd.call import Call
from iamd.policy.request import PrincipalKind
from iamd.services.iam import one_time_codes
from iamd.services.sts.errors import AccessDenied
from iamd.store.records import ROOT, MFADevice


def verified(call: Call, serial_number: str | None, token_code: str | None) -> Mapping[str, str]:
    """The condition keys that a right code gives this one request; none when no device is named.

    AWS: `aws:MultiFactorAuthPresent` is true for the AssumeRole that carries a code, and the session that it gives
    does not inherit it (IAM User Guide, "Secure API access with MFA", id_credentials_mfa_configure-api-require).
    """
    if serial_number is None and token_code is None:
        return {}
    if serial_number is None or token_code is None:
        raise AccessDenied(
            "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code."
        )
    device = call.account.get(MFADevice, serial_number)
    holder = _holder(call)
    # SECURITY: only the caller's own enabled device proves the caller.
    if device is None or holder is None or device.user_id != holder:
        raise AccessDenied(
            "MultiFactorAuthentication failed, unable to validate MFA code.  "
            "Please verify your MFA serial number is valid and associated with this user."
        )
    if not one_time_codes.accept(call, call.identity.account_id, device, token_code):
        raise AccessDenied("MultiFactorAuthentication failed with invalid MFA one time pass code. ")
    return {"aws:multifactorauthpresent": "true", "aws:multifactorauthage": "0"}


def _holder(call: Call) -> str | None:
    """Whose device the caller may use, as devices name their users; None for a role and a federated user."""
    if call.identity.is_root:
        return ROOT
    return call.identity.entity_id if call.identity.kind is PrincipalKind.USER else None
