"""What a test case may say, as `iamd test` reads it."""

import pytest

from iamd.policy import cases
from iamd.policy.evaluate import Gate
from iamd.policy.request import PrincipalKind

BASE = {"request": {"principal": "anonymous", "action": "s3:GetObject"}, "expected": "Denied"}


def read(**request):
    return cases.read({**BASE, "request": {**BASE["request"], **request}})


@pytest.mark.parametrize(
    ("principal", "kind"),
    [
        ("anonymous", PrincipalKind.ANONYMOUS),
        ("arn:aws:iam::111122223333:root", PrincipalKind.ROOT),
        ("arn:aws:iam::111122223333:user/p/ann", PrincipalKind.USER),
        ("arn:aws:sts::111122223333:assumed-role/r/s", PrincipalKind.ROLE_SESSION),
        ("arn:aws:sts::111122223333:federated-user/f", PrincipalKind.FEDERATED_USER),
        ("arn:aws:iam::111122223333:saml-provider/p", PrincipalKind.FEDERATED),
        ("ec2.amazonaws.com", PrincipalKind.SERVICE),
    ],
)
def test_principals(principal, kind):
    assert read(principal=principal).request.principal.kind is kind


def test_a_group_is_no_principal():
    with pytest.raises(ValueError, match="is no principal"):
        read(principal="arn:aws:iam::111122223333:group/g")


def test_the_role_behind_a_session():
    session = "arn:aws:sts::111122223333:assumed-role/r/s"
    assert read(principal=session).request.principal.entity_arn == "arn:aws:iam::111122223333:role/r"
    told = read(principal=session, context={"aws:PrincipalArn": "arn:aws:iam::111122223333:role/p/r"})
    assert told.request.principal.entity_arn == "arn:aws:iam::111122223333:role/p/r"
    assert read(principal=session, entity="arn:x").request.principal.entity_arn == "arn:x"


def test_context_keys_are_lower_case_and_values_are_text():
    context = read(context={"AWS:TagKeys": ["A", 1], "s3:max-keys": 10, "aws:SecureTransport": True}).request.context
    assert context == {"aws:tagkeys": ("A", "1"), "s3:max-keys": "10", "aws:securetransport": "true"}


def test_gates():
    role = "arn:aws:iam::111122223333:role/r"
    assert read(action="STS:AssumeRole", resource=role).layers.gate is Gate.TRUST
    assert read(action="iam:PassRole", resource=role).layers.gate is Gate.NONE
    assert read(action="kms:Decrypt", resource="arn:aws:kms:a:1:key/k").layers.gate is Gate.KMS_KEY
    assert read(action="kms:Decrypt", resource="arn:aws:kms:a:1:alias/k").layers.gate is Gate.NONE


def test_denied_means_either_denial():
    case = read()
    assert case.agrees("ImplicitlyDenied")
    assert case.agrees("ExplicitlyDenied")
    assert not case.agrees("Allowed")


def test_what_a_case_lacks():
    with pytest.raises(KeyError, match="expected"):
        cases.read({"request": {"principal": "anonymous", "action": "s3:GetObject"}})
    two = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    with pytest.raises(ValueError, match="one permissions boundary"):
        cases.read({**BASE, "policies": {"boundary": [two, two]}})
