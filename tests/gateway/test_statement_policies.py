"""Resource policies that are made of statements (statement_policies.py): added, shown and taken away one by one.

AWS: API References of Signer (AddProfilePermission), Lex V2 (CreateResourcePolicyStatement), Entity Resolution
(AddPolicyStatement) and CodeGuru Profiler (PutPermission).
"""

import json

import pytest
from gateway.counting import answer
from gateway.two_accounts import OTHER, policy, to
from running import ACCOUNT, REGION, allow, deny

DENIED = "AccessDeniedException"
PROFILE = f"arn:aws:signer:{REGION}:{ACCOUNT}:/signing-profiles/release"
SIGN = {
    "source": {"s3": {"bucketName": "src", "key": "k", "version": "1"}},
    "destination": {"s3": {"bucketName": "dst"}},
    "profileName": "release",
    "profileOwner": ACCOUNT,
    "clientRequestToken": "t",
}


def permit(counted, statement, principal, action="signer:StartSigningJob", **more):
    given = {"profileName": "release", "statementId": statement, "principal": principal, "action": action}
    return counted.call("signer", "AddProfilePermission", {**given, **more})


def signs(counted, guest):
    done = counted.call("signer", "StartSigningJob", SIGN, guest)
    (decision,) = done.explain(guest)["Decisions"]
    assert decision["Resource"] == PROFILE
    return decision["Outcome"] == "Allowed"


def test_a_profiles_permissions_let_another_account_sign_with_it(counted):
    guest = counted.stranger()
    assert not signs(counted, guest)
    permit(counted, "one", OTHER)
    permit(counted, "two", OTHER, "signer:GetSigningProfile")
    assert signs(counted, guest)
    assert permit(counted, "one", OTHER).code == "ConflictException"
    assert permit(counted, "three", "210987654321").code == "ValidationException"
    # A revision that is not the present one is the backend's to refuse: nothing changes.
    counted.backend.answers.append(answer(b'{"__type": "ConflictException"}', "409 Conflict"))
    removed = {"profileName": "release", "statementId": "one", "revisionId": "1"}
    counted.call("signer", "RemoveProfilePermission", removed)
    assert signs(counted, guest)
    counted.call("signer", "RemoveProfilePermission", removed)
    assert not signs(counted, guest)
    assert (
        counted.call("signer", "GetSigningProfile", {"profileName": "release", "profileOwner": ACCOUNT}, guest).code
        == ""
    )
    counted.call("signer", "RemoveProfilePermission", {**removed, "statementId": "two"})
    assert counted.call("signer", "GetSigningProfile", {"profileName": "release", "profileOwner": ACCOUNT}, guest).code
    # For a version of the profile, which no request tells.
    permit(counted, "version", OTHER, profileVersion="0123456789")
    assert not signs(counted, guest)
    counted.call("signer", "RemoveProfilePermission", {**removed, "statementId": "version"})


def test_a_profiles_permissions_are_shown_with_whom_they_are_for_today(counted):
    counted.user("signer")
    permit(counted, "named", f"arn:aws:iam::{ACCOUNT}:user/signer")
    counted.aws.client("iam").update_user(UserName="signer", NewPath="/team/")
    told = {"permissions": [{"statementId": "named", "principal": f"arn:aws:iam::{ACCOUNT}:user/signer"}]}
    counted.backend.answers.append(answer(json.dumps(told).encode()))
    (shown,) = counted.call("signer", "ListProfilePermissions", {"profileName": "release"}).told["permissions"]
    assert shown["principal"] == f"arn:aws:iam::{ACCOUNT}:user/team/signer"
    counted.call(
        "signer", "RemoveProfilePermission", {"profileName": "release", "statementId": "named", "revisionId": "1"}
    )


BOT = f"arn:aws:lex:{REGION}:{ACCOUNT}:bot/BOTBOTBOT1"


