"""What is within something, or has a name, is not reached by way of another thing that the caller may change."""

import json

from gateway.two_accounts import error_of
from running import ACCOUNT, REGION, allow

SIGN_IN = ["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
PASSWORD = "Secret-12345"


def role(cloud, name, *services):
    statement = {"Effect": "Allow", "Principal": {"Service": list(services)}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return cloud.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]


def caller(cloud, service, action, *resources):
    return cloud.client(service, cloud.user("caller", allow(action, list(resources))))


def test_a_user_pools_domain_is_that_pools_alone(cloud):
    cognito = cloud.client("cognito-idp")
    mine, other = (cognito.create_user_pool(PoolName=name)["UserPool"]["Id"] for name in ("mine", "other"))
    cognito.create_user_pool_domain(UserPoolId=other, Domain="login-other")
    within = caller(cloud, "cognito-idp", "cognito-idp:*", f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/{mine}")
    named = {"UserPoolId": mine, "Domain": "login-other"}
    config = {"CertificateArn": f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/01234567-89ab-cdef-0123-456789abcdef"}
    assert error_of(within.delete_user_pool_domain, **named)["Code"] == "ResourceNotFoundException"
    error = error_of(within.update_user_pool_domain, **named, CustomDomainConfig=config)
    assert error["Code"] == "ResourceNotFoundException"
    assert cognito.describe_user_pool_domain(Domain="login-other")["DomainDescription"]["UserPoolId"] == other
    cognito.update_user_pool_domain(UserPoolId=other, Domain="login-other", CustomDomainConfig=config)
    cognito.delete_user_pool_domain(UserPoolId=other, Domain="login-other")


def test_a_sign_in_goes_on_in_the_pool_where_it_began(cloud):
    cognito = cloud.client("cognito-idp")
    mine, other = (cognito.create_user_pool(PoolName=name)["UserPool"]["Id"] for name in ("mine", "other"))
    made = cognito.create_user_pool_client(UserPoolId=other, ClientName="web", ExplicitAuthFlows=SIGN_IN)
    app = made["UserPoolClient"]["ClientId"]
    cognito.admin_create_user(UserPoolId=other, Username="ann", MessageAction="SUPPRESS", TemporaryPassword=PASSWORD)
    begun = cognito.admin_initiate_auth(
        UserPoolId=other, ClientId=app, AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "ann", "PASSWORD": PASSWORD},
    )  # fmt: skip
    given = {
        "ClientId": app, "ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": begun["Session"],
        "ChallengeResponses": {"USERNAME": "ann", "NEW_PASSWORD": "Another-12345"},
    }  # fmt: skip
    within = caller(cloud, "cognito-idp", "cognito-idp:*", f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/{mine}")
    error = error_of(within.admin_respond_to_auth_challenge, UserPoolId=mine, **given)
    assert error["Code"] == "ResourceNotFoundException"
    assert "AuthenticationResult" in cognito.admin_respond_to_auth_challenge(UserPoolId=other, **given)


def test_an_alias_of_a_bot_is_that_bots_alone(cloud):
    lex, arn = cloud.client("lexv2-models"), role(cloud, "lex", "lexv2.amazonaws.com")
    made = {"roleArn": arn, "dataPrivacy": {"childDirected": False}, "idleSessionTTLInSeconds": 300}
    mine, other = (lex.create_bot(botName=name, **made)["botId"] for name in ("mine", "other"))
    alias = lex.create_bot_alias(botAliasName="live", botId=other)["botAliasId"]
    place = f"arn:aws:lex:{REGION}:{ACCOUNT}"
    within = caller(cloud, "lexv2-models", "lex:*", f"{place}:bot/{mine}", f"{place}:bot-alias/{mine}/*")
    named = {"botAliasId": alias, "botId": mine}
    for call, more in (
        (within.describe_bot_alias, {}), (within.update_bot_alias, {"botAliasName": "x"}), (within.delete_bot_alias, {}),
    ):  # fmt: skip
        assert error_of(call, **named, **more)["Code"] == "ResourceNotFoundException"
    names = [one["botAliasName"] for one in within.list_bot_aliases(botId=mine)["botAliasSummaries"]]
    assert "live" not in names
    named["botId"] = other
    assert lex.describe_bot_alias(**named)["botAliasName"] == "live"
    assert "live" in [one["botAliasName"] for one in lex.list_bot_aliases(botId=other)["botAliasSummaries"]]
    lex.update_bot_alias(**named, botAliasName="test")
    lex.delete_bot_alias(**named)


def test_an_instance_group_is_its_clusters_alone(cloud):
    emr, iam = cloud.client("emr"), cloud.client("iam")
    role(cloud, "emr", "elasticmapreduce.amazonaws.com", "ec2.amazonaws.com", "application-autoscaling.amazonaws.com")
    iam.create_instance_profile(InstanceProfileName="emr")
    iam.add_role_to_instance_profile(InstanceProfileName="emr", RoleName="emr")
    groups = [{"InstanceRole": kind, "InstanceType": "m1.medium", "InstanceCount": 1} for kind in ("MASTER", "CORE")]
    made = {
        "ReleaseLabel": "emr-5.0.0", "ServiceRole": "emr", "JobFlowRole": "emr", "AutoScalingRole": "emr",
        "Instances": {"InstanceGroups": groups, "KeepJobFlowAliveWhenNoSteps": True},
    }  # fmt: skip
    mine, other = (emr.run_job_flow(Name=name, **made)["JobFlowId"] for name in ("mine", "other"))

    def core():
        [found] = [
            one
            for one in emr.list_instance_groups(ClusterId=other)["InstanceGroups"]
            if one["InstanceGroupType"] == "CORE"
        ]
        return found

    group = core()["Id"]
    alarm = {"ComparisonOperator": "LESS_THAN", "MetricName": "m", "Period": 300, "Threshold": 1}
    rule = {
        "Name": "r", "Action": {"SimpleScalingPolicyConfiguration": {"ScalingAdjustment": 1}},
        "Trigger": {"CloudWatchAlarmDefinition": alarm},
    }  # fmt: skip
    policy = {"Constraints": {"MinCapacity": 1, "MaxCapacity": 9}, "Rules": [rule]}
    resized = {"InstanceGroups": [{"InstanceGroupId": group, "InstanceCount": 5}]}
    place = f"arn:aws:elasticmapreduce:{REGION}:{ACCOUNT}:cluster"
    within = caller(cloud, "emr", "elasticmapreduce:*", f"{place}/{mine}")
    for call, given in (
        (within.modify_instance_groups, resized),
        (within.put_auto_scaling_policy, {"InstanceGroupId": group, "AutoScalingPolicy": policy}),
        (within.remove_auto_scaling_policy, {"InstanceGroupId": group}),
    ):
        assert error_of(call, ClusterId=mine, **given)["Code"] == "InvalidRequestException"
    assert (core()["RequestedInstanceCount"], core().get("AutoScalingPolicy")) == (1, None)
    emr.modify_instance_groups(ClusterId=other, **resized)
    emr.modify_instance_groups(**resized)
    emr.put_auto_scaling_policy(ClusterId=other, InstanceGroupId=group, AutoScalingPolicy=policy)
    assert core()["RequestedInstanceCount"] == 5
    emr.remove_auto_scaling_policy(ClusterId=other, InstanceGroupId=group)


def test_a_database_takes_no_others_place_by_its_new_name(cloud):
    rds, redshift = cloud.client("rds"), cloud.client("redshift")
    owner = {"MasterUsername": "admin", "MasterUserPassword": PASSWORD}
    for name in ("mine", "other"):
        rds.create_db_instance(
            DBInstanceIdentifier=name, DBInstanceClass="db.t3.micro", Engine="mysql", AllocatedStorage=20,
            DeletionProtection=name == "other", **owner,
        )  # fmt: skip
        rds.create_db_cluster(DBClusterIdentifier=name, Engine="aurora-mysql", **owner)
        redshift.create_cluster(ClusterIdentifier=name, NodeType="ra3.large", **owner)
    place = f"arn:aws:rds:{REGION}:{ACCOUNT}"
    within = caller(cloud, "rds", "rds:*", f"{place}:db:mine", f"{place}:cluster:mine")
    taken = {"DBInstanceIdentifier": "mine", "NewDBInstanceIdentifier": "other"}
    assert error_of(within.modify_db_instance, **taken)["Code"] == "DBInstanceAlreadyExists"
    taken = {"DBClusterIdentifier": "mine", "NewDBClusterIdentifier": "other"}
    assert error_of(within.modify_db_cluster, **taken)["Code"] == "DBClusterAlreadyExistsFault"
    taken = {"ClusterIdentifier": "mine", "NewClusterIdentifier": "other"}
    assert error_of(redshift.modify_cluster, **taken)["Code"] == "ClusterAlreadyExists"
    assert sorted(one["DBInstanceIdentifier"] for one in rds.describe_db_instances()["DBInstances"]) == [
        "mine",
        "other",
    ]
    within.modify_db_instance(DBInstanceIdentifier="mine", AllocatedStorage=30)
    within.modify_db_cluster(DBClusterIdentifier="mine", BackupRetentionPeriod=3)
    redshift.modify_cluster(ClusterIdentifier="mine", AllowVersionUpgrade=False)
    within.modify_db_instance(DBInstanceIdentifier="mine", NewDBInstanceIdentifier="new")
    within.modify_db_cluster(DBClusterIdentifier="mine", NewDBClusterIdentifier="new")
    redshift.modify_cluster(ClusterIdentifier="mine", NewClusterIdentifier="new")
    assert sorted(one["ClusterIdentifier"] for one in redshift.describe_clusters()["Clusters"]) == ["new", "other"]
