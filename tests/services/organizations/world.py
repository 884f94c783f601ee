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
