"""A partner with a policy template, and what it asks for."""

import json
from dataclasses import dataclass
from typing import Any

from running import AWS, Credentials

PARTNER = "210987654321"
TEMPLATE = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::@{bucketName}/*"},
        {"Effect": "Allow", "Action": ["iam:ListUsers", "@{moreActions}"], "Resource": "*"},
    ],
}
PARAMETERS = [
    {"Name": "bucketName", "Values": ["reports"], "Type": "string"},
    {"Name": "moreActions", "Values": ["iam:ListRoles", "iam:GetUser"], "Type": "stringList"},
]
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::reports/*"},
        {"Effect": "Allow", "Action": ["iam:ListUsers", "iam:ListRoles", "iam:GetUser"], "Resource": "*"},
    ],
}


@dataclass
class Partner:
    """An account that may ask for delegated access."""

    aws: AWS
    credentials: Credentials
    template_arn: str

    @classmethod
    def of(cls, aws: AWS, template: Any = None) -> "Partner":
        """A partner with a template."""
        made = Credentials.of(aws.iamd("CreateAccount", Name="partner", AccountId=PARTNER))
        told = aws.iamd(
            "RegisterDelegationTemplate",
            AccountId=PARTNER,
            RequestorName="Example Corp",
            TemplateName="read-reports",
            PolicyTemplate=json.dumps(template or TEMPLATE),
        )
        return cls(aws, made, told["PolicyTemplateArn"])

    @property
    def iam(self) -> Any:
        """IAM as the partner calls it."""
        return self.aws.client("iam", self.credentials)

    @property
    def sts(self) -> Any:
        """STS as the partner calls it."""
        return self.aws.client("sts", self.credentials)

    def parameters(self, **changes: Any) -> dict[str, Any]:
        """What a request is made of."""
        given: dict[str, Any] = {
            "OwnerAccountId": self.aws.account_id,
            "Description": "reads reports",
            "Permissions": {"PolicyTemplateArn": self.template_arn, "Parameters": PARAMETERS},
            "RequestorWorkflowId": "workflow-1",
            "NotificationChannel": f"arn:aws:sns:us-east-1:{PARTNER}:delegations",
            "SessionDuration": 3600,
        }
        return {name: value for name, value in (given | changes).items() if value is not None}

    def ask(self, **changes: Any) -> str:
        """Make a request; gives its id."""
        return str(self.iam.create_delegation_request(**self.parameters(**changes))["DelegationRequestId"])

    def notification(self, request_id: str) -> dict[str, Any]:
        """What the partner is told of a request."""
        return self.aws.iamd("GetDelegationNotification", self.credentials, DelegationRequestId=request_id)

    def granted(self, by: Any, **changes: Any) -> str:
        """A request that `by` has associated, accepted and sent the token of; gives the token."""
        request_id = self.ask(**changes)
        by.associate_delegation_request(DelegationRequestId=request_id)
        by.accept_delegation_request(DelegationRequestId=request_id)
        by.send_delegation_token(DelegationRequestId=request_id)
        return str(self.notification(request_id)["TradeInToken"])

    def exchange(self, token: str) -> tuple[Credentials, dict[str, Any]]:
        """The credentials of a token, with the whole answer."""
        answer = self.sts.get_delegated_access_token(TradeInToken=token)
        return Credentials.of(answer["Credentials"]), answer
