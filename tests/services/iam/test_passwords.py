"""Login profiles and passwords: rules, reuse, and the change of one's own."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError
from running import Credentials

GOOD = "Correct-Horse-1"
OTHER = "Battery-Staple-2"
UPPER = "Password should have at least one uppercase letter"
LOWER = "Password should have at least one lowercase letter"
NUMBER = "Password should have at least one number"
SYMBOL = "Password should have at least one symbol"


@pytest.fixture
def ann(aws):
    """A user who may change its own password and see nothing."""
    return aws.user(
        "ann", {"Effect": "Allow", "Action": "iam:ChangePassword", "Resource": "arn:aws:iam::*:user/${aws:username}"}
    )


@pytest.fixture
def bob(iam):
    """A user without anything."""
    iam.create_user(UserName="bob")


@pytest.mark.usefixtures("bob")
@pytest.mark.parametrize("required", [True, False])
def test_a_login_profile_is_shown_without_its_password(iam, required):
    made = iam.create_login_profile(UserName="bob", Password=GOOD, PasswordResetRequired=required)["LoginProfile"]
    assert made == iam.get_login_profile(UserName="bob")["LoginProfile"]
    assert made.keys() == {"UserName", "CreateDate", "PasswordResetRequired"}
    assert (made["UserName"], made["PasswordResetRequired"]) == ("bob", required)
    assert "PasswordLastUsed" not in iam.get_user(UserName="bob")["User"]


@pytest.mark.usefixtures("bob")
def test_a_user_has_one_login_profile(iam, refused):
    iam.create_login_profile(UserName="bob", Password=GOOD)
    with refused("EntityAlreadyExists", "Login Profile for user bob already exists."):
        iam.create_login_profile(UserName="bob", Password=OTHER)
    iam.delete_login_profile(UserName="bob")
    with refused("NoSuchEntity", "Login Profile for User bob cannot be found."):
        iam.get_login_profile(UserName="bob")
    iam.create_login_profile(UserName="bob", Password=OTHER)


@pytest.mark.usefixtures("bob")
@pytest.mark.parametrize(
    ("operation", "parameters"),
    [("get_login_profile", {}), ("update_login_profile", {"Password": GOOD}), ("delete_login_profile", {})],
)
def test_a_login_profile_must_be_there(iam, refused, operation, parameters):
    with refused("NoSuchEntity", "Login Profile for User bob cannot be found."):
        getattr(iam, operation)(UserName="bob", **parameters)
    with refused("NoSuchEntity", "The user with name nobody cannot be found."):
        getattr(iam, operation)(UserName="nobody", **parameters)


@pytest.mark.usefixtures("bob")
def test_update_login_profile_changes_only_what_is_given(aws, iam, refused):
    iam.create_login_profile(UserName="bob", Password=GOOD, PasswordResetRequired=True)
    iam.update_login_profile(UserName="bob", Password=OTHER)
    assert iam.get_login_profile(UserName="bob")["LoginProfile"]["PasswordResetRequired"] is True
    iam.update_login_profile(UserName="bob", PasswordResetRequired=False)
    assert iam.get_login_profile(UserName="bob")["LoginProfile"]["PasswordResetRequired"] is False
    key = iam.create_access_key(UserName="bob")["AccessKey"]
    iam.update_account_password_policy(AllowUsersToChangePassword=True)
    own = aws.client("iam", Credentials.of(key))
    with refused("AccessDenied", "The old password was incorrect."):
        own.change_password(OldPassword=GOOD, NewPassword="Another-Word-3")
    own.change_password(OldPassword=OTHER, NewPassword="Another-Word-3")


@pytest.mark.usefixtures("bob")
def test_a_password_must_be_given(iam, refused):
    with refused("ValidationError"):
        iam.create_login_profile(UserName="bob")


@pytest.mark.usefixtures("bob")
@pytest.mark.parametrize(
    ("password", "message"),
    [
        ("Ab1-", "Password should have a minimum length of 8"),
        (
            "onlylower",
            f"Password should meet 2 more of the following requirements: {UPPER}, {NUMBER}, {SYMBOL}",
        ),
        (
            "lower1234",
            f"Password should meet 1 more of the following requirements: {UPPER}, {SYMBOL}",
        ),
    ],
)
def test_without_a_policy_awss_default_one_holds(iam, refused, password, message):
    with refused("PasswordPolicyViolation", message):
        iam.create_login_profile(UserName="bob", Password=password)
    with refused("NoSuchEntity"):
        iam.get_login_profile(UserName="bob")


@pytest.mark.usefixtures("bob")
@pytest.mark.parametrize(
    ("policy", "bad", "good", "message"),
    [
        ({"MinimumPasswordLength": 12}, "a" * 11, "a" * 12, "Password should have a minimum length of 12"),
        (
            {"RequireUppercaseCharacters": True},
            "aaaaaa",
            "aaaaaA",
            "Password should have at least one uppercase letter",
        ),
        (
            {"RequireLowercaseCharacters": True},
            "AAAAAA",
            "AAAAAa",
            "Password should have at least one lowercase letter",
        ),
        ({"RequireNumbers": True}, "aaaaaa", "aaaaa1", NUMBER),
        ({"RequireSymbols": True}, "aaaaa;", "aaaaa|", SYMBOL),
        ({}, "aaaaa", "aaaaaa", "Password should have a minimum length of 6"),
    ],
)
def test_each_rule_of_the_accounts_policy_holds(iam, refused, policy, bad, good, message):
    iam.update_account_password_policy(**policy)
    with refused("PasswordPolicyViolation", message):
        iam.create_login_profile(UserName="bob", Password=bad)
    iam.create_login_profile(UserName="bob", Password=good)
    with refused("PasswordPolicyViolation", message):
        iam.update_login_profile(UserName="bob", Password=bad)


def test_who_knows_the_old_password_changes_it(aws, iam, ann, refused):
    iam.create_login_profile(UserName="ann", Password=GOOD, PasswordResetRequired=True)
    own = aws.client("iam", ann)
    with refused("AccessDenied", "The old password was incorrect."):
        own.change_password(OldPassword=OTHER, NewPassword=OTHER)
    with refused("PasswordPolicyViolation", "Password should have a minimum length of 8"):
        own.change_password(OldPassword=GOOD, NewPassword="short")
    own.change_password(OldPassword=GOOD, NewPassword=OTHER)
    assert iam.get_login_profile(UserName="ann")["LoginProfile"]["PasswordResetRequired"] is False
    with refused("AccessDenied", "The old password was incorrect."):
        own.change_password(OldPassword=GOOD, NewPassword=GOOD)
    own.change_password(OldPassword=OTHER, NewPassword=GOOD)


def test_passwords_are_guessed_five_times_in_a_quarter_of_an_hour(aws, iam, ann, refused):
    iam.create_login_profile(UserName="ann", Password=GOOD)
    own = aws.client("iam", ann)
    for _ in range(4):
        with refused("AccessDenied", "The old password was incorrect."):
            own.change_password(OldPassword=OTHER, NewPassword=OTHER)
    own.change_password(OldPassword=GOOD, NewPassword=GOOD)
    guess_at_once(own, 12)
    with refused("AccessDenied", "The old password was incorrect."):
        own.change_password(OldPassword=GOOD, NewPassword=OTHER)
    aws.advance(15 * 60)
    own.change_password(OldPassword=GOOD, NewPassword=OTHER)


def guess_at_once(client, count):
    def guess(_):
        with pytest.raises(ClientError, match="The old password was incorrect"):
            client.change_password(OldPassword=OTHER, NewPassword=OTHER)

    with ThreadPoolExecutor(count) as pool:
        list(pool.map(guess, range(count)))


def test_a_user_without_a_password_cannot_change_it(aws, ann, refused):
    with refused("NoSuchEntity", "Login Profile for User ann cannot be found."):
        aws.client("iam", ann).change_password(OldPassword=GOOD, NewPassword=OTHER)


def test_the_last_passwords_are_not_used_again(aws, iam, ann, refused):
    passwords = [f"Correct-Horse-{number}" for number in range(4)]
    iam.update_account_password_policy(PasswordReusePrevention=2)
    iam.create_login_profile(UserName="ann", Password=passwords[0])
    own = aws.client("iam", ann)
    own.change_password(OldPassword=passwords[0], NewPassword=passwords[1])
    for used in passwords[:2]:
        with refused("PasswordPolicyViolation", "Policy constraint violation with password reuse prevention."):
            own.change_password(OldPassword=passwords[1], NewPassword=used)
    own.change_password(OldPassword=passwords[1], NewPassword=passwords[2])
    own.change_password(OldPassword=passwords[2], NewPassword=passwords[0])


def test_the_account_can_let_all_users_change_their_own_password(aws, iam, refused):
    """IAM API Reference, PasswordPolicy: AllowUsersToChangePassword grants two actions without any policy."""
    own = aws.client("iam", aws.user("ann"))
    iam.create_login_profile(UserName="ann", Password=GOOD)
    iam.update_account_password_policy(AllowUsersToChangePassword=False)
    with refused("AccessDenied"):
        own.change_password(OldPassword=GOOD, NewPassword=OTHER)
    with refused("AccessDenied"):
        own.get_account_password_policy()
    iam.update_account_password_policy(AllowUsersToChangePassword=True)
    own.change_password(OldPassword=GOOD, NewPassword=OTHER)
    assert own.get_account_password_policy()["PasswordPolicy"]["AllowUsersToChangePassword"] is True
    with refused("AccessDenied"):
        own.get_login_profile(UserName="ann")


def test_an_explicit_deny_beats_the_accounts_grant(aws, iam, refused):
    own = aws.client("iam", aws.user("ann", {"Effect": "Deny", "Action": "iam:ChangePassword", "Resource": "*"}))
    iam.create_login_profile(UserName="ann", Password=GOOD)
    iam.update_account_password_policy(AllowUsersToChangePassword=True)
    with refused("AccessDenied"):
        own.change_password(OldPassword=GOOD, NewPassword=OTHER)


def test_no_event_holds_a_password(aws, iam, ann, event_of):
    answers = [
        iam.create_login_profile(UserName="ann", Password=GOOD),
        aws.client("iam", ann).change_password(OldPassword=GOOD, NewPassword=OTHER),
        iam.update_login_profile(UserName="ann", Password=GOOD),
    ]
    for event in map(event_of, answers):
        assert GOOD not in str(event)
        assert OTHER not in str(event)
