"""AssumeRoot: who may act as a member account's root user, for which task, and what such a session may do."""

import json

import pytest
from botocore.exceptions import ClientError
from running import ACCOUNT, AWS, Credentials, allow, deny
from services.iam.key_material import certificate
from services.organizations.world import new_member
from services.sts.conftest import trusting

from iamd import accounts, ids
from iamd import start as starting
from iamd.accounts import Administrator
from iamd.auth import mfa
from iamd.services.iam import one_time_codes
from iamd.settings import Settings
from iamd.store.records import MFADevice

TASKS = "arn:aws:iam::aws:policy/root-task/"
AUDIT, CREATE, DELETE = (
    f"{TASKS}IAMAuditRootUserCredentials",
    f"{TASKS}IAMCreateRootUserPassword",
    f"{TASKS}IAMDeleteRootUserCredentials",
)
S3, SQS = f"{TASKS}S3UnlockBucketPolicy", f"{TASKS}SQSUnlockQueuePolicy"
IAM = "iam.amazonaws.com"


def prepare(aws):
    client = aws.client("organizations")
    client.create_organization()
    client.enable_aws_service_access(ServicePrincipal=IAM)
    iam = aws.client("iam")
    iam.enable_organizations_root_sessions()
    iam.enable_organizations_root_credentials_management()
    return client


@pytest.fixture
def organizations(aws):
    """An organization of the administrator's account with all of central root access."""
    return prepare(aws)


@pytest.fixture
def member(aws, organizations):
    return new_member(aws, "member")


@pytest.fixture
def asked(aws, member):
    """`asked(task, credentials, **parameters)` is what AssumeRoot answers of the member."""

    def ask(task=AUDIT, credentials=None, **parameters):
        given = {"TargetPrincipal": member.account_id, "TaskPolicyArn": {"arn": task}, **parameters}
        return aws.client("sts", credentials).assume_root(**given)

    return ask


@pytest.fixture
def root(aws, asked):
    """`root(task, service)` is a client of the member's root user."""
    return lambda task=AUDIT, service="iam": aws.client(service, Credentials.of(asked(task)["Credentials"]))


def attach(organizations, target, statement, policy_type="SERVICE_CONTROL_POLICY"):
    content = json.dumps({"Version": "2012-10-17", "Statement": statement})
    made = organizations.create_policy(Name=policy_type, Description="", Type=policy_type, Content=content)
    organizations.attach_policy(PolicyId=made["Policy"]["PolicySummary"]["Id"], TargetId=target)


def refusal(account_id, caller=f"arn:aws:iam::{ACCOUNT}:user/admin"):
    return f"User: {caller} is not authorized to perform: sts:AssumeRoot on resource: arn:aws:iam::{account_id}:root"


def test_the_session_is_the_members_root_user_named_by_number_or_arn(aws, member, asked):
    for principal in (member.account_id, f"arn:aws:iam::{member.account_id}:root"):
        session = Credentials.of(asked(TargetPrincipal=principal)["Credentials"])
        assert session.access_key_id.startswith("ASIA")
        identity = aws.client("sts", session).get_caller_identity()
        del identity["ResponseMetadata"]
        assert identity == {
            "UserId": member.account_id,
            "Account": member.account_id,
            "Arn": f"arn:aws:iam::{member.account_id}:root",
        }


def test_the_session_lasts_a_quarter_of_an_hour_or_less(aws, asked, refused):
    usual, short = asked(), asked(DurationSeconds=60)
    assert (usual["Credentials"]["Expiration"] - short["Credentials"]["Expiration"]).total_seconds() >= 839
    client = aws.client("iam", Credentials.of(short["Credentials"]))
    assert client.list_access_keys()["AccessKeyMetadata"] == []
    with refused("ValidationError", "less than or equal to 900"):
        asked(DurationSeconds=901)
    aws.advance(61)
    with refused("ExpiredToken"):
        client.list_access_keys()
    aws.client("iam", Credentials.of(usual["Credentials"])).list_access_keys()


