"""The certificate or part of an ACME endpoint that a request to ACM is for; what is told of a new certificate."""

import re
from collections.abc import Mapping
from typing import Any, Final

from iamd.errors import AWSError
from iamd.gateway.actions.asked import Asked, at
from iamd.gateway.actions.given_arn import formed

_ID: Final = r"[A-Za-z0-9-]{1,64}"
# ACM API Reference: the members that hold ARNs, and what each is an ARN of.
_ENDPOINT: Final = rf"acme-endpoint/{_ID}"
_VALIDATION: Final = rf"{_ENDPOINT}/acme-domain-validation/{_ID}"
_BINDING: Final = rf"{_ENDPOINT}/acme-external-account-binding/{_ID}"
_ARNS: Final = {
    "CertificateArn": ("certificate", re.compile(rf"certificate/{_ID}", re.ASCII)),
    "AcmeEndpointArn": ("endpoint", re.compile(_ENDPOINT, re.ASCII)),
    "AcmeDomainValidationArn": ("validation", re.compile(_VALIDATION, re.ASCII)),
    "AcmeExternalAccountBindingArn": ("binding", re.compile(_BINDING, re.ASCII)),
    "ResourceArn": ("tagged", re.compile(rf"{_ENDPOINT}|{_VALIDATION}|{_BINDING}", re.ASCII)),
}


class InvalidArn(AWSError):
    """An ARN of nothing that ACM can have here (ACM API Reference, DescribeCertificate)."""

    code = "InvalidArnException"
    status = 400


def values(asked: Asked) -> Mapping[str, Any]:
    """The ARNs of what the request names, and what it says of a new certificate."""
    parameters = asked.parameters
    found: dict[str, Any] = {}
    for member, (name, pattern) in _ARNS.items():
        if member in parameters:
            found[name] = _arn(parameters[member], pattern, asked)
    return found | (_of_new(parameters) if asked.operation.name == "RequestCertificate" else {})


def _arn(value: Any, pattern: re.Pattern[str], asked: Asked) -> str:
    return formed(value, "acm", pattern, asked, InvalidArn(f"The Amazon Resource Name (ARN) {value} is invalid."))


def _of_new(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """AWS: where the request says nothing, RSA_2048, a log, and no export (ACM API Reference, RequestCertificate)."""
    return {
        "domain_names": [parameters["DomainName"], *(parameters.get("SubjectAlternativeNames") or [])],
        "key_algorithm": parameters.get("KeyAlgorithm") or "RSA_2048",
        "transparency_logging": at(parameters, "Options.CertificateTransparencyLoggingPreference") or "ENABLED",
        "export": at(parameters, "Options.Export") or "DISABLED",
    }
