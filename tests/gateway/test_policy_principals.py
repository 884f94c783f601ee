"""Whom resource policies name: users and roles are kept by their unique ids, and whom there is not can't be named.

AWS: IAM User Guide, "Principal" (reference_policies_elements_principal).
"""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError
from gateway.counting import answer
from gateway.two_accounts import OTHER, policy, to
from running import ACCOUNT, AWS, REGION, Credentials, allow, deny

ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"
APP = f"arn:aws:iam::{ACCOUNT}:role/app"
RUNS = {"Effect": "Allow", "Action": "sts:AssumeRole"}
DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError"}
SCHEMA = {
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "BillingMode": "PAY_PER_REQUEST",
}


class Thing(NamedTuple):
    """Something with a policy: how it is set and shown, and what one may do who is let in."""

    arn: str
    put: Callable[[str], Any]
    shown: Callable[[], str]
    use: tuple[str, str, dict[str, Any]]
    refused: tuple[str, str]


def bucket(cloud: AWS) -> Thing:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="files")
    s3.put_object(Bucket="files", Key="a", Body=b"data")
    return Thing(
        "arn:aws:s3:::files/*",
        lambda text: s3.put_bucket_policy(Bucket="files", Policy=text),
        lambda: s3.get_bucket_policy(Bucket="files")["Policy"],
        ("s3", "GetObject", {"Bucket": "files", "Key": "a"}),
        ("MalformedPolicy", "Invalid principal in policy"),
    )


def access_point(cloud: AWS) -> Thing:
    s3, control = cloud.client("s3"), cloud.client("s3control")
    s3.create_bucket(Bucket="files")
    s3.put_object(Bucket="files", Key="a", Body=b"data")
    through = allow("s3:GetObject", "arn:aws:s3:::files/*", StringEquals={"s3:DataAccessPointAccount": ACCOUNT})
    s3.put_bucket_policy(Bucket="files", Policy=policy(to({"AWS": "*"}, through)))
    control.create_access_point(AccountId=ACCOUNT, Name="door", Bucket="files")
    arn = f"arn:aws:s3:{REGION}:{ACCOUNT}:accesspoint/door"
    return Thing(
        f"{arn}/object/*",
        lambda text: control.put_access_point_policy(AccountId=ACCOUNT, Name="door", Policy=text),
        lambda: control.get_access_point_policy(AccountId=ACCOUNT, Name="door")["Policy"],
        ("s3", "GetObject", {"Bucket": arn, "Key": "a"}),
        ("MalformedPolicy", "Invalid principal in policy"),
    )


def queue(cloud: AWS) -> Thing:
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    return Thing(
        f"arn:aws:sqs:{REGION}:{ACCOUNT}:jobs",
        lambda text: sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": text}),
        lambda: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"],
        ("sqs", "SendMessage", {"QueueUrl": url, "MessageBody": "m"}),
        ("InvalidAttributeValue", "Invalid value for the parameter Policy."),
    )


def topic(cloud: AWS) -> Thing:
    sns = cloud.client("sns")
    arn = sns.create_topic(Name="news")["TopicArn"]
    return Thing(
        arn,
        lambda text: sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=text),
        lambda: sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"],
        ("sns", "Publish", {"TopicArn": arn, "Message": "m"}),
        ("InvalidParameter", "Invalid parameter: Policy Error: PrincipalNotFound"),
    )


def table(cloud: AWS) -> Thing:
    dynamodb = cloud.client("dynamodb")
    arn = dynamodb.create_table(TableName="tbl", **SCHEMA)["TableDescription"]["TableArn"]
    return Thing(
        arn,
        lambda text: dynamodb.put_resource_policy(ResourceArn=arn, Policy=text),
        lambda: dynamodb.get_resource_policy(ResourceArn=arn)["Policy"],
        ("dynamodb", "GetItem", {"TableName": "tbl", "Key": {"pk": {"S": "a"}}}),
        (
            "ValidationException",
            "One or more parameter values were invalid: Invalid policy document: Policy contains invalid principal",
        ),
    )


