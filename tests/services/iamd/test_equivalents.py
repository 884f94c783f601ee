"""What policies that know AWS's actions alone say of iamd's own operations."""

import json

import pytest
from running import Credentials, Refusal, allow, deny
from services.iamd import test_delegation, test_hardware_tokens, test_metadata_sources, test_role_templates

EVERYTHING = allow("*")
BUT_PEOPLE = deny(["iam:*", "organizations:*", "account:*", "ec2:*"])
CHANGES = {
    "CreateAccount": {"Name": "evil"},
    "SetRootPassword": {"Password": "Correct-horse-1"},
    "Quarantine": {"Target": "arn:aws:iam::123456789012:user/admin"},
    **{
        name: given
        for module in (test_delegation, test_hardware_tokens, test_metadata_sources, test_role_templates)
        for name, given in module.OPERATIONS.items()
        if not name.startswith("List")
    },
}


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@pytest.mark.parametrize("operation", CHANGES)
def test_who_is_denied_iam_is_denied_what_stands_for_it(aws, operation):
    iam = aws.client("iam")
    bound = aws.user("bound", EVERYTHING)
    boundary = iam.create_policy(PolicyName="b", PolicyDocument=document(EVERYTHING, BUT_PEOPLE))["Policy"]["Arn"]
    iam.put_user_permissions_boundary(UserName="bound", PermissionsBoundary=boundary)
    for key in (aws.user("denied", EVERYTHING, BUT_PEOPLE), bound):
        with pytest.raises(Refusal) as caught:
            aws.iamd(operation, key, **CHANGES[operation])
        assert caught.value.code == "AccessDeniedException"
        assert "with an explicit deny in a" in caught.value.message


@pytest.mark.parametrize("operation", CHANGES)
def test_sessions_that_may_call_nothing_of_iam_change_nothing(aws, operation):
    sts = aws.client("sts", aws.user("somebody", EVERYTHING))
    for answer in (sts.get_session_token(), sts.get_federation_token(Name="fed", Policy=document(EVERYTHING))):
        session = Credentials.of(answer["Credentials"])
        with pytest.raises(Refusal) as caught:
            aws.iamd(operation, session, **CHANGES[operation])
        assert caught.value.code in {"UnrecognizedClientException", "InvalidClientTokenId"}
        assert aws.iamd("ListAccounts", session)["Accounts"]
