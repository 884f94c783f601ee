"""Resource policies of services that have one for a resource (resource_policies.toml): kept, decided by, gone with it.

AWS: S3 User Guide, "S3 Vectors resource-based policy examples" and "Resource-based policies for S3 Tables"; EFS User
Guide, "Using IAM to control file system data access"; MediaStore User Guide, "Container policies"; IAM User Guide,
"Cross-account policy evaluation logic".
"""

import gzip
import json
import re
from pathlib import Path

import botocore
import pytest
from gateway.counting import trusting
from gateway.two_accounts import OTHER, code_of, error_of, everybody, policy, to, user_of
from running import ACCOUNT, REGION, allow, deny

from iamd.gateway import effects, policies, resource_policies
from iamd.gateway.actions.table import table
from iamd.own_services import OWN_SERVICES

VECTORS = f"arn:aws:s3vectors:{REGION}:{ACCOUNT}:bucket/vectors"
RECOGNIZER = {
    "RecognizerName": "names",
    "DataAccessRoleArn": f"arn:aws:iam::{ACCOUNT}:role/reader",
    "InputDataConfig": {"EntityTypes": [{"Type": "NAME"}]},
    "LanguageCode": "en",
}
DENIED = {"AccessDenied", "AccessDeniedException", "ForbiddenException", "UnauthorizedException"}


@pytest.fixture
def stranger(cloud, other):
    """A user of another account, whose own policy allows everything."""
    return user_of(cloud, other, "stranger", allow("*"))


def test_a_vector_buckets_policy_lets_another_account_at_its_indexes(cloud, stranger):
    owner, guest = cloud.client("s3vectors"), cloud.client("s3vectors", stranger)
    owner.create_vector_bucket(vectorBucketName="vectors")
    owner.create_index(
        vectorBucketName="vectors", indexName="idx", dataType="float32", dimension=2, distanceMetric="cosine"
    )
    index = f"{VECTORS}/index/idx"
    assert code_of(guest.get_index, indexArn=index) in DENIED
    owner.put_vector_bucket_policy(
        vectorBucketName="vectors",
        policy=policy(to({"AWS": OTHER}, allow(["s3vectors:GetIndex"], f"{VECTORS}/index/*"))),
    )
    assert guest.get_index(indexArn=index)["index"]["indexName"] == "idx"
    assert code_of(guest.get_vector_bucket, vectorBucketArn=VECTORS) in DENIED
    owner.delete_vector_bucket_policy(vectorBucketName="vectors")
    assert code_of(guest.get_index, indexArn=index) in DENIED


def test_a_file_systems_policy_keeps_its_own_account_out(cloud):
    efs = cloud.client("efs")
    made = efs.create_file_system(CreationToken="one")["FileSystemId"]
    efs.put_file_system_policy(
        FileSystemId=made, Policy=policy(everybody(deny("elasticfilesystem:DescribeMountTargets", "*")))
    )
    assert json.loads(efs.describe_file_system_policy(FileSystemId=made)["Policy"])["Statement"][0]["Effect"] == "Deny"
    assert code_of(efs.describe_mount_targets, FileSystemId=made) in DENIED
    efs.put_file_system_policy(FileSystemId=made, Policy=policy(everybody(allow("elasticfilesystem:ClientMount", "*"))))
    assert efs.describe_mount_targets(FileSystemId=made)["MountTargets"] == []


def test_a_policy_goes_with_its_resource(cloud):
    owner = cloud.client("mediastore")
    arn = f"arn:aws:mediastore:{REGION}:{ACCOUNT}:container/films"
    owner.create_container(ContainerName="films")
    text = policy(everybody(deny("mediastore:DescribeContainer", arn)))
    owner.put_container_policy(ContainerName="films", Policy=text)
    assert code_of(owner.describe_container, ContainerName="films") in DENIED
    owner.delete_container(ContainerName="films")
    owner.create_container(ContainerName="films")
    assert owner.describe_container(ContainerName="films")["Container"]["Name"] == "films"


def test_a_destinations_policy_lets_another_accounts_subscription_filters_at_it(cloud, stranger):
    owner, guest = cloud.client("logs"), cloud.client("logs", stranger)
    arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:destination:all"
    cloud.client("iam").create_role(RoleName="to-stream", AssumeRolePolicyDocument=trusting("logs.amazonaws.com"))
    owner.put_destination(
        destinationName="all",
        targetArn=f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/s",
        roleArn=f"arn:aws:iam::{ACCOUNT}:role/to-stream",
    )
    guest.create_log_group(logGroupName="guests")
    given = {"logGroupName": "guests", "filterName": "f", "filterPattern": "", "destinationArn": arn}
    assert code_of(guest.put_subscription_filter, **given) in DENIED
    owner.put_destination_policy(
        destinationName="all", accessPolicy=policy(to({"AWS": OTHER}, allow("logs:PutSubscriptionFilter", arn)))
    )
    # It is let in; that the embedded backend looks for the destination in the guest's account is its own way.
    assert code_of(guest.put_subscription_filter, **given) not in DENIED


