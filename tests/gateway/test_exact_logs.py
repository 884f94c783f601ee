"""What requests to CloudWatch Logs are decided on: log groups with their two ARNs, streams, deliveries, queries.

AWS: CloudWatch Logs User Guide, "Overview of managing access permissions to your CloudWatch Logs resources"; the
operations' own pages of the API Reference.
"""

import pytest
from gateway.counting import answer
from gateway.parameters import FUNCTION, LOGS, ROLE
from running import allow, deny

GROUP, PLAIN = f"{LOGS}:log-group:/app/web:log-stream:", f"{LOGS}:log-group:/app/web"
OTHER = f"{LOGS}:log-group:/app/db:log-stream:"
STREAM = f"{LOGS}:log-group:/app/web:log-stream:one"
ALL, EVERY = f"{LOGS}:log-group:*:log-stream:", f"{LOGS}:log-group::log-stream:"
DESTINATION = f"{LOGS}:destination:central"
QUERY = {"startTime": 1, "endTime": 2, "queryString": "fields @message"}


def on(resource, *actions):
    return [(f"logs:{action}", resource) for action in actions]


CASES = [
    ("CreateLogGroup", {"logGroupName": "/app/web"}, on(GROUP, "CreateLogGroup")),
    (
        "CreateLogGroup",
        {"logGroupName": "/app/web", "tags": {"a": "b"}},
        [*on(GROUP, "CreateLogGroup"), *on(PLAIN, "TagResource")],
    ),
    ("DeleteLogGroup", {"logGroupName": "/app/web"}, on(GROUP, "DeleteLogGroup")),
    ("DescribeLogGroups", {"logGroupNamePrefix": "/app"}, on(EVERY, "DescribeLogGroups")),
    ("DescribeLogStreams", {"logGroupName": "/app/web"}, on(GROUP, "DescribeLogStreams")),
    ("DescribeLogStreams", {"logGroupIdentifier": PLAIN}, on(GROUP, "DescribeLogStreams")),
    ("DescribeLogStreams", {"logGroupIdentifier": "/app/web"}, on(GROUP, "DescribeLogStreams")),
    ("PutRetentionPolicy", {"logGroupName": "/app/web", "retentionInDays": 30}, on(GROUP, "PutRetentionPolicy")),
    ("AssociateKmsKey", {"logGroupName": "/app/web", "kmsKeyId": "k"}, on(GROUP, "AssociateKmsKey")),
    ("AssociateKmsKey", {"resourceIdentifier": PLAIN, "kmsKeyId": "k"}, on(GROUP, "AssociateKmsKey")),
    (
        "AssociateKmsKey",
        {"resourceIdentifier": f"{LOGS}:query-result:*", "kmsKeyId": "k"},
        on(f"{LOGS}:query-result:*", "AssociateKmsKey"),
    ),
    # Streams.
    ("CreateLogStream", {"logGroupName": "/app/web", "logStreamName": "one"}, on(STREAM, "CreateLogStream")),
    (
        "PutLogEvents",
        {"logGroupName": "/app/web", "logStreamName": "one", "logEvents": [{"timestamp": 1, "message": "m"}]},
        on(STREAM, "PutLogEvents"),
    ),
    ("GetLogEvents", {"logGroupName": "/app/web", "logStreamName": "one"}, on(STREAM, "GetLogEvents")),
    (
        "GetLogEvents",
        {"logGroupIdentifier": PLAIN, "logStreamName": "one", "unmask": True},
        [*on(STREAM, "GetLogEvents"), *on(GROUP, "Unmask")],
    ),
    ("FilterLogEvents", {"logGroupName": "/app/web"}, on(GROUP, "FilterLogEvents")),
    ("FilterLogEvents", {"logGroupName": "/app/web", "unmask": True}, on(GROUP, "FilterLogEvents", "Unmask")),
    # Tags go by the ARN without an end.
    ("TagResource", {"resourceArn": PLAIN, "tags": {"a": "b"}}, on(PLAIN, "TagResource")),
    ("ListTagsForResource", {"resourceArn": DESTINATION}, on(DESTINATION, "ListTagsForResource")),
    ("TagLogGroup", {"logGroupName": "/app/web", "tags": {"a": "b"}}, on(GROUP, "TagLogGroup")),
    # Queries.
    (
        "StartQuery",
        {"logGroupNames": ["/app/web", "/app/db"], **QUERY},
        [*on(GROUP, "StartQuery"), *on(OTHER, "StartQuery")],
    ),
    ("StartQuery", {"logGroupIdentifiers": [PLAIN], **QUERY}, on(GROUP, "StartQuery")),
    (
        "StartQuery",
        {"logGroupName": "/app/web", **QUERY, "queryString": "fields unmask(@message)"},
        on(GROUP, "StartQuery", "Unmask"),
    ),
    ("GetQueryResults", {"queryId": "q"}, on(EVERY, "GetQueryResults")),
    # Where logs go.
    (
        "PutSubscriptionFilter",
        {"logGroupName": "/app/web", "filterName": "f", "filterPattern": "", "destinationArn": DESTINATION},
        [*on(GROUP, "PutSubscriptionFilter"), *on(DESTINATION, "PutSubscriptionFilter")],
    ),
    (
        "PutDestination",
        {"destinationName": "central", "targetArn": "arn:aws:kinesis:us-east-1:123456789012:stream/s", "roleArn": ROLE},
        [*on(DESTINATION, "PutDestination"), ("iam:PassRole", ROLE)],
    ),
    # Policies of the account need their kind's own action, on every group.
    (
        "PutAccountPolicy",
        {"policyName": "p", "policyDocument": "{}", "policyType": "RETENTION_POLICY"},
        [*on("*", "PutAccountPolicy"), *on(ALL, "PutRetentionPolicy")],
    ),
    (
        "PutAccountPolicy",
        {
            "policyName": "p",
            "policyDocument": f'{{"DestinationArn":"{FUNCTION}","RoleArn":"{ROLE}"}}',
            "policyType": "SUBSCRIPTION_FILTER_POLICY",
        },
        [*on("*", "PutAccountPolicy"), *on(ALL, "PutSubscriptionFilter"), ("iam:PassRole", ROLE)],
    ),
    (
        "DeleteAccountPolicy",
        {"policyName": "p", "policyType": "FIELD_INDEX_POLICY"},
        on("*", "DeleteAccountPolicy", "DeleteIndexPolicy"),
    ),
    (
        "DescribeAccountPolicies",
        {"policyType": "DATA_PROTECTION_POLICY"},
        [*on("*", "DescribeAccountPolicies"), *on(ALL, "GetDataProtectionPolicy")],
    ),
]