def test_the_token_is_as_long_as_it_is_asked_to_be(aws, asked):
    small, large = asked(), asked(MinimumSessionTokenSize=3000)
    assert small["SessionTokenSize"] == len(small["Credentials"]["SessionToken"]) < 3000
    assert 3000 <= large["SessionTokenSize"] <= 3200
    assert large["SessionTokenUtilization"] > small["SessionTokenUtilization"]
    aws.client("iam", Credentials.of(large["Credentials"])).list_mfa_devices()


def test_a_session_may_do_its_task_and_nothing_else(member, root, refused):
    audit, delete, create = root(AUDIT), root(DELETE), root(CREATE)
    assert audit.get_user()["User"]["Arn"] == f"arn:aws:iam::{member.account_id}:root"
    assert audit.get_account_summary()["SummaryMap"]["AccountAccessKeysPresent"] == 0
    for client in (audit, delete, create):
        with refused("AccessDenied", "with an explicit deny in a session policy"):
            client.create_access_key()
        with refused("AccessDenied", "with an explicit deny in a session policy"):
            client.create_user(UserName="backdoor")
    with refused("AccessDenied", "iam:CreateLoginProfile"):
        audit.create_login_profile()
    with refused("AccessDenied", "iam:DeleteLoginProfile"):
        create.delete_login_profile()
    with refused("AccessDenied", "iam:GetUser"):
        create.get_user()


def test_a_session_reaches_no_user_of_the_account(member, root, refused):
    user = member.user("ann")
    for task in (AUDIT, DELETE):
        with refused("AccessDenied", "resource: user ann "):
            root(task).list_access_keys(UserName="ann")
    with refused("AccessDenied"):
        root(DELETE).delete_access_key(UserName="ann", AccessKeyId=user.access_key_id)
    with refused("NoSuchEntity"):
        root(DELETE).delete_access_key(AccessKeyId=user.access_key_id)
    with refused("AccessDenied"):
        root(CREATE).create_login_profile(UserName="ann", Password="Correct-Horse-1")


def test_the_root_users_password_is_made_recoverable_and_deleted(root, refused):
    with refused("NoSuchEntity", "Login Profile for User null cannot be found."):
        root(AUDIT).get_login_profile()
    with refused("NoSuchEntity", "Login Profile for User null cannot be found."):
        root(DELETE).delete_login_profile()
    with refused("ValidationError", "Password must be omitted"):
        root(CREATE).create_login_profile(Password="Correct-Horse-1")
    made = root(CREATE).create_login_profile(PasswordResetRequired=True)["LoginProfile"]
    assert made["PasswordResetRequired"] is True
    assert "UserName" not in made
    with refused("EntityAlreadyExists"):
        root(CREATE).create_login_profile()
    assert root(AUDIT).get_login_profile()["LoginProfile"] == made
    assert root(AUDIT).get_account_summary()["SummaryMap"]["AccountPasswordPresent"] == 1
    root(DELETE).delete_login_profile()
    assert root(AUDIT).get_account_summary()["SummaryMap"]["AccountPasswordPresent"] == 0


def test_the_credential_report_tells_the_root_users_password(member, root):
    root(CREATE).create_login_profile()
    iam = member.client("iam")
    iam.generate_credential_report()
    line = iam.get_credential_report()["Content"].decode().splitlines()[1].split(",")
    assert line[:1] + line[3:5] + line[6:7] == ["<root_account>", "true", "no_information", "not_supported"]


@pytest.fixture
def rooted_member(tmp_path, start):
    """An iamd with a member account whose root user has a key, a device and a certificate; `(aws, account, key id)`."""
    data = tmp_path / "rooted"
    aws = AWS(start("--backend", "none", data=data))
    prepare(aws)
    account_id = new_member(aws, "member").account_id
    aws.server.stop()
    owner = Administrator(account_id, "root", ids.access_key_id("AKIA", account_id), ids.secret_access_key())
    settings = Settings(data=data, backend="none")
    with starting.data_folder(settings):
        runtime = starting.open_runtime(settings)
        now = int(runtime.clock.timestamp())
        serial = f"arn:aws:iam::{account_id}:mfa/root-account-mfa-device"
        sealed = one_time_codes.sealed_seed(runtime.keyring, account_id, serial, mfa.generate_seed())

        def write(change):
            change.put(account_id, accounts.access_key(runtime.keyring, owner, None, now))
            device = MFADevice(serial_number=serial, sealed_seed=sealed, created=now, user_id="root", enabled=now)
            change.put(account_id, device)

        runtime.store.write(write).result()
        runtime.store.close()
    return (
        AWS(start("--backend", "none", data=data)),
        account_id,
        Credentials(owner.access_key_id, owner.secret_access_key),
    )


