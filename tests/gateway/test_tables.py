"""Every table of the gateway against AWS's Service Authorization Reference, API References and botocore's models."""

import re

import pytest
from gateway import parameters, reference
from gateway.row_requests import COMPUTED, target_of

from iamd.data import service_reference
from iamd.gateway.actions.table import services, table

# Every request of Cloud Control's is refused.
NAMED = [service for service in services() if service != "cloudcontrol"]


def rows_of(service):
    return [(name, row) for name, rows in table(service).rows.items() for row in rows]


@pytest.mark.parametrize("service", services())
def test_every_operation_of_the_model_is_in_the_table_or_refused_because_the_reference_has_no_action(service):
    found, known = table(service), set(parameters.operations(service))
    assert known - {*found.rows, *found.computed} == reference.REFUSED.get(service, set()) | {*found.refused}
    assert {*found.rows, *found.computed, *found.refused} <= known
    assert not {*found.rows} & {*found.computed}
    for name in reference.REFUSED.get(service, ()):
        assert service_reference.action(found.prefix, name) is None


@pytest.mark.parametrize("service", services())
def test_every_action_of_a_row_exists_as_it_is_spelt(service):
    unknown = {row.action for _, row in rows_of(service) if spelt(row.action) != row.action}
    assert unknown == {action for action in reference.WITHOUT_ACTION if action.startswith(f"{table(service).prefix}:")}


def spelt(action):
    found = reference.action(action)
    return found and f"{action.partition(':')[0]}:{found.name}"


@pytest.mark.parametrize("service", services())
def test_every_condition_key_exists_and_names_a_member_of_some_operation(service):
    found = table(service)
    members = {
        name
        for operation in parameters.operations(service)
        if (shape := parameters.model(service).operation_model(operation).input_shape) is not None
        for name in shape.members
    }
    for key, path in found.keys.items():
        # `s3:RequestObjectTag/` stands for every tag's key.
        known = service_reference.service(key.partition(":")[0])
        assert known.condition_key(key + "x" if key.endswith(("/", ":")) else key) is not None, key
        assert path.partition(".")[0] in members | VALUES_OF_KEYS.get(service, set()), key


# Values that functions of the service's module work out for keys alone.
VALUES_OF_KEYS = {
    "acm": {"domain_names", "export", "key_algorithm", "transparency_logging"},
    "batch": {
        "eks_image", "eks_namespace", "eks_privileged", "eks_run_as_group", "eks_run_as_user", "eks_service_account",
        "image", "log_driver", "logs_create_group", "logs_group", "logs_region", "logs_stream_prefix", "privileged",
        "user",
    },
    "codecommit": {"reference"},
    "s3control": {
        "access_point", "access_point_account", "auth_type", "content_sha256", "job_operation", "network_origin",
        "signature_age", "signature_version",
    },
    "route53": {"change_actions", "record_names", "record_types", "vpcs"},
    "dynamodb": {
        "attributes", "enclosing", "first_keys", "second_keys", "third_keys", "fourth_keys", "full_table_scan",
        "leading_keys", "select",
    },
    "autoscaling": {"instance_types", "version_specified", "traffic_sources", "subnets", "passed_to"},
    "apigateway": {"api_name", "authorizer_type"},
    "apigatewayv2": {"api_name", "authorizer_type"},
    "cloudwatch": {"alarm_actions", "log_groups", "managed_arns"},
    "ec2": {
        "region", "new_zone", "create_action", "new_encrypted", "new_kms_key", "launched_template", "parent_snapshot",
        "parent_volume", "subnet_arn", "new_iops", "new_size", "new_throughput", "vpc_arn",
    },
    "ecs": {
        "create_action", "public_ip", "providers", "cluster_arn", "ebs", "connect", "lattice", "privileged",
        "service_arn", "subnets", "task_arn", "known_definition", "passed_to",
    },
    "rds": {
        "new_class", "new_engine", "new_name", "new_multi_az", "new_iops", "new_encrypted", "new_size", "request_tags",
    },
    "elbv2": {"create_action", "scheme", "subnets"},
    "events": {
        "detail_code", "detail_principal", "detail_service", "detail_type", "endpoint_buses", "source", "target_arns",
    },
    "kms": {
        "account", "algorithm", "bypass", "constraint_type", "encryption_context", "encryption_context_keys",
        "expiration_model", "key_origin", "key_spec", "key_usage", "message_type", "multi_region",
        "multi_region_key_type", "pending_window", "request_alias", "same_key",
    },
    "lambda": {"function_of_key", "auth_type"},
    "logs": {"passed_to"},
    "s3": {
        "auth_type", "content_sha256", "copy_source", "object_creation", "object_lock_date", "object_lock_days",
        "object_lock_event_hold", "object_lock_event_hold_days", "object_lock_hold", "object_lock_mode",
        "object_tag_keys", "object_tags", "session_mode", "signature_age", "signature_version",
    },
    "ssm": {"auto_approve", "document_check", "inventory_types", "overwrite", "recursive", "sync_type", "versions"},
    "stepfunctions": {"qualifier"},
    "secretsmanager": {"secret_arn", "replica_regions", "modifies_rotation"},
}  # fmt: skip


@pytest.mark.parametrize("service", NAMED)
def test_every_member_that_a_row_names_is_the_operations_or_computed_for_it(service):
    known = {"partition", "region", "account", *COMPUTED.get(service, {})}
    for name, row in rows_of(service):
        shape = parameters.model(service).operation_model(name).input_shape
        conditions = [path for path, _ in row.condition.members] if row.condition is not None else []
        for path in [*re.findall(r"\{([A-Za-z0-9_]+)\}", row.template), *conditions]:
            assert path in known or is_member(shape, path.split(".")), (name, path)