def secret(cloud: AWS) -> Thing:
    secrets = cloud.client("secretsmanager")
    arn = secrets.create_secret(Name="word", SecretString="s")["ARN"]
    return Thing(
        arn,
        lambda text: secrets.put_resource_policy(SecretId=arn, ResourcePolicy=text),
        lambda: secrets.get_resource_policy(SecretId=arn)["ResourcePolicy"],
        ("secretsmanager", "GetSecretValue", {"SecretId": arn}),
        ("MalformedPolicyDocumentException", "This resource policy contains an unsupported principal."),
    )


def stream(cloud: AWS) -> Thing:
    kinesis = cloud.client("kinesis")
    kinesis.create_stream(StreamName="flow", ShardCount=1)
    arn = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/flow"
    return Thing(
        arn,
        lambda text: kinesis.put_resource_policy(ResourceARN=arn, Policy=text),
        lambda: kinesis.get_resource_policy(ResourceARN=arn)["Policy"],
        ("kinesis", "ListShards", {"StreamARN": arn}),
        ("InvalidArgumentException", "Invalid principal in policy"),
    )


def repository(cloud: AWS) -> Thing:
    ecr = cloud.client("ecr")
    arn = ecr.create_repository(repositoryName="images")["repository"]["repositoryArn"]

    def put(text: str) -> None:
        (statement,) = json.loads(text)["Statement"]
        kept = {name: value for name, value in statement.items() if name != "Resource"}
        ecr.set_repository_policy(repositoryName="images", policyText=policy(kept))

    return Thing(
        arn,
        put,
        lambda: ecr.get_repository_policy(repositoryName="images")["policyText"],
        ("ecr", "ListImages", {"repositoryName": "images"}),
        (
            "InvalidParameterException",
            "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Principal not found'",
        ),
    )


def bus(cloud: AWS) -> Thing:
    events = cloud.client("events")
    arn = events.create_event_bus(Name="news")["EventBusArn"]
    return Thing(
        arn,
        lambda text: events.put_permission(EventBusName="news", Policy=text),
        lambda: events.describe_event_bus(Name="news")["Policy"],
        ("events", "DescribeEventBus", {"Name": "news"}),
        ("ValidationException", "Invalid principal in policy"),
    )


def catalog(cloud: AWS) -> Thing:
    glue = cloud.client("glue")
    glue.create_database(DatabaseInput={"Name": "db"})
    return Thing(
        f"arn:aws:glue:{REGION}:{ACCOUNT}:*",
        lambda text: glue.put_resource_policy(PolicyInJson=text),
        lambda: glue.get_resource_policy()["PolicyInJson"],
        ("glue", "GetDatabase", {"Name": "db"}),
        ("InvalidInputException", "Invalid principal in policy"),
    )


