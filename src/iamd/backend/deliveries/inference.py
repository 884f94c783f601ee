"""Asynchronous inference: SageMaker reads the input and writes the result in sessions of the model's execution role.

AWS: SageMaker Developer Guide, "Asynchronous inference" (async-inference) and "Invoke an asynchronous endpoint"
(async-inference-invoke-endpoint); SageMaker Runtime API Reference, InvokeEndpointAsync.
"""

import json
import logging
import uuid
from typing import Any, Final

from moto.core.exceptions import JsonRESTError
from moto.sagemaker.models import sagemaker_backends
from moto.sagemakerruntime.responses import SageMakerRuntimeResponse

from iamd import query_results
from iamd.arn import PARTITION
from iamd.backend.acts import Act
from iamd.backend.handover import NotDone
from iamd.backend.replacement import always, replace

log = logging.getLogger(__name__)

_RESULT: Final = json.dumps({"default": "response"}).encode()
"""What moto has every model say."""
_PREFIX: Final = "X-Amzn-SageMaker-"


def install() -> None:
    """Read and write by requests that iamd decides; moto would make a bucket of its own."""
    replace(SageMakerRuntimeResponse, "invoke_endpoint_async", always(_invoke))


def _invoke(response: Any) -> tuple[int, dict[str, str], str]:
    name, given = response.path.split("/")[2], _Given(response)
    backend = sagemaker_backends[response.current_account][response.region]
    endpoint = backend.endpoints.get(name)
    if endpoint is None:
        raise _invalid(f"Endpoint {name} of account {response.current_account} not found.")
    config = backend.endpoint_configs[endpoint.endpoint_config_name]
    output = (config.async_inference_config or {}).get("OutputConfig") or {}
    if not output.get("S3OutputPath"):
        raise _invalid(f"Endpoint {name} is not configured for asynchronous inference.")
    model = backend._models[config.production_variants[0]["ModelName"]]  # noqa: SLF001 - moto has no other way
    written = given.places(output)
    act = Act("sagemaker.amazonaws.com", endpoint.arn, role=model.execution_role_arn)
    act.begin(lambda act: _infer(act, given.input, written, output.get("KmsKeyId")))
    headers = {f"{_PREFIX}OutputLocation": written[0]}
    if written[1] is not None:
        headers[f"{_PREFIX}FailureLocation"] = written[1]
    return 202, headers, json.dumps({"InferenceId": given.id})


class _Given:
    """What a request says of its input and its result."""

    def __init__(self, response: Any) -> None:
        headers = response.headers
        self.id = headers.get(f"{_PREFIX}Inference-Id") or str(uuid.uuid4())
        self.input: str | None = headers.get(f"{_PREFIX}InputLocation")
        self._extension = (headers.get(f"{_PREFIX}S3OutputPathExtension") or "").strip("/")
        self._name = headers.get(f"{_PREFIX}Filename") or f"{self.id}.out"
        if (self.input is None) == (not response.body):
            raise _invalid("Exactly one of Body and InputLocation must be given.")
        if self.input is not None and query_results.place(self.input) is None:
            raise _invalid("InputLocation is no URI of an object in Amazon S3.")

    def places(self, output: dict[str, str]) -> tuple[str, str | None]:
        """Where the result goes, and where a failure."""
        failed = output.get("S3FailurePath")
        return self._within(output["S3OutputPath"]), self._within(failed) if failed else None

    def _within(self, path: str) -> str:
        return "/".join(part for part in (path.rstrip("/"), self._extension, self._name) if part)


def _invalid(message: str) -> JsonRESTError:
    return JsonRESTError("ValidationError", message)


def _infer(act: Act, source: str | None, written: tuple[str, str | None], key: str | None) -> None:
    result, failure = written
    try:
        if source is not None:
            # AWS: that takes s3:GetObject, as reading does.
            _ask(act, "HeadObject", source)
    except NotDone as refused:
        log.error("no inference for %s: %s", source, refused.code)  # noqa: TRY400 - nothing is wrong here
        if failure is not None:
            _write(act, failure, f"Unable to read {source}: {refused.code}".encode(), key)
        return
    _write(act, result, _RESULT, key)


def _write(act: Act, location: str, content: bytes, key: str | None) -> None:
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key} if key else {}
    try:
        _ask(act, "PutObject", location, Body=content, **encryption)
    except NotDone as refused:
        log.error("no inference is written to %s: %s", location, refused.code)  # noqa: TRY400 - nothing is wrong here


def _ask(act: Act, operation: str, location: str, **given: Any) -> None:
    bucket, key = query_results.place(location) or ("", "")
    act.ask("s3", operation, f"arn:{PARTITION}:s3:::{bucket}", Bucket=bucket, Key=key, **given)