def test_the_root_users_own_credentials_are_listed_and_deleted(rooted_member, refused):
    aws, account_id, credentials = rooted_member
    own = aws.client("iam", credentials)
    serial = f"arn:aws:iam::{account_id}:mfa/root-account-mfa-device"
    uploaded = own.upload_signing_certificate(CertificateBody=certificate())["Certificate"]["CertificateId"]
    key_id = credentials.access_key_id

    def root(task):
        answer = aws.client("sts").assume_root(TargetPrincipal=account_id, TaskPolicyArn={"arn": task})
        return aws.client("iam", Credentials.of(answer["Credentials"]))

    audit = root(AUDIT)
    assert [one["AccessKeyId"] for one in audit.list_access_keys()["AccessKeyMetadata"]] == [key_id]
    assert [one["SerialNumber"] for one in audit.list_mfa_devices()["MFADevices"]] == [serial]
    assert [one["CertificateId"] for one in audit.list_signing_certificates()["Certificates"]] == [uploaded]
    assert audit.get_access_key_last_used(AccessKeyId=key_id)["AccessKeyLastUsed"]["ServiceName"] == "iam"
    with refused("ValidationError"):
        own.deactivate_mfa_device(SerialNumber=serial)
    delete = root(DELETE)
    delete.deactivate_mfa_device(SerialNumber=serial)
    delete.delete_signing_certificate(CertificateId=uploaded)
    delete.delete_access_key(AccessKeyId=key_id)
    with refused("InvalidClientTokenId"):
        own.list_access_keys()
    summary = audit.get_account_summary()["SummaryMap"]
    assert [summary[name] for name in summary if name.startswith("Account")] == [0, 0, 0, 0]


def test_a_root_users_own_key_assumes_no_root(rooted, refused):
    with refused("AccessDenied", "AssumeRoot may not be called by root accounts."):
        rooted.aws.client("sts", rooted.credentials).assume_root(TargetPrincipal=ACCOUNT, TaskPolicyArn={"arn": AUDIT})


def test_what_is_no_account_or_task_is_refused(member, asked, refused):
    for principal in (
        f"arn:aws:iam::{member.account_id}:user/ann",
        f"arn:aws:iam::{member.account_id}",
        "member-one-two",
    ):
        with refused("ValidationError", "Request must contain a valid target principal"):
            asked(TargetPrincipal=principal)
    with refused("ValidationError", "Request must contain valid AWS managed task policy ARN"):
        asked("arn:aws:iam::aws:policy/AdministratorAccess")


def test_each_feature_is_for_its_tasks(aws, member, asked, refused):
    iam = aws.client("iam")
    iam.disable_organizations_root_sessions()
    for task in (S3, SQS):
        with refused("AccessDenied", refusal(member.account_id)):
            asked(task)
    for task in (AUDIT, CREATE, DELETE):
        asked(task)
    iam.enable_organizations_root_sessions()
    iam.disable_organizations_root_credentials_management()
    for task in (AUDIT, CREATE, DELETE):
        with refused("AccessDenied", refusal(member.account_id)):
            asked(task)
    for task in (S3, SQS):
        asked(task)


def test_the_organization_must_trust_iam(organizations, member, asked, refused):
    organizations.disable_aws_service_access(ServicePrincipal=IAM)
    with refused("AccessDenied", refusal(member.account_id)):
        asked()


def test_only_members_of_the_callers_organization_are_reached(aws, organizations, member, asked, refused):
    alone = aws.iamd("CreateAccount", Name="alone")
    for account_id in (ACCOUNT, alone["AccountId"], "999999999999"):
        with refused("AccessDenied", refusal(account_id)):
            asked(TargetPrincipal=account_id)
    with refused("AccessDenied"):
        asked(credentials=Credentials.of(alone))
    organizations.close_account(AccountId=member.account_id)
    with refused("AccessDenied", refusal(member.account_id)):
        asked()