@pytest.mark.parametrize(("name", "given", "wanted"), CASES)
def test_each_request_is_decided_on_what_it_touches(counted, name, given, wanted):
    told = counted.call("logs", name, given)
    assert told.asked == wanted
    assert told.sent > 0


def test_either_right_to_tag_is_enough_for_a_new_group(counted):
    """AWS: CloudWatch Logs API Reference, CreateLogGroup: tags."""
    create, given = allow("logs:CreateLogGroup"), {"logGroupName": "/app/web", "tags": {"a": "b"}}
    for right, groups in (("TagLogGroup", GROUP), ("TagResource", PLAIN)):
        user = counted.user(f"tags-by-{right}", create, allow(f"logs:{right}", groups))
        assert counted.call("logs", "CreateLogGroup", given, user).code == ""
    refused = counted.call("logs", "CreateLogGroup", given, counted.user("tags-nothing", create))
    assert "logs:TagResource" in refused.message
    both = counted.user(
        "tags-neither", create, allow("logs:Tag*"), deny("logs:Tag*", StringEquals={"aws:RequestTag/a": "b"})
    )
    assert counted.call("logs", "CreateLogGroup", given, both).code == "AccessDeniedException"


@pytest.mark.parametrize("name", ["*", "/app/*", "a:b", "/app/web:log-stream:one", f"{LOGS}:log-group:*", "a b"])
def test_a_name_that_would_be_read_as_more_than_a_groups_is_refused(counted, name):
    told = counted.call("logs", "FilterLogEvents", {"logGroupIdentifier": name})
    assert (told.status, told.code, told.sent) == (400, "InvalidParameterException", 0)


def test_two_names_for_the_group_are_refused(counted):
    told = counted.call("logs", "FilterLogEvents", {"logGroupName": "/app/web", "logGroupIdentifier": "/app/db"})
    assert (told.status, told.code, told.sent) == (400, "InvalidParameterException", 0)


@pytest.mark.parametrize("query", ["source logGroups(namePrefix: ['/x'])", "SOURCE '/x' | fields a"])
def test_a_query_that_names_groups_in_its_text_is_refused(counted, query):
    told = counted.call("logs", "StartQuery", {"logGroupName": "/app/web", **QUERY, "queryString": query})
    assert (told.status, told.sent) == (400, 0)


@pytest.mark.parametrize(
    "document", ["", "not JSON", f'{{"RoleArn":"{ROLE}","RoleArn":"arn:aws:iam::123456789012:role/other"}}']
)
def test_a_policy_document_that_hides_a_role_is_refused(counted, document):
    given = {"policyName": "p", "policyType": "SUBSCRIPTION_FILTER_POLICY", "policyDocument": document}
    told = counted.call("logs", "PutAccountPolicy", given)
    assert (told.status, told.sent) == (400, 0)


def test_a_live_tail_is_decided_on_each_group(counted):
    counted.backend.answers.append(answer(b"{}", "400 Bad Request", "x-amzn-errortype: InvalidParameterException"))
    told = counted.call("logs", "StartLiveTail", {"logGroupIdentifiers": [PLAIN, f"{LOGS}:log-group:/app/db"]})
    assert told.asked == [*on(GROUP, "StartLiveTail"), *on(OTHER, "StartLiveTail")]


def test_the_role_of_an_account_policy_is_passed_to_cloudwatch_logs(counted):
    document = f'{{"DestinationArn":"{FUNCTION}","RoleArn":"{ROLE}"}}'
    given = {"policyName": "p", "policyType": "SUBSCRIPTION_FILTER_POLICY", "policyDocument": document}
    assert counted.call("logs", "PutAccountPolicy", given).context("iam:PassRole")["iam:passedtoservice"] == (
        "logs.amazonaws.com"
    )


def test_a_function_is_subscribed_that_logs_may_invoke(counted):
    # Other tests let others invoke the function that they share.
    function = f"{FUNCTION}-subscribed"
    given = {"logGroupName": "/app/web", "filterName": "f", "filterPattern": "", "destinationArn": function}
    refused = counted.call("logs", "PutSubscriptionFilter", given)
    assert (refused.code, refused.sent) == ("InvalidParameterException", 0)
    assert refused.message == (
        "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your "
        "function."
    )
    let = {"StatementId": "logs", "Action": "lambda:InvokeFunction", "Principal": "logs.amazonaws.com"}
    source = "arn:aws:logs:us-east-1:123456789012:log-group:/app/web:*"
    counted.call("lambda", "AddPermission", {"FunctionName": function, "SourceArn": source, **let})
    told = counted.call("logs", "PutSubscriptionFilter", given)
    assert told.asked == on(GROUP, "PutSubscriptionFilter")
    assert told.sent > 0