def is_member(shape, path):
    return not path or (path[0] in shape.members and is_member(shape.members[path[0]], path[1:]))


@pytest.mark.parametrize("service", NAMED)
def test_every_row_is_decided_on_an_arn_of_the_form_that_the_reference_gives(service):
    without, other = set(), set()
    for name, row in rows_of(service):
        target = target_of(service, name, row)
        if row.action in reference.WITHOUT_ACTION or reference.is_resource_of(row.action, target.arn):
            continue
        assert reference.agrees(service, name, row.action, target.arn), (name, row, target.arn)
        (without if target.arn == "*" else other).add((service, name))
    # What functions work out is called in test_every_operation.
    named = {(service, name) for name in table(service).rows}
    assert without == named & {*reference.WITHOUT_RESOURCE}
    assert other == named & {*reference.OTHER_RESOURCE}


@pytest.mark.parametrize("service", NAMED)
def test_no_row_has_a_key_that_the_reference_does_not_give_its_action(service):
    for name, row in rows_of(service):
        assert reference.strange_keys(row.action, target_of(service, name, row).context) == []


# What an API's page (botocore's models have its text) names without asking the caller for it.
NAMED_ONLY = {
    ("s3", "CreateBucket"): {"s3:PutBucketPublicAccessBlock"},  # for a later DeletePublicAccessBlock
    ("s3", "DeleteObject"): {"s3:PutLifeCycleConfiguration"},  # to be denied, for whoever may not delete by a rule
    ("s3", "GetObject"): {"s3:ListBucket"},  # decides between 404 and 403 of an object that is not there
    ("s3", "GetObjectAttributes"): {"s3:ListBucket"},
    ("s3", "HeadObject"): {"s3:ListBucket"},
    ("s3", "PutBucketAbac"): {"s3:PutBucketABAC"},  # the same action: the reference has PutBucketAbac
    ("s3", "PutBucketLifecycle"): {"s3:DeleteObject", "s3:DeleteObjectVersion"},  # to be denied, as above
    ("s3", "PutBucketLifecycleConfiguration"): {"s3:DeleteObject", "s3:DeleteObjectVersion"},
    ("s3", "PutBucketNotificationConfiguration"): {"s3:ReducedRedundancyLostObject"},  # an event
    ("kinesis", "CreateStream"): {"kinesis:TagResource"},  # "won't work"
    ("kms", "GetKeyPolicy"): {"kms:PolicyName"},  # a condition key
    ("kms", "PutKeyPolicy"): {"kms:PolicyName"},
    # Needed by the role that is passed.
    ("ec2", "AssociateEnclaveCertificateIamRole"): {"s3:GetObject"},
    ("logs", "CreateImportTask"): {"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutResourcePolicy"},
    ("logs", "PutDataProtectionPolicy"): {"logs:Unmask"},  # for those who read later
    ("logs", "PutAccountPolicy"): {"logs:Unmask"},
    ("logs", "PutResourcePolicy"): {"logs:CreateLogStream", "logs:PutLogEvents"},  # in an example of a policy
    ("ssm", "GetParametersByPath"): {"ssm:GetParameter"},  # "isn't authorized against" it
    ("ssm", "GetServiceSetting"): {"ssm:UpdateServiceSetting"},  # for a later UpdateServiceSetting
    ("ssm", "ResetServiceSetting"): {"ssm:UpdateServiceSetting"},
    ("sns", "SetSMSAttributes"): {"s3:ListBucket"},  # what SNS itself needs on the bucket for its reports
    # For replicas of other accounts' secrets only, and nothing in the request tells such a one.
    ("secretsmanager", "StopReplicationToReplica"): {"secretsmanager:DeleteResourcePolicy"},
}
# What services do with KMS for their callers is not decided (docs/divergences.md).
_SERVICES = (
    "s3", "sqs", "dynamodb", "lambda", "logs", "secretsmanager", "kms", "events", "sns", "states", "scheduler",
    "firehose", "kinesis", "ssm", "cloudwatch", "autoscaling", "ecr", "ecs", "elasticloadbalancing", "rds", "ec2",
    "apigateway", "cognito-idp", "cognito-identity", "route53", "acm", "athena", "glue", "batch", "codecommit",
    "cassandra", "bedrock", "s3vectors",
)  # fmt: skip
_NAMED = re.compile(rf"(?<![\w-])(?:{'|'.join(_SERVICES)}):[A-Z][A-Za-z]+\b")


@pytest.mark.parametrize("service", services())
def test_every_action_that_an_apis_page_asks_for_is_in_a_row(service):
    missing = {}
    for name, rows in table(service).rows.items():
        text = parameters.model(service).operation_model(name).documentation
        named = {action for action in _NAMED.findall(text) if service == "kms" or not action.startswith("kms:")}
        missing[service, name] = named - {row.action for row in rows}
    told = {key: value for key, value in missing.items() if value}
    assert told == {key: value for key, value in NAMED_ONLY.items() if key[0] == service}


@pytest.mark.parametrize("name", ["PutAccountPolicy", "DeleteAccountPolicy"])
def test_every_kind_of_account_policy_needs_an_action_of_its_own(name):
    kinds = parameters.model("logs").operation_model(name).input_shape.members["policyType"].enum
    asked = {row.condition.members[0][1] for row in table("logs").rows[name] if row.condition is not None}
    # Deleting metric extraction policies needs nothing more (API Reference, DeleteAccountPolicy).
    assert set(kinds) - asked == ({"METRIC_EXTRACTION_POLICY"} if name.startswith("Delete") else set())
