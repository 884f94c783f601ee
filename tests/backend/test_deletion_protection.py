"""What is protected from deletion is not deleted, and is once its protection is taken away."""

import json

from gateway.two_accounts import error_of
from running import allow


def subnets(cloud):
    return [one["SubnetId"] for one in cloud.client("ec2").describe_subnets()["Subnets"]]


def test_a_load_balancer_is_not_deleted(cloud):
    elb = cloud.client("elbv2")
    arn = elb.create_load_balancer(Name="web", Subnets=subnets(cloud)[:2])["LoadBalancers"][0]["LoadBalancerArn"]
    protection = {"LoadBalancerArn": arn, "Attributes": [{"Key": "deletion_protection.enabled", "Value": "true"}]}
    elb.modify_load_balancer_attributes(**protection)
    error = error_of(elb.delete_load_balancer, LoadBalancerArn=arn)
    words = f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
    assert (error["Code"], error["Message"]) == ("OperationNotPermitted", words)
    assert len(elb.describe_load_balancers()["LoadBalancers"]) == 1
    protection["Attributes"][0]["Value"] = "false"
    elb.modify_load_balancer_attributes(**protection)
    elb.delete_load_balancer(LoadBalancerArn=arn)
    assert elb.describe_load_balancers()["LoadBalancers"] == []


def test_a_user_pool_is_not_deleted(cloud):
    cognito = cloud.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="people", DeletionProtection="ACTIVE")["UserPool"]["Id"]
    error = error_of(cognito.delete_user_pool, UserPoolId=pool)
    assert error["Code"] == "InvalidParameterException"
    assert error["Message"].startswith("The user pool cannot be deleted because deletion protection is activated.")
    cognito.update_user_pool(UserPoolId=pool, DeletionProtection="INACTIVE")
    cognito.delete_user_pool(UserPoolId=pool)
    assert cognito.list_user_pools(MaxResults=10)["UserPools"] == []


def test_a_user_pool_tells_that_it_is_not_protected(cloud):
    cognito = cloud.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="people")["UserPool"]
    assert pool["DeletionProtection"] == "INACTIVE"
    cognito.delete_user_pool(UserPoolId=pool["Id"])


def groups(logs):
    return {one["logGroupName"]: one["deletionProtectionEnabled"] for one in logs.describe_log_groups()["logGroups"]}


def test_a_log_group_is_not_deleted(cloud):
    logs = cloud.client("logs")
    logs.create_log_group(logGroupName="kept", deletionProtectionEnabled=True)
    logs.create_log_group(logGroupName="other")
    assert groups(logs) == {"kept": True, "other": False}
    error = error_of(logs.delete_log_group, logGroupName="kept")
    words = "Cannot delete log group with deletion protection enabled. Disable deletion protection first."
    assert (error["Code"], error["Message"]) == ("ValidationException", words)
    logs.put_log_group_deletion_protection(logGroupIdentifier="kept", deletionProtectionEnabled=False)
    logs.delete_log_group(logGroupName="kept")
    assert groups(logs) == {"other": False}


def test_a_log_group_is_protected_later_by_its_name_or_arn(cloud):
    logs = cloud.client("logs")
    for name in ("one", "two"):
        logs.create_log_group(logGroupName=name)
    arn = {one["logGroupName"]: one["logGroupArn"] for one in logs.describe_log_groups()["logGroups"]}["two"]
    for named in ("one", arn):
        logs.put_log_group_deletion_protection(logGroupIdentifier=named, deletionProtectionEnabled=True)
    assert groups(logs) == {"one": True, "two": True}
    given = {"logGroupIdentifier": "none", "deletionProtectionEnabled": True}
    assert error_of(logs.put_log_group_deletion_protection, **given)["Code"] == "ResourceNotFoundException"


def test_the_right_to_protect_a_log_group_is_one_of_that_group(cloud):
    logs = cloud.client("logs")
    for name in ("mine", "theirs"):
        logs.create_log_group(logGroupName=name)
    group = "arn:aws:logs:us-east-1:123456789012:log-group:mine:*"
    ann = cloud.client("logs", cloud.user("ann", allow("logs:PutLogGroupDeletionProtection", group)))
    ann.put_log_group_deletion_protection(logGroupIdentifier="mine", deletionProtectionEnabled=True)
    given = {"logGroupIdentifier": "theirs", "deletionProtectionEnabled": True}
    assert error_of(ann.put_log_group_deletion_protection, **given)["Code"] == "AccessDeniedException"
    assert groups(logs) == {"mine": True, "theirs": False}


