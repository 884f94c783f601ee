"""Access advisor: which services a user, group, role or policy may use, and who asked for them last."""

import json

import pytest
from botocore.exceptions import ClientError
from running import ACCOUNT, Credentials, allow, deny

S3, SQS, SNS, IAM = "Amazon S3", "Amazon SQS", "Amazon SNS", "AWS Identity and Access Management"


@pytest.fixture
def report(iam):
    """`report(arn, **parameters)` is the answer of GetServiceLastAccessedDetails for a new report."""

    def make(arn, client=iam, **parameters):
        job_id = client.generate_service_last_accessed_details(Arn=arn, **parameters)["JobId"]
        return client.get_service_last_accessed_details(JobId=job_id)

    return make


@pytest.fixture
def ann(aws, iam):
    """The user `ann`, who may do what a test gives her; her key."""
    iam.create_user(UserName="ann", Path="/team/")
    return Credentials.of(iam.create_access_key(UserName="ann")["AccessKey"])


ANN = f"arn:aws:iam::{ACCOUNT}:user/team/ann"


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def gives(iam, *statements, user="ann"):
    iam.put_user_policy(UserName=user, PolicyName="test", PolicyDocument=document(*statements))


def names(answer):
    return [(one["ServiceName"], one["ServiceNamespace"]) for one in answer["ServicesLastAccessed"]]


def namespaces(answer):
    return [one["ServiceNamespace"] for one in answer["ServicesLastAccessed"]]


def service(answer, namespace):
    [found] = [one for one in answer["ServicesLastAccessed"] if one["ServiceNamespace"] == namespace]
    return found


def refuse(call, **parameters):
    with pytest.raises(ClientError):
        call(**parameters)


def test_a_report_is_done_at_once_and_lists_services_by_namespace(iam, ann, report):
    gives(iam, allow(["sqs:SendMessage", "s3:GetObject", "iam:GetUser"]))
    answer = report(ANN)
    assert (answer["JobStatus"], answer["JobType"], answer["IsTruncated"]) == ("COMPLETED", "SERVICE_LEVEL", False)
    assert answer["JobCreationDate"] <= answer["JobCompletionDate"]
    assert names(answer) == [(IAM, "iam"), (S3, "s3"), (SQS, "sqs")]
    assert answer["ServicesLastAccessed"][1] == {
        "ServiceName": S3,
        "ServiceNamespace": "s3",
        "TotalAuthenticatedEntities": 0,
    }


def test_who_has_no_policies_may_use_no_service(ann, report):
    assert report(ANN)["ServicesLastAccessed"] == []


def test_the_last_use_is_told_with_its_region_and_user_whatever_came_of_it(aws, iam, ann, report):
    gives(iam, allow(["iam:GetUser", "sts:*", "cloudtrail:LookupEvents"]))
    aws.client("iam", ann).get_user()
    refuse(aws.client("iam", ann).list_users)
    aws.client("cloudtrail", ann).lookup_events()
    answer = report(ANN)
    used = service(answer, "iam")
    assert abs((used["LastAuthenticated"] - answer["JobCreationDate"]).total_seconds()) < 60
    assert (used["LastAuthenticatedEntity"], used["LastAuthenticatedRegion"]) == (ANN, "us-east-1")
    assert used["TotalAuthenticatedEntities"] == 1
    assert "LastAuthenticated" not in service(answer, "sts")
    assert service(answer, "cloudtrail")["TotalAuthenticatedEntities"] == 1


def test_a_denied_request_is_a_use_too_and_a_later_one_counts(aws, iam, ann, report):
    gives(iam, allow("iam:GetUser"))
    refuse(aws.client("iam", ann).list_users)
    first = service(report(ANN), "iam")["LastAuthenticated"]
    aws.advance(120)
    aws.client("iam", ann).get_user()
    second = service(report(ANN), "iam")["LastAuthenticated"]
    assert 119 <= (second - first).total_seconds() <= 180


def test_what_is_not_signed_rightly_is_no_use(aws, iam, ann, report):
    gives(iam, allow("iam:GetUser"))
    refuse(aws.client("iam", Credentials(ann.access_key_id, "x" * 40)).get_user)
    assert service(report(ANN), "iam")["TotalAuthenticatedEntities"] == 0