def test_statements_of_a_bots_policy_count_beside_one_another(counted):
    ann = counted.user("ann-of-bots", allow("lex:DescribeBot"))
    arn = f"arn:aws:iam::{ACCOUNT}:user/ann-of-bots"

    def state(statement, effect, action, **more):
        given = {"resourceArn": BOT, "statementId": statement, "effect": effect, "action": [action]}
        return counted.call(
            "lexv2-models", "CreateResourcePolicyStatement", {**given, "principal": [{"arn": arn}], **more}
        )

    def may(operation):
        return counted.call("lexv2-models", operation, {"botId": "BOTBOTBOT1"}, ann).code == ""

    assert (may("DescribeBot"), may("ListBotAliases")) == (True, False)
    state("closed", "Deny", "lex:DescribeBot")
    state("open", "Allow", "lex:ListBotAliases")
    assert (may("DescribeBot"), may("ListBotAliases")) == (False, True)
    assert state("open", "Allow", "lex:ListBotAliases").code == "ConflictException"
    state("never", "Deny", "lex:ListBotAliases", condition={"StringEquals": {"aws:username": "ann-of-bots"}})
    assert not may("ListBotAliases")
    for statement in ("closed", "open", "never"):
        counted.call("lexv2-models", "DeleteResourcePolicyStatement", {"resourceArn": BOT, "statementId": statement})
    assert (may("DescribeBot"), may("ListBotAliases")) == (True, False)


WORKFLOW = f"arn:aws:entityresolution:{REGION}:{ACCOUNT}:matchingworkflow/people"


def test_statements_and_whole_policies_of_entity_resolution(counted):
    ann = counted.user("ann-of-people", allow("entityresolution:*"))
    everybody = {"principal": [ACCOUNT, "lambda.amazonaws.com"], "action": ["entityresolution:GetMatchingWorkflow"]}
    given = {"arn": WORKFLOW, "statementId": "one", "effect": "Deny", **everybody}

    def reads():
        return counted.call("entityresolution", "GetMatchingWorkflow", {"workflowName": "people"}, ann).code == ""

    counted.call("entityresolution", "AddPolicyStatement", given)
    assert not reads()
    condition = json.dumps({"StringEquals": {"aws:username": "somebody"}})
    counted.call("entityresolution", "DeletePolicyStatement", {"arn": WORKFLOW, "statementId": "one"})
    counted.call("entityresolution", "AddPolicyStatement", {**given, "condition": condition})
    assert reads()
    arn = f"arn:aws:iam::{ACCOUNT}:user/ann-of-people"
    text = policy(to({"AWS": arn}, deny("entityresolution:GetMatchingWorkflow", WORKFLOW)))
    counted.call("entityresolution", "PutPolicy", {"arn": WORKFLOW, "policy": text})
    assert not reads()
    counted.aws.client("iam").update_user(UserName="ann-of-people", NewPath="/team/")
    counted.backend.answers.append(answer(json.dumps({"arn": WORKFLOW, "token": "t", "policy": text}).encode()))
    shown = counted.call("entityresolution", "GetPolicy", {"arn": WORKFLOW}).told["policy"]
    assert json.loads(shown)["Statement"][0]["Principal"]["AWS"] == f"arn:aws:iam::{ACCOUNT}:user/team/ann-of-people"
    counted.call("entityresolution", "DeleteMatchingWorkflow", {"workflowName": "people"})
    assert reads()


@pytest.mark.parametrize("arn", [WORKFLOW.replace(ACCOUNT, OTHER), f"{WORKFLOW}/more", "people"])
def test_a_policy_of_what_is_not_this_accounts_is_refused(counted, arn):
    given = {"arn": arn, "policy": policy(to({"AWS": ACCOUNT}, allow("entityresolution:GetMatchingWorkflow", arn)))}
    told = counted.call("entityresolution", "PutPolicy", given)
    assert (told.code, told.sent) == ("ValidationException", 0)


def test_agents_are_let_in_by_the_one_group_of_actions(counted):
    group = {"profilingGroupName": "agents"}

    def may(who):
        return counted.call("codeguruprofiler", "ConfigureAgent", group, who).code == ""

    one, other = counted.user("agent-one"), counted.user("agent-two")
    for name, expected in (("agent-one", (True, False)), ("agent-two", (False, True))):
        permission = {"actionGroup": "agentPermissions", "principals": [f"arn:aws:iam::{ACCOUNT}:user/{name}"]}
        counted.call("codeguruprofiler", "PutPermission", {**group, **permission})
        assert (may(one), may(other)) == expected
    removed = {"actionGroup": "agentPermissions", "revisionId": "00000000-0000-0000-0000-000000000000"}
    counted.call("codeguruprofiler", "RemovePermission", {**group, **removed})
    assert not may(other)
    permission = {"actionGroup": "agentPermissions", "principals": [f"arn:aws:iam::{ACCOUNT}:user/agent-one"]}
    counted.call("codeguruprofiler", "PutPermission", {**group, **permission})
    counted.call("codeguruprofiler", "DeleteProfilingGroup", group)
    assert not may(one)
