"""ValidatePolicy: each parameter, who may call it, its event, and what is refused."""

import json

import pytest
from botocore.exceptions import ClientError
from running import allow

READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


CLEAN = policy(allow("s3:GetObject", "arn:aws:s3:::b/*"))
MANY = policy(*(allow(f"s3:Get{number}", "arn:aws:s3:::b/*") for number in range(7)))


def codes(answer):
    return [finding["issueCode"] for finding in answer["findings"]]


def test_the_findings_of_a_users_policy_go_when_they_are_mended(aws, iam, analyzer):
    aws.user("ann", allow("s3:GetObjct", "arn:aws:s3:::b/*"))
    stored = iam.get_user_policy(UserName="ann", PolicyName="test")["PolicyDocument"]
    document = json.dumps(stored)
    [finding] = analyzer.validate_policy(policyDocument=document, policyType="IDENTITY_POLICY")["findings"]
    at = document.index('"s3:GetObjct"')
    path = [{"value": "Statement"}, {"index": 0}, {"value": "Action"}]
    places = ({"line": 1, "column": at, "offset": at}, {"line": 1, "column": at + 13, "offset": at + 13})
    assert finding == {
        "findingDetails": "The action s3:GetObjct does not exist.",
        "findingType": "ERROR",
        "issueCode": "INVALID_ACTION",
        "learnMoreLink": "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html"
        "#access-analyzer-reference-policy-checks-error-invalid-action",
        "locations": [{"path": path, "span": dict(zip(("start", "end"), places, strict=True))}],
    }
    mended = document.replace("GetObjct", "GetObject")
    iam.put_user_policy(UserName="ann", PolicyName="test", PolicyDocument=mended)
    assert analyzer.validate_policy(policyDocument=mended, policyType="IDENTITY_POLICY")["findings"] == []


def test_a_path_leads_to_a_members_name_by_its_key(analyzer):
    document = '{"Version": "2012-10-17",\n "Statment": []}'
    wrong, missing = analyzer.validate_policy(policyDocument=document, policyType="IDENTITY_POLICY")["findings"][::-1]
    assert (wrong["issueCode"], missing["issueCode"]) == ("INVALID_POLICY_ELEMENT", "MISSING_STATEMENT")
    [location] = wrong["locations"]
    assert location["path"] == [{"key": "Statment"}]
    assert location["span"]["start"] == {"line": 2, "column": 1, "offset": 27}
    assert missing["locations"][0]["path"] == []


def test_a_type_of_policy_has_findings_of_its_own(iam, analyzer):
    role = iam.create_role(
        RoleName="app", AssumeRolePolicyDocument=policy(
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ),
    )["Role"]  # fmt: skip
    document = json.dumps(role["AssumeRolePolicyDocument"])
    found = {
        type: codes(analyzer.validate_policy(policyDocument=document, policyType=type))
        for type in ("IDENTITY_POLICY", "RESOURCE_POLICY", "SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY")
    }
    assert found == {
        "IDENTITY_POLICY": ["MISSING_RESOURCE", "UNSUPPORTED_PRINCIPAL"],
        "RESOURCE_POLICY": [],
        "SERVICE_CONTROL_POLICY": ["MISSING_RESOURCE", "SCP_SYNTAX_ERROR_PRINCIPAL"],
        "RESOURCE_CONTROL_POLICY": ["MISSING_RESOURCE", "RCP_SYNTAX_ERROR_ALLOW", "RCP_SYNTAX_ERROR_PRINCIPAL"],
    }


def test_the_resource_of_a_policy_has_findings_of_its_own(analyzer):
    document = policy(
        {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["sts:AssumeRole", "sts:GetFederationToken"]}
    )
    found = {
        resource: codes(
            analyzer.validate_policy(
                policyDocument=document, policyType="RESOURCE_POLICY", validatePolicyResourceType=resource
            )
        )
        for resource in (
            "AWS::IAM::AssumeRolePolicyDocument",
            "AWS::S3::Bucket",
            "AWS::S3::AccessPoint",
            "AWS::S3::MultiRegionAccessPoint",
            "AWS::S3ObjectLambda::AccessPoint",
            "AWS::DynamoDB::Table",
        )
    }
    assert found.pop("AWS::IAM::AssumeRolePolicyDocument") == ["UNSUPPORTED_ACTION_IN_POLICY"]
    assert set(map(tuple, found.values())) == {
        ("MISSING_RESOURCE", "UNSUPPORTED_ACTION_IN_POLICY", "UNSUPPORTED_ACTION_IN_POLICY")
    }


def test_findings_are_given_in_pages(iam, analyzer):
    version = iam.get_policy(PolicyArn=READ_ONLY)["Policy"]["DefaultVersionId"]
    document = json.dumps(
        iam.get_policy_version(PolicyArn=READ_ONLY, VersionId=version)["PolicyVersion"]["Document"], indent=1
    )
    asked = {"policyDocument": document, "policyType": "IDENTITY_POLICY"}
    whole = analyzer.validate_policy(**asked)
    assert "nextToken" not in whole
    pages = list(analyzer.get_paginator("validate_policy").paginate(**asked, PaginationConfig={"PageSize": 4}))
    assert {len(page["findings"]) for page in pages[:-1]} == {4}
    assert [finding for page in pages for finding in page["findings"]] == whole["findings"]
    first = analyzer.validate_policy(**asked, maxResults=3)
    second = analyzer.validate_policy(**asked, maxResults=100, nextToken=first["nextToken"])
    assert [*first["findings"], *second["findings"]] == whole["findings"]


