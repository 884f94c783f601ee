"""An organization's access reports: what SCPs let accounts use, which account used it last, and how jobs fail."""

import json

import pytest
from running import ACCOUNT, AWS, Credentials, allow, deny
from services.organizations.world import new_member

SCP = "SERVICE_CONTROL_POLICY"
READ = ["iam:*OrganizationsAccessReport", "organizations:Describe*", "organizations:List*"]


class Organization:
    """An organization with a unit, and a member in the root and one in the unit."""

    def __init__(self, aws):
        self.client = aws.client("organizations")
        self.id = self.client.create_organization()["Organization"]["Id"]
        self.root_id = self.client.list_roots()["Roots"][0]["Id"]
        made = self.client.create_organizational_unit(ParentId=self.root_id, Name="unit")
        self.unit_id = made["OrganizationalUnit"]["Id"]
        self.outside, self.inside = new_member(aws, "outside"), new_member(aws, "inside")
        self.client.move_account(
            AccountId=self.inside.account_id, SourceParentId=self.root_id, DestinationParentId=self.unit_id
        )
        self.root = f"{self.id}/{self.root_id}"
        self.unit = f"{self.root}/{self.unit_id}"
        self.outside_path = f"{self.root}/{self.outside.account_id}"
        self.inside_path = f"{self.unit}/{self.inside.account_id}"

    def scp(self, *statements, target=None, keep=False):
        """A new SCP; attached to a target it takes the place of FullAWSAccess, unless that is kept."""
        content = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        name = f"policy-{len(self.client.list_policies(Filter=SCP)['Policies'])}"
        made = self.client.create_policy(Name=name, Description="", Type=SCP, Content=content)
        policy_id = made["Policy"]["PolicySummary"]["Id"]
        if target is not None:
            self.client.attach_policy(PolicyId=policy_id, TargetId=target)
            if not keep:
                self.client.detach_policy(PolicyId="p-FullAWSAccess", TargetId=target)
        return policy_id


@pytest.fixture
def organization(aws):
    return Organization(aws)


@pytest.fixture
def report(aws, iam):
    """`report(path, **parameters)` is a new report, when it is done."""

    def make(path, client=iam, **parameters):
        job_id = client.generate_organizations_access_report(EntityPath=path, **parameters)["JobId"]
        aws.advance(2)
        return client.get_organizations_access_report(JobId=job_id, MaxItems=1000)

    return make


def namespaces(answer):
    return [one["ServiceNamespace"] for one in answer["AccessDetails"]]


def service(answer, namespace):
    [found] = [one for one in answer["AccessDetails"] if one["ServiceNamespace"] == namespace]
    return found


def test_a_report_takes_a_moment(aws, iam, organization):
    job_id = iam.generate_organizations_access_report(EntityPath=organization.unit)["JobId"]
    answer = iam.get_organizations_access_report(JobId=job_id)
    assert (answer["JobStatus"], answer["IsTruncated"]) == ("IN_PROGRESS", False)
    assert not {"JobCompletionDate", "AccessDetails", "NumberOfServicesAccessible"} & answer.keys()
    aws.advance(2)
    answer = iam.get_organizations_access_report(JobId=job_id)
    assert answer["JobStatus"] == "COMPLETED"
    assert (answer["JobCompletionDate"] - answer["JobCreationDate"]).total_seconds() == 2


def test_scps_say_which_services_accounts_may_use(organization, report):
    everything = report(organization.unit)
    assert everything["NumberOfServicesAccessible"] == len(everything["AccessDetails"]) > 450
    organization.scp(allow(["s3:*", "sqs:*", "iam:*"]), target=organization.unit_id)
    organization.scp(deny("sqs:*"), target=organization.inside.account_id, keep=True)
    organization.scp(allow(["iam:*", "s3:GetObject", "sns:*"]), target=organization.inside.account_id)
    inside = report(organization.inside_path)
    assert namespaces(inside) == ["iam", "s3"]
    assert inside["NumberOfServicesAccessible"] == 2
    outside = report(organization.outside_path)
    assert outside["NumberOfServicesAccessible"] == everything["NumberOfServicesAccessible"]
    assert report(f"{organization.root}/{ACCOUNT}")["NumberOfServicesAccessible"] > 450


