"""What moto passes over of requests for keys of KMS, and what a key can't be asked for.

AWS: KMS API Reference, CreateKey, ReplicateKey, GetPublicKey, EnableKeyRotation, ScheduleKeyDeletion, GetKeyPolicy
(PolicyName), Decrypt (Recipient: "Instead of returning the plaintext data, ... AWS KMS encrypts"); KMS Developer Guide,
"Multi-Region keys in AWS KMS" and "Encryption context". The words are iamd's.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from moto.core.utils import unix_time
from moto.kms import responses, utils
from moto.kms.exceptions import ValidationException
from moto.kms.models import KmsBackend, kms_backends
from moto.kms.responses import KmsResponse

from iamd.backend.key_states import KeyRefused
from iamd.backend.replacement import always, replace
from iamd.backend.verdict import NOT_TAKEN, Refused

_MADE: Final = {"CustomKeyStoreId": None, "Origin": "AWS_KMS", "XksKeyId": None}
"""What keys that moto has are made with, and in what it would make any other one."""
_WITH_RECIPIENT: Final = ("decrypt", "generate_data_key", "generate_random")
_SHORTEST: Final = 7
_LONGEST: Final = 30
_SYMMETRIC: Final = "SYMMETRIC_DEFAULT"
_ASYMMETRIC: Final = ("RSA_", "ECC_", "SM2")


def install() -> None:
    """Refuse what moto would do otherwise, and have replicas of keys be keys of their own."""
    replace(KmsResponse, "create_key", _made)
    replace(KmsResponse, "replicate_key", _replicated)
    for name in _WITH_RECIPIENT:
        replace(KmsResponse, name, _for_its_caller)
    replace(responses, "_assert_default_policy", _or_none)
    replace(KmsBackend, "get_public_key", _public)
    replace(KmsBackend, "enable_key_rotation", _rotated)
    replace(KmsResponse, "enable_key_rotation", _in_periods)
    replace(KmsResponse, "get_key_rotation_status", _with_period)
    replace(KmsBackend, "schedule_key_deletion", _scheduled)
    # SECURITY: moto writes names and values one after the other, so that `a: bc` is `ab: c`.
    replace(utils, "_serialize_encryption_context", always(_context))


def _or_none(original: Callable[[str], None]) -> Callable[[str | None], None]:
    """AWS: "If no policy name is specified, the default value is `default`"."""
    return lambda policy_name: original(policy_name or "default")


def _context(encryption_context: Mapping[str, str]) -> bytes:
    return json.dumps(sorted(encryption_context.items())).encode()


def _made(original: Callable[[Any], str]) -> Callable[[Any], str]:
    def create_key(response: Any) -> str:
        for name, usual in _MADE.items():
            if response._get_param(name) not in {None, usual}:  # noqa: SLF001 - moto's responses have no other way
                raise Refused(NOT_TAKEN, f"{name} of CreateKey")
        return original(response)

    return create_key


def _for_its_caller(original: Callable[[Any], str]) -> Callable[[Any], str]:
    def answer(response: Any) -> str:
        if response._get_param("Recipient"):  # noqa: SLF001
            # SECURITY: the plaintext is for nobody but the enclave.
            raise Refused(NOT_TAKEN, "Recipient")
        return original(response)

    return answer


def _public(original: Callable[..., Any]) -> Callable[..., Any]:
    def get_public_key(backend: Any, key_id: str) -> Any:
        key = backend.describe_key(key_id)
        if not key.key_spec.startswith(_ASYMMETRIC):
            raise _unsupported(f"{key.arn} has no public key.")
        return original(backend, key_id)

    return get_public_key


def _rotated(original: Callable[..., None]) -> Callable[..., None]:
    def enable_key_rotation(backend: Any, key_id: str) -> None:
        key = backend.describe_key(key_id)
        if key.key_spec != _SYMMETRIC:
            raise _unsupported(f"{key.arn} is no symmetric encryption key, and is not rotated.")
        original(backend, key_id)

    return enable_key_rotation


def _in_periods(original: Callable[[Any], str]) -> Callable[[Any], str]:
    """AWS: EnableKeyRotation, RotationPeriodInDays: 90 to 2,560, and 365 where none is given."""

    def enable_key_rotation(response: Any) -> str:
        period = response._get_param("RotationPeriodInDays")  # noqa: SLF001
        if period is not None and not _LEAST_PERIOD <= period <= _MOST_PERIOD:
            raise ValidationException(f"RotationPeriodInDays must be between {_LEAST_PERIOD} and {_MOST_PERIOD}.")
        answer = original(response)
        key = response.kms_backend.describe_key(response._get_param("KeyId"))  # noqa: SLF001
        setattr(key, _PERIOD, period or _USUAL_PERIOD)
        setattr(key, _SINCE, unix_time())
        return answer

    return enable_key_rotation


_PERIOD: Final = "rotation_period_in_days"
_SINCE: Final = "rotated_since"
_LEAST_PERIOD: Final = 90
_MOST_PERIOD: Final = 2560
_USUAL_PERIOD: Final = 365
_DAY: Final = 86_400


def _with_period(original: Callable[[Any], str]) -> Callable[[Any], str]:
    """AWS: GetKeyRotationStatus: the period, and when the key is rotated next, while it is."""

    def get_key_rotation_status(response: Any) -> str:
        told = msgspec.json.decode(original(response), type=dict[str, Any])
        key = response.kms_backend.describe_key(response._get_param("KeyId"))  # noqa: SLF001
        told["KeyId"] = key.id
        if told["KeyRotationEnabled"]:
            period = getattr(key, _PERIOD, _USUAL_PERIOD)
            next_one = getattr(key, _SINCE, key.creation_date) + period * _DAY
            told |= {"RotationPeriodInDays": period, "NextRotationDate": next_one}
        return json.dumps(told)

    return get_key_rotation_status


def _scheduled(original: Callable[..., float]) -> Callable[..., float]:
    def schedule_key_deletion(backend: Any, key_id: str, pending_window_in_days: int) -> float:
        if not _SHORTEST <= pending_window_in_days <= _LONGEST:
            raise ValidationException(f"PendingWindowInDays must be between {_SHORTEST} and {_LONGEST}.")
        return original(backend, key_id, pending_window_in_days)

    return schedule_key_deletion


def _unsupported(words: str) -> KeyRefused:
    return KeyRefused("UnsupportedOperationException", words)


def _replicated(original: Callable[[Any], str]) -> Callable[[Any], str]:
    def replicate_key(response: Any) -> str:
        asked = response._get_param  # noqa: SLF001
        response._validate_key_id(asked("KeyId"))  # noqa: SLF001
        key = response.kms_backend.describe_key(asked("KeyId"))
        region = asked("ReplicaRegion")
        _check_replicable(key, region)
        original(response)
        replica = kms_backends[key.account_id][region].keys[key.id]
        _separate(replica, asked)
        tags = asked("Tags") or []
        if tags:
            kms_backends[key.account_id][region].tagger.tag_resource(key.id, tags)
        metadata = replica.to_dict()["KeyMetadata"]
        answer = {"ReplicaKeyMetadata": metadata, "ReplicaPolicy": replica.policy, "ReplicaTags": tags}
        return msgspec.json.encode(answer).decode()

    return replicate_key


def _check_replicable(key: Any, region: str) -> None:
    if not key.multi_region or key.arn != key.multi_region_configuration["PrimaryKey"]["Arn"]:
        raise _unsupported(f"{key.arn} is no multi-Region primary key.")
    if region == key.region or key.id in kms_backends[key.account_id][region].keys:
        # SECURITY: moto would put a new one in the place of the replica that is there, enabled and with another policy.
        raise KeyRefused("AlreadyExistsException", f"There is a key {key.id} in {region}.")


def _separate(replica: Any, asked: Callable[[str], Any]) -> None:
    """Give a replica what it does not share with its primary key, of which moto makes it a shallow copy."""
    replica.policy = asked("Policy") or replica.generate_default_policy()
    replica.description = asked("Description") or ""
    replica.creation_date = unix_time()
    replica.grants, replica.aliases, replica.rotations = {}, {}, list(replica.rotations)
    replica.multi_region_configuration = {**replica.multi_region_configuration, "MultiRegionKeyType": "REPLICA"}