def test_a_page_is_never_longer_than_a_thousand(analyzer):
    document = policy(*({} for _ in range(600)))
    pages = list(
        analyzer.get_paginator("validate_policy").paginate(
            policyDocument=document, policyType="IDENTITY_POLICY", PaginationConfig={"PageSize": 5_000}
        )
    )
    assert [len(page["findings"]) for page in pages] == [1_000, 801]


def test_english_is_the_language_of_findings(iam, analyzer, refused):
    version = iam.get_policy_version(PolicyArn=READ_ONLY, VersionId="v1")["PolicyVersion"]
    asked = {"policyDocument": json.dumps(version["Document"]), "policyType": "IDENTITY_POLICY"}
    assert analyzer.validate_policy(**asked, locale="EN")["findings"] == analyzer.validate_policy(**asked)["findings"]
    for locale in ("DE", "ES", "FR", "IT", "JA", "KO", "PT_BR", "ZH_CN", "ZH_TW"):
        with refused("ValidationException", "locale", "notSupported"):
            analyzer.validate_policy(**asked, locale=locale)


def test_what_is_no_policy_is_a_finding_and_no_error(analyzer):
    for document in ("", "{", "[" * 100_000, "\x00", "x" * 500_000, "\N{GRINNING FACE}"):
        answer = analyzer.validate_policy(policyDocument=document, policyType="RESOURCE_CONTROL_POLICY")
        assert len(answer["findings"]) == 1


def test_a_token_is_for_the_policy_and_the_caller_that_it_was_given_for(aws, analyzer, refused):
    asked = {"policyDocument": MANY, "policyType": "IDENTITY_POLICY"}
    token = analyzer.validate_policy(**asked, maxResults=2)["nextToken"]
    assert len(analyzer.validate_policy(**asked, nextToken=token)["findings"]) == 5
    ann = aws.client("accessanalyzer", aws.user("ann", allow("access-analyzer:ValidatePolicy")))
    assert len(ann.validate_policy(**asked)["findings"]) == 7
    for client, other in (
        (analyzer, {"policyDocument": f"{MANY} "}),
        (analyzer, {"policyType": "SERVICE_CONTROL_POLICY"}),
        (analyzer, {"nextToken": "x"}),
        (analyzer, {"nextToken": ""}),
        (ann, {}),
    ):
        with refused("ValidationException", "nextToken"):
            client.validate_policy(**{**asked, "nextToken": token, **other})


@pytest.mark.parametrize(
    ("field", "parameters"),
    [
        ("maxResults", {"maxResults": 0}),
        ("maxResults", {"maxResults": -1}),
        ("policyType", {"policyType": "TRUST_POLICY"}),
        ("validatePolicyResourceType", {"validatePolicyResourceType": "AWS::S3::Bucket"}),
        ("validatePolicyResourceType", {"validatePolicyResourceType": "AWS::SQS::Queue"}),
        ("locale", {"locale": "TLH"}),
    ],
)
def test_a_parameter_that_has_no_such_value_is_named(analyzer, refused, field, parameters):
    with refused("ValidationException", field):
        analyzer.validate_policy(**{"policyDocument": CLEAN, "policyType": "IDENTITY_POLICY", **parameters})


def test_a_resource_type_beside_another_policy_type_is_told_in_awss_words(analyzer):
    with pytest.raises(ClientError) as caught:
        analyzer.validate_policy(
            policyDocument=CLEAN, policyType="IDENTITY_POLICY", validatePolicyResourceType="AWS::S3::Bucket"
        )
    assert caught.value.response["Error"] == {"Code": "ValidationException", "Message": "InvalidInput"}


def test_who_may_not_call_it_is_refused(denied):
    denied("ValidatePolicy", policyDocument=CLEAN, policyType="IDENTITY_POLICY")


def test_who_may_call_it_needs_nothing_else(aws):
    ann = aws.user("ann", allow("access-analyzer:Validate*"))
    answer = aws.client("accessanalyzer", ann).validate_policy(policyDocument=CLEAN, policyType="IDENTITY_POLICY")
    assert answer["findings"] == []


def test_a_call_is_an_event_that_reads(aws, analyzer):
    answer = analyzer.validate_policy(policyDocument=CLEAN, policyType="IDENTITY_POLICY", maxResults=5)
    [event] = aws.events("ValidatePolicy")
    assert event["requestID"] == answer["ResponseMetadata"]["RequestId"]
    assert event["eventSource"] == "access-analyzer.amazonaws.com"
    assert (event["readOnly"], event["managementEvent"]) == (True, True)
    assert event["requestParameters"] == {
        "policyDocument": CLEAN,
        "policyType": "IDENTITY_POLICY",
        "maxResults": 5,
    }


def test_a_long_examination_holds_up_nobody(aws, analyzer, iam):
    """The document is examined beside the requests that come meanwhile, after the caller is allowed to ask."""
    document = policy(*({} for _ in range(5_000)))
    assert len(analyzer.validate_policy(policyDocument=document, policyType="IDENTITY_POLICY")["findings"]) == 1_000
    assert [user["UserName"] for user in iam.list_users()["Users"]] == ["admin"]


@pytest.mark.parametrize("operation", ["list_analyzers", "list_policy_generations"])
def test_other_operations_are_not_there_yet(analyzer, operation):
    with pytest.raises(ClientError) as caught:
        getattr(analyzer, operation)()
    assert caught.value.response["Error"]["Code"] == "NotImplemented"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
