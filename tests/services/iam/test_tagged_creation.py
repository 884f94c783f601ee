"""Whoever makes something of IAM's with tags must be allowed to tag it as well.

AWS: Service Authorization Reference, "API operations defined by IAM": each of these operations has two actions.
"""

from dataclasses import dataclass
from typing import Any

import pytest
from botocore import xform_name
from running import ACCOUNT, allow, deny
from saml import metadata_of_nobody
from services.iam.key_material import server_material
from services.iam.world import DOCUMENT, TAGS, TRUST

READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


@dataclass(frozen=True)
class Making:
    """An operation that takes tags, the action of tagging, and what is made."""

    operation: str
    tagging: str
    resource: str
    parameters: dict[str, Any]

    @property
    def made(self) -> str:
        return f"arn:aws:iam::{ACCOUNT}:{self.resource}"

    @property
    def shown(self) -> str:
        """What denials call it: AWS's do so of policies by name and of all else by the ARN."""
        return "policy new" if self.operation == "CreatePolicy" else self.made


MAKINGS = [
    Making("CreateUser", "TagUser", "user/team/new", {"UserName": "new", "PermissionsBoundary": READ_ONLY}),
    Making("CreateRole", "TagRole", "role/team/new", {"RoleName": "new", "AssumeRolePolicyDocument": TRUST}),
    Making("CreatePolicy", "TagPolicy", "policy/team/new", {"PolicyName": "new", "PolicyDocument": DOCUMENT}),
    Making("CreateInstanceProfile", "TagInstanceProfile", "instance-profile/team/new", {"InstanceProfileName": "new"}),
    Making("CreateVirtualMFADevice", "TagMFADevice", "mfa/team/new", {"VirtualMFADeviceName": "new"}),
    Making(
        "UploadServerCertificate",
        "TagServerCertificate",
        "server-certificate/team/new",
        {"ServerCertificateName": "new", **server_material()},
    ),
    Making(
        "CreateOpenIDConnectProvider",
        "TagOpenIDConnectProvider",
        "oidc-provider/new.example.com/team",
        {"Url": "https://new.example.com/team", "ThumbprintList": ["a" * 40]},
    ),
    Making(
        "CreateSAMLProvider",
        "TagSAMLProvider",
        "saml-provider/new",
        {"Name": "new", "SAMLMetadataDocument": metadata_of_nobody()},
    ),
]


@pytest.fixture(params=MAKINGS, ids=lambda making: making.operation)
def making(request):
    return request.param


@pytest.fixture
def make(aws, making):
    """`make(*statements, Tags=...)` asks for the new thing as a user who has these statements."""

    def ask(name, *statements, **tags):
        path = {"Path": "/team/"} if "/team/" in making.resource else {}
        client = aws.client("iam", aws.user(name, *statements))
        return getattr(client, xform_name(making.operation))(**making.parameters, **path, **tags)

    return ask


def missing(making, words):
    return rf"not authorized to perform: iam:{making.tagging} on resource: {making.shown} {words}"


def test_tags_need_the_action_of_tagging(make, making, aws):
    creating = allow(f"iam:{making.operation}", making.made)
    with pytest.raises(Exception, match=missing(making, "because no identity-based policy allows")):
        make("creator", creating, Tags=TAGS)
    with pytest.raises(Exception, match=missing(making, "with an explicit deny in an identity-based policy")):
        make("guarded", allow("iam:*"), deny(f"iam:{making.tagging}"), Tags=TAGS)
    make("plain", creating)
    assert {"errorCode"} & aws.events(making.operation)[0].keys() == set()


def test_the_tags_of_the_request_are_keys_of_tagging(make, making):
    creating = allow(f"iam:{making.operation}", making.made)
    red = {"StringEquals": {"aws:RequestTag/Team": "red"}}
    with pytest.raises(Exception, match=missing(making, "because no identity-based policy allows")):
        make("red", creating, allow(f"iam:{making.tagging}", **red), Tags=TAGS)
    with pytest.raises(Exception, match=missing(making, "because no identity-based policy allows")):
        make("elsewhere", creating, allow(f"iam:{making.tagging}", f"{making.made}-x"), Tags=TAGS)
    blue = {"StringEquals": {"aws:RequestTag/Team": "blue"}, "ForAllValues:StringEquals": {"aws:TagKeys": ["Team"]}}
    make("blue", creating, allow(f"iam:{making.tagging}", making.made, **blue), Tags=TAGS)
