"""Lambda: functions by name, partial ARN or ARN, with their qualifier; layers; mappings; functions' configuration."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from iamd import arn as arns
from iamd.authz.target import Target
from iamd.gateway.actions import given_arn, keys, s3, tags
from iamd.gateway.actions.asked import Asked, at, invalid

MAPPED_FUNCTION: Final = "function"
"""The fact that names the function of an event source mapping."""

# Lambda API Reference, "FunctionName": name, name:alias, partial ARN, ARN.
_FUNCTION: Final = re.compile(
    r"(?:arn:(?P<partition>[a-z-]+):lambda:(?P<region>[a-z0-9-]+):)?(?:(?P<account>[0-9]{12}):)?(?:function:)?"
    r"(?P<name>[A-Za-z0-9_-]{1,140})(?::(?P<qualifier>\$LATEST(?:\.PUBLISHED)?|[A-Za-z0-9_-]{1,128}))?",
    re.ASCII,
)
_QUALIFIER: Final = re.compile(r"\$LATEST(?:\.PUBLISHED)?|[A-Za-z0-9_-]{1,128}", re.ASCII)
_LAYER: Final = re.compile(
    r"(?:arn:(?P<partition>[a-z-]+):lambda:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):layer:)?"
    r"(?P<name>[A-Za-z0-9_-]{1,140})",
    re.ASCII,
)
_PROVIDER: Final = re.compile(
    r"(?:arn:[a-z-]+:lambda:[a-z0-9-]+:[0-9]{12}:capacity-provider:)?[A-Za-z0-9_-]+", re.ASCII
)
_UUID: Final = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
# What the operations that take any resource's ARN, and those that take a layer version's or an execution's, may name.
_RESOURCE: Final = re.compile(
    r"function:[A-Za-z0-9_-]{1,140}(?::(?:\$LATEST(?:\.PUBLISHED)?|[A-Za-z0-9_-]{1,128}))?"
    r"(?:/durable-execution/[A-Za-z0-9_-]+/[A-Za-z0-9_-]+)?"
    r"|layer:[A-Za-z0-9_-]{1,140}:[0-9]+"
    r"|(?:event-source-mapping|code-signing-config|capacity-provider):[A-Za-z0-9_-]+",
    re.ASCII,
)
_ARN_MEMBERS: Final = ("CodeSigningConfigArn", "DurableExecutionArn", "Resource", "ResourceArn", "Arn")
_NAMED: Final = ("Resource", "ResourceArn", "Arn")


def values(asked: Asked) -> Mapping[str, Any]:
    """What the rows and keys of Lambda's table name."""
    given = asked.parameters
    found: dict[str, Any] = {
        **_function(asked),
        **_layer(given, asked),
        **_code(given),
        **_arns(given),
        "auth_type": given.get("FunctionUrlAuthType") or given.get("AuthType"),
    }
    if given.get("CapacityProviderName"):
        found["provider"] = _provider(given["CapacityProviderName"], asked)
    if given.get("UUID"):
        found["function_of_key"] = _function_of_mapping(given["UUID"], asked)
    elif "function" in found:
        found["function_of_key"] = found["function"]
        whole = found["whole_function"]
        found["auth_type"] = found["auth_type"] or asked.known(whole).get(url_auth(found["function"], whole))
    return {name: value for name, value in found.items() if value is not None}


def url_auth(function: str, whole: str) -> str:
    """The fact that names the authorization type of the URL of a function, or of its alias."""
    return f"url-auth{function.removeprefix(whole)}"


def _function(asked: Asked) -> dict[str, str]:
    given = asked.parameters
    if not given.get("FunctionName"):
        return {}
    whole, qualifier = function_arn(given["FunctionName"], given.get("Qualifier"), asked)
    return {"whole_function": whole, "function": whole if qualifier is None else f"{whole}:{qualifier}"}


def function_arn(text: str, qualifier: str | None, asked: Asked) -> tuple[str, str | None]:
    """A function's ARN without, and the version or alias that is named beside it or in it."""
    match = _FUNCTION.fullmatch(text)
    if match is None:
        raise _invalid(text, "functionName")
    if qualifier is not None and not _QUALIFIER.fullmatch(qualifier):
        raise _invalid(qualifier, "qualifier")
    own = match["qualifier"]
    if own is not None and qualifier is not None and own != qualifier:
        raise invalid("The derived qualifier from the function name does not match the specified qualifier.")
    region, account = match["region"] or asked.region, match["account"] or asked.account
    whole = f"arn:{match['partition'] or asked.partition}:lambda:{region}:{account}:function:{match['name']}"
    return whole, own or qualifier


