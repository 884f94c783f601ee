"""From a service as botocore names it (`elbv2`, `s3control`) to the prefix of its IAM actions."""

from types import MappingProxyType

from iamd.data import service_reference

# Services whose actions carry neither their signing name nor botocore's name for them. The page is the one of the
# Service Authorization Reference; a test compares each service's operations with the actions of its prefix.
EXCEPTIONS = MappingProxyType(
    {
        "cloudcontrol": "cloudformation",  # list_awscloudcontrolapi: its actions are cloudformation:CreateResource ...
        "cloudwatch": "cloudwatch",  # list_amazoncloudwatch; it signs as `monitoring`.
        "iot-data": "iot",  # list_awsiot: iot:Publish, iot:GetThingShadow ...; it signs as `iotdata`.
        "iot-jobs-data": "iotjobsdata",  # list_awsiotjobsdataplane; signs as `iot-jobs-data`.
        "iotsecuretunneling": "iot",  # list_awsiot: iot:OpenTunnel ...; it signs as `IoTSecuredTunneling`.
        "mturk": "mechanicalturk",  # list_amazonmechanicalturk; it signs as `mturk-requester`.
        "partnercentral-account": "partnercentral",  # list_awspartnercentral, which holds all four services' actions.
        "partnercentral-benefits": "partnercentral",
        "partnercentral-channel": "partnercentral",
        "partnercentral-selling": "partnercentral",
        "resourcegroupstaggingapi": "tag",  # list_amazonresourcegrouptaggingapi; it signs as `tagging`.
    }
)

# Operations whose action has the prefix of another service than the rest of theirs.
OPERATION_EXCEPTIONS = MappingProxyType(
    {
        # list_awsiot has StartCommandExecution; list_awsiotjobsdataplane does not.
        ("iot-jobs-data", "StartCommandExecution"): "iot",
    }
)

# Services that sign as an API of API Gateway does, though no action of the reference stands for what they do: the
# participant's token is their authority (Amazon Connect Participant Service, CreateParticipantConnection).
_WITHOUT_ACTIONS = frozenset({"connectparticipant"})


def action_prefix(service_name: str, signing_name: str, operation_name: str = "") -> str | None:
    """The action prefix of one of botocore's services, or None when the reference has no actions for it.

    The rule is the signing name, then botocore's own name; exceptions are named. None means that nothing can be
    decided about the service's requests, so they have to be refused.
    """
    if service_name in _WITHOUT_ACTIONS:
        return None
    exception = OPERATION_EXCEPTIONS.get((service_name, operation_name)) or EXCEPTIONS.get(service_name)
    candidates = [exception] if exception else [signing_name, service_name]
    known = service_reference.prefixes()
    return next((prefix for prefix in candidates if prefix in known), None)