def test_the_last_use_is_told_with_its_account(aws, organization, report):
    for member in (organization.outside, organization.inside):
        member.client("cloudtrail").lookup_events()
        aws.advance(60)
    answer = report(organization.root)
    used = service(answer, "cloudtrail")
    assert used["ServiceName"] == "AWS CloudTrail"
    assert (used["EntityPath"], used["Region"]) == (organization.inside_path, "us-east-1")
    assert used["TotalAuthenticatedEntities"] == 2
    assert abs((answer["JobCreationDate"] - used["LastAuthenticatedTime"]).total_seconds() - 60) < 20
    assert answer["NumberOfServicesNotAccessed"] == sum(
        1 for one in answer["AccessDetails"] if "LastAuthenticatedTime" not in one
    )
    of_outside = service(report(organization.outside_path), "cloudtrail")
    assert (of_outside["EntityPath"], of_outside["TotalAuthenticatedEntities"]) == (organization.outside_path, 1)
    assert service(report(organization.unit), "cloudtrail")["TotalAuthenticatedEntities"] == 1


def test_unused_services_have_neither_time_nor_path(organization, report):
    answer = report(organization.unit)
    assert service(answer, "s3") == {
        "ServiceName": "Amazon S3",
        "ServiceNamespace": "s3",
        "TotalAuthenticatedEntities": 0,
    }
    # AWS: recorded so, September 2026.
    assert service(answer, "iam")["Region"] == "us-east-1"


def test_the_management_account_is_in_its_own_report_alone(organization, report):
    # The tests' own requests are Organizations'.
    assert service(report(organization.root), "organizations")["TotalAuthenticatedEntities"] == 0
    own = service(report(f"{organization.root}/{ACCOUNT}"), "organizations")
    assert own["EntityPath"] == f"{organization.root}/{ACCOUNT}"
    policy_id = organization.scp(allow("s3:*"))
    ignored = report(f"{organization.root}/{ACCOUNT}", OrganizationsPolicyId=policy_id)
    assert ignored["NumberOfServicesAccessible"] > 450


def test_a_policys_report_is_of_what_it_allows_and_whom_it_binds(organization, report):
    organization.inside.client("iam").list_users()
    organization.outside.client("iam").list_users()
    policy_id = organization.scp(allow(["iam:*", "sqs:*"]))
    loose = report(organization.root, OrganizationsPolicyId=policy_id)
    assert namespaces(loose) == ["iam", "sqs"]
    assert service(loose, "iam")["TotalAuthenticatedEntities"] == 0
    bound = organization.scp(allow(["iam:*", "sqs:*"]), target=organization.unit_id, keep=True)
    answer = report(organization.root, OrganizationsPolicyId=bound)
    assert service(answer, "iam")["EntityPath"] == organization.inside_path
    assert service(answer, "iam")["TotalAuthenticatedEntities"] == 1
    # It is attached above the account, not within what the report is of.
    assert (
        service(report(organization.inside_path, OrganizationsPolicyId=bound), "iam")["TotalAuthenticatedEntities"] == 0
    )


def test_a_denial_in_a_policy_lets_nothing_be_used(organization, report):
    policy_id = organization.scp(allow(["iam:*", "s3:*"]), deny("s3:*"))
    assert namespaces(report(organization.root, OrganizationsPolicyId=policy_id)) == ["iam"]


@pytest.mark.parametrize(
    ("path", "policy_id", "code"),
    [
        ("{unit}/", None, "INVALID_ORGANIZATIONS_ENTITY_PATH"),
        ("{root}/ou-aaaa-aaaaaaaa", None, "INVALID_ORGANIZATIONS_ENTITY_PATH"),
        ("{id}/r-zzzz", None, "INVALID_ORGANIZATIONS_ENTITY_PATH"),
        ("{unit}/999999999999", None, "INVALID_ORGANIZATIONS_ENTITY_PATH"),
        ("{root}/{inside.account_id}", None, "INVALID_ORGANIZATIONS_ENTITY_PATH"),
        ("{root}", "p-notexist0", "INVALID_ORGANIZATIONS_POLICY"),
        ("{root}", "p-RCPFullAWSAccess", "INVALID_ORGANIZATIONS_POLICY"),
    ],
)
def test_a_job_fails_for_what_is_not_there(organization, report, path, policy_id, code):
    """AWS: recorded so, September 2026."""
    named = {"OrganizationsPolicyId": policy_id} if policy_id is not None else {}
    answer = report(path.format(**vars(organization)), **named)
    assert (answer["JobStatus"], answer["ErrorDetails"]["Code"]) == ("FAILED", code)
    assert answer["ErrorDetails"]["Message"].endswith("does not exist in your organization.")
    assert "AccessDetails" not in answer