@pytest.mark.parametrize(
    ("service", "operation", "given", "code"),
    [
        ("efs", "put_file_system_policy", {"FileSystemId": "fs-00000001"}, "InvalidPolicyException"),
        ("s3vectors", "put_vector_bucket_policy", {"vectorBucketName": "vectors"}, "ValidationException"),
        ("mediastore", "put_container_policy", {"ContainerName": "films"}, "ValidationException"),
    ],
)
def test_what_is_no_policy_is_refused_with_the_services_error(cloud, service, operation, given, code):
    member = "policy" if service == "s3vectors" else "Policy"
    assert code_of(getattr(cloud.client(service), operation), **given, **{member: '{"Statement": "none"}'}) == code


def test_a_policy_that_iamd_would_not_decide_by_is_refused(cloud):
    text = policy(everybody(allow("*", "*")))
    glacier = cloud.client("glacier")
    refused = error_of(glacier.initiate_vault_lock, accountId="-", vaultName="v", policy={"Policy": text})
    assert "iamd does not keep such policies" in refused["Message"]
    cloud.client("iam").create_role(RoleName="reader", AssumeRolePolicyDocument=trusting("comprehend.amazonaws.com"))
    for service, operation, given, member in (
        ("dsql", "create_cluster", {"policy": text}, "policy"),
        ("comprehend", "create_entity_recognizer", {**RECOGNIZER, "ModelPolicy": text}, "ModelPolicy"),
    ):
        refused = error_of(getattr(cloud.client(service), operation), **given)
        assert f"iamd does not keep such policies ({member})" in refused["Message"]


def test_each_operation_stands_in_one_row():
    named = [
        (row.service, name)
        for row in resource_policies.TABLE.policy
        for name in (*row.put, *row.read, *row.clear, *row.end)
    ]
    refused = [tuple(line.split("/")[0].split()) for line in resource_policies.TABLE.refused.operations]
    assert len(set(named)) == len(named)
    assert set(named).isdisjoint(refused)
    assert len(resource_policies.EFFECTS) + len(resource_policies.READ) == len(named) + len(refused)
    assert resource_policies.READ.keys() <= policies._READ.keys()


