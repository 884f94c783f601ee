"""AWS::Lambda::Permission, Version, Alias, Url, EventInvokeConfig, EventSourceMapping and layers."""

from collections.abc import Mapping
from typing import Any

from iamd.stacks.errors import InvalidProperties
from iamd.stacks.kinds import Kind, Setting, Tags, Work


class Permission(Kind):
    """A statement of a function's policy."""

    type = "AWS::Lambda::Permission"
    properties = (
        "Action", "EventSourceToken", "FunctionName", "FunctionUrlAuthType", "InvokedViaFunctionUrl", "Principal",
        "PrincipalOrgID", "SourceAccount", "SourceArn",
    )  # fmt: skip
    attributes = ("Id",)

    async def make(self, work: Work) -> None:
        """Add the statement."""
        statement = work.name("", 100)
        await work.call("lambda", "AddPermission", StatementId=statement, **work.given(*self.properties))
        work.made_as(statement, Id=statement)

    async def remove(self, work: Work) -> None:
        """Remove the statement."""
        await work.call("lambda", "RemovePermission", FunctionName=work["FunctionName"], StatementId=work.id)


async def _provision(work: Work, qualifier: str) -> None:
    given = work["ProvisionedConcurrencyConfig"]
    named = {"FunctionName": work["FunctionName"], "Qualifier": qualifier}
    await work.call("lambda", "PutProvisionedConcurrencyConfig", **named, **given)


async def _provision_version(work: Work) -> None:
    await _provision(work, work.attribute("Version"))


async def _manage_runtime(work: Work) -> None:
    named = {"FunctionName": work["FunctionName"], "Qualifier": work.attribute("Version")}
    await work.call("lambda", "PutRuntimeManagementConfig", **named, **work["RuntimePolicy"])


class Version(Kind):
    """A published version of a function."""

    type = "AWS::Lambda::Version"
    properties = ("CodeSha256", "Description", "FunctionName")
    parts = (
        Setting(("RuntimePolicy",), _manage_runtime),
        Setting(("ProvisionedConcurrencyConfig",), _provision_version),
    )
    attributes = ("FunctionArn", "Version")

    async def make(self, work: Work) -> None:
        """Publish the version."""
        answer = await work.call("lambda", "PublishVersion", **work.given(*self.properties))
        work.made_as(answer["FunctionArn"], FunctionArn=answer["FunctionArn"], Version=answer["Version"])

    async def remove(self, work: Work) -> None:
        """Delete the version."""
        await work.call(
            "lambda", "DeleteFunction", FunctionName=work["FunctionName"], Qualifier=work.attribute("Version")
        )


async def _provision_alias(work: Work) -> None:
    await _provision(work, work["Name"])


async def _unprovision_alias(work: Work) -> None:
    named = {"FunctionName": work["FunctionName"], "Qualifier": work["Name"]}
    await work.call_unless_gone("lambda", "DeleteProvisionedConcurrencyConfig", **named)


class Alias(Kind):
    """An alias of a function's version."""

    type = "AWS::Lambda::Alias"
    properties = ("Description", "FunctionName", "FunctionVersion", "Name", "RoutingConfig")
    parts = (Setting(("ProvisionedConcurrencyConfig",), _provision_alias, _unprovision_alias),)
    attributes = ("AliasArn",)

    async def make(self, work: Work) -> None:
        """Make the alias."""
        given = work.given("Description", "FunctionName", "FunctionVersion", "Name")
        answer = await work.call("lambda", "CreateAlias", RoutingConfig=_routing(work), **given)
        work.made_as(answer["AliasArn"], AliasArn=answer["AliasArn"])

    async def change(self, work: Work) -> None:
        """Let it stand for another version."""
        if work.changes("Description", "FunctionVersion", "RoutingConfig"):
            given = {"Description": "", **work.given("Description", "FunctionName", "FunctionVersion", "Name")}
            routing = _routing(work) or {"AdditionalVersionWeights": {}}
            await work.call("lambda", "UpdateAlias", RoutingConfig=routing, **given)

    async def remove(self, work: Work) -> None:
        """Delete the alias."""
        await work.call("lambda", "DeleteAlias", **work.given("FunctionName", "Name"))