def test_a_job_fails_for_who_may_not_read_the_organization(aws, organization, report):
    asker = aws.client("iam", aws.user("asker", allow("iam:*OrganizationsAccessReport")))
    answer = report(organization.root, asker)
    assert answer["ErrorDetails"] == {
        "Code": "ORGANIZATIONS_REPORT_ACCESS_DENIED",
        "Message": (
            "Requester is not authorized to perform the required AWS Organizations Describe* and List* actions."
        ),
    }
    reader = aws.client("iam", aws.user("reader", allow(READ)))
    assert report(organization.root, reader)["JobStatus"] == "COMPLETED"


def test_the_same_question_within_a_minute_gets_the_same_job(aws, iam, organization, report):
    ask = iam.generate_organizations_access_report
    first = ask(EntityPath=organization.unit)["JobId"]
    assert ask(EntityPath=organization.unit)["JobId"] == first
    aws.advance(3)
    other = ask(EntityPath=organization.root)["JobId"]
    assert other != first
    aws.advance(40)
    assert ask(EntityPath=organization.unit)["JobId"] == first
    aws.advance(30)
    assert ask(EntityPath=organization.unit)["JobId"] != first
    assert iam.get_organizations_access_report(JobId=first)["JobStatus"] == "COMPLETED"


def test_an_account_makes_one_report_at_a_time(aws, iam, organization, refused):
    reader = aws.client("iam", aws.user("reader", allow(READ)))
    reader.generate_organizations_access_report(EntityPath=organization.unit)
    with refused("ReportGenerationLimitExceeded"):
        iam.generate_organizations_access_report(EntityPath=organization.root)
    aws.advance(2)
    iam.generate_organizations_access_report(EntityPath=organization.root)


def test_services_are_sorted_and_paged_as_they_are_asked_for(aws, iam, organization, paged, refused):
    policy_id = organization.scp(allow(["iam:*", "cloudtrail:*", "sqs:*"]), target=organization.unit_id)
    organization.inside.client("iam").list_users()
    aws.advance(5)
    organization.inside.client("cloudtrail").lookup_events()
    job_id = iam.generate_organizations_access_report(EntityPath=organization.unit, OrganizationsPolicyId=policy_id)[
        "JobId"
    ]
    aws.advance(2)

    def order(sort_key):
        found = paged(iam.get_organizations_access_report, "AccessDetails", JobId=job_id, SortKey=sort_key)
        return [one["ServiceNamespace"] for one in found]

    assert order("SERVICE_NAMESPACE_ASCENDING") == ["cloudtrail", "iam", "sqs"]
    assert order("SERVICE_NAMESPACE_DESCENDING") == ["sqs", "iam", "cloudtrail"]
    assert order("LAST_AUTHENTICATED_TIME_ASCENDING") == ["sqs", "iam", "cloudtrail"]
    assert order("LAST_AUTHENTICATED_TIME_DESCENDING") == ["cloudtrail", "iam", "sqs"]
    first = iam.get_organizations_access_report(JobId=job_id, MaxItems=2)
    assert (first["NumberOfServicesAccessible"], first["NumberOfServicesNotAccessed"]) == (3, 1)
    rest = iam.get_organizations_access_report(JobId=job_id, Marker=first["Marker"])
    assert namespaces(first) + namespaces(rest) == ["cloudtrail", "iam", "sqs"]
    with refused("ValidationError"):
        iam.get_organizations_access_report(
            JobId=job_id, Marker=first["Marker"], SortKey="SERVICE_NAMESPACE_DESCENDING"
        )