# Members that are called policies and say nothing of who may do what to a resource of the service through its API.
OTHERWISE = {
    # What their own endpoints decide by, which iamd does not serve: an API's, a domain's, a channel's, a service's.
    ("apigateway", "CreateDomainName"), ("apigateway", "CreateRestApi"), ("cloudsearch", "UpdateServiceAccessPolicies"),
    ("ec2", "CreateVerifiedAccessEndpoint"), ("ec2", "CreateVerifiedAccessGroup"),
    ("ec2", "ModifyVerifiedAccessEndpointPolicy"), ("ec2", "ModifyVerifiedAccessGroupPolicy"),
    ("ec2", "ModifyClientVpnEndpointAuthorizationPolicy"), ("es", "CreateElasticsearchDomain"),
    ("es", "UpdateElasticsearchDomainConfig"), ("mediapackagev2", "PutChannelPolicy"),
    ("mediapackagev2", "PutOriginEndpointPolicy"), ("mediatailor", "PutChannelPolicy"), ("opensearch", "CreateDomain"),
    ("opensearch", "AddDirectQueryDataSource"), ("opensearch", "UpdateDirectQueryDataSource"),
    ("opensearch", "UpdateDomainConfig"), ("opensearchserverless", "CreateAccessPolicy"),
    ("opensearchserverless", "CreateSecurityPolicy"), ("opensearchserverless", "UpdateAccessPolicy"),
    ("opensearchserverless", "UpdateSecurityPolicy"), ("vpc-lattice", "PutAuthPolicy"), ("iot", "CreatePolicy"),
    ("iot", "CreatePolicyVersion"), ("odb", "CreateOdbNetwork"), ("odb", "UpdateOdbNetwork"),
    # Of sessions that the service makes of a role that is passed to it.
    ("emr-serverless", "StartJobRun"), ("omics", "StartRunBatch"), ("eks", "CreatePodIdentityAssociation"), ("eks", "UpdatePodIdentityAssociation"), ("glue", "StartJobRun"),
    ("omics", "StartRun"), ("transfer", "CreateAccess"), ("transfer", "CreateUser"), ("transfer", "UpdateAccess"),
    ("transfer", "UpdateUser"),
    # Shown to nobody but its caller, or to the service by whom it uploads.
    ("secretsmanager", "ValidateResourcePolicy"), ("ec2", "BundleInstance"),
    # Refused by its parameters (actions/ecr.py).
    ("ecr", "CreateRepositoryCreationTemplate"), ("ecr", "UpdateRepositoryCreationTemplate"),
    # Of what is shared through Resource Access Manager, which is not served.
    ("ram", "CreatePermission"), ("ram", "CreatePermissionVersion"),
    # No policies of access.
    ("bedrock-agent", "CreateRetrievalInstruction"), ("bedrock-agent", "UpdateRetrievalInstruction"),
    ("codepipeline", "UpdateActionType"), ("config", "PutConfigRule"), ("config", "PutOrganizationConfigRule"),
    ("datazone", "CreateDesignation"), ("ecs", "RegisterTaskDefinition"),
    ("datazone", "UpdateDesignation"), ("ecr", "PutLifecyclePolicy"), ("elbv2", "CreateListener"), ("elbv2", "ModifyListener"),
    ("ecr", "StartLifecyclePolicyPreview"),
    ("logs", "PutAccountPolicy"), ("logs", "PutDataProtectionPolicy"), ("logs", "PutIndexPolicy"),
    ("mediastore", "PutLifecyclePolicy"),
    ("networkmanager", "CreateCoreNetwork"), ("networkmanager", "PutCoreNetworkPolicy"),
    ("opensearchserverless", "CreateLifecyclePolicy"), ("opensearchserverless", "UpdateLifecyclePolicy"),
    ("sesv2", "UpdateReputationEntityPolicy"), ("sns", "PutDataProtectionPolicy"), ("ssm", "PutParameter"),
    ("storagegateway", "CreateNFSFileShare"), ("storagegateway", "CreateSMBFileShare"),
    ("storagegateway", "UpdateNFSFileShare"), ("storagegateway", "UpdateSMBFileShare"),
    ("workspaces-web", "CreateBrowserSettings"), ("workspaces-web", "UpdateBrowserSettings"),
}  # fmt: skip
_READS = re.compile(r"(?:Get|List|Describe|Delete|Search|Check|Simulate|Detach|Disassociate|BatchImport)")
_IS_POLICY = re.compile(r"(?i)polic")
_IS_NAME = re.compile(
    r"(?:Arns?|ARNs?|Ids?|Names?|Types?|Identifier|Revision|RevisionId|Version|URL|Label|Condition|Number|Description|Token"
    r"|Status|Runtime|Enabled|Reason|imagePullPolicy|dnsPolicy|SnapshotPolicy|[sS]ecurityPolicy|ExperiencePolicy)$"
)


def setting_policies():
    """The operations of all services that take a text that is called a policy, wherever it stands in their input."""
    for path in sorted((Path(botocore.__file__).parent / "data").glob("*/*/service-2.json.gz")):
        text = gzip.decompress(path.read_bytes())
        if b"olic" not in text or path.parent.parent.name in {*OWN_SERVICES, "accessanalyzer", "sso-admin"}:
            continue
        model = json.loads(text)
        for name, operation in model["operations"].items():
            if not _READS.match(name) and "input" in operation:
                shape = operation["input"]["shape"]
                if any(texts_called_policies(model["shapes"], shape, frozenset({shape}))):
                    yield path.parent.parent.name, name


def texts_called_policies(shapes, name, above):
    """The members of a shape, and of what is within it, that are texts and called policies."""
    shape = shapes[name]
    for member, of in shape.get("members", {}).items():
        within = shapes[of["shape"]]
        is_text = within["type"] in {"string", "blob"} and "enum" not in within
        if is_text and _IS_POLICY.search(member) and not _IS_NAME.search(member):
            yield member
    inner = [*shape.get("members", {}).values(), *(shape[part] for part in ("member", "value") if part in shape)]
    for of in inner:
        if of["shape"] not in above:
            yield from texts_called_policies(shapes, of["shape"], above | {of["shape"]})


def test_every_operation_that_sets_a_policy_is_kept_refused_or_known_to_be_something_else():
    found = {one for one in setting_policies() if one not in effects._EFFECTS}
    refused = {one for one in found if (known := table(one[0])) is not None and one[1] in known.refused}
    assert found - refused == OTHERWISE
