"""User pools and their users, as applications have them: through boto3 without a signature."""

from collections.abc import Callable
from functools import partial
from typing import Any

from botocore import UNSIGNED
from running import AWS, REGION, Credentials

PASSWORD = "Correct-horse-1"


def unsigned(aws: AWS, service: str, region: str = REGION) -> Any:
    """A client that signs nothing, as an application's is that has no credentials."""
    return aws.client(service, Credentials("nobody", "nothing"), region, signature_version=UNSIGNED)


def a_pool(aws: AWS, credentials: Credentials | None = None, region: str = REGION, **client: Any) -> tuple[str, str]:
    """A new user pool and a client of it."""
    idp = aws.client("cognito-idp", credentials, region)
    pool = idp.create_user_pool(PoolName="people", AutoVerifiedAttributes=["email"])["UserPool"]["Id"]
    client.setdefault("ExplicitAuthFlows", ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"])
    made = idp.create_user_pool_client(UserPoolId=pool, ClientName="app", **client)
    name = made["UserPoolClient"]["ClientId"]
    CODES[name] = partial(code_of_user, aws, credentials, pool)
    return pool, name


CODES: dict[str, Callable[[str], str]] = {}
"""What tells the code of a user of a client's pool."""


def code_of_user(aws: AWS, credentials: Credentials | None, pool: str, name: str) -> str:
    """The one code that a user would be sent."""
    [told] = aws.iamd("ListUserCodes", credentials, UserPoolId=pool, Username=name)["Codes"]
    return str(told["Code"])


def signed_up(users: Any, client: str, name: str = "ann") -> dict[str, str]:
    """A user who has signed up and in: the tokens."""
    mail = [{"Name": "email", "Value": f"{name}@example.com"}]
    users.sign_up(ClientId=client, Username=name, Password=PASSWORD, UserAttributes=mail)
    users.confirm_sign_up(ClientId=client, Username=name, ConfirmationCode=CODES[client](name))
    return signed_in(users, client, name)


def signed_in(users: Any, client: str, name: str = "ann", password: str = PASSWORD) -> dict[str, str]:
    """The tokens of a user who signs in."""
    given = {"USERNAME": name, "PASSWORD": password}
    answer = users.initiate_auth(ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=given)
    return answer["AuthenticationResult"]
