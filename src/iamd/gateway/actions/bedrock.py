"""The model, job, guardrail or other resource that a control call to Amazon Bedrock is for: by ARN, id or name.

AWS: Service Authorization Reference, list_amazonbedrock; Bedrock API Reference. What is named by a name, which its ARN
does not hold, the backend is asked for.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from iamd import arn as arns
from iamd.authz.target import Target
from iamd.errors import AWSError
from iamd.gateway.actions import tags
from iamd.gateway.actions.asked import Asked, Question, at, untold
from iamd.gateway.actions.given_arn import ACCOUNT, own

_ID: Final = re.compile(r"[a-z0-9]{1,64}", re.ASCII)
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._:-]{0,191}", re.ASCII)
_WITHIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._:/-]{0,511}", re.ASCII)
# What models are: those that AWS has, those of an account, and what stands for one of several.
MODELS: Final = (
    "foundation-model", "custom-model", "imported-model", "provisioned-model", "inference-profile",
    "application-inference-profile", "prompt-router", "default-prompt-router",
)  # fmt: skip
# The kinds of what has tags or a policy (Bedrock API Reference, TagResource and PutResourcePolicy).
_TAGGED: Final = (
    "advanced-prompt-optimization-job", "agent", "agent-alias", "application-inference-profile", "async-invoke",
    "automated-reasoning-policy", "blueprint", "blueprint-optimization-invocation", "custom-model",
    "custom-model-deployment", "data-automation-invocation", "data-automation-library",
    "data-automation-library-ingestion-job", "data-automation-project", "evaluation-job", "flow", "guardrail",
    "imported-model", "knowledge-base", "model-copy-job", "model-customization-job", "model-evaluation-job",
    "model-import-job", "model-invocation-job", "prompt", "prompt-router", "provisioned-model",
    "retrieval-instruction", "session",
)  # fmt: skip
_WITH_POLICY: Final = ("custom-model", "guardrail", "guardrail-profile", "knowledge-base")


class ValidationError(AWSError):
    """A name or an ARN of nothing that Bedrock can have (Bedrock API Reference, ValidationException)."""

    code = "ValidationException"
    status = 400


class Named(NamedTuple):
    """How an operation names what it is about: the member, the kinds of thing, and the question about a name."""

    member: str
    kinds: tuple[str, ...]
    operation: str | None = None
    arn: str = ""


_GUARDRAIL: Final = Named("guardrailIdentifier", ("guardrail",))
# By how the operation's name ends. Without an operation to ask, what is no ARN is the id at its end.
_NAMED: Final = {
    "AdvancedPromptOptimizationJob": Named("jobIdentifier", ("advanced-prompt-optimization-job",)),
    "EvaluationJob": Named("jobIdentifier", ("evaluation-job",)),
    "ModelCustomizationJob": Named(
        "jobIdentifier", ("model-customization-job",), "GetModelCustomizationJob", "jobArn"
    ),
    "ModelImportJob": Named("jobIdentifier", ("model-import-job",), "GetModelImportJob", "jobArn"),
    "ModelInvocationJob": Named("jobIdentifier", ("model-invocation-job",)),
    "ModelCopyJob": Named("jobArn", ("model-copy-job",)),
    "CustomModelDeployment": Named(
        "customModelDeploymentIdentifier", ("custom-model-deployment",), "GetCustomModelDeployment",
        "customModelDeploymentArn",
    ),
    "CustomModel": Named("modelIdentifier", ("custom-model",), "GetCustomModel", "modelArn"),
    "ImportedModel": Named("modelIdentifier", ("imported-model",), "GetImportedModel", "modelArn"),
    "FoundationModel": Named("modelIdentifier", ("foundation-model",)),
    "InferenceProfile": Named(
        "inferenceProfileIdentifier", ("application-inference-profile", "inference-profile"), "GetInferenceProfile",
        "inferenceProfileArn",
    ),
    "ProvisionedModelThroughput": Named(
        "provisionedModelId", ("provisioned-model",), "GetProvisionedModelThroughput", "provisionedModelArn"
    ),
    "PromptRouter": Named("promptRouterArn", ("prompt-router", "default-prompt-router")),
    "Guardrail": _GUARDRAIL,
    "GuardrailVersion": _GUARDRAIL,
    "Guardrails": _GUARDRAIL,
}  # fmt: skip
# Members that name one model, which may be a custom model's name, and the question about that.
_MODEL_MEMBERS: Final = ("modelId", "desiredModelId", "baseModelIdentifier", "modelArn", "sourceModelArn")
_CUSTOM: Final = ("GetCustomModel", "modelIdentifier", "modelArn")


def question(asked: Asked) -> Question | None:
    """What is asked about a name whose ARN is not in the request; None when nothing is left to ask."""
    named = _named(asked)
    if named is not None and named.operation is not None and named.operation not in asked.told:
        value = asked.parameters[named.member]
        if not _is_arn(value):
            return Question(named.operation, {named.member: _checked(value, _NAME)})
    custom = _custom_name(asked)
    if custom is not None and _CUSTOM[0] not in asked.told:
        return Question(_CUSTOM[0], {_CUSTOM[1]: _checked(custom, _NAME)})
    return None


def _named(asked: Asked) -> Named | None:
    found = next((named for end, named in _NAMED.items() if asked.operation.name.endswith(end)), None)
    return found if found is not None and asked.parameters.get(found.member) else None


def _custom_name(asked: Asked) -> Any:
    """The one model that is named as only an account's own can be: without the dot behind a provider's name."""
    if asked.operation.name.startswith(("Get", "List", "DeleteFoundation", "CreateFoundation")):
        return None
    given = (asked.parameters.get(member) for member in _MODEL_MEMBERS)
    return next((value for value in given if value and not _is_arn(value) and "." not in value), None)


def _is_arn(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("arn:")


def _checked(value: Any, pattern: re.Pattern[str]) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ValidationError(f"{value} is not a valid identifier.")
    return value


def _arn(value: Any, kinds: tuple[str, ...], asked: Asked) -> str:
    """The ARN of something of these kinds in the request's region; only AWS's own have no account."""
    found = arns.parse(value) if isinstance(value, str) else None
    kind, _, within = found.resource.partition("/") if found is not None else ("", "", "")
    is_here = found is not None and (found.partition, found.service, found.region) == (
        asked.partition, "bedrock", asked.region,
    )  # fmt: skip
    if found is None or not is_here or kind not in kinds or not _WITHIN.fullmatch(within):
        raise ValidationError(f"{value} is not the ARN of such a resource.")
    if not (found.account == "" if kind == "foundation-model" else ACCOUNT.fullmatch(found.account)):
        raise ValidationError(f"{value} is not the ARN of such a resource.")
    return str(found)


def _foundation(name: Any, asked: Asked) -> str:
    return f"arn:{asked.partition}:bedrock:{asked.region}::foundation-model/{_checked(name, _NAME)}"


def _model(value: Any, asked: Asked) -> str:
    """The ARN of a model by its ARN, a provider's by its id, or an account's own by its name."""
    if _is_arn(value):
        return _arn(value, MODELS, asked)
    if "." in str(value):
        return _foundation(value, asked)
    if _CUSTOM[0] not in asked.told:
        raise ValidationError(f"{value} is not the ARN or the id of a model.")
    return _told(asked.told[_CUSTOM[0]], _CUSTOM[2], ("custom-model",), value, asked)


def _told(answer: Mapping[str, Any] | None, member: str, kinds: tuple[str, ...], named: Any, asked: Asked) -> str:
    if answer is None:
        # What is not there is nobody's; the backend says so to whoever may ask for all.
        return own("bedrock", f"{kinds[0]}/*", asked)
    if not answer.get(member):
        raise untold(named)
    return _arn(answer[member], kinds, asked)


def values(asked: Asked) -> Mapping[str, Any]:
    """The ARNs of what the request names."""
    parameters = asked.parameters
    found: dict[str, Any] = {}
    named = _named(asked)
    if named is not None:
        found["subject"] = _subject(named, asked)
    for member in _MODEL_MEMBERS:
        if parameters.get(member) and not asked.operation.name.startswith(("Get", "List")):
            found["model"] = _model(parameters[member], asked)
    if "policyArn" in parameters:
        found["policy"] = _arn(parameters["policyArn"], ("automated-reasoning-policy",), asked)
    for member, kinds in (("resourceARN", _TAGGED), ("resourceArn", _WITH_POLICY)):
        if member in parameters:
            found["resource"] = _arn(parameters[member], kinds, asked)
    return found


def _subject(named: Named, asked: Asked) -> str:
    value = asked.parameters[named.member]
    if _is_arn(value):
        return _arn(value, named.kinds, asked)
    if named.operation is not None:
        return _told(asked.told[named.operation], named.arn, named.kinds, value, asked)
    if named.kinds == ("foundation-model",):
        return _foundation(value, asked)
    return _by_id(value, named.kinds[0], _ID, asked)


def _targets(found: Iterable[str], asked: Asked) -> list[Target]:
    context, action = tags.of(asked.parameters), f"bedrock:{asked.operation.name}"
    return [Target(arn=arn, action=action, context=context) for arn in dict.fromkeys(found)]


def _tagging(arn: str, asked: Asked, *members: str) -> list[Target]:
    if not any(asked.parameters.get(member) for member in members):
        return []
    return [Target(arn=arn, action="bedrock:TagResource", context=tags.of(asked.parameters))]


def each_job(asked: Asked) -> list[Target]:
    """Each job, by ARN or id."""
    kind = "evaluation-job" if "Evaluation" in asked.operation.name else "advanced-prompt-optimization-job"
    return _targets([_by_id(job, kind, _ID, asked) for job in asked.parameters["jobIdentifiers"]], asked)


def _by_id(value: Any, kind: str, form: re.Pattern[str], asked: Asked) -> str:
    return _arn(value, (kind,), asked) if _is_arn(value) else own("bedrock", f"{kind}/{_checked(value, form)}", asked)


def guardrail(asked: Asked) -> list[Target]:
    """The guardrail, or `*` for a new one; its profile for several regions, and the policies that it reasons by."""
    parameters = asked.parameters
    found = ["*"] if asked.operation.name == "CreateGuardrail" else [values(asked)["subject"]]
    profile = at(parameters, "crossRegionConfig.guardrailProfileIdentifier")
    if profile:
        found.append(_by_id(profile, "guardrail-profile", _NAME, asked))
    policies = at(parameters, "automatedReasoningPolicyConfig.policies") or []
    found += [_arn(policy, ("automated-reasoning-policy",), asked) for policy in policies]
    return [*_targets(found, asked), *_tagging(own("bedrock", "guardrail/*", asked), asked, "tags")]


def with_models(asked: Asked) -> list[Target]:
    """Every model that the request names, wherever, and what it makes of them where that is a resource of its own."""
    made = _MADE[asked.operation.name]
    found = [_model(value, asked) for value in _models(asked.parameters)]
    if not found and made is None:
        found = ["*"]
    whole = own("bedrock", f"{made}/*", asked) if made is not None else None
    tagged = own("bedrock", f"{_TAGGED_AS[asked.operation.name]}/*", asked)
    return [*_targets([*found, *([whole] if whole else [])], asked), *_tagging(tagged, asked, "tags", "jobTags")]


def _models(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for one in value:
            yield from _models(one)
    elif isinstance(value, Mapping):
        for name, one in value.items():
            if name in {"modelIdentifier", "modelArn", "modelId", "copyFrom"} and isinstance(one, str):
                yield one
            else:
                yield from _models(one)


# What an operation needs its action on beside the models, and what it tags (Service Authorization Reference).
_MADE: Final = {
    "CreateAdvancedPromptOptimizationJob": None,
    "CreateEvaluationJob": None,
    "CreateInferenceProfile": "application-inference-profile",
    "CreatePromptRouter": None,
}
_TAGGED_AS: Final = {
    "CreateAdvancedPromptOptimizationJob": "advanced-prompt-optimization-job",
    "CreateEvaluationJob": "evaluation-job",
    "CreateInferenceProfile": "application-inference-profile",
    "CreatePromptRouter": "prompt-router",
}
COMPUTED: Final[Mapping[str, Callable[[Asked], list[Target]]]] = {
    "each_job": each_job,
    "guardrail": guardrail,
    "with_models": with_models,
}
