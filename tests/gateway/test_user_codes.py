"""Codes by which users show that an address is theirs: made, asked for, and told to who may be told."""

from gateway.pools import CODES, PASSWORD, a_pool, signed_in, signed_up
from gateway.two_accounts import code_of, refused

ANOTHER = "Another-horse-2"
MISMATCH = ("CodeMismatchException", "Invalid verification code provided, please try again.")
ENDED = ("ExpiredCodeException", "Invalid code provided, please request a code again.")
LIMIT = ("LimitExceededException", "Attempt limit exceeded, please try after some time.")


def other_than(code):
    return f"{(int(code) + 1) % 1_000_000:06}"


def sign_up(users, client, name="ann", **attributes):
    given = [{"Name": key, "Value": value} for key, value in attributes.items()]
    return users.sign_up(ClientId=client, Username=name, Password=PASSWORD, UserAttributes=given)


def attributes_of(idp, pool, name="ann"):
    told = idp.admin_get_user(UserPoolId=pool, Username=name)["UserAttributes"]
    return {one["Name"]: one["Value"] for one in told}


def test_a_user_signs_up_with_the_code_that_was_sent(cloud, idp, users):
    pool, client = a_pool(cloud)
    answer = sign_up(users, client, email="ann@example.com")
    told = {"Destination": "a***@e***", "DeliveryMedium": "EMAIL", "AttributeName": "email"}
    assert (answer["UserConfirmed"], answer["CodeDeliveryDetails"]) == (False, told)
    [code] = cloud.iamd("ListUserCodes", UserPoolId=pool)["Codes"]
    assert (code["Username"], code["Purpose"], code["Destination"]) == ("ann", "SIGN_UP", "ann@example.com")
    given = {"ClientId": client, "Username": "ann"}
    for wrong in (other_than(code["Code"]), "1"):
        assert refused(users.confirm_sign_up, **given, ConfirmationCode=wrong) == MISMATCH
    assert "email_verified" not in attributes_of(idp, pool)
    users.confirm_sign_up(**given, ConfirmationCode=code["Code"])
    assert attributes_of(idp, pool)["email_verified"] == "true"
    assert signed_in(users, client)
    assert cloud.iamd("ListUserCodes", UserPoolId=pool)["Codes"] == []
    confirmed = ("NotAuthorizedException", "User cannot be confirmed. Current status is CONFIRMED")
    assert refused(users.confirm_sign_up, **given, ConfirmationCode=code["Code"]) == confirmed


def test_codes_are_not_guessed(cloud, users):
    _, client = a_pool(cloud)
    sign_up(users, client, email="ann@example.com")
    given, code = {"ClientId": client, "Username": "ann"}, CODES[client]("ann")
    for _ in range(5):
        assert refused(users.confirm_sign_up, **given, ConfirmationCode=other_than(code)) == MISMATCH
    assert refused(users.confirm_sign_up, **given, ConfirmationCode=code) == LIMIT
    # Another code does not give more tries.
    users.resend_confirmation_code(**given)
    assert refused(users.confirm_sign_up, **given, ConfirmationCode=CODES[client]("ann")) == LIMIT


def test_a_code_takes_the_place_of_the_one_before(cloud, users):
    _, client = a_pool(cloud)
    sign_up(users, client, email="ann@example.com")
    given, first = {"ClientId": client, "Username": "ann"}, CODES[client]("ann")
    assert users.resend_confirmation_code(**given)["CodeDeliveryDetails"]["DeliveryMedium"] == "EMAIL"
    second = CODES[client]("ann")
    if first != second:
        assert refused(users.confirm_sign_up, **given, ConfirmationCode=first) == MISMATCH
    users.confirm_sign_up(**given, ConfirmationCode=second)
    again = ("InvalidParameterException", "User is already confirmed.")
    assert refused(users.resend_confirmation_code, **given) == again


def test_a_phone_is_verified_before_a_mail_address(cloud, idp, users):
    pool, client = a_pool(cloud)
    idp.update_user_pool(UserPoolId=pool, AutoVerifiedAttributes=["email", "phone_number"])
    answer = sign_up(users, client, email="ann@example.com", phone_number="+12065550123")
    told = {"Destination": "+*******0123", "DeliveryMedium": "SMS", "AttributeName": "phone_number"}
    assert answer["CodeDeliveryDetails"] == told
    users.confirm_sign_up(ClientId=client, Username="ann", ConfirmationCode=CODES[client]("ann"))
    found = attributes_of(idp, pool)
    assert (found.get("phone_number_verified"), found.get("email_verified")) == ("true", None)


def test_nobody_without_an_address_to_verify_is_sent_a_code(cloud, idp, users):
    pool, client = a_pool(cloud)
    assert "CodeDeliveryDetails" not in sign_up(users, client)
    given = {"ClientId": client, "Username": "ann"}
    assert refused(users.confirm_sign_up, **given, ConfirmationCode="123456") == ENDED
    assert code_of(users.resend_confirmation_code, **given) == "InvalidParameterException"
    idp.admin_confirm_sign_up(UserPoolId=pool, Username="ann")
    assert signed_in(users, client)


def test_a_password_is_replaced_with_the_code_alone(cloud, users):
    _, client = a_pool(cloud)
    signed_up(users, client)
    given = {"ClientId": client, "Username": "ann"}
    changed = {**given, "Password": ANOTHER}
    assert refused(users.confirm_forgot_password, **changed, ConfirmationCode="123456") == ENDED
    users.forgot_password(**given)
    code = CODES[client]("ann")
    for wrong in (other_than(code), "1", "moto-confirmation-code:1"):
        assert refused(users.confirm_forgot_password, **changed, ConfirmationCode=wrong) == MISMATCH
    weak = {**given, "Password": "horse1", "ConfirmationCode": code}
    assert code_of(users.confirm_forgot_password, **weak) == "InvalidPasswordException"
    assert signed_in(users, client)
    users.confirm_forgot_password(**changed, ConfirmationCode=code)
    assert signed_in(users, client, password=ANOTHER)
    # It is taken once.
    assert refused(users.confirm_forgot_password, **given, Password=PASSWORD, ConfirmationCode=code) == ENDED


def test_a_code_goes_to_a_verified_address_alone(cloud, idp, users):
    pool, client = a_pool(cloud)
    sign_up(users, client, email="ann@example.com")
    idp.admin_confirm_sign_up(UserPoolId=pool, Username="ann")
    words = "Cannot reset password for the user as there is no registered/verified email or phone_number"
    given = {"ClientId": client, "Username": "ann"}
    assert refused(users.forgot_password, **given) == ("InvalidParameterException", words)
    assert {one["Purpose"] for one in cloud.iamd("ListUserCodes", UserPoolId=pool)["Codes"]} <= {"SIGN_UP"}


def test_whose_password_an_administrator_has_reset_gives_another_first(cloud, idp, users):
    pool, client = a_pool(cloud)
    signed_up(users, client)
    idp.admin_reset_user_password(UserPoolId=pool, Username="ann")
    required = ("PasswordResetRequiredException", "Password reset required for the user")
    begun = {"ClientId": client, "AuthFlow": "USER_PASSWORD_AUTH"}
    old = {"USERNAME": "ann", "PASSWORD": PASSWORD}
    assert refused(users.initiate_auth, **begun, AuthParameters=old) == required
    told = {"ConfirmationCode": CODES[client]("ann"), "Password": ANOTHER}
    users.confirm_forgot_password(ClientId=client, Username="ann", **told)
    assert signed_in(users, client, password=ANOTHER)
