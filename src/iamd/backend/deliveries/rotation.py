"""Rotation of secrets by functions: Secrets Manager has each step done by the function, as long as that lets it.

AWS: Secrets Manager User Guide, "Rotation by Lambda function" (rotate-secrets_lambda), "Lambda function rotation
permissions" (rotating-secrets-required-permissions-function), "Troubleshoot rotation"; API Reference, RotateSecret.
"""

import json
import logging
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from moto.core.exceptions import JsonRESTError
from moto.secretsmanager.exceptions import (
    InvalidParameterException,
    InvalidRequestException,
    OperationNotPermittedOnReplica,
    SecretNotFoundException,
)
from moto.secretsmanager.models import FakeSecret, ReplicaSecret, SecretsManagerBackend
from moto.secretsmanager.responses import SecretsManagerResponse

from iamd.backend import marked_secrets
from iamd.backend.acts import Act
from iamd.backend.deliveries import rotation_rules, timings
from iamd.backend.deliveries.timings import asked_at
from iamd.backend.handover import NotDone
from iamd.backend.replacement import replace
from iamd.delivery import Scheduled
from iamd.schedules.expressions import at

log = logging.getLogger(__name__)

PRINCIPAL: Final = "secretsmanager.amazonaws.com"
STEPS: Final = ("createSecret", "setSecret", "testSecret", "finishSecret")
_TEST: Final = ("testSecret",)
_PENDING: Final = "AWSPENDING"
_CURRENT: Final = "AWSCURRENT"
_EXTERNAL: Final = ("ExternalSecretRotationRoleArn", "ExternalSecretRotationMetadata")
_UNFINISHED: Final = "A previous rotation isn't complete. That rotation will be reattempted."
_NO_FUNCTION: Final = "No Lambda rotation function ARN is associated with this secret."
_DELETED: Final = "You can't perform this operation on the secret because it was marked for deletion."
_MANAGED: Final = "The secret is rotated by the service that manages it, and by no function of yours."


def install() -> None:
    """Rotate by steps that iamd decides; moto would run the function itself, and move the labels without it."""
    replace(SecretsManagerBackend, "rotate_secret", _rotated)
    replace(SecretsManagerBackend, "cancel_rotate_secret", _cancelled)
    replace(SecretsManagerBackend, "update_secret_version_stage", _moved)
    for name in ("put_secret_value", "update_secret"):
        replace(SecretsManagerBackend, name, _valued)
    replace(SecretsManagerResponse, "rotate_secret", _without_external)
    replace(FakeSecret, "to_dict", _described)
    marked_secrets.install()


def _without_external(original: Callable[[Any], str]) -> Callable[[Any], str]:
    def rotate_secret(response: Any) -> str:
        for member in _EXTERNAL:
            if response._get_param(member):  # noqa: SLF001 - moto has no other way
                raise InvalidParameterException(f"iamd rotates no secrets of partners, which have {member}.")
        return original(response)

    return rotate_secret


def _rotated(original: Callable[..., str]) -> Callable[..., str]:
    def rotate_secret(
        backend: Any,
        secret_id: str,
        client_request_token: str | None = None,
        rotation_lambda_arn: str | None = None,
        rotation_rules: Mapping[str, Any] | None = None,
        rotate_immediately: bool = True,
    ) -> str:
        secret = _checked(backend, secret_id, client_request_token)
        if secret.owning_service is not None:
            if rotation_lambda_arn:
                raise InvalidRequestException(_MANAGED)
            return original(backend, secret_id, client_request_token, None, rotation_rules, rotate_immediately)
        now = asked_at()
        _configure(secret, rotation_lambda_arn, rotation_rules, now)
        token = client_request_token or str(uuid.uuid4())
        version = secret.versions.get(token)
        if version is None or _CURRENT not in version["version_stages"]:
            _begin(secret, token, STEPS if rotate_immediately else _TEST, now)
        _plan(secret, now)
        answer: str = secret.to_short_dict(version_id=token)
        return answer

    return rotate_secret


def _checked(backend: Any, secret_id: str, token: str | None) -> Any:
    """The secret, if it is one that can be rotated."""
    if not backend._is_valid_identifier(secret_id):  # noqa: SLF001 - moto has no other way
        raise SecretNotFoundException
    if token is not None:
        backend._client_request_token_validator(token)  # noqa: SLF001 - likewise
    secret = backend.secrets[secret_id]
    if isinstance(secret, ReplicaSecret):
        raise OperationNotPermittedOnReplica
    if secret.is_deleted():
        raise InvalidRequestException(_DELETED)
    return secret


def _configure(secret: Any, function: str | None, rules: Mapping[str, Any] | None, now: float) -> None:
    """Keep by which function the secret is rotated, and when."""
    if not (function or secret.rotation_lambda_arn):
        raise InvalidRequestException(_NO_FUNCTION)
    if rules:
        problem = rotation_rules.problem(rules)
        if problem is not None:
            raise InvalidParameterException(problem)
    unfinished = _unfinished(secret)
    if unfinished is not None:
        if _running(secret) is None and secret.rotation_lambda_arn:
            _begin(secret, unfinished, STEPS, now)
        raise InvalidRequestException(_UNFINISHED)
    if rules:
        secret.iamd_rules = dict(rules)
    secret.rotation_lambda_arn = function or secret.rotation_lambda_arn
    secret.rotation_requested = secret.rotation_enabled = True


def _unfinished(secret: Any) -> str | None:
    """The version that a rotation has left pending."""
    for version_id, version in secret.versions.items():
        if _PENDING in version["version_stages"] and _CURRENT not in version["version_stages"]:
            return str(version_id)
    return None