def _invalid(value: str, member: str) -> Exception:
    return invalid(f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint")


def _layer(given: Mapping[str, Any], asked: Asked) -> dict[str, str]:
    name = given.get("LayerName")
    if not name:
        return {}
    match = _LAYER.fullmatch(name)
    if match is None:
        raise _invalid(name, "layerName")
    if match["account"]:
        return {"layer": name}
    return {"layer": f"arn:{asked.partition}:lambda:{asked.region}:{asked.account}:layer:{name}"}


def _code(given: Mapping[str, Any]) -> dict[str, str]:
    """The object that a function's or a layer's code is read from, by the caller's right to read it.

    AWS: "you must have s3:GetObject permission for the bucket" (Lambda Developer Guide, "Troubleshoot deployment
    issues in Lambda").
    """
    place = given.get("Code") or given.get("Content") or given
    bucket, key, version = place.get("S3Bucket"), place.get("S3Key"), place.get("S3ObjectVersion")
    if bucket is None or key is None:
        return {}
    s3.check_bucket(bucket)
    return {"code_bucket": bucket, "code_key": key, "versioned_code" if version else "plain_code": bucket}


def _arns(given: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    for member in _ARN_MEMBERS:
        value = given.get(member)
        if value is None:
            continue
        parsed = arns.parse(value)
        if parsed is None or parsed.service != "lambda" or not _RESOURCE.fullmatch(parsed.resource):
            raise _invalid(value, member[0].lower() + member[1:])
        if member in _NAMED:
            found["named"] = value
    return found


def _provider(name: str, asked: Asked) -> str:
    if not _PROVIDER.fullmatch(name):
        raise _invalid(name, "capacityProviderName")
    if name.startswith("arn:"):
        return name
    return f"arn:{asked.partition}:lambda:{asked.region}:{asked.account}:capacity-provider:{name}"


def _function_of_mapping(uuid: str, asked: Asked) -> str | None:
    if not _UUID.fullmatch(uuid):
        raise _invalid(uuid, "uUID")
    return asked.known(mapping_arn(uuid, asked)).get(MAPPED_FUNCTION)


def mapping_arn(uuid: str, asked: Asked) -> str:
    """The ARN of an event source mapping."""
    return f"arn:{asked.partition}:lambda:{asked.region}:{asked.account}:event-source-mapping:{uuid}"


def configured(asked: Asked) -> list[Target]:
    """CreateFunction and UpdateFunctionConfiguration: the function, its layers, its tags, and where its code lies.

    AWS: lambda:GetLayerVersion on each layer (Lambda Developer Guide, "Granting layer access to other accounts").
    """
    given, found = asked.parameters, {**asked.parameters, **asked.place, **values(asked)}
    layers = list(dict.fromkeys(given.get("Layers") or []))
    for layer in layers:
        _check_layer(layer, asked)
    action = f"lambda:{asked.operation.name}"
    tagged = tags.of(given)
    function = found["whole_function"]
    targets = [Target(arn=function, action=action, context={**tagged, **keys.of("lambda", action, found)})]
    if tagged:
        targets.append(Target(arn=function, action="lambda:TagResource", context=tagged))
    targets += [Target(arn=layer, action="lambda:GetLayerVersion") for layer in layers]
    provider = at(given, "CapacityProviderConfig.LambdaManagedInstancesCapacityProviderConfig.CapacityProviderArn")
    if provider is not None:
        targets.append(Target(arn=_provider(provider, asked), action="lambda:PassCapacityProvider"))
    return targets + _read_code(found, asked)


def remapped(asked: Asked) -> list[Target]:
    """UpdateEventSourceMapping: the mapping with its function, and with the one that it is to have.

    SECURITY: AWS leaves open whose ARN `lambda:FunctionArn` is; who may map to one function only keeps to that one.
    """
    found = {**asked.parameters, **asked.place, **values(asked)}
    action, arn = f"lambda:{asked.operation.name}", mapping_arn(asked.parameters["UUID"], asked)
    functions = dict.fromkeys([found.get("function_of_key"), found.get("function", found.get("function_of_key"))])
    each = [found if function is None else {**found, "function_of_key": function} for function in functions]
    return [Target(arn=arn, action=action, context=keys.of("lambda", action, one)) for one in each]


def _check_layer(layer: str, asked: Asked) -> None:
    parsed = given_arn.given(layer, "lambda", asked)
    if parsed is None or not re.fullmatch(r"layer:[A-Za-z0-9_-]+:[0-9]+", parsed.resource):
        raise _invalid(layer, "layers")


def _read_code(found: Mapping[str, Any], asked: Asked) -> list[Target]:
    if "code_bucket" not in found:
        return []
    arn = f"arn:{asked.partition}:s3:::{found['code_bucket']}/{found['code_key']}"
    return [Target(arn=arn, action="s3:GetObject" if "plain_code" in found else "s3:GetObjectVersion")]


COMPUTED: Final[Mapping[str, Callable[[Asked], list[Target]]]] = {
    "configured": configured,
    "remapped": remapped,
}