def test_actions_are_told_when_they_are_asked_for(aws, iam, ann, report):
    gives(iam, allow(["iam:GetUser", "iam:ListUsers", "iam:PassRole", "s3:GetObject", "sqs:CreateQueue"]))
    aws.client("iam", ann).get_user()
    assert "TrackedActionsLastAccessed" not in service(report(ANN, Granularity="SERVICE_LEVEL"), "iam")
    answer = report(ANN, Granularity="ACTION_LEVEL")
    assert answer["JobType"] == "ACTION_LEVEL"
    used = service(answer, "iam")
    assert used["TrackedActionsLastAccessed"] == [
        {
            "ActionName": "GetUser",
            "LastAccessedTime": used["LastAuthenticated"],
            "LastAccessedEntity": ANN,
            "LastAccessedRegion": "us-east-1",
        },
        {"ActionName": "ListUsers"},
    ]
    assert "TrackedActionsLastAccessed" not in service(answer, "s3")
    assert service(answer, "sqs")["TrackedActionsLastAccessed"] == [{"ActionName": "CreateQueue"}]


def test_passing_roles_alone_tells_the_service_and_no_action(iam, ann, report):
    """AWS: recorded so, September 2026."""
    gives(iam, allow("iam:PassRole"))
    assert report(ANN, Granularity="ACTION_LEVEL")["ServicesLastAccessed"] == [
        {"ServiceName": IAM, "ServiceNamespace": "iam", "TotalAuthenticatedEntities": 0}
    ]


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([allow("s3:GetObject")], ["s3"]),
        ([deny("s3:*")], []),
        ([allow("s3:GetObject"), deny("s3:*")], []),
        ([allow("s3:GetObject", StringEquals={"aws:username": "nobody"})], ["s3"]),
        ([allow("s3:GetObject"), deny("s3:*", StringEquals={"aws:username": "nobody"})], ["s3"]),
        ([allow("s3:*"), deny("s3:*", "arn:aws:s3:::files/*")], ["s3"]),
        ([allow("s3:NoSuchAction")], []),
        ([allow("nosuchservice:Read")], []),
        ([allow("S3:GETOBJECT")], ["s3"]),
        ([allow("s3:Get*")], ["s3"]),
    ],
)
def test_a_service_is_listed_when_the_policies_may_allow_an_action_of_it(iam, ann, report, statements, expected):
    """AWS: recorded so, September 2026."""
    gives(iam, *statements)
    assert namespaces(report(ANN)) == expected


def test_a_denial_counts_for_all_policies_of_a_user(iam, ann, report):
    gives(iam, allow(["s3:GetObject", "sqs:*"]))
    iam.create_group(GroupName="devs")
    iam.add_user_to_group(GroupName="devs", UserName="ann")
    iam.put_group_policy(GroupName="devs", PolicyName="no", PolicyDocument=document(deny("s3:*"), allow("sns:*")))
    assert namespaces(report(ANN)) == ["sns", "sqs"]


def test_boundaries_and_trust_make_no_difference(iam, ann, report):
    gives(iam, allow(["s3:GetObject", "sqs:*"]))
    made = iam.create_policy(PolicyName="boundary", PolicyDocument=document(allow("sns:*")))["Policy"]["Arn"]
    iam.put_user_permissions_boundary(UserName="ann", PermissionsBoundary=made)
    assert namespaces(report(ANN)) == ["s3", "sqs"]