def key(cloud: AWS) -> Thing:
    kms = cloud.client("kms")
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    whole = to({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, allow("kms:*"))
    return Thing(
        "*",
        lambda text: kms.put_key_policy(
            KeyId=arn, PolicyName="default", Policy=policy(whole, *json.loads(text)["Statement"])
        ),
        lambda: policy(json.loads(kms.get_key_policy(KeyId=arn, PolicyName="default")["Policy"])["Statement"][1]),
        ("kms", "Encrypt", {"KeyId": arn, "Plaintext": b"p"}),
        ("MalformedPolicyDocumentException", "Policy contains a statement with one or more invalid principals."),
    )


def file_system(cloud: AWS) -> Thing:
    """Of one of the services in resource_policies.toml."""
    efs = cloud.client("efs")
    given = {"FileSystemId": efs.create_file_system(CreationToken="one")["FileSystemId"]}
    return Thing(
        "*",
        lambda text: efs.put_file_system_policy(**given, Policy=text),
        lambda: efs.describe_file_system_policy(**given)["Policy"],
        ("efs", "DescribeMountTargets", given),
        ("InvalidPolicyException", "Invalid principal in policy"),
    )


KINDS = [bucket, access_point, queue, topic, table, secret, stream, repository, bus, catalog, key, file_system]


def call(cloud: AWS, use: tuple[str, str, dict[str, Any]], who: Credentials) -> bool:
    """Whether it is allowed; an error that is no denial says so as well."""
    service, operation, parameters = use
    client = cloud.client(service, who)
    method = next(name for name, known in client.meta.method_to_api_mapping.items() if known == operation)
    try:
        getattr(client, method)(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"] not in DENIED
    return True


def action_of(thing: Thing) -> str:
    service, operation, _ = thing.use
    return f"{'elasticfilesystem' if service == 'efs' else service}:{operation}"


def naming(thing: Thing, *principals: str) -> str:
    return policy(to({"AWS": list(principals)}, {"Sid": "named", **allow(action_of(thing), thing.arn)}))


def named_in(text: str) -> list[str]:
    (statement,) = json.loads(text)["Statement"]
    principal = statement["Principal"]
    # moto's Lambda tells it without its member.
    found = principal["AWS"] if isinstance(principal, dict) else principal
    return [found] if isinstance(found, str) else found


def role(cloud: AWS) -> tuple[str, Credentials]:
    """The role `app`: its id, and a session of it."""
    trust = policy({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"})
    made = cloud.client("iam").create_role(RoleName="app", AssumeRolePolicyDocument=trust)["Role"]
    session = cloud.client("sts").assume_role(RoleArn=APP, RoleSessionName="one")["Credentials"]
    return made["RoleId"], Credentials.of(session)


def delete_user(cloud: AWS, name: str) -> None:
    iam = cloud.client("iam")
    for found in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
        iam.delete_access_key(UserName=name, AccessKeyId=found["AccessKeyId"])
    iam.delete_user(UserName=name)


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
def test_a_namesake_gains_nothing_and_ids_are_shown_of_those_who_are_gone(cloud, make):
    thing, iam = make(cloud), cloud.client("iam")
    ann, (role_id, session) = cloud.user("ann"), role(cloud)
    user_id = iam.get_user(UserName="ann")["User"]["UserId"]
    assert not call(cloud, thing.use, ann)
    thing.put(naming(thing, ANN, APP))
    assert call(cloud, thing.use, ann)
    assert call(cloud, thing.use, session)
    assert named_in(thing.shown()) == [ANN, APP]

    delete_user(cloud, "ann")
    iam.delete_role(RoleName="app")
    again, (_, later) = cloud.user("ann"), role(cloud)
    assert not call(cloud, thing.use, again)
    assert not call(cloud, thing.use, later)
    assert named_in(thing.shown()) == [user_id, role_id]
    # AWS: such a policy can't be saved again as it is shown.
    assert refusal(lambda: thing.put(naming(thing, user_id))) == thing.refused


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
def test_who_is_not_there_cannot_be_named(cloud, make):
    thing = make(cloud)
    cloud.client("iam").create_user(UserName="ann", Path="/here/")
    thing.put(naming(thing, f"arn:aws:iam::{ACCOUNT}:user/here/ann", ACCOUNT))
    before = thing.shown()
    for nobody in (ANN, APP, f"arn:aws:iam::{ACCOUNT}:user/here/Ann", OTHER, f"arn:aws:iam::{OTHER}:root",
                   f"arn:aws:iam::{OTHER}:user/ann", f"arn:aws:sts::{ACCOUNT}:assumed-role/app/one"):  # fmt: skip
        assert refusal(lambda named=nobody: thing.put(naming(thing, ACCOUNT, named))) == thing.refused, nobody
    assert thing.shown() == before


@pytest.mark.parametrize("make", [bucket, queue, topic, secret, stream, key], ids=lambda make: make.__name__)
def test_what_cannot_be_anybody_is_refused_in_the_same_words(cloud, make):
    thing = make(cloud)
    for nobody in (f"arn:aws:iam::{ACCOUNT}:user/*", f"arn:aws:iam::{ACCOUNT}:group/all", "ann"):
        assert refusal(lambda named=nobody: thing.put(naming(thing, named))) == thing.refused, nobody


def refusal(put):
    with pytest.raises(ClientError) as raised:
        put()
    error = raised.value.response["Error"]
    return error["Code"], error["Message"]


def test_s3_tells_the_principal_that_it_did_not_find(cloud):
    """AWS: the error has the first of them in Detail, as many have met it."""
    thing = bucket(cloud)
    with pytest.raises(ClientError) as raised:
        thing.put(naming(thing, ACCOUNT, ANN))
    assert raised.value.response["Error"]["Detail"] == f'"AWS" : "{ANN}"'


def test_whom_a_policy_names_may_change_names_and_paths(cloud):
    thing, ann = queue(cloud), cloud.user("ann")
    thing.put(naming(thing, ANN))
    cloud.client("iam").update_user(UserName="ann", NewUserName="anna", NewPath="/moved/")
    assert call(cloud, thing.use, ann)
    assert named_in(thing.shown()) == [f"arn:aws:iam::{ACCOUNT}:user/moved/anna"]
    assert not call(cloud, thing.use, cloud.user("ann"))


def test_a_denial_is_for_the_one_it_was_made_for(cloud):
    thing, everything = queue(cloud), allow("*")
    ann = cloud.user("ann", everything)
    thing.put(policy(to({"AWS": ANN}, deny("sqs:*", thing.arn))))
    assert not call(cloud, thing.use, ann)
    iam = cloud.client("iam")
    iam.delete_user_policy(UserName="ann", PolicyName=iam.list_user_policies(UserName="ann")["PolicyNames"][0])
    delete_user(cloud, "ann")
    assert call(cloud, thing.use, cloud.user("ann", everything))


def test_those_who_are_left_out_of_a_denial_are_known_by_their_ids(cloud):
    thing, everything = queue(cloud), allow("*")
    cloud.user("bob", everything)
    ann = cloud.user("ann", everything)
    but = {"AWS": [ANN, ACCOUNT]}
    thing.put(policy({**deny("sqs:SendMessage", thing.arn), "NotPrincipal": but}))
    assert call(cloud, thing.use, ann)
    iam = cloud.client("iam")
    iam.delete_user_policy(UserName="ann", PolicyName=iam.list_user_policies(UserName="ann")["PolicyNames"][0])
    delete_user(cloud, "ann")
    assert not call(cloud, thing.use, cloud.user("ann", everything))
    with pytest.raises(ClientError, match="Invalid value for the parameter Policy"):
        thing.put(policy({**deny("sqs:SendMessage", thing.arn), "NotPrincipal": {"AWS": [APP]}}))


def test_an_id_that_somebody_has_may_be_given(cloud):
    thing, ann = queue(cloud), cloud.user("ann")
    thing.put(naming(thing, cloud.client("iam").get_user(UserName="ann")["User"]["UserId"]))
    assert call(cloud, thing.use, ann)
    assert named_in(thing.shown()) == [ANN]


def test_accounts_of_awss_own_may_be_named(cloud):
    """AWS: Elastic Load Balancing User Guide, "Access logs" (enable-access-logging)."""
    thing = bucket(cloud)
    named = ["arn:aws:iam::127311923021:root", "797873946194"]
    thing.put(naming(thing, *named))
    assert named_in(thing.shown()) == named
    assert refusal(lambda: thing.put(naming(thing, "arn:aws:iam::127311923021:user/ann"))) == thing.refused


def of_buses(cloud: AWS) -> tuple[Callable[[str], Any], Callable[[], str]]:
    thing, events = bus(cloud), cloud.client("events")
    return thing.put, lambda: events.list_event_buses(NamePrefix="news")["EventBuses"][0]["Policy"]


def of_logs(cloud: AWS) -> tuple[Callable[[str], Any], Callable[[], str]]:
    logs = cloud.client("logs")
    return (
        lambda text: logs.put_resource_policy(policyName="one", policyDocument=text),
        lambda: logs.describe_resource_policies()["resourcePolicies"][0]["policyDocument"],
    )


def of_endpoints(cloud: AWS) -> tuple[Callable[[str], Any], Callable[[], str]]:
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    of_s3 = {"VpcId": vpc, "ServiceName": f"com.amazonaws.{REGION}.s3"}
    made = [ec2.create_vpc_endpoint(**of_s3)["VpcEndpoint"]["VpcEndpointId"] for _ in range(2)]
    return (
        lambda text: ec2.modify_vpc_endpoint(VpcEndpointId=made[1], PolicyDocument=text),
        lambda: ec2.describe_vpc_endpoints(VpcEndpointIds=made)["VpcEndpoints"][1]["PolicyDocument"],
    )


@pytest.mark.parametrize("make", [of_buses, of_logs, of_endpoints], ids=lambda make: make.__name__)
def test_lists_show_whom_policies_name_as_well(cloud, make):
    put, shown = make(cloud)
    cloud.user("ann")
    iam = cloud.client("iam")
    user_id = iam.get_user(UserName="ann")["User"]["UserId"]
    named = allow("events:DescribeEventBus", f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/news")
    put(policy(to({"AWS": [ANN]}, {"Sid": "named", **named})))
    assert named_in(shown()) == [ANN]
    iam.update_user(UserName="ann", NewUserName="anna")
    assert named_in(shown()) == [f"{ANN}a"]
    delete_user(cloud, "anna")
    assert named_in(shown()) == [user_id]


def test_the_data_catalogs_policy_is_shown_among_those_of_resource_access_manager(counted):
    iam, arn = counted.aws.client("iam"), f"arn:aws:iam::{ACCOUNT}:user/ann-of-glue"
    counted.user("ann-of-glue")
    text = policy(to({"AWS": arn}, allow("glue:GetDatabase", f"arn:aws:glue:{REGION}:{ACCOUNT}:catalog")))
    shared = text.replace("GetDatabase", "GetTable")
    counted.call("glue", "PutResourcePolicy", {"PolicyInJson": text})
    iam.update_user(UserName="ann-of-glue", NewPath="/here/")
    told = {"GetResourcePoliciesResponseList": [{"PolicyInJson": shared}, {"PolicyInJson": text}]}
    counted.backend.answers.append(answer(json.dumps(told).encode()))
    shown = counted.call("glue", "GetResourcePolicies", {}).told["GetResourcePoliciesResponseList"]
    assert shown[0]["PolicyInJson"] == shared
    assert named_in(shown[1]["PolicyInJson"]) == [f"arn:aws:iam::{ACCOUNT}:user/here/ann-of-glue"]
    counted.call("glue", "DeleteResourcePolicy", {})


def test_the_canonical_id_must_be_an_accounts(cloud):
    thing = bucket(cloud)
    statement = allow("s3:GetObject", thing.arn)
    with pytest.raises(ClientError, match="Invalid principal in policy"):
        thing.put(policy(to({"CanonicalUser": "0" * 64}, statement)))


# Statements that are added one by one.


def test_a_statement_for_an_account_that_is_not_there_is_refused(cloud):
    """AWS: the words of SQS as many have met them."""
    sqs, sns, events = cloud.client("sqs"), cloud.client("sns"), cloud.client("events")
    url, arn = sqs.create_queue(QueueName="jobs")["QueueUrl"], sns.create_topic(Name="news")["TopicArn"]
    words = rf"InvalidParameterValue.*Value \[{OTHER}\] for parameter PrincipalId is invalid. Reason: Unable to verify"
    with pytest.raises(ClientError, match=words):
        sqs.add_permission(QueueUrl=url, Label="a", AWSAccountIds=[OTHER], Actions=["SendMessage"])
    with pytest.raises(ClientError, match=r"InvalidParameter.*PrincipalNotFound"):
        sns.add_permission(TopicArn=arn, Label="a", AWSAccountId=[OTHER], ActionName=["Publish"])
    with pytest.raises(ClientError, match="ValidationException"):
        events.put_permission(StatementId="a", Action="events:PutEvents", Principal=OTHER)
    sqs.add_permission(QueueUrl=url, Label="a", AWSAccountIds=[ACCOUNT], Actions=["SendMessage"])
    sns.add_permission(TopicArn=arn, Label="a", AWSAccountId=[ACCOUNT], ActionName=["Publish"])
    events.put_permission(StatementId="a", Action="events:PutEvents", Principal=ACCOUNT)


def test_nothing_is_added_to_a_policy_that_names_who_is_gone(cloud):
    """AWS: Lambda refuses every further AddPermission until the statement is removed, as many have met it."""
    lambdas, ann = function(cloud), cloud.user("ann")
    invoke = {"FunctionName": "fn", "Action": "lambda:GetFunction"}
    with pytest.raises(ClientError, match=r"InvalidParameterValueException.*The provided principal was invalid"):
        lambdas.add_permission(StatementId="app", Principal=APP, **invoke)
    with pytest.raises(ClientError, match=r"InvalidParameterValueException.*The provided principal was invalid"):
        lambdas.add_permission(StatementId="app", Principal="app", **invoke)
    lambdas.add_permission(StatementId="ann", Principal=ANN, **invoke)
    use = ("lambda", "GetFunction", {"FunctionName": "fn"})
    assert call(cloud, use, ann)
    user_id = cloud.client("iam").get_user(UserName="ann")["User"]["UserId"]
    delete_user(cloud, "ann")
    assert not call(cloud, use, cloud.user("ann"))
    assert named_in(lambdas.get_policy(FunctionName="fn")["Policy"]) == [user_id]
    with pytest.raises(ClientError, match="The provided principal was invalid"):
        lambdas.add_permission(StatementId="all", Principal=ACCOUNT, **invoke)
    lambdas.remove_permission(FunctionName="fn", StatementId="ann")
    lambdas.add_permission(StatementId="all", Principal=ACCOUNT, **invoke)


def function(cloud):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed:
        packed.writestr("fn.py", "def handle(event, context):\n    return event\n")
    arn = cloud.client("iam").create_role(
        RoleName="runs", AssumeRolePolicyDocument=policy(to({"Service": "lambda.amazonaws.com"}, RUNS))
    )["Role"]["Arn"]
    lambdas = cloud.client("lambda")
    lambdas.create_function(
        FunctionName="fn", Runtime="python3.11", Role=arn, Handler="fn.handle", Code={"ZipFile": content.getvalue()}
    )
    return lambdas


# KMS.


def test_a_key_is_not_made_for_who_is_not_there(cloud):
    kms = cloud.client("kms")
    whole = to({"AWS": ACCOUNT}, allow("kms:*"))
    with pytest.raises(ClientError, match="Policy contains a statement with one or more invalid principals"):
        kms.create_key(Policy=policy(whole, to({"AWS": ANN}, allow("kms:Encrypt"))))
    ann = cloud.user("ann")
    made = kms.create_key(Policy=policy(whole, to({"AWS": ANN}, allow("kms:Encrypt"))))["KeyMetadata"]["Arn"]
    use = ("kms", "Encrypt", {"KeyId": made, "Plaintext": b"p"})
    assert call(cloud, use, ann)
    delete_user(cloud, "ann")
    assert not call(cloud, use, cloud.user("ann"))


def test_a_grant_is_for_the_one_it_was_made_for(cloud):
    """AWS: KMS API Reference, CreateGrant; ListGrants shows the id of who is gone, as many have met it."""
    kms, ann = cloud.client("kms"), cloud.user("ann")
    made = kms.create_key()["KeyMetadata"]["Arn"]
    for named in ({"GranteePrincipal": APP}, {"GranteePrincipal": ANN, "RetiringPrincipal": APP},
                  {"GranteePrincipal": ACCOUNT}):  # fmt: skip
        with pytest.raises(ClientError, match=r"InvalidArnException.*ARN does not refer to a valid principal"):
            kms.create_grant(KeyId=made, Operations=["Encrypt"], **named)
    kms.create_grant(KeyId=made, Operations=["Encrypt"], GranteePrincipal=ANN)
    use = ("kms", "Encrypt", {"KeyId": made, "Plaintext": b"p"})
    assert call(cloud, use, ann)
    user_id = cloud.client("iam").get_user(UserName="ann")["User"]["UserId"]
    delete_user(cloud, "ann")
    assert not call(cloud, use, cloud.user("ann"))
    (grant,) = kms.list_grants(KeyId=made)["Grants"]
    assert grant["GranteePrincipal"] == user_id
