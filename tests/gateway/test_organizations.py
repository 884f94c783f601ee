"""SCPs, RCPs and the keys of organizations behind the gateway: S3 and SQS of member accounts."""

import json
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError
from gateway.pools import unsigned
from running import REGION, Credentials, allow, deny

BUCKET = "arn:aws:s3:::files"
EVERYONE = {"Principal": "*"}


class Organization:
    """An organization of the administrator's account, and what a test does with it."""

    def __init__(self, cloud):
        self.cloud = cloud
        self.client = cloud.client("organizations")
        self.id = self.client.create_organization()["Organization"]["Id"]
        self.root_id = self.client.list_roots()["Roots"][0]["Id"]
        self.client.enable_policy_type(RootId=self.root_id, PolicyType="RESOURCE_CONTROL_POLICY")

    def member(self, name):
        """A new account, and its administrator's session."""
        request = self.client.create_account(AccountName=name, Email=f"{name}@example.com")
        request_id = request["CreateAccountStatus"]["Id"]
        status = self.client.describe_create_account_status(CreateAccountRequestId=request_id)
        account_id = status["CreateAccountStatus"]["AccountId"]
        role = f"arn:aws:iam::{account_id}:role/OrganizationAccountAccessRole"
        session = self.cloud.client("sts").assume_role(RoleArn=role, RoleSessionName="test")
        return account_id, Credentials.of(session["Credentials"])

    def attach(self, target_id, statement, policy_type="SERVICE_CONTROL_POLICY"):
        """Attach a new policy of one statement; its ARN."""
        content = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        name = f"policy-{len(self.client.list_policies(Filter=policy_type)['Policies'])}-{policy_type}"
        made = self.client.create_policy(Name=name, Description="", Type=policy_type, Content=content)
        summary = made["Policy"]["PolicySummary"]
        self.client.attach_policy(PolicyId=summary["Id"], TargetId=target_id)
        return summary["Arn"]

    def attach_rcp(self, target_id, statement):
        """Attach a new RCP of one statement; its ARN."""
        return self.attach(target_id, {**EVERYONE, **statement}, "RESOURCE_CONTROL_POLICY")


@pytest.fixture
def organization(cloud):
    return Organization(cloud)


@pytest.fixture
def outsider(cloud):
    """The administrator of an account in no organization."""
    added = cloud.iamd("CreateAccount", Name="alone")
    return Credentials(added["AccessKeyId"], added["SecretAccessKey"])


def set_policy(s3, *statements):
    document = {"Version": "2012-10-17", "Statement": [{**EVERYONE, **statement} for statement in statements]}
    s3.delete_public_access_block(Bucket="files")
    s3.put_bucket_policy(Bucket="files", Policy=json.dumps(document))


def denial(call, *arguments, **parameters):
    with pytest.raises(ClientError) as caught:
        call(*arguments, **parameters)
    assert caught.value.response["Error"]["Code"] in {"AccessDenied", "AccessDeniedException"}
    return caught.value.response["Error"]["Message"]


