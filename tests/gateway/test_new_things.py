"""What is there is not taken for new where a request makes something of it or within it: its tags count."""

import pytest
from botocore.exceptions import ClientError
from running import allow, deny

PROD = {"aws:ResourceTag/env": "prod"}
KEYS, LITTLE, MAP = [{"Key": "env", "Value": "prod"}], [{"key": "env", "value": "prod"}], {"env": "prod"}


def a_pool(c):
    return c("cognito-idp").create_user_pool(PoolName="x", UserPoolTags=MAP)["UserPool"]["Id"]


def a_group(c):
    c("logs").create_log_group(logGroupName="g", tags=MAP)


def a_repository(c):
    c("codecommit").create_repository(repositoryName="r", tags=MAP)


def a_workgroup(c):
    c("athena").create_work_group(Name="w", Tags=KEYS)


def a_file_system(c):
    return c("efs").create_file_system(CreationToken="x", Tags=KEYS)["FileSystemId"]


def a_cluster(c):
    c("redshift").create_cluster(
        ClusterIdentifier="c", NodeType="x", MasterUsername="root", MasterUserPassword="Passw0rd1", Tags=KEYS
    )


def a_peering(c):
    ec2 = c("ec2")
    tags = [{"ResourceType": "vpc", "Tags": KEYS}]
    one = ec2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    two = ec2.create_vpc(CidrBlock="10.7.0.0/16", TagSpecifications=tags)["Vpc"]["VpcId"]
    made = ec2.create_vpc_peering_connection(VpcId=one, PeerVpcId=two)
    return made["VpcPeeringConnection"]["VpcPeeringConnectionId"]


# AWS: Service Authorization Reference: aws:ResourceTag is a key of the user pool, repository, workgroup, ... that these
# actions are decided on.
@pytest.mark.parametrize(
    ("make", "use"),
    [
        (a_pool, lambda c, i: c("cognito-idp").create_group(UserPoolId=i, GroupName="g")),
        (a_pool, lambda c, i: c("cognito-idp").create_user_pool_client(UserPoolId=i, ClientName="g")),
        (
            a_group,
            lambda c, _: c("logs").create_export_task(logGroupName="g", fromTime=0, to=1, destination="b"),
        ),
        (
            a_repository,
            lambda c, _: c("codecommit").create_branch(repositoryName="r", branchName="b", commitId="a" * 40),
        ),
        (
            a_workgroup,
            lambda c, _: c("athena").create_named_query(Name="q", Database="d", QueryString="select 1", WorkGroup="w"),
        ),
        (a_file_system, lambda c, i: c("efs").create_access_point(ClientToken="c", FileSystemId=i)),
        (
            a_cluster,
            lambda c, _: c("redshift").create_cluster_snapshot(ClusterIdentifier="c", SnapshotIdentifier="s"),
        ),
        (a_peering, lambda c, i: c("ec2").accept_vpc_peering_connection(VpcPeeringConnectionId=i)),
    ],
)
def test_tags_of_what_something_is_made_of_deny(cloud, make, use):
    user = cloud.user("user", allow("*"), deny("*", StringEquals=PROD))
    thing = make(cloud.client)
    with pytest.raises(ClientError, match="with an explicit deny in an identity-based policy"):
        use(lambda service: cloud.client(service, user), thing)


def test_tags_of_what_something_is_made_in_allow(cloud):
    pool = a_pool(cloud.client)
    pools = cloud.client("cognito-idp", cloud.user("user", allow("cognito-idp:*", StringEquals=PROD)))
    assert pools.create_user_pool_client(UserPoolId=pool, ClientName="c")["UserPoolClient"]["UserPoolId"] == pool
    untagged = cloud.client("cognito-idp").create_user_pool(PoolName="y")["UserPool"]["Id"]
    with pytest.raises(ClientError, match="not authorized"):
        pools.create_user_pool_client(UserPoolId=untagged, ClientName="c")


# AWS: what is made has no tags but those of the request, so a Deny by aws:ResourceTag does not keep from making it.
@pytest.mark.parametrize(
    ("service", "operation", "given"),
    [
        ("athena", "create_work_group", {"Name": "w"}),
        ("codecommit", "create_repository", {"repositoryName": "r"}),
        ("cognito-idp", "create_user_pool", {"PoolName": "p"}),
        ("dynamodb", "create_table", {
            "TableName": "t", "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}],
        }),
        ("ecr", "create_repository", {"repositoryName": "rr"}),
        ("ecs", "create_cluster", {"clusterName": "c", "tags": LITTLE}),
        ("efs", "create_file_system", {"CreationToken": "c"}),
        ("elasticache", "create_cache_subnet_group", {
            "CacheSubnetGroupName": "s", "CacheSubnetGroupDescription": "d", "SubnetIds": [],
        }),
        ("events", "create_event_bus", {"Name": "b", "Tags": KEYS}),
        ("kinesis", "create_stream", {"StreamName": "s", "ShardCount": 1}),
        ("kms", "create_key", {}),
        ("logs", "create_log_group", {"logGroupName": "g", "tags": MAP}),
        ("scheduler", "create_schedule_group", {"Name": "g", "Tags": KEYS}),
        ("secretsmanager", "create_secret", {"Name": "s", "SecretString": "x", "Tags": KEYS}),
        ("sns", "create_topic", {"Name": "t", "Tags": KEYS}),
        ("sqs", "create_queue", {"QueueName": "q", "tags": MAP}),
        ("ssm", "create_document", {"Content": '{"schemaVersion": "2.2", "mainSteps": []}', "Name": "document"}),
        ("stepfunctions", "create_activity", {"name": "a"}),
    ],
)  # fmt: skip
def test_what_is_made_has_no_tags_yet(cloud, service, operation, given):
    """Requests fail for other reasons too, but none is denied."""
    user = cloud.user("user", allow("*"), deny("*", StringEquals=PROD))
    words = ""
    try:
        getattr(cloud.client(service, user), operation)(**given)
    except ClientError as failed:
        words = failed.response["Error"]["Message"]
    assert "not authorized" not in words
