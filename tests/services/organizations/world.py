"""An organization with one of everything."""

from dataclasses import dataclass
from typing import Any

from running import AWS, Credentials


@dataclass(frozen=True)
class Member:
    """A member account, with the session by which the management account administers it."""

    aws: AWS
    account_id: str
    credentials: Credentials

    def client(self, service: str) -> Any:
        """A boto3 client of the member's administrator."""
        return self.aws.client(service, self.credentials)

    def user(self, name: str, *policies: str) -> Credentials:
        """A new user of the member account with these managed policies, and an access key."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        for arn in policies:
            iam.attach_user_policy(UserName=name, PolicyArn=arn)
        return Credentials.of(iam.create_access_key(UserName=name)["AccessKey"])


def new_member(aws: AWS, name: str, **parameters: Any) -> Member:
    """A new account of the organization that the administrator's account manages."""
    organizations = aws.client("organizations")
    given = {"AccountName": name, "Email": f"{name}@example.com", **parameters}
    started = organizations.create_account(**given)["CreateAccountStatus"]
    status = organizations.describe_create_account_status(CreateAccountRequestId=started["Id"])
    account_id = status["CreateAccountStatus"]["AccountId"]
    role = parameters.get("RoleName", "OrganizationAccountAccessRole")
    session = aws.client("sts").assume_role(RoleArn=f"arn:aws:iam::{account_id}:role/{role}", RoleSessionName="test")
    return Member(aws, account_id, Credentials.of(session["Credentials"]))


@dataclass(frozen=True)
class World:
    """The ids of an organization's parts."""

    organization_id: str
    root_id: str
    unit_id: str
    empty_unit_id: str
    policy_id: str
    loose_policy_id: str
    account_id: str
    delegated_id: str
    creation_id: str
    handshake_id: str