def test_a_page_has_a_hundred_services(aws, iam, organization):
    job_id = iam.generate_organizations_access_report(EntityPath=organization.root)["JobId"]
    aws.advance(2)
    answer = iam.get_organizations_access_report(JobId=job_id)
    assert (len(answer["AccessDetails"]), answer["IsTruncated"]) == (100, True)


def test_only_the_management_account_asks(aws, organization, iam, refused):
    member = organization.inside.client("iam")
    with refused("AccessDenied"):
        member.generate_organizations_access_report(EntityPath=organization.inside_path)
    job_id = iam.generate_organizations_access_report(EntityPath=organization.unit)["JobId"]
    with refused("AccessDenied"):
        member.get_organizations_access_report(JobId=job_id)
    alone = aws.client("iam", Credentials.of(aws.iamd("CreateAccount", Name="alone")))
    with refused("AccessDenied"):
        alone.generate_organizations_access_report(EntityPath=organization.root)
    with refused(
        "AccessDenied", "The organization ID in the specified entity path is different than your organization ID."
    ):
        iam.generate_organizations_access_report(EntityPath=f"o-zzzzzzzzzz/{organization.root_id}")


def test_scps_must_be_enabled(iam, organization, refused):
    organization.client.disable_policy_type(RootId=organization.root_id, PolicyType=SCP)
    with refused("AccessDenied"):
        iam.generate_organizations_access_report(EntityPath=organization.root)


def test_a_job_is_its_callers_alone(aws, iam, organization, refused):
    reader = aws.client("iam", aws.user("reader", allow(READ)))
    job_id = reader.generate_organizations_access_report(EntityPath=organization.unit)["JobId"]
    with refused("NoSuchEntity", f"Job {job_id} does not exist."):
        iam.get_organizations_access_report(JobId=job_id)
    arn = f"arn:aws:iam::{ACCOUNT}:user/reader"
    of_user = iam.generate_service_last_accessed_details(Arn=arn)["JobId"]
    with refused("NoSuchEntity"):
        iam.get_organizations_access_report(JobId=of_user)


def test_a_policy_names_the_path_and_the_policy_that_may_be_asked_for(aws, organization, refused):
    policy_id = organization.scp(allow("s3:*"))
    resource = f"arn:aws:iam::{ACCOUNT}:access-report/{organization.unit}"
    condition = {"StringEquals": {"iam:OrganizationsPolicyId": policy_id}}
    asker = aws.client("iam", aws.user("asker", allow("iam:Generate*", resource, **condition)))
    asker.generate_organizations_access_report(EntityPath=organization.unit, OrganizationsPolicyId=policy_id)
    with refused("AccessDenied"):
        asker.generate_organizations_access_report(EntityPath=organization.unit)
    with refused("AccessDenied"):
        asker.generate_organizations_access_report(EntityPath=organization.root, OrganizationsPolicyId=policy_id)


def test_each_is_denied_without_permission(denied, iam, organization):
    job_id = iam.generate_organizations_access_report(EntityPath=organization.unit)["JobId"]
    resource = f"arn:aws:iam::{ACCOUNT}:access-report/{organization.unit}"
    denied("GenerateOrganizationsAccessReport", resource, EntityPath=organization.unit)
    denied("GetOrganizationsAccessReport", "*", JobId=job_id)


def test_each_is_an_event(iam, organization, event_of):
    answer = iam.generate_organizations_access_report(EntityPath=organization.unit)
    event = event_of(answer)
    assert event["eventName"] == "GenerateOrganizationsAccessReport"
    assert event["requestParameters"] == {"entityPath": organization.unit}
    event = event_of(iam.get_organizations_access_report(JobId=answer["JobId"]))
    assert event["eventName"] == "GetOrganizationsAccessReport"
    assert event["requestParameters"] == {"jobId": answer["JobId"]}


def test_reports_are_kept_over_a_restart(start, tmp_path):
    data = tmp_path / "kept"
    aws = AWS(start("--backend", "none", "--dev", data=data))
    organization = Organization(aws)
    job_id = aws.client("iam").generate_organizations_access_report(EntityPath=organization.unit)["JobId"]
    aws.server.stop()
    aws = AWS(start("--backend", "none", "--dev", data=data))
    aws.advance(3)
    assert aws.client("iam").get_organizations_access_report(JobId=job_id)["JobStatus"] == "COMPLETED"