def test_a_kubernetes_cluster_is_not_deleted(cloud):
    eks = cloud.client("eks")
    trust = {"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    role = cloud.client("iam").create_role(RoleName="eks", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    given = {"roleArn": role, "resourcesVpcConfig": {"subnetIds": subnets(cloud)[:2]}}
    assert eks.create_cluster(name="kept", **given, deletionProtection=True)["cluster"]["deletionProtection"] is True
    assert eks.create_cluster(name="other", **given)["cluster"]["deletionProtection"] is False
    eks.delete_cluster(name="other")
    eks.update_cluster_config(name="kept", logging={"clusterLogging": []})
    assert error_of(eks.delete_cluster, name="kept")["Code"] == "InvalidRequestException"
    assert eks.list_clusters()["clusters"] == ["kept"]
    eks.update_cluster_config(name="kept", deletionProtection=False)
    eks.delete_cluster(name="kept")


def test_a_collection_of_opensearch_serverless_is_not_deleted(cloud):
    search = cloud.client("opensearchserverless")
    rule = {
        "Rules": [{"ResourceType": "collection", "Resource": ["collection/kept"]}],
        "KmsARN": "arn:aws:kms:us-east-1:123456789012:key/k",
    }
    search.create_security_policy(name="kept", type="encryption", policy=json.dumps(rule))
    made = search.create_collection(name="kept", deletionProtection="ENABLED")["createCollectionDetail"]
    assert made["deletionProtection"] == "ENABLED"
    assert error_of(search.delete_collection, id=made["id"])["Code"] == "ConflictException"
    told = search.update_collection(id=made["id"], description="orders")["updateCollectionDetail"]
    assert (told["deletionProtection"], told["description"]) == ("ENABLED", "orders")
    search.update_collection(id=made["id"], deletionProtection="DISABLED")
    search.delete_collection(id=made["id"])
    assert search.list_collections()["collectionSummaries"] == []
    assert error_of(search.update_collection, id=made["id"])["Code"] == "ResourceNotFoundException"


def test_a_global_cluster_is_not_deleted(cloud):
    rds = cloud.client("rds")
    rds.create_global_cluster(GlobalClusterIdentifier="kept", Engine="aurora-postgresql", DeletionProtection=True)
    error = error_of(rds.delete_global_cluster, GlobalClusterIdentifier="kept")
    assert error["Code"] == "InvalidGlobalClusterStateFault"
    given = {"GlobalClusterIdentifier": "kept", "EngineVersion": "16.1"}
    error = error_of(rds.modify_global_cluster, **given)
    words = "The embedded backend does not implement EngineVersion."
    assert (error["Code"], error["Message"]) == ("NotImplemented", words)
    rds.modify_global_cluster(GlobalClusterIdentifier="kept", DeletionProtection=False)
    rds.delete_global_cluster(GlobalClusterIdentifier="kept")
    assert rds.describe_global_clusters()["GlobalClusters"] == []
    assert error_of(rds.delete_global_cluster, GlobalClusterIdentifier="kept")["Code"] == "GlobalClusterNotFoundFault"


def test_what_moto_protects_itself_stays_protected(cloud):
    rds, dynamodb = cloud.client("rds"), cloud.client("dynamodb")
    master = {"MasterUsername": "master", "MasterUserPassword": "password"}
    rds.create_db_instance(
        DBInstanceIdentifier="kept", Engine="postgres", DBInstanceClass="db.t3.micro", DeletionProtection=True, **master
    )
    rds.create_db_cluster(DBClusterIdentifier="kept", Engine="aurora-postgresql", DeletionProtection=True, **master)
    cloud.client("neptune").create_db_cluster(DBClusterIdentifier="graph", Engine="neptune", DeletionProtection=True)
    dynamodb.create_table(
        TableName="kept",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        DeletionProtectionEnabled=True,
    )
    for call, given, code in (
        (
            rds.delete_db_instance,
            {"DBInstanceIdentifier": "kept", "SkipFinalSnapshot": True},
            "InvalidParameterCombination",
        ),
        (
            rds.delete_db_cluster,
            {"DBClusterIdentifier": "kept", "SkipFinalSnapshot": True},
            "InvalidParameterCombination",
        ),
        (
            rds.delete_db_cluster,
            {"DBClusterIdentifier": "graph", "SkipFinalSnapshot": True},
            "InvalidParameterCombination",
        ),
        (dynamodb.delete_table, {"TableName": "kept"}, "ValidationException"),
    ):
        assert error_of(call, **given)["Code"] == code
