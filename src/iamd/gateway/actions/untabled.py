"""Operations of services without a table that the rule would decide on too little or too much: what they are for."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from iamd.authz.target import Target
from iamd.errors import AWSError
from iamd.gateway.actions import by_rule, given_arn, ses, tags
from iamd.gateway.actions.asked import Asked, Value, as_text, invalid

_BUILD_PROJECT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{1,254}")
_SINK: Final = re.compile(r"sink/[A-Za-z0-9-]+")
_PROJECT: Final = re.compile(r"project/[A-Za-z0-9_.-]{1,255}/[0-9]+")
_MODEL: Final = re.compile(r"(project/[A-Za-z0-9_.-]{1,255})/version/[A-Za-z0-9_.-]{1,255}/[0-9]+")


class InvalidInput(AWSError):
    """What is no name of a project (CodeBuild API Reference, DeleteProject)."""

    code = "InvalidInputException"
    status = 400


def _of_sink(asked: Asked) -> list[Target]:
    """A sink, which may be another account's: it is named by its ARN alone.

    AWS: CloudWatch Observability Access Manager API Reference, CreateLink and PutSinkPolicy.
    """
    arn = _given(asked, "SinkIdentifier", "oam", _SINK)
    types = as_text(asked.parameters.get("ResourceTypes"))
    keys: dict[str, Value] = {"oam:resourcetypes": types} if types else {}
    action = f"oam:{asked.operation.name}"
    return [Target(arn=arn, action=action, context={**tags.of_request(asked), **keys})]


def _copy_model(asked: Asked) -> list[Target]:
    """A model of one project that is copied to another one, which may be another account's.

    AWS: Rekognition API Reference, CopyProjectVersion; Custom Labels Guide, "Attaching a project policy (SDK)": the
    policy of a project names models.
    """
    action, given = "rekognition:CopyProjectVersion", asked.parameters
    into = _given(asked, "DestinationProjectArn", "rekognition", _PROJECT)
    source = _given(asked, "SourceProjectArn", "rekognition", _PROJECT)
    model = _given(asked, "SourceProjectVersionArn", "rekognition", _MODEL)
    # SECURITY: the policy that counts is that of the model's own project.
    if model.partition("/version/")[0] != source.rpartition("/")[0]:
        raise invalid(f"{given['SourceProjectVersionArn']} is no model of {source}.")
    if into.split(":", 5)[4] != asked.account:
        raise invalid(f"{into} is no project of this account.")
    context = tags.of_request(asked)
    return [Target(arn=into, action=action, context=context), Target(arn=model, action=action, context=context)]


def _of_profile(asked: Asked) -> list[Target]:
    """A signing profile, which may be another account's.

    AWS: Signer Developer Guide, "Signing profiles"; Signer API Reference, StartSigningJob: profileOwner.
    """
    ruled, owner = by_rule.targets(asked), asked.parameters.get("profileOwner")
    if not owner:
        return ruled
    if not given_arn.ACCOUNT.fullmatch(str(owner)):
        raise invalid(f"{owner} is no account.")
    own, others = f":signer:{asked.region}:{asked.account}:", f":signer:{asked.region}:{owner}:"
    return [
        Target(arn=one.arn.replace(own, others, 1), action=one.action, context=one.context)
        for one in ruled
        if not one.any_of_kind
    ]


def _of_project(asked: Asked) -> list[Target]:
    """A project of CodeBuild of this account, which these have as `name` (CodeBuild API Reference, DeleteProject)."""
    name = asked.parameters["name"]
    if not _BUILD_PROJECT.fullmatch(name):
        raise InvalidInput(f"{name} is no name of a project.")
    arn = given_arn.own("codebuild", f"project/{name}", asked)
    return [
        Target(arn=arn, action=one.action, context=one.context) if ":project/" in one.arn else one
        for one in by_rule.targets(asked)
    ]


def _given(asked: Asked, member: str, service: str, pattern: re.Pattern[str]) -> str:
    refusal = invalid(f"{member} is no ARN of this Region.")
    return given_arn.formed(asked.parameters[member], service, pattern, asked, refusal)


COMPUTED: Final[Mapping[tuple[str, str], Callable[[Asked], list[Target]]]] = {
    **ses.COMPUTED,
    ("codebuild", "DeleteProject"): _of_project,
    ("codebuild", "UpdateProject"): _of_project,
    ("oam", "CreateLink"): _of_sink,
    ("oam", "PutSinkPolicy"): _of_sink,
    ("rekognition", "CopyProjectVersion"): _copy_model,
    ("signer", "GetSigningProfile"): _of_profile,
    ("signer", "SignPayload"): _of_profile,
    ("signer", "StartSigningJob"): _of_profile,
}
FOR_CALLER: Final = frozenset(
    {
        ("oam", "CreateLink"),
        ("rekognition", "CopyProjectVersion"),
        ("signer", "SignPayload"),
        ("signer", "StartSigningJob"),
    }
)
"""Operations that are done in their caller's account, whoever owns what they are decided on."""
