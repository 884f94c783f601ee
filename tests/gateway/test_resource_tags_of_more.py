"""Access by the tags of what services tell in ways of their own: balancers, groups, pools, APIs and what is in them."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError
from gateway.counting import answer, trusting
from gateway.parameters import ACME, BALANCER, KINESIS, LISTENER, STORE
from gateway.two_accounts import error_of, everybody, policy
from running import ACCOUNT, allow, deny

DENIED = {"AccessDenied", "AccessDeniedException"}
PLACE = "arn:aws:apigateway:us-east-1::"


class Thing(NamedTuple):
    """A request for something of a team, and what hands it to another team (moto can't change the tags of some)."""

    service: str
    operation: str
    given: dict[str, Any]
    hand_to: Callable[[str], Any] | None = None


def pairs(team):
    return [{"Key": "team", "Value": team}]


def when(statement, key, value, operator="StringEquals"):
    return {**statement, "Condition": {operator: {key: value}}}


def owned(cloud, arn):
    """What hands a part of Elastic Load Balancing over."""
    return lambda team: cloud.client("elbv2").add_tags(ResourceArns=[arn], Tags=pairs(team))


def subnets(cloud):
    return [one["SubnetId"] for one in cloud.client("ec2").describe_subnets()["Subnets"][:2]]


def balancer_of(cloud, team):
    made = cloud.client("elbv2").create_load_balancer(Name=team, Subnets=subnets(cloud), Tags=pairs(team))
    return made["LoadBalancers"][0]["LoadBalancerArn"]


def targets_of(cloud, team):
    vpc = cloud.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    made = cloud.client("elbv2").create_target_group(Name=team, Protocol="HTTP", Port=80, VpcId=vpc, Tags=pairs(team))
    return made["TargetGroups"][0]["TargetGroupArn"]


def listener_of(cloud, team, **tags):
    forward = [{"Type": "forward", "TargetGroupArn": targets_of(cloud, team)}]
    balancer = balancer_of(cloud, team)
    made = cloud.client("elbv2").create_listener(
        LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=forward, **tags
    )
    return made["Listeners"][0]["ListenerArn"], forward


def a_balancer(cloud, team):
    arn = balancer_of(cloud, team)
    return Thing("elbv2", "set_ip_address_type", {"LoadBalancerArn": arn, "IpAddressType": "ipv4"}, owned(cloud, arn))


def a_target_group(cloud, team):
    arn = targets_of(cloud, team)
    return Thing("elbv2", "modify_target_group", {"TargetGroupArn": arn, "HealthCheckPath": "/ok"}, owned(cloud, arn))


def a_listener(cloud, team):
    arn, _ = listener_of(cloud, team, Tags=pairs(team))
    return Thing("elbv2", "modify_listener", {"ListenerArn": arn, "Port": 81}, owned(cloud, arn))


def a_listener_rule(cloud, team):
    listener, forward = listener_of(cloud, team)
    pattern = [{"Field": "path-pattern", "Values": ["/a"]}]
    made = cloud.client("elbv2").create_rule(
        ListenerArn=listener, Priority=1, Conditions=pattern, Actions=forward, Tags=pairs(team)
    )
    arn = made["Rules"][0]["RuleArn"]
    return Thing("elbv2", "modify_rule", {"RuleArn": arn, "Conditions": pattern}, owned(cloud, arn))


def a_scaling_group(cloud, team):
    scaling = cloud.client("autoscaling")
    scaling.create_launch_configuration(LaunchConfigurationName=team, ImageId="ami-12c6146b", InstanceType="t3.nano")
    tag = {"ResourceId": team, "ResourceType": "auto-scaling-group", "Key": "team", "PropagateAtLaunch": True}
    scaling.create_auto_scaling_group(
        AutoScalingGroupName=team, LaunchConfigurationName=team, MinSize=0, MaxSize=1, AvailabilityZones=["us-east-1a"],
        Tags=[{**tag, "Value": team}],
    )  # fmt: skip
    given = {"AutoScalingGroupName": team, "DesiredCapacity": 0}
    return Thing("autoscaling", "set_desired_capacity", given,
                 lambda team: scaling.create_or_update_tags(Tags=[{**tag, "Value": team}]))  # fmt: skip


def a_schedule_group(cloud, team):
    scheduler = cloud.client("scheduler")
    arn = scheduler.create_schedule_group(Name=team, Tags=pairs(team))["ScheduleGroupArn"]
    return Thing("scheduler", "get_schedule_group", {"Name": team},
                 lambda team: scheduler.tag_resource(ResourceArn=arn, Tags=pairs(team)))  # fmt: skip


def a_user_pool(cloud, team):
    pools = cloud.client("cognito-idp")
    pool = pools.create_user_pool(PoolName=team, UserPoolTags={"team": team})["UserPool"]["Id"]
    return Thing("cognito-idp", "list_groups", {"UserPoolId": pool},
                 lambda team: pools.update_user_pool(UserPoolId=pool, UserPoolTags={"team": team}))  # fmt: skip


def an_identity_pool(cloud, team):
    pools = cloud.client("cognito-identity")
    named = {"IdentityPoolName": team, "AllowUnauthenticatedIdentities": False}
    pool = pools.create_identity_pool(**named, IdentityPoolTags={"team": team})["IdentityPoolId"]
    return Thing("cognito-identity", "describe_identity_pool", {"IdentityPoolId": pool},
                 lambda team: pools.update_identity_pool(
                     IdentityPoolId=pool, **named, IdentityPoolTags={"team": team}))  # fmt: skip


def rest_api_of(cloud, team):
    return cloud.client("apigateway").create_rest_api(name=team, tags={"team": team})["id"]


def a_rest_api(cloud, team):
    return Thing("apigateway", "get_rest_api", {"restApiId": rest_api_of(cloud, team)})


def a_resource_of_a_rest_api(cloud, team):
    """AWS: it has its API's tags (API Gateway Developer Guide, "API Gateway resources that can be tagged")."""
    return Thing("apigateway", "get_resources", {"restApiId": rest_api_of(cloud, team)})


def stage_of(cloud, api, **tags):
    gateway = cloud.client("apigateway")
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    where = {"restApiId": api, "resourceId": root, "httpMethod": "GET"}
    gateway.put_method(**where, authorizationType="NONE")
    gateway.put_integration(**where, type="MOCK")
    deployment = gateway.create_deployment(restApiId=api)["id"]
    gateway.create_stage(restApiId=api, stageName="live", deploymentId=deployment, **tags)
    return {"restApiId": api, "stageName": "live"}


def a_stage(cloud, team):
    """AWS: its own tags come before those of its API (the same page)."""
    given = stage_of(cloud, rest_api_of(cloud, "nobodys"), tags={"team": team})
    arn = f"{PLACE}/restapis/{given['restApiId']}/stages/live"
    return Thing("apigateway", "get_stage", given,
                 lambda team: cloud.client("apigateway").tag_resource(resourceArn=arn, tags={"team": team}))  # fmt: skip


def a_stage_without_tags(cloud, team):
    return Thing("apigateway", "get_stage", stage_of(cloud, rest_api_of(cloud, team)))


def an_api_key(cloud, team):
    made = cloud.client("apigateway").create_api_key(name=team, tags={"team": team})
    return Thing("apigateway", "get_api_key", {"apiKey": made["id"]})


def a_usage_plan(cloud, team):
    made = cloud.client("apigateway").create_usage_plan(name=team, tags={"team": team})
    return Thing("apigateway", "get_usage_plan_keys", {"usagePlanId": made["id"]})


def a_domain_name(cloud, team):
    name = f"{team}.example.com"
    cloud.client("apigateway").create_domain_name(domainName=name, tags={"team": team})
    cloud.client("apigateway").create_base_path_mapping(domainName=name, restApiId=rest_api_of(cloud, "nobodys"))
    return Thing("apigateway", "get_base_path_mappings", {"domainName": name})


def a_link(cloud, team):
    made = cloud.client("apigateway").create_vpc_link(name=team, targetArns=[BALANCER], tags={"team": team})
    return Thing("apigateway", "get_vpc_link", {"vpcLinkId": made["id"]})


def an_http_api(cloud, team):
    gateway = cloud.client("apigatewayv2")
    made = gateway.create_api(Name=team, ProtocolType="HTTP", Tags={"team": team})
    arn = f"{PLACE}/apis/{made['ApiId']}"
    return Thing("apigatewayv2", "get_api", {"ApiId": made["ApiId"]},
                 lambda team: gateway.tag_resource(ResourceArn=arn, Tags={"team": team}))  # fmt: skip


def a_stage_of_an_http_api(cloud, team):
    gateway = cloud.client("apigatewayv2")
    api = gateway.create_api(Name=team, ProtocolType="HTTP")["ApiId"]
    gateway.create_stage(ApiId=api, StageName="live", Tags={"team": team})
    return Thing("apigatewayv2", "get_stage", {"ApiId": api, "StageName": "live"})


def a_domain_name_of_version_2(cloud, team):
    name = f"{team}.example.com"
    cloud.client("apigatewayv2").create_domain_name(DomainName=name, Tags={"team": team})
    return Thing("apigatewayv2", "get_domain_name", {"DomainName": name})


def a_link_of_version_2(cloud, team):
    gateway = cloud.client("apigatewayv2")
    link = gateway.create_vpc_link(Name=team, SubnetIds=["subnet-1"], Tags={"team": team})["VpcLinkId"]
    return Thing("apigatewayv2", "get_vpc_link", {"VpcLinkId": link},
                 lambda team: gateway.tag_resource(
                     ResourceArn=f"{PLACE}/vpclinks/{link}", Tags={"team": team}))  # fmt: skip


def a_log_destination(cloud, team):
    logs = cloud.client("logs")
    role = role_for(cloud, "logs.amazonaws.com")
    made = logs.put_destination(destinationName=team, targetArn=KINESIS, roleArn=role, tags={"team": team})
    arn = made["destination"]["arn"]
    return Thing("logs", "put_destination_policy", {"destinationName": team, "accessPolicy": policy(everybody(allow("logs:PutSubscriptionFilter", arn)))},
                 lambda team: logs.tag_resource(resourceArn=arn, tags={"team": team}))  # fmt: skip


def role_for(cloud, service):
    iam = cloud.client("iam")
    try:
        return iam.create_role(RoleName=service, AssumeRolePolicyDocument=trusting(service))["Role"]["Arn"]
    except iam.exceptions.EntityAlreadyExistsException:
        return iam.get_role(RoleName=service)["Role"]["Arn"]


def an_event_source_mapping(cloud, team):
    functions = cloud.client("lambda")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("a.py", "def b(event, context): pass")
    functions.create_function(
        FunctionName=team, Runtime="python3.12", Role=role_for(cloud, "lambda.amazonaws.com"), Handler="a.b",
        Code={"ZipFile": packed.getvalue()},
    )  # fmt: skip
    polling = "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole"
    cloud.client("iam").attach_role_policy(RoleName="lambda.amazonaws.com", PolicyArn=polling)
    cloud.client("sqs").create_queue(QueueName=team)
    queue = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{team}"
    made = functions.create_event_source_mapping(
        FunctionName=team, EventSourceArn=queue, Enabled=False, Tags={"team": team}
    )
    arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:event-source-mapping:{made['UUID']}"
    return Thing("lambda", "get_event_source_mapping", {"UUID": made["UUID"]},
                 lambda team: functions.tag_resource(Resource=arn, Tags={"team": team}))  # fmt: skip


OF_BALANCING = (a_balancer, a_target_group, a_listener, a_listener_rule)
THINGS = (
    *OF_BALANCING, a_scaling_group, a_schedule_group, a_user_pool, an_identity_pool, a_rest_api,
    a_resource_of_a_rest_api, a_stage, a_stage_without_tags, an_api_key, a_usage_plan, a_domain_name, a_link,
    an_http_api, a_stage_of_an_http_api, a_domain_name_of_version_2, a_link_of_version_2, a_log_destination,
    an_event_source_mapping,
)  # fmt: skip


def may(cloud, user, thing):
    try:
        getattr(cloud.client(thing.service, user), thing.operation)(**thing.given)
    except ClientError as refused:
        if refused.response["Error"]["Code"] not in DENIED:
            raise
        return False
    return True


@pytest.mark.parametrize("make", THINGS)
def test_the_tags_of_a_thing_allow_and_deny(cloud, make):
    of_red = when(allow("*"), "aws:ResourceTag/team", "red")
    reds = cloud.user("reds", of_red)
    others = cloud.user("others", allow("*"), when(deny("*"), "aws:ResourceTag/team", "red"))
    red, blue = make(cloud, "red"), make(cloud, "blue")
    assert (may(cloud, reds, red), may(cloud, others, red)) == (True, False)
    assert (may(cloud, reds, blue), may(cloud, others, blue)) == (False, True)
    if red.hand_to is not None:
        red.hand_to("blue")
        assert (may(cloud, reds, red), may(cloud, others, red)) == (False, True)


def a_database(cloud, team):
    cloud.client("rds").create_db_instance(
        DBInstanceIdentifier=team, DBInstanceClass="db.t3.micro", Engine="postgres", MasterUsername="root",
        MasterUserPassword="password", AllocatedStorage=20, Tags=pairs(team),
    )  # fmt: skip
    return Thing("rds", "modify_db_instance", {"DBInstanceIdentifier": team, "AllocatedStorage": 30})


def a_parameter(cloud, team):
    cloud.client("ssm").put_parameter(Name=f"/{team}/a", Value="x", Type="String", Tags=pairs(team))
    return Thing("ssm", "get_parameter", {"Name": f"/{team}/a"})


@pytest.mark.parametrize(
    ("make", "key"),
    [
        (a_parameter, "ssm:resourceTag/team"),
        (a_database, "rds:db-tag/team"),
        (a_balancer, "elasticloadbalancing:ResourceTag/team"),
        (a_scaling_group, "autoscaling:ResourceTag/team"),
    ],
)
def test_the_services_own_keys_for_tags_count(cloud, make, key):
    reds = cloud.user("reds", when(allow("*"), key, "red"))
    assert [may(cloud, reds, make(cloud, team)) for team in ("red", "blue")] == [True, False]


def test_what_lists_apis_and_makes_them_has_no_tags(cloud):
    """The first policy of the API Gateway Developer Guide, "Using tags to control access to API Gateway REST API
    resources": everything but what has a tag.
    """
    user = cloud.user("user", allow("apigateway:*"), when(deny("apigateway:*"), "aws:ResourceTag/team", "red"))
    red = a_rest_api(cloud, "red")
    assert not may(cloud, user, red)
    assert may(cloud, user, Thing("apigateway", "get_rest_apis", {}))
    assert may(cloud, user, Thing("apigateway", "get_account", {}))
    assert may(cloud, user, Thing("apigatewayv2", "get_apis", {}))
    made = cloud.client("apigateway", user).create_rest_api(name="mine")["id"]
    assert may(cloud, user, Thing("apigateway", "get_rest_api", {"restApiId": made}))


def test_what_is_in_an_http_api_has_no_tags_that_are_known(cloud):
    """AWS: of version 2 the page on tagging says nothing of inheritance."""
    red = a_stage_of_an_http_api(cloud, "red")
    api = {"ApiId": red.given["ApiId"]}
    for name, statements in {
        "reds": [when(allow("*"), "aws:ResourceTag/team", "red")],
        "others": [allow("*"), when(deny("*"), "aws:ResourceTag/team", "blue")],
    }.items():
        user = cloud.user(name, *statements)
        assert may(cloud, user, red)
        assert not may(cloud, user, Thing("apigatewayv2", "get_routes", api))


def test_a_group_that_is_not_named_has_no_tags_that_are_known(cloud):
    a_scaling_group(cloud, "red")
    user = cloud.user("user", allow("*"), when(deny("*"), "aws:ResourceTag/team", "blue"))
    end = cloud.client("autoscaling", user).terminate_instance_in_auto_scaling_group
    refused = error_of(end, InstanceId="i-0123456789abcdef0", ShouldDecrementDesiredCapacity=True)
    assert refused["Code"] == "AccessDenied"


def xml(operation, inner):
    return answer(f"<{operation}Response><{operation}Result>{inner}</{operation}Result></{operation}Response>".encode())


def said(**members):
    return answer(json.dumps(members).encode())


POOL = "us-east-1_abc"
ID_POOL = "us-east-1:0-1"
ASKED = [
    ("elbv2", "DeleteLoadBalancer", {"LoadBalancerArn": BALANCER}),
    ("elbv2", "DeleteTrustStore", {"TrustStoreArn": STORE}),
    ("autoscaling", "DeleteAutoScalingGroup", {"AutoScalingGroupName": "grp"}),
    ("scheduler", "DeleteScheduleGroup", {"Name": "grp"}),
    ("cognito-idp", "DeleteUserPool", {"UserPoolId": POOL}),
    ("cognito-identity", "DeleteIdentityPool", {"IdentityPoolId": ID_POOL}),
    ("apigateway", "DeleteRestApi", {"restApiId": "abc"}),
    ("apigatewayv2", "DeleteApi", {"ApiId": "abc"}),
]


@pytest.mark.parametrize(("service", "operation", "given"), ASKED)
def test_nothing_is_asked_where_no_tag_matters(counted, service, operation, given):
    elsewhere = when(deny("sqs:DeleteQueue"), "aws:ResourceTag/team", "red")
    user = counted.user("untagged", allow("*"), elsewhere)
    before = len(counted.backend.raw.heads)
    assert counted.call(service, operation, given, user).status == 200
    assert len(counted.backend.raw.heads) == before + 1
    assert counted.call(service, operation, given, counted.nobody).sent == 0


@pytest.mark.parametrize(("service", "operation", "given"), ASKED)
def test_tags_that_a_backend_does_not_tell_allow_nothing_and_deny(counted, service, operation, given):
    reds = counted.user("reds-of-counted", when(allow("*"), "aws:ResourceTag/team", "red"))
    others = counted.user("others-of-counted", allow("*"), when(deny("*"), "aws:ResourceTag/team", "red"))
    for user in (reds, others):
        counted.backend.answers = [answer(b"{}", "501 Not Implemented")]
        before = len(counted.backend.raw.heads)
        refused = counted.call(service, operation, given, user)
        assert refused.code in DENIED
        assert refused.decisions[0]["UnknownKeys"] == ["aws:resourcetag/team"]
        assert len(counted.backend.raw.heads) == before + 1


@pytest.mark.parametrize(
    ("service", "operation", "given", "told"),
    [
        ("elbv2", "DeleteLoadBalancer", {"LoadBalancerArn": BALANCER}, xml("DescribeTags", "<TagDescriptions/>")),
        ("cognito-idp", "DeleteUserPool", {"UserPoolId": POOL}, said()),
    ],
    ids=("no descriptions", "no pool"),
)
def test_an_answer_about_nothing_is_not_one_without_tags(counted, service, operation, given, told):
    others = counted.user("others-of-counted", allow("*"), when(deny("*"), "aws:ResourceTag/team", "red"))
    counted.backend.answers = [told]
    refused = counted.call(service, operation, given, others)
    assert refused.code in DENIED
    assert refused.decisions[0]["UnknownKeys"] == ["aws:resourcetag/team"]


ELSEWHERE = [
    pytest.param(
        "acm", "DescribeAcmeEndpoint", {"AcmeEndpointArn": ACME},
        b"CertificateManager.ListTagsForResource", said(Tags=pairs("red")), id="an ACME endpoint",
    ),
    pytest.param(
        "kinesis", "DescribeStreamConsumer", {"ConsumerARN": f"{KINESIS}/consumer/con:1"},
        b"Kinesis_20131202.ListTagsForResource", said(Tags=pairs("red")), id="a consumer",
    ),
    pytest.param(
        "lambda", "GetCodeSigningConfig",
        {"CodeSigningConfigArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:code-signing-config:csc-0123456789abcdef0"},
        b"code-signing-config", said(Tags={"team": "red"}), id="a code signing config",
    ),
    pytest.param(
        "logs", "UpdateAnomaly",
        {"anomalyId": "0" * 36, "anomalyDetectorArn": f"arn:aws:logs:us-east-1:{ACCOUNT}:anomaly-detector:det"},
        b"Logs_20140328.ListTagsForResource", said(tags={"team": "red"}), id="an anomaly detector",
    ),
    pytest.param(
        "ssm", "StopAutomationExecution", {"AutomationExecutionId": "0" * 36},
        b"AmazonSSM.ListTagsForResource", said(TagList=pairs("red")), id="an automation",
    ),
    pytest.param(
        "apigateway", "GetDomainName", {"domainName": "a.example", "domainNameId": "id"},
        b"GET /domainnames/a.example?domainNameId=id ", said(tags={"team": "red"}), id="a private domain name",
    ),
    pytest.param(
        "apigateway", "GetClientCertificate", {"clientCertificateId": "cert"},
        b"GET /clientcertificates/cert ", said(tags={"team": "red"}), id="a client certificate",
    ),
    pytest.param(
        "elbv2", "DeleteListener", {"ListenerArn": LISTENER}, b"POST / ",
        xml("DescribeTags", "<TagDescriptions><member><Tags><member><Key>team</Key><Value>red</Value></member></Tags>"
            "</member></TagDescriptions>"), id="a listener",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("service", "operation", "given", "question", "told"), ELSEWHERE)
def test_what_moto_has_not_is_asked_of_others(counted, service, operation, given, question, told):
    reds = counted.user("reds-of-counted", when(allow("*"), "aws:ResourceTag/team", "red"))
    counted.backend.answers = [told]
    allowed = counted.call(service, operation, given, reds)
    assert allowed.status == 200
    assert question in counted.backend.raw.heads[-2]


def test_a_stage_costs_two_questions(counted):
    reds = counted.user("reds-of-counted", when(allow("*"), "aws:ResourceTag/team", "red"))
    counted.backend.answers = [said(tags={"team": "blue"}), said(tags={"team": "red"})]
    before = len(counted.backend.raw.heads)
    assert counted.call("apigateway", "GetStage", {"restApiId": "abc", "stageName": "live"}, reds).status == 200
    asked = [head.split(b" HTTP", 1)[0] for head in counted.backend.raw.heads[before:]]
    assert asked == [b"GET /restapis/abc", b"GET /restapis/abc/stages/live", b"GET /restapis/abc/stages/live"]