def test_an_administrator_may_use_every_service(iam, ann, report, paged):
    iam.attach_user_policy(UserName="ann", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    job_id = iam.generate_service_last_accessed_details(Arn=ANN)["JobId"]
    first = iam.get_service_last_accessed_details(JobId=job_id)
    assert (len(first["ServicesLastAccessed"]), first["IsTruncated"]) == (200, True)
    everything = iam.get_service_last_accessed_details(JobId=job_id, MaxItems=1000)
    assert everything["IsTruncated"] is False
    assert len(namespaces(everything)) > 450
    assert namespaces(everything) == sorted(namespaces(everything))
    rest = iam.get_service_last_accessed_details(JobId=job_id, Marker=first["Marker"], MaxItems=1000)
    assert namespaces(first) + namespaces(rest) == namespaces(everything)


def test_a_group_is_used_by_its_members(aws, iam, ann, report):
    iam.create_group(GroupName="devs", Path="/team/")
    iam.put_group_policy(GroupName="devs", PolicyName="p", PolicyDocument=document(allow(["iam:GetUser", "sqs:*"])))
    bob = aws.user("bob")
    aws.user("carl")
    for name in ("ann", "bob"):
        iam.add_user_to_group(GroupName="devs", UserName=name)
    aws.client("iam", ann).get_user()
    aws.advance(60)
    aws.client("iam", bob).get_user()
    arn = f"arn:aws:iam::{ACCOUNT}:group/team/devs"
    job_id = iam.generate_service_last_accessed_details(Arn=arn)["JobId"]
    answer = iam.get_service_last_accessed_details(JobId=job_id)
    assert namespaces(answer) == ["iam", "sqs"]
    used = service(answer, "iam")
    assert used["LastAuthenticatedEntity"] == f"arn:aws:iam::{ACCOUNT}:user/bob"
    assert used["TotalAuthenticatedEntities"] == 2
    told = iam.get_service_last_accessed_details_with_entities(JobId=job_id, ServiceNamespace="iam")
    assert told["JobStatus"] == "COMPLETED"
    assert [one["EntityInfo"]["Name"] for one in told["EntityDetailsList"]] == ["bob", "ann"]
    assert told["EntityDetailsList"][1]["EntityInfo"] == {
        "Arn": ANN,
        "Name": "ann",
        "Type": "USER",
        "Id": iam.get_user(UserName="ann")["User"]["UserId"],
        "Path": "/team/",
    }
    assert told["EntityDetailsList"][0]["LastAuthenticated"] == used["LastAuthenticated"]
    unused = iam.get_service_last_accessed_details_with_entities(JobId=job_id, ServiceNamespace="sqs")
    assert [one["EntityInfo"]["Name"] for one in unused["EntityDetailsList"]] == ["bob", "ann"]
    assert "LastAuthenticated" not in unused["EntityDetailsList"][0]


def test_a_role_is_used_by_its_sessions(aws, iam, report):
    trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    arn = iam.create_role(RoleName="app", AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName="app", PolicyName="p", PolicyDocument=document(allow("iam:*")))
    for name in ("first", "second"):
        session = aws.client("sts").assume_role(RoleArn=arn, RoleSessionName=name)["Credentials"]
        aws.client("iam", Credentials.of(session)).list_users()
    answer = report(arn, Granularity="ACTION_LEVEL")
    used = service(answer, "iam")
    assert (used["LastAuthenticatedEntity"], used["TotalAuthenticatedEntities"]) == (arn, 1)
    [action] = [one for one in used["TrackedActionsLastAccessed"] if "LastAccessedTime" in one]
    assert (action["ActionName"], action["LastAccessedEntity"]) == ("ListUsers", arn)


def test_a_users_own_and_federated_sessions_are_its_use(aws, iam, ann, report):
    gives(iam, allow("*"))
    session = aws.client("sts", ann).get_federation_token(Name="fed", Policy=document(allow("cloudtrail:*")))
    aws.client("cloudtrail", Credentials.of(session["Credentials"])).lookup_events()
    job_id = iam.generate_service_last_accessed_details(Arn=ANN)["JobId"]
    answer = iam.get_service_last_accessed_details(JobId=job_id, MaxItems=1000)
    assert service(answer, "cloudtrail")["LastAuthenticatedEntity"] == ANN


def test_a_policy_is_used_by_whoever_has_it(aws, iam, ann, report, paged):
    arn = iam.create_policy(PolicyName="send", PolicyDocument=document(allow(["iam:GetUser", "sqs:*"])))["Policy"][
        "Arn"
    ]
    assert namespaces(report(arn)) == ["iam", "sqs"]
    iam.attach_user_policy(UserName="ann", PolicyArn=arn)
    bob = aws.user("bob")
    iam.create_group(GroupName="devs")
    iam.add_user_to_group(GroupName="devs", UserName="bob")
    iam.attach_group_policy(GroupName="devs", PolicyArn=arn)
    trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=document(trust))
    iam.attach_role_policy(RoleName="app", PolicyArn=arn)
    aws.client("iam", bob).get_user()
    job_id = iam.generate_service_last_accessed_details(Arn=arn)["JobId"]
    answer = iam.get_service_last_accessed_details(JobId=job_id)
    assert service(answer, "iam")["LastAuthenticatedEntity"] == f"arn:aws:iam::{ACCOUNT}:user/bob"
    found = paged(
        iam.get_service_last_accessed_details_with_entities, "EntityDetailsList", JobId=job_id, ServiceNamespace="iam"
    )
    assert [(one["EntityInfo"]["Type"], one["EntityInfo"]["Name"]) for one in found] == [
        ("USER", "bob"),
        ("USER", "ann"),
        ("ROLE", "app"),
    ]
    iam.detach_role_policy(RoleName="app", PolicyArn=arn)
    iam.delete_role(RoleName="app")
    left = iam.get_service_last_accessed_details_with_entities(JobId=job_id, ServiceNamespace="iam")
    assert [one["EntityInfo"]["Name"] for one in left["EntityDetailsList"]] == ["bob", "ann"]