def test_a_delegated_administrator_may_and_other_members_may_not(aws, organizations, member, asked, refused):
    other = new_member(aws, "other")
    with refused("AccessDenied", "sts:AssumeRoot"):
        asked(credentials=other.credentials)
    organizations.register_delegated_administrator(AccountId=other.account_id, ServicePrincipal=IAM)
    session = asked(credentials=other.credentials)["Credentials"]
    assert aws.client("sts", Credentials.of(session)).get_caller_identity()["Account"] == member.account_id
    organizations.deregister_delegated_administrator(AccountId=other.account_id, ServicePrincipal=IAM)
    with refused("AccessDenied"):
        asked(credentials=other.credentials)


def test_a_policy_says_who_may_do_which_task_in_which_account(aws, member, asked, refused):
    other = new_member(aws, "other")
    resource = f"arn:aws:iam::{member.account_id}:root"
    auditor = aws.user("auditor", allow("sts:AssumeRoot", resource, StringEquals={"sts:TaskPolicyArn": AUDIT}))
    asked(AUDIT, auditor)
    with refused(
        "AccessDenied", f"auditor is not authorized to perform: sts:AssumeRoot on resource: {resource}"
    ) as told:
        asked(DELETE, auditor)
    assert told["Message"].endswith(resource)
    with refused("AccessDenied", f"sts:AssumeRoot on resource: arn:aws:iam::{other.account_id}:root"):
        asked(AUDIT, auditor, TargetPrincipal=other.account_id)
    careful = aws.user("careful", allow("sts:*"), deny("sts:AssumeRoot", StringNotEquals={"sts:TaskPolicyArn": AUDIT}))
    asked(AUDIT, careful)
    with refused("AccessDenied", f"careful is not authorized to perform: sts:AssumeRoot on resource: {resource}"):
        asked(S3, careful)


def test_scps_and_rcps_bind_callers_and_sessions(aws, organizations, member, asked, root, refused):
    other = new_member(aws, "other")
    organizations.register_delegated_administrator(AccountId=other.account_id, ServicePrincipal=IAM)
    attach(organizations, other.account_id, deny("sts:AssumeRoot"))
    with refused("AccessDenied", "sts:AssumeRoot"):
        asked(credentials=other.credentials)
    session = root(AUDIT)
    root_id = organizations.list_roots()["Roots"][0]["Id"]
    organizations.enable_policy_type(RootId=root_id, PolicyType="RESOURCE_CONTROL_POLICY")
    rcp = deny("sts:AssumeRoot") | {"Principal": "*"}
    attach(organizations, member.account_id, rcp, "RESOURCE_CONTROL_POLICY")
    with refused("AccessDenied", refusal(member.account_id)):
        asked()
    made = organizations.list_policies_for_target(TargetId=other.account_id, Filter="SERVICE_CONTROL_POLICY")[
        "Policies"
    ]
    [own] = [one for one in made if not one["AwsManaged"]]
    organizations.update_policy(
        PolicyId=own["Id"],
        Content=json.dumps({"Version": "2012-10-17", "Statement": deny("iam:ListAccessKeys")}),
    )
    organizations.attach_policy(PolicyId=own["Id"], TargetId=member.account_id)
    with refused("AccessDenied", "with an explicit deny in a service control policy"):
        session.list_access_keys()
    session.list_mfa_devices()


def test_a_source_identity_goes_on(aws, member, role, assume, asked):
    trust = trusting(ACCOUNT, "sts:AssumeRole", "sts:SetSourceIdentity")
    caller = assume(None, role("administrator", trust, allow("sts:AssumeRoot")), SourceIdentity="ann")
    answer = asked(credentials=caller)
    assert answer["SourceIdentity"] == "ann"
    aws.client("iam", Credentials.of(answer["Credentials"])).list_access_keys()
    [event] = [e for e in aws_events(member) if e["eventName"] == "ListAccessKeys"]
    assert event["userIdentity"]["sessionContext"]["sourceIdentity"] == "ann"
    assert "SourceIdentity" not in asked()