def _running(secret: Any) -> object | None:
    """What stands for the rotation that goes on."""
    return getattr(secret, "iamd_rotation", None)


def rotate(secret: Any, now: float) -> None:
    """Rotate a secret that is due, or go on with the rotation that it has not finished, after one that goes on."""
    _plan(secret, now)
    secret.iamd_due = now
    if _running(secret) is None:
        _rotate_due(secret, Act(PRINCIPAL, secret.arn))


def _rotate_due(secret: Any, act: Act) -> None:
    # What is due is taken once: by who finds it when nothing goes on, or by the rotation that ends.
    due: float | None = secret.__dict__.pop("iamd_due", None)
    if due is None or secret.is_deleted():
        return
    try:
        _begin(secret, _unfinished(secret) or str(uuid.uuid4()), STEPS, due, act)
    except JsonRESTError as refused:
        log.error("the secret %s is not rotated: %s", secret.arn, refused)  # noqa: TRY400 - nothing is wrong here


def _plan(secret: Any, now: float) -> None:
    """Have the next rotation due, by the rules of a secret that is rotated."""
    found = rotation_rules.window(_rules(secret), now) if secret.rotation_enabled else None
    secret.next_rotation_date = int(found.closes) if found is not None else None
    of = Scheduled("secret", secret.account_id, secret.region, secret.name)
    timings.tell(secret, of, at(found.opens) if found is not None else None, told=now)


def _begin(secret: Any, token: str, steps: Sequence[str], now: float, act: Act | None = None) -> None:
    """Have the function take these steps with a pending version, beside the request."""
    is_new = token not in secret.versions
    if is_new:
        _label(secret, token, is_test=steps is _TEST)
    secret.iamd_rotation = running = object()

    def work(act: Act) -> None:
        try:
            _rotate(act, secret, token, steps, running, now)
        finally:
            if _running(secret) is running:
                secret.iamd_rotation = None
                _rotate_due(secret, act)

    try:
        (act or Act(PRINCIPAL, secret.arn)).begin(work)
    except JsonRESTError:
        secret.iamd_rotation = None
        if is_new:
            del secret.versions[token]
        raise


def _label(secret: Any, token: str, *, is_test: bool) -> None:
    """Make the pending version, which is empty; one that is only tested has the current value."""
    version = {"createdate": int(time.time()), "version_id": token, "version_stages": [_PENDING]}
    if is_test:
        current: Mapping[str, Any] = next(
            (one for one in secret.versions.values() if _CURRENT in one["version_stages"]), {}
        )
        version |= {name: current[name] for name in ("secret_string", "secret_binary") if name in current}
    secret.remove_version_stages_from_old_versions([_PENDING])
    secret.versions[token] = version


def _rotate(act: Act, secret: Any, token: str, steps: Sequence[str], running: object, now: float) -> None:
    for step in steps:
        if _running(secret) is not running or not _taken(act, secret, token, step):
            break
    else:
        if steps is STEPS:
            secret.last_rotation_date = int(now)
    if steps is _TEST:
        secret.versions.pop(token, None)


def _taken(act: Act, secret: Any, token: str, step: str) -> bool:
    """Whether the function has taken a step."""
    failure = _failure(act, secret, {"Step": step, "SecretId": secret.arn, "ClientRequestToken": token})
    if failure is not None:
        log.error("the secret %s is not rotated: %s: %s", secret.arn, step, failure)
    return failure is None


def _failure(act: Act, secret: Any, event: Mapping[str, str]) -> str | None:
    """Why the function has not done with an event what it was to do."""
    function = secret.rotation_lambda_arn
    try:
        told = act.ask("lambda", "Invoke", function, FunctionName=function, Payload=json.dumps(event).encode())
    except NotDone as refused:
        return refused.code
    failure: str | None = told.get("FunctionError")
    return failure


def _cancelled(original: Callable[[Any, str], str]) -> Callable[[Any, str], str]:
    def cancel_rotate_secret(backend: Any, secret_id: str) -> str:
        answer = original(backend, secret_id)
        secret = backend.secrets[secret_id]
        secret.iamd_rotation = secret.iamd_due = None
        _plan(secret, asked_at())
        return answer

    return cancel_rotate_secret


def _valued(original: Callable[..., str]) -> Callable[..., str]:
    def change(backend: Any, secret_id: str, *given: Any, **named: Any) -> str:
        answer = original(backend, secret_id, *given, **named)
        secret = backend.secrets[secret_id]
        # AWS: a value that is put is as good as a rotation where days are counted (API Reference, RotationRulesType).
        if _rules(secret).get("AutomaticallyAfterDays") is not None:
            _plan(secret, asked_at())
        return answer

    return change


def _moved(original: Callable[..., tuple[str, str]]) -> Callable[..., tuple[str, str]]:
    def update_secret_version_stage(backend: Any, secret_id: str, *given: Any, **named: Any) -> tuple[str, str]:
        answer = original(backend, secret_id, *given, **named)
        # moto gives another version than the current one to those who name none.
        secret = backend.secrets[secret_id]
        current = [key for key, version in secret.versions.items() if _CURRENT in version["version_stages"]]
        secret.set_default_version_id(current[0] if current else secret.default_version_id)
        return answer

    return update_secret_version_stage


def _described(original: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    def to_dict(secret: Any) -> dict[str, Any]:
        found = original(secret)
        if "RotationRules" in found and _rules(secret):
            found["RotationRules"] = rotation_rules.shown(_rules(secret))
        return found

    return to_dict


def _rules(secret: Any) -> Mapping[str, Any]:
    found: Mapping[str, Any] = getattr(secret, "iamd_rules", {})
    return found