def test_a_policy_of_awss_own_may_be_reported_on(iam, ann, report):
    arn = "arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess"
    iam.attach_user_policy(UserName="ann", PolicyArn=arn)
    answer = report(arn)
    assert "sqs" in namespaces(answer)


def test_a_report_stays_as_it_was_made_and_pages_stay_its_own(aws, iam, ann, paged, refused):
    gives(iam, allow(["iam:GetUser", "sqs:*", "sns:*"]))
    job_id = iam.generate_service_last_accessed_details(Arn=ANN)["JobId"]
    gives(iam, allow("s3:*"))
    found = paged(iam.get_service_last_accessed_details, "ServicesLastAccessed", JobId=job_id)
    assert [one["ServiceNamespace"] for one in found] == ["iam", "sns", "sqs"]
    assert "LastAuthenticated" not in found[0]
    other = iam.generate_service_last_accessed_details(Arn=ANN)["JobId"]
    marker = iam.get_service_last_accessed_details(JobId=job_id, MaxItems=1)["Marker"]
    with refused("ValidationError"):
        iam.get_service_last_accessed_details(JobId=other, Marker=marker)


def test_what_is_no_entity_is_refused(iam, refused):
    missing = f"arn:aws:iam::{ACCOUNT}:user/nobody"
    with refused("NoSuchEntity"):
        iam.generate_service_last_accessed_details(Arn=missing)
    with refused("NoSuchEntity"):
        iam.generate_service_last_accessed_details(Arn=f"arn:aws:iam::{ACCOUNT}:policy/nothing")
    for arn in (f"arn:aws:iam::{ACCOUNT}:root", "arn:aws:s3:::files/object", f"arn:aws:iam::{ACCOUNT}:mfa/phone"):
        with refused("InvalidInput"):
            iam.generate_service_last_accessed_details(Arn=arn)
    with refused("InvalidInput"):
        iam.generate_service_last_accessed_details(Arn="arn:aws:iam::999999999999:user/ann")


def test_another_path_is_another_entity(iam, ann, refused):
    with refused("NoSuchEntity"):
        iam.generate_service_last_accessed_details(Arn=f"arn:aws:iam::{ACCOUNT}:user/ann")


def test_a_report_is_its_callers_alone(aws, iam, ann, refused):
    asker = aws.user("asker", allow("iam:*"), allow("sts:AssumeRole"))
    mine = aws.client("iam", asker)
    job_id = mine.generate_service_last_accessed_details(Arn=ANN)["JobId"]
    second = Credentials.of(iam.create_access_key(UserName="asker")["AccessKey"])
    assert aws.client("iam", second).get_service_last_accessed_details(JobId=job_id)["JobStatus"] == "COMPLETED"
    with refused("NoSuchEntity"):
        iam.get_service_last_accessed_details(JobId=job_id)
    with refused("NoSuchEntity"):
        iam.get_service_last_accessed_details_with_entities(JobId=job_id, ServiceNamespace="s3")
    with refused("NoSuchEntity", f"Job {'0' * 36} does not exist."):
        iam.get_service_last_accessed_details(JobId="0" * 36)
    trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName="app", AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName="app", PolicyName="p", PolicyDocument=document(allow("iam:*")))
    one, two = (
        aws.client(
            "iam", Credentials.of(aws.client("sts").assume_role(RoleArn=role, RoleSessionName="same")["Credentials"])
        )
        for _ in range(2)
    )
    of_session = one.generate_service_last_accessed_details(Arn=ANN)["JobId"]
    one.get_service_last_accessed_details(JobId=of_session)
    with refused("NoSuchEntity"):
        two.get_service_last_accessed_details(JobId=of_session)