def test_no_session_token_assumes_root(aws, asked, refused):
    session = Credentials.of(aws.client("sts").get_session_token()["Credentials"])
    with refused("AccessDenied", "Cannot call AssumeRoot with session credentials"):
        asked(credentials=session)


def test_a_root_session_begins_no_other_session(aws, asked, refused):
    sts = aws.client("sts", Credentials.of(asked(DELETE)["Credentials"]))
    with refused("AccessDenied"):
        sts.get_session_token()
    with refused("AccessDenied"):
        sts.get_federation_token(Name="ann")
    with refused("AccessDenied"):
        sts.assume_root(TargetPrincipal=ACCOUNT, TaskPolicyArn={"arn": AUDIT})


def test_a_session_ends_with_what_it_derives_from_and_with_its_account(aws, organizations, member, asked, refused):
    caller = aws.user("caller", allow("sts:AssumeRoot"))
    iam = aws.client("iam", Credentials.of(asked(credentials=caller)["Credentials"]))
    iam.list_access_keys()
    aws.iamd("Quarantine", Target=caller.access_key_id)
    with refused("InvalidClientTokenId"):
        iam.list_access_keys()
    aws.advance(1)
    of_admin = aws.client("iam", Credentials.of(asked()["Credentials"]))
    of_admin.list_access_keys()
    organizations.close_account(AccountId=member.account_id)
    with refused("InvalidClientTokenId"):
        of_admin.list_access_keys()


def test_the_global_endpoint_knows_no_assume_root(aws, asked, refused):
    sts = aws.client("sts", None, user_agent_extra="global")

    def rename(request, **_):
        request.headers["Host"] = "sts.amazonaws.com"

    sts.meta.events.register("before-sign.sts.AssumeRoot", rename)
    with refused("InvalidAction", "Unknown Operation"):
        sts.assume_root(TargetPrincipal=ACCOUNT, TaskPolicyArn={"arn": AUDIT})


def aws_events(member):
    events = member.client("cloudtrail").lookup_events()["Events"]
    return [json.loads(event["CloudTrailEvent"]) for event in events]


def test_the_events_tell_who_assumed_root_and_what_the_session_did(aws, member, role, assume, asked, refused):
    """AWS: IAM User Guide, cloudtrail-track-privileged-tasks."""
    caller = assume(None, role("administrator", trusting(ACCOUNT), allow("sts:AssumeRoot")), "ann")
    session = Credentials.of(asked(DELETE, caller)["Credentials"])
    [event] = aws.events("AssumeRoot")
    assert event["eventSource"] == "sts.amazonaws.com"
    assert event["userIdentity"]["type"] == "AssumedRole"
    assert event["userIdentity"]["sessionContext"]["assumedRoot"] == "true"
    assert event["requestParameters"] == {"targetPrincipal": member.account_id, "taskPolicyArn": {"arn": DELETE}}
    assert event["responseElements"]["credentials"]["accessKeyId"] == session.access_key_id
    assert "secretAccessKey" not in event["responseElements"]["credentials"]
    assert event["recipientAccountId"] == ACCOUNT
    with refused("NoSuchEntity"):
        aws.client("iam", session).delete_login_profile()
    [done] = [event for event in aws_events(member) if event["eventName"] == "DeleteLoginProfile"]
    identity = done["userIdentity"]
    created = identity["sessionContext"]["attributes"].pop("creationDate")
    assert created == event["eventTime"]
    assert identity == {
        "type": "Root",
        "principalId": member.account_id,
        "arn": f"arn:aws:iam::{member.account_id}:root",
        "accountId": member.account_id,
        "accessKeyId": session.access_key_id,
        "sessionContext": {"attributes": {"mfaAuthenticated": "false"}},
    }


def test_a_refused_assume_root_is_an_event_too(aws, asked):
    with pytest.raises(ClientError):
        asked(credentials=aws.user("nobody"))
    [event] = aws.events("AssumeRoot")
    assert event["errorCode"] == "AccessDenied"
    assert "sessionContext" not in event["userIdentity"]