def anonymous(cloud):
    """The status of an answer to somebody who signs nothing."""
    try:
        with urllib.request.urlopen(f"{cloud.endpoint}/files/a", timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def session_arn(account_id):
    return f"arn:aws:sts::{account_id}:assumed-role/OrganizationAccountAccessRole/test"


def test_an_scp_keeps_a_members_administrator_from_buckets(cloud, organization):
    account_id, member = organization.member("dev")
    policy_arn = organization.attach(organization.root_id, deny("s3:CreateBucket", BUCKET))
    s3 = cloud.client("s3", member)
    assert denial(s3.create_bucket, Bucket="files") == (
        f"User: {session_arn(account_id)} is not authorized to perform: s3:CreateBucket on resource: "
        f'"{BUCKET}" with an explicit deny in a service control policy: {policy_arn}'
    )
    s3.create_bucket(Bucket="others")
    cloud.client("s3").create_bucket(Bucket="files")


def test_s3_tells_why_to_callers_of_the_same_organization(cloud, organization, outsider):
    account_id, member = organization.member("dev")
    owner = cloud.client("s3")
    owner.create_bucket(Bucket="files")
    set_policy(owner, deny("s3:GetObject", f"{BUCKET}/*"))
    assert denial(cloud.client("s3", member).get_object, Bucket="files", Key="a") == (
        f"User: {session_arn(account_id)} is not authorized to perform: s3:GetObject on resource: "
        f'"{BUCKET}/a" with an explicit deny in a resource-based policy'
    )
    assert denial(cloud.client("s3", outsider).get_object, Bucket="files", Key="a") == "Access Denied"


def test_what_no_scp_allows_is_denied_in_other_services_too(cloud, organization):
    account_id, member = organization.member("dev")
    organization.attach(account_id, allow(["s3:*", "iam:*"]))
    organization.client.detach_policy(PolicyId="p-FullAWSAccess", TargetId=account_id)
    cloud.client("s3", member).create_bucket(Bucket="files")
    sqs = cloud.client("sqs", member)
    assert denial(sqs.create_queue, QueueName="jobs") == (
        f"User: {session_arn(account_id)} is not authorized to perform: sqs:createqueue on resource: "
        f"arn:aws:sqs:{REGION}:{account_id}:jobs because no service control policy allows the sqs:createqueue action"
    )


def test_an_scp_binds_the_caller_whatever_a_bucket_policy_grants(cloud, organization):
    account_id, member = organization.member("dev")
    owner = cloud.client("s3")
    owner.create_bucket(Bucket="files")
    owner.put_object(Bucket="files", Key="a", Body=b"content")
    grant = {**allow("s3:GetObject", f"{BUCKET}/*"), "Principal": {"AWS": session_arn(account_id)}}
    owner.put_bucket_policy(Bucket="files", Policy=json.dumps({"Version": "2012-10-17", "Statement": [grant]}))
    s3 = cloud.client("s3", member)
    assert s3.get_object(Bucket="files", Key="a")["Body"].read() == b"content"
    organization.attach(account_id, deny("s3:GetObject"))
    denial(s3.get_object, Bucket="files", Key="a")


def test_an_scp_decides_each_key_of_a_batch(cloud, organization):
    account_id, member = organization.member("dev")
    s3 = cloud.client("s3", member)
    s3.create_bucket(Bucket="files")
    for key in ("keep/a", "b"):
        s3.put_object(Bucket="files", Key=key, Body=b"")
    organization.attach(account_id, deny("s3:DeleteObject", f"{BUCKET}/keep/*"))
    answer = s3.delete_objects(Bucket="files", Delete={"Objects": [{"Key": "keep/a"}, {"Key": "b"}]})
    assert [one["Key"] for one in answer["Deleted"]] == ["b"]
    assert [(one["Key"], one["Code"]) for one in answer["Errors"]] == [("keep/a", "AccessDenied")]


def test_an_rcp_on_a_members_bucket_keeps_foreign_callers_out(cloud, organization, outsider):
    _, member = organization.member("dev")
    s3 = cloud.client("s3", member)
    s3.create_bucket(Bucket="files")
    s3.put_object(Bucket="files", Key="a", Body=b"content")
    set_policy(s3, allow("s3:GetObject", f"{BUCKET}/*"))
    foreign, within = cloud.client("s3", outsider), cloud.client("s3")
    for caller in (foreign, within):
        assert caller.get_object(Bucket="files", Key="a")["Body"].read() == b"content"
    others = {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": organization.id}}
    rcp_arn = organization.attach_rcp(organization.root_id, deny("s3:*", **others))
    # AWS: S3 tells callers of other accounts nothing.
    assert denial(foreign.get_object, Bucket="files", Key="a") == "Access Denied"
    assert within.get_object(Bucket="files", Key="a")["Body"].read() == b"content"
    assert s3.get_object(Bucket="files", Key="a")["Body"].read() == b"content"
    organization.client.detach_policy(PolicyId=rcp_arn.rpartition("/")[2], TargetId=organization.root_id)
    assert foreign.get_object(Bucket="files", Key="a")["Body"].read() == b"content"


def test_an_rcp_keeps_the_anonymous_out(cloud, organization):
    _, member = organization.member("dev")
    s3 = cloud.client("s3", member)
    s3.create_bucket(Bucket="files")
    s3.put_object(Bucket="files", Key="a", Body=b"content")
    set_policy(s3, allow("s3:GetObject", f"{BUCKET}/*"))
    assert anonymous(cloud) == 200
    others = {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": organization.id}}
    organization.attach_rcp(organization.root_id, deny("s3:*", **others))
    assert anonymous(cloud) == 403


def test_an_rcp_binds_the_owner_too_and_is_told_so(cloud, organization):
    account_id, member = organization.member("dev")
    s3 = cloud.client("s3", member)
    s3.create_bucket(Bucket="files")
    policy_arn = organization.attach_rcp(account_id, deny("s3:PutObject"))
    assert denial(s3.put_object, Bucket="files", Key="a", Body=b"") == (
        f"User: {session_arn(account_id)} is not authorized to perform: s3:PutObject on resource: "
        f'"{BUCKET}/a" with an explicit deny in a resource control policy: {policy_arn}'
    )


def test_an_rcp_does_not_reach_the_management_accounts_buckets(cloud, organization):
    organization.attach_rcp(organization.root_id, deny("s3:*"))
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="files")
    s3.put_object(Bucket="files", Key="a", Body=b"content")
    assert s3.get_object(Bucket="files", Key="a")["Body"].read() == b"content"


def test_an_rcp_does_not_reach_other_services(cloud, organization):
    account_id, member = organization.member("dev")
    organization.attach_rcp(account_id, deny("sqs:*"))
    assert cloud.client("sns", member).create_topic(Name="news")["TopicArn"]
    denial(cloud.client("sqs", member).create_queue, QueueName="jobs")


def test_a_bucket_policy_lets_an_organization_in(cloud, organization, outsider):
    _, member = organization.member("dev")
    owner = cloud.client("s3")
    owner.create_bucket(Bucket="files")
    owner.put_object(Bucket="files", Key="a", Body=b"content")
    own = {"StringEquals": {"aws:PrincipalOrgID": organization.id}}
    set_policy(owner, allow("s3:GetObject", f"{BUCKET}/*", **own))
    assert cloud.client("s3", member).get_object(Bucket="files", Key="a")["Body"].read() == b"content"
    denial(cloud.client("s3", outsider).get_object, Bucket="files", Key="a")
    assert anonymous(cloud) == 403


def test_a_bucket_policy_lets_one_unit_in(cloud, organization):
    account_id, member = organization.member("dev")
    owner = cloud.client("s3")
    owner.create_bucket(Bucket="files")
    owner.put_object(Bucket="files", Key="a", Body=b"content")
    client = organization.client
    unit = client.create_organizational_unit(ParentId=organization.root_id, Name="unit")["OrganizationalUnit"]
    below = {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{unit['Path']}*"}}
    set_policy(owner, allow("s3:GetObject", f"{BUCKET}/*", **below))
    s3 = cloud.client("s3", member)
    denial(s3.get_object, Bucket="files", Key="a")
    client.move_account(AccountId=account_id, SourceParentId=organization.root_id, DestinationParentId=unit["Id"])
    assert s3.get_object(Bucket="files", Key="a")["Body"].read() == b"content"


def test_an_scp_keeps_data_within_the_organization(cloud, organization, outsider):
    account_id, member = organization.member("dev")
    foreign = cloud.client("s3", outsider)
    foreign.create_bucket(Bucket="files")
    set_policy(foreign, allow("s3:PutObject", f"{BUCKET}/*"))
    s3 = cloud.client("s3", member)
    s3.create_bucket(Bucket="own-files")
    s3.put_object(Bucket="files", Key="a", Body=b"")
    outside = {"StringNotEquals": {"aws:ResourceOrgID": "${aws:PrincipalOrgID}"}}
    organization.attach(account_id, deny("s3:PutObject", **outside))
    denial(s3.put_object, Bucket="files", Key="b", Body=b"")
    s3.put_object(Bucket="own-files", Key="b", Body=b"")
    assert s3.list_objects_v2(Bucket="own-files")["KeyCount"] == 1


def test_a_denial_names_the_policy_to_those_who_ask(cloud, organization):
    account_id, member = organization.member("dev")
    policy_arn = organization.attach(account_id, deny("s3:CreateBucket"))
    s3 = cloud.client("s3", member)
    with pytest.raises(ClientError) as caught:
        s3.create_bucket(Bucket="files")
    explained = cloud.explain(caught.value.response["ResponseMetadata"]["RequestId"], member)
    [decision] = explained["Decisions"]
    named = f"{policy_arn} (attached to account {account_id})"
    assert [(one["Layer"], one["Policy"]) for one in decision["Statements"]] == [("service control policy", named)]
    assert decision["Context"]["aws:principalorgid"] == [organization.id]


def test_an_rcp_keeps_guests_out_of_a_members_identity_pools(cloud, organization):
    """AWS: aws-samples/resource-control-policy-examples, Cognito-Deny-identity-pool-unauthenticated-access."""
    account, administrator = organization.member("guests")
    pools, users = cloud.client("cognito-identity", administrator), unsigned(cloud, "cognito-identity")
    pool = pools.create_identity_pool(IdentityPoolName="p", AllowUnauthenticatedIdentities=True)["IdentityPoolId"]
    guest = users.get_id(IdentityPoolId=pool)["IdentityId"]
    of_guests = {"StringLike": {"cognito-identity-unauth:IdentityPoolArn": "*"}}
    actions = ["cognito-identity:GetId", "cognito-identity:GetCredentialsForIdentity"]
    organization.attach_rcp(account, deny(actions, **of_guests))
    for call, given in ((users.get_id, {"IdentityPoolId": pool}),
                        (users.get_credentials_for_identity, {"IdentityId": guest})):  # fmt: skip
        with pytest.raises(ClientError) as refused:
            call(**given)
        assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
        assert "resource control policy" in refused.value.response["Error"]["Message"]
    # Who brings a login is none of these guests, and is refused for it being none.
    with pytest.raises(ClientError) as refused:
        users.get_id(IdentityPoolId=pool, Logins={f"cognito-idp.{REGION}.amazonaws.com/{REGION}_a": "x"})
    assert refused.value.response["Error"]["Code"] == "NotAuthorizedException"