def test_a_namespace_that_is_none_is_refused(iam, ann, refused):
    gives(iam, allow("s3:*"))
    job_id = iam.generate_service_last_accessed_details(Arn=ANN)["JobId"]
    with refused("InvalidInput", "Service namepace nothing is either invalid or unsupported."):
        iam.get_service_last_accessed_details_with_entities(JobId=job_id, ServiceNamespace="nothing")
    answer = iam.get_service_last_accessed_details_with_entities(JobId=job_id, ServiceNamespace="ec2")
    assert answer["EntityDetailsList"] == []


def test_a_caller_keeps_the_newest_hundred(iam, ann, refused):
    gives(iam, allow("s3:*"))
    jobs = [iam.generate_service_last_accessed_details(Arn=ANN)["JobId"] for _ in range(102)]
    there = 0
    for job_id in jobs:
        try:
            iam.get_service_last_accessed_details(JobId=job_id)
            there += 1
        except iam.exceptions.NoSuchEntityException:
            pass
    assert there == 100


def test_a_report_is_kept_for_a_week(aws, iam, ann, refused):
    gives(iam, allow("s3:*"))
    job_id = iam.generate_service_last_accessed_details(Arn=ANN)["JobId"]
    aws.advance(7 * 86400 - 30)
    later = iam.generate_service_last_accessed_details(Arn=ANN)["JobId"]
    assert iam.get_service_last_accessed_details(JobId=job_id)["JobStatus"] == "COMPLETED"
    aws.advance(30)
    with refused("NoSuchEntity"):
        iam.get_service_last_accessed_details(JobId=job_id)
    assert iam.get_service_last_accessed_details(JobId=later)["JobStatus"] == "COMPLETED"


def test_uses_longer_ago_than_four_hundred_days_are_not_told(aws, iam, ann, report):
    gives(iam, allow("iam:GetUser"))
    aws.client("iam", ann).get_user()
    aws.advance(399 * 86400)
    assert "LastAuthenticated" in service(report(ANN), "iam")
    aws.advance(2 * 86400)
    assert "LastAuthenticated" not in service(report(ANN), "iam")


def test_each_is_denied_without_permission(denied, iam, ann):
    gives(iam, allow("s3:*"))
    job_id = iam.generate_service_last_accessed_details(Arn=ANN)["JobId"]
    denied("GenerateServiceLastAccessedDetails", ANN, Arn=ANN)
    denied("GetServiceLastAccessedDetails", "*", JobId=job_id)
    denied("GetServiceLastAccessedDetailsWithEntities", "*", JobId=job_id, ServiceNamespace="s3")


def test_a_policy_may_name_what_is_reported_on(aws, iam, ann, report, refused):
    made = iam.create_policy(PolicyName="send", PolicyDocument=document(allow("sqs:*")))["Policy"]["Arn"]
    asker = aws.client("iam", aws.user("asker", allow("iam:Generate*", made)))
    asker.generate_service_last_accessed_details(Arn=made)
    with refused("AccessDenied"):
        asker.generate_service_last_accessed_details(Arn=ANN)


def test_each_is_an_event(iam, ann, event_of):
    gives(iam, allow("s3:*"))
    answer = iam.generate_service_last_accessed_details(Arn=ANN, Granularity="ACTION_LEVEL")
    event = event_of(answer)
    assert event["eventName"] == "GenerateServiceLastAccessedDetails"
    assert event["requestParameters"] == {"arn": ANN, "granularity": "ACTION_LEVEL"}
    assert event["responseElements"] == {"jobId": answer["JobId"]}
    event = event_of(iam.get_service_last_accessed_details(JobId=answer["JobId"]))
    assert event["requestParameters"] == {"jobId": answer["JobId"]}
    assert event["readOnly"] is True
    event = event_of(iam.get_service_last_accessed_details_with_entities(JobId=answer["JobId"], ServiceNamespace="s3"))
    assert event["eventName"] == "GetServiceLastAccessedDetailsWithEntities"
    assert event["requestParameters"] == {"jobId": answer["JobId"], "serviceNamespace": "s3"}