def _routing(work: Work) -> dict[str, Any] | None:
    given = work["RoutingConfig"]
    if given is None:
        return None
    weights = given.get("AdditionalVersionWeights") or ()
    return {"AdditionalVersionWeights": {one["FunctionVersion"]: one["FunctionWeight"] for one in weights}}


class Url(Kind):
    """The URL of a function or an alias."""

    type = "AWS::Lambda::Url"
    properties = ("AuthType", "Cors", "InvokeMode", "Qualifier", "TargetFunctionArn")
    attributes = ("FunctionArn", "FunctionUrl")

    async def make(self, work: Work) -> None:
        """Make the URL."""
        answer = await work.call("lambda", "CreateFunctionUrlConfig", **self._given(work))
        arn = answer["FunctionArn"]
        work.made_as(arn, FunctionArn=arn, FunctionUrl=answer["FunctionUrl"])

    async def change(self, work: Work) -> None:
        """Change who may use it and how."""
        if work.changes("AuthType", "Cors", "InvokeMode"):
            given = {"Cors": {}, "InvokeMode": "BUFFERED", **self._given(work)}
            await work.call("lambda", "UpdateFunctionUrlConfig", **given)

    async def remove(self, work: Work) -> None:
        """Delete the URL."""
        given = work.given("Qualifier", TargetFunctionArn="FunctionName")
        await work.call("lambda", "DeleteFunctionUrlConfig", **given)

    @staticmethod
    def _given(work: Work) -> dict[str, Any]:
        return work.given("AuthType", "Cors", "InvokeMode", "Qualifier", TargetFunctionArn="FunctionName")


class EventInvokeConfig(Kind):
    """How asynchronous invocations of a function are done."""

    type = "AWS::Lambda::EventInvokeConfig"
    properties = ("DestinationConfig", "FunctionName", "MaximumEventAgeInSeconds", "MaximumRetryAttempts", "Qualifier")

    async def make(self, work: Work) -> None:
        """Set it."""
        await self._put(work)
        work.made_as(f"{work['FunctionName']}|{work['Qualifier']}")

    async def change(self, work: Work) -> None:
        """Set it anew, all together."""
        if work.changes("DestinationConfig", "MaximumEventAgeInSeconds", "MaximumRetryAttempts"):
            await self._put(work)

    async def remove(self, work: Work) -> None:
        """Delete it."""
        await work.call("lambda", "DeleteFunctionEventInvokeConfig", **work.given("FunctionName", "Qualifier"))

    async def _put(self, work: Work) -> None:
        await work.call("lambda", "PutFunctionEventInvokeConfig", **work.given(*self.properties))


_FIXED = (
    "AmazonManagedKafkaEventSourceConfig", "EventSourceArn", "Queues", "SelfManagedEventSource",
    "SelfManagedKafkaEventSourceConfig", "StartingPosition", "StartingPositionTimestamp", "Topics",
)  # fmt: skip
# AWS: Lambda API Reference, UpdateEventSourceMapping: what is not sent stays as it was, so that only what has a value
# that stands for its absence can be taken away.
_CHANGEABLE: Mapping[str, Any] = {
    "BatchSize": None,
    "BisectBatchOnFunctionError": False,
    "DestinationConfig": {},
    "DocumentDBEventSourceConfig": None,
    "Enabled": True,
    "FilterCriteria": {},
    "FunctionName": None,
    "FunctionResponseTypes": [],
    "KmsKeyArn": "",
    "LoggingConfig": None,
    "MaximumBatchingWindowInSeconds": 0,
    "MaximumRecordAgeInSeconds": -1,
    "MaximumRetryAttempts": -1,
    "MetricsConfig": {"Metrics": []},
    "ParallelizationFactor": 1,
    "ProvisionedPollerConfig": {},
    "ScalingConfig": {},
    "SourceAccessConfigurations": [],
    "TumblingWindowInSeconds": 0,
}


