"""What requests set of EBS's encryption by default: an account's settings in a Region, as they are remembered.

AWS: EC2 API Reference, EnableEbsEncryptionByDefault, ModifyEbsDefaultKmsKeyId and their like.
"""

from collections.abc import Callable, Mapping
from typing import Final

from iamd.gateway.actions.asked import Asked
from iamd.gateway.effect import Effect, Of
from iamd.gateway.key_uses.named import keyed, nothing, whole
from iamd.gateway.resources import Facts

ON: Final = "on"
BY_DEFAULT: Final = "encryption-by-default"
DEFAULT_KEY: Final = "default-key"


def place(asked: Asked, account: str, what: str) -> str:
    """What a setting is known by."""
    return f"arn:{asked.partition}:ec2:{asked.region}:{account}:ebs-{what}"


def _setting(what: str, value: Callable[[Asked], str]) -> Of:
    change = keyed(nothing, value)

    def effect(asked: Asked, _: str, facts: Facts) -> Effect | None:
        if asked.parameters.get("DryRun"):
            return None
        return change(asked, place(asked, asked.account, what), facts)

    return effect


def _named(asked: Asked) -> str:
    return whole(asked.parameters.get("KmsKeyId"), asked)


EFFECTS: Final[Mapping[tuple[str, str], Of]] = {
    ("ec2", "DisableEbsEncryptionByDefault"): _setting(BY_DEFAULT, lambda _: ""),
    ("ec2", "EnableEbsEncryptionByDefault"): _setting(BY_DEFAULT, lambda _: ON),
    ("ec2", "ModifyEbsDefaultKmsKeyId"): _setting(DEFAULT_KEY, _named),
    ("ec2", "ResetEbsDefaultKmsKeyId"): _setting(DEFAULT_KEY, lambda _: ""),
}