async def _tag(work: Work, changed: Any) -> None:
    await work.call("lambda", "TagResource", Resource=work.attribute("EventSourceMappingArn"), Tags=changed)


async def _untag(work: Work, keys: Any) -> None:
    await work.call("lambda", "UntagResource", Resource=work.attribute("EventSourceMappingArn"), TagKeys=keys)


class EventSourceMapping(Kind):
    """What a function is invoked with from a queue or a stream."""

    type = "AWS::Lambda::EventSourceMapping"
    properties = (*_FIXED, *_CHANGEABLE)
    parts = (Tags(_tag, _untag),)
    attributes = ("EventSourceMappingArn", "Id")

    async def make(self, work: Work) -> None:
        """Make the mapping."""
        given = work.given(*_FIXED, *_CHANGEABLE)
        answer = await work.call("lambda", "CreateEventSourceMapping", Tags=work.tags, **given)
        uuid = answer["UUID"]
        arn = answer.get("EventSourceMappingArn") or work.arn("lambda", f"event-source-mapping:{uuid}")
        work.made_as(uuid, Id=uuid, EventSourceMappingArn=arn)

    async def change(self, work: Work) -> None:
        """Change what can be changed."""
        for name in _FIXED:
            if work.changes(name):
                raise InvalidProperties(f"iamd can't change the property {name} of a mapping that is there.")
        changed = {name: work[name] for name in _CHANGEABLE if work.changes(name)}
        for name, value in changed.items():
            if value is None and _CHANGEABLE[name] is None:
                raise InvalidProperties(f"iamd can't take the property {name} away again; set it anew.")
        if changed:
            values = {name: _CHANGEABLE[name] if value is None else value for name, value in changed.items()}
            await work.call("lambda", "UpdateEventSourceMapping", UUID=work.id, **values)

    async def remove(self, work: Work) -> None:
        """Delete the mapping."""
        await work.call("lambda", "DeleteEventSourceMapping", UUID=work.id)


class LayerVersion(Kind):
    """A version of a layer."""

    type = "AWS::Lambda::LayerVersion"
    properties = (
        "CompatibleArchitectures", "CompatibleRuntimes", "Content", "Description", "LayerName", "LicenseInfo",
    )  # fmt: skip
    attributes = ("LayerVersionArn",)

    async def make(self, work: Work) -> None:
        """Publish the version."""
        given = work.given("CompatibleArchitectures", "CompatibleRuntimes", "Content", "Description", "LicenseInfo")
        # AWS: a layer without a name has that of its logical id (AWS::Lambda::LayerVersion, LayerName).
        name = work["LayerName"] or work.wanted.logical_id
        answer = await work.call("lambda", "PublishLayerVersion", LayerName=name, **given)
        work.made_as(answer["LayerVersionArn"], LayerVersionArn=answer["LayerVersionArn"])

    async def remove(self, work: Work) -> None:
        """Delete the version."""
        await work.call("lambda", "DeleteLayerVersion", **_layer(work.id))


def _layer(version_arn: str) -> dict[str, str]:
    layer, _, number = version_arn.rpartition(":")
    return {"LayerName": layer, "VersionNumber": number}


class LayerVersionPermission(Kind):
    """A statement of a layer version's policy."""

    type = "AWS::Lambda::LayerVersionPermission"
    properties = ("Action", "LayerVersionArn", "OrganizationId", "Principal")
    attributes = ("Id",)

    async def make(self, work: Work) -> None:
        """Add the statement."""
        statement = work.name("", 100)
        given = work.given("Action", "OrganizationId", "Principal")
        layer = _layer(work["LayerVersionArn"])
        await work.call("lambda", "AddLayerVersionPermission", StatementId=statement, **layer, **given)
        work.made_as(statement, Id=statement)

    async def remove(self, work: Work) -> None:
        """Remove the statement."""
        layer = _layer(work["LayerVersionArn"])
        await work.call("lambda", "RemoveLayerVersionPermission", StatementId=work.id, **layer)
