"""What may be stored, and AWS's words for what may not; the answers marked `published` are AWS's own, as others recorded."""

import json

import pytest

from iamd.policy.document import MalformedPolicy, PolicyType, load, validate
from iamd.policy.kinds import WITHOUT_PRINCIPAL
from iamd.policy.malformed import check_simulated

SYNTAX = "Syntax errors in policy."
VERSION = "Policy document must be version 2012-10-17 or greater."
LEGACY = "The policy failed legacy parsing"
BUCKET = "arn:aws:s3:::example_bucket"
ODD_SID = (
    "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
)
VENDOR = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
ONE_COLON = "Actions/Condition can contain only one colon."
NO_ACTIONS = "Policy statement must contain actions."
NO_RESOURCES = "Policy statement must contain resources."
REGEXES = "Resource vendor must be fully qualified and cannot contain regexes."
IAM_PATH = (
    'IAM resource path must either be "*" or start with user/, federated-user/, role/, group/, instance-profile/, mfa/, '
    "server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/."
)


def statement(**changes):
    """A good identity statement with members changed; None takes one away."""
    found = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": BUCKET, **changes}
    return {name: value for name, value in found.items() if value is not None}


def document(*statements, **members):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements), **members})


def under(operator, value, **changes):
    return statement(Condition={operator: {"a": value}}, **changes)


def refusal(text, kind=PolicyType.IDENTITY):
    with pytest.raises(MalformedPolicy) as raised:
        validate(text, kind)
    assert str(raised.value) == raised.value.message
    return raised.value.message


# Published: getmoto/moto, tests/test_iam/test_iam_policies.py.
PUBLISHED = [
    ("This is not a json document", SYNTAX),
    (json.dumps({"Statement": statement()}), VERSION),
    (document(statement(), Version="2008-10-17"), VERSION),
    (document(statement(), Version="2013-10-17"), SYNTAX),
    (json.dumps({"Version": "2012-10-17"}), SYNTAX),
    (document("afd"), SYNTAX),
    (document(statement(), **{"Extra field": "value"}), SYNTAX),
    (document(statement(**{"Extra field": "value"})), SYNTAX),
    (document(statement(), Id=["x"]), SYNTAX),
    (document(statement(Effect="invalid")), SYNTAX),
    (document(statement(Action="invalid")), VENDOR),
    (document(statement(Action=None, NotAction="")), VENDOR),
    (document(statement(Action="a a:ListBucket")), "Vendor a a is not valid"),
    (document(statement(Action="s3:List:Bucket")), ONE_COLON),
    (document(statement(Action="s3s:ListBucket"), statement(Action="s:3s:ListBucket")), ONE_COLON),
    (document(statement(Resource="invalid resource")), 'Resource invalid resource must be in ARN format or "*".'),
    (document(statement(Resource="")), 'Resource  must be in ARN format or "*".'),
    (document(statement(Action="s:3:x", Resource="sdfsadf")), 'Resource sdfsadf must be in ARN format or "*".'),
    (document(statement(Resource="a:b")), 'Partition "b" is not valid for resource "arn:b:*:*:*:*".'),
    (document(statement(Resource="a:b:c")), 'Partition "b" is not valid for resource "arn:b:c:*:*:*".'),
    (document(statement(Resource="a:b:c:d:e:f:g:h")), 'Partition "b" is not valid for resource "arn:b:c:d:e:f:g:h".'),
    (
        document(statement(Resource="aws:s3:::example_bucket")),
        'Partition "s3" is not valid for resource "arn:s3:::example_bucket:*".',
    ),
    (
        document(statement(Resource=["arn:error:s3:::example_bucket", "arn:error:s3::example_bucket"])),
        'Partition "error" is not valid for resource "arn:error:s3:::example_bucket".',
    ),
    (document(), SYNTAX),
    (document(statement(Resource=None)), NO_RESOURCES),
    (document(statement(Resource=[])), NO_RESOURCES),
    (document(statement(Action="invalid", Resource=None)), VENDOR),
    (document(statement(Action=None)), NO_ACTIONS),
    (document(statement(Action=[])), NO_ACTIONS),
    (document(statement(Effect=None)), SYNTAX),
    (document({"Effect": "Allow"}), NO_ACTIONS),
    (document({"Effect": "Deny"}, statement()), NO_ACTIONS),
    (document(statement(Resource="arn:aws:iam:::example_bucket")), IAM_PATH),
    (document(statement(Resource="arn:aws:s3::example_bucket")), LEGACY),
    (document(statement(Action=None, Resource="arn:aws:s3::example_bucket")), LEGACY),
    (document(statement(Resource="arn:aws")), REGEXES),
    (document(statement(Resource={"a": BUCKET})), SYNTAX),
    (document(statement(Resource=["adfdf", {}])), SYNTAX),
    (document(statement(Action=[[]])), SYNTAX),
    (document(statement(NotAction="s3s:ListBucket")), SYNTAX),
    (document(statement(NotResource="*")), SYNTAX),
    (document(statement(Condition=[])), SYNTAX),
    (document(statement(Condition="a")), SYNTAX),
    (document(statement(Condition={"a": "b"})), SYNTAX),
    (document(statement(Condition={"DateGreaterThan": []})), SYNTAX),
    (document(under("DateGreaterThan", {})), SYNTAX),
    (document(under("x", "1")), SYNTAX),
    (document(under("ForAnyValue::StringEqualsIfExists", "asf")), SYNTAX),
    (
        document(statement(Resource="arn:aws:iam:us-east-1::example_bucket")),
        "IAM resource arn:aws:iam:us-east-1::example_bucket cannot contain region information.",
    ),
    (
        document(statement(Resource="arn:aws:s3:us-east-1::example_bucket")),
        "Resource arn:aws:s3:us-east-1::example_bucket can not contain region information.",
    ),
    (document(statement(Sid={})), SYNTAX),
    (
        document(statement(Sid="sdf"), {"Sid": "sdf", "Effect": "Allow"}),
        "Statement IDs (SID) in a single policy must be unique.",
    ),
    (json.dumps({"Statement": [statement(Sid="sdf"), {"Sid": "sdf", "Effect": "Allow"}]}), VERSION),
    (document(statement(Effect="denY")), LEGACY),
    (json.dumps({"Statement": statement(Effect="denY")}), VERSION),
    (document(under("DateGreaterThan", "sdfdsf")), LEGACY),
    (document(under("DateGreaterThan", "sdfdsf", Action=None, Resource=None)), LEGACY),
    (document(under("DateLessThanEquals", "234-13")), LEGACY),
    (document(under("DateLessThanEquals", "2016-12-13t2:00:00.593194+1")), LEGACY),
    (document(under("DateLessThanEquals", "2016-12-13t2:00:00.1999999999+10:59")), LEGACY),
    (document(under("DateLessThan", "9223372036854775808")), LEGACY),
    (document(statement(Resource="arn:aws::::example_bucket")), LEGACY),
    (document(statement(Resource="arn:aws::fdsasf")), LEGACY),
    (document(statement(Effect="allow", Action=None, Resource="arn:aws:s3:us-east-1::example_bucket")), LEGACY),
    (document(under("DateGreaterThan", "sdfdsf", Resource="arn:error:s3:::example_bucket")), LEGACY),
    (document(statement(Sid="sdf", Effect="aLLow"), {"Sid": "sdf", "Effect": "Allow"}), LEGACY),
]

ACCEPTED = [
    document(statement()),
    json.dumps({"Version": "2012-10-17", "Statement": statement()}),
    document(statement(Action="iam: asdf safdsf af ")),
    document(statement(Resource=[BUCKET, "*"])),
    document(statement(Action="*")),
    document(statement(Resource="arn:aws:iam:::user/example_bucket")),
    document(statement(Resource="arn:aws:iam::aws:role-template/ec2.amazonaws.com/Reader:1")),
    document(statement(Resource="arn:aws:s33:::example_bucket")),
    document(statement(Resource="arn:aws:fdsasf")),
    document(statement(Condition={})),
    document(statement(Condition={"DateGreaterThan": {}})),
    document(statement(Condition={"a": {}})),
    document(under("DateGreaterThan", [])),
    document(under("ForAllValues:StringEquals", "Department")),
    document(under("Null", "true")),
    document(statement(Resource="arn:aws:cloudwatch:us-east-1::example_bucket")),
    document(statement(), Id="sdfsdfsdf"),
    document(statement(Action="s3.s-x:ListBucket")),
    document(statement(Action=None, NotAction="s3:ListBucket", Resource=None, NotResource="*")),
    document(statement(Sid="sdf"), statement()),
    document(statement(Sid=""), statement(Sid="")),
    document(under("DateGreaterThan", "01T")),
    document(under("ForAnyValue:StringEqualsIfExists", "asf")),
    document(under("DateLessThanEquals", "2016-12-13T21:20:37.593194+00:00")),
    document(under("DateLessThanEquals", "2016-12-13t2:00:00.593194+23")),
    document(under("DateLessThan", "-292275054")),
    document(statement(Resource="arn:aws:iam::*:user/${aws:username}")),
    document(statement(Resource="arn:aws:s3:::b/cognito/${cognito-identity.amazonaws.com:sub}/*")),
    document(statement(Resource="arn:aws:s3:us-west-2:123456789012:accesspoint/my-access-point/object/*")),
    document(under("StringLike", ["", "home/", "home/${aws:userid}/*"])),
]


@pytest.mark.parametrize(("text", "message"), PUBLISHED)
def test_identity_policies_are_refused_in_awss_words(text, message):
    assert refusal(text) == message


@pytest.mark.parametrize("text", ACCEPTED)
@pytest.mark.parametrize("kind", [PolicyType.IDENTITY, PolicyType.BOUNDARY, PolicyType.SESSION])
def test_identity_policies_are_accepted(text, kind):
    assert validate(text, kind).unreadable is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (document(statement(Principal="*")), "Policy document should not specify a principal."),
        (
            document(statement(Sid="a-b")),
            ODD_SID,
        ),
        (document(statement(Resource="arn:aws:*:us-east-1:123456789012:x")), REGEXES),
        (document(statement(Action="s*:ListBucket")), "Vendor s* is not valid"),
        (document(statement(Action="*:*")), "Vendor * is not valid"),
        (document(statement(Resource="arn:aws:s3:::b/${aws:username")), LEGACY),
        (document(under("StringEquals", "${}")), LEGACY),
        (document(under("NumericEquals", "no-number")), LEGACY),
        (document(under("NumericLessThanIfExists", ["1", "NaN"])), LEGACY),
        (document(under("IpAddress", "not-an-ip")), LEGACY),
        (document(under("ForAnyValue:NotIpAddress", "10.0.0.0/33")), LEGACY),
        (document(under("ArnLike", "not-an-arn")), LEGACY),
        (document(under("ArnNotEquals", "")), LEGACY),
        (document(under("BinaryEquals", "no-binary")), LEGACY),
        (document(under("ForAllValues:Null", "true")), SYNTAX),
        (document(under("NullIfExists", "true")), SYNTAX),
        (document(under("stringequals", "a")), SYNTAX),
        (document(under("StringEqualsIfExistsIfExists", "a")), SYNTAX),
    ],
)
def test_identity_policies_are_refused(text, message):
    assert refusal(text) == message


@pytest.mark.parametrize(
    ("operator", "value"),
    [
        ("NumericEquals", "01"),
        ("NumericEquals", 10),
        ("NumericEquals", "${aws:epochtime}"),
        ("Bool", "yes"),
        ("Null", "yes"),
        ("ArnLike", "*"),
        ("ArnLike", "arn:aws:sns:*"),
        ("ArnEquals", "${aws:PrincipalArn}"),
        ("IpAddress", "192.000.002.0/+24"),
        ("BinaryEquals", "YQ=="),
    ],
)
def test_values_that_parse_or_may_be_patterns_are_stored(operator, value):
    assert load(document(under(operator, value)), PolicyType.IDENTITY) is validate(
        document(under(operator, value)), PolicyType.IDENTITY
    )


def test_session_policies_hold_values_that_do_not_parse():
    """AWS was seen to take them at AssumeRole, but for what is no base64."""
    for operator, value in (("NumericEquals", "x"), ("DateEquals", "x"), ("ArnLike", "x"), ("IpAddress", "x")):
        assert validate(document(under(operator, value)), PolicyType.SESSION).unreadable is None
    assert refusal(document(under("BinaryEquals", "no-binary")), PolicyType.SESSION) == LEGACY


@pytest.mark.parametrize(
    "text",
    [
        '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*"}}',
        '{"Version":"2012-10-17","Statement":[],"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}',
        (
            '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*",'
            '"Condition":{"NumericEquals":{"a":NaN}}}}'
        ),
        (
            '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*",'
            '"Condition":{"StringEquals":{"a":"x","a":"y"}}}}'
        ),
        '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*\\ud800"}}',
        '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}} x',
        '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}',
        '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"},}',
        '{"Version":"2012-10-17" "Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}',
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},]}',
        '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":'
        + "[" * 5000
        + "]" * 5000
        + "}}",
        '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":'
        + '{"a":' * 40
        + "1"
        + "}" * 40
        + "}}",
        "[" * 100_000,
        "",
        "null",
        '""',
        "{}",
        "{1:2}",
        "\ufeff{}",
    ],
)
def test_json_is_read_strictly(text):
    """Repeated keys, NaN, deep nesting, half characters and trailing text are refused, and deny when read all the same."""
    assert refusal(text) == SYNTAX
    assert load(text, PolicyType.IDENTITY).unreadable is not None


TRUSTED = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "sts:AssumeRole"}


def trust(**changes):
    return document({name: value for name, value in {**TRUSTED, **changes}.items() if value is not None})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (trust(Resource="*"), "Has prohibited field Resource"),
        (trust(NotResource="*"), "Has prohibited field NotResource"),
        (trust(Principal=None), "Missing required field Principal"),
        (
            trust(Principal=None, NotPrincipal={"AWS": "*"}),
            "AssumeRole policy must not contain NotPrincipal field.",
        ),
        (trust(Action=None), "Missing required field Action"),
        (trust(Effect=None), "Missing required field Effect"),
        (trust(Action="s3:GetObject"), "AssumeRole policy may only specify STS AssumeRole actions."),
        (trust(Action="*"), "AssumeRole policy may only specify STS AssumeRole actions."),
        (
            trust(Action=["sts:AssumeRole", "sts:GetCallerIdentity"]),
            "AssumeRole policy may only specify STS AssumeRole actions.",
        ),
        (trust(Principal={"Foo": "x"}), SYNTAX),
        (trust(Principal={}), SYNTAX),
        (trust(Principal="ann"), SYNTAX),
        (
            trust(Principal={"AWS": "arn:aws:iam::111122223333:user/*"}),
            'Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:user/*"',
        ),
        (
            trust(Principal={"AWS": "arn:aws:iam::111122223333:group/g"}),
            'Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:group/g"',
        ),
        (trust(Principal={"Service": "ec2"}), 'Invalid principal in policy: "SERVICE":"ec2"'),
        (
            trust(Principal={"Federated": "arn:aws:iam//111122223333:saml-provider/x"}),
            "Federated principals must be valid domain names or SAML metadata ARNs",
        ),
    ],
)
def test_trust_policies_are_refused_in_awss_words(text, message):
    assert refusal(text, PolicyType.TRUST) == message


@pytest.mark.parametrize(
    "principal",
    [
        {"AWS": "111122223333"},
        {"AWS": ["arn:aws:iam::111122223333:user/div/ann", "arn:aws:iam::111122223333:role/app/x"]},
        {"AWS": "arn:aws:sts::111122223333:assumed-role/x/s@1"},
        {"AWS": "AROAJQABLZS4A3QDU576Q"},
        {"AWS": "*"},
        {"Service": ["ec2.amazonaws.com", "ecs-tasks.amazonaws.com"]},
        {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},
        {"Federated": "arn:aws:iam::111122223333:saml-provider/ADFS"},
        {"Federated": "accounts.google.com"},
    ],
)
@pytest.mark.parametrize("version", ["2008-10-17", "2012-10-17"])
def test_trust_policies_are_accepted(principal, version):
    text = json.dumps({"Version": version, "Statement": {**TRUSTED, "Principal": principal}})
    assert validate(text, PolicyType.TRUST).version == version


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"Principal": None}, "Missing required field Principal"),
        ({"Resource": None}, "Missing required field Resource"),
        ({"Action": None}, "Missing required field Action"),
        ({"Effect": None}, "Missing required field Effect"),
        ({"Resource": "x"}, 'Resource x must be in ARN format or "*".'),
        ({"Principal": {"AWS": "ann"}}, 'Invalid principal in policy: "AWS":"ann"'),
    ],
)
def test_resource_policies_are_refused(members, message):
    assert refusal(document(statement(**{"Principal": "*", **members})), PolicyType.RESOURCE) == message


def test_old_text_keeps_its_dollar_signs():
    """Under 2008-10-17 `${` is plain text, so nothing is wrong with an open one."""
    old = document(statement(Principal="*", Resource="arn:aws:s3:::b/${x"), Version="2008-10-17")
    assert validate(old, PolicyType.RESOURCE).version == "2008-10-17"


ORGANIZATIONS = "The provided policy document does not meet the requirements of the specified policy type."


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (PolicyType.SCP, statement(Principal="*")),
        (PolicyType.SCP, statement(Resource="arn:aws:s3")),
        (PolicyType.SCP, statement(Resource=None)),
        (PolicyType.SCP, statement(Action="s3")),
        (PolicyType.RCP, statement(Effect="Allow", Principal="*")),
        (PolicyType.RCP, statement(Effect="Deny")),
        (PolicyType.RCP, statement(Effect="Deny", Principal={"AWS": "111122223333"})),
        (PolicyType.RCP, statement(Effect="Deny", Principal=["*"])),
        (PolicyType.RCP, statement(Effect="Deny", Principal={"AWS": ["*"]})),
        (PolicyType.RCP, statement(Effect="Deny", Principal={"AWS": "*", "Service": "s3.amazonaws.com"})),
        (PolicyType.RCP, statement(Effect="Deny", Principal=None, NotPrincipal="*")),
        (PolicyType.RCP, statement(Effect="Deny", Principal="*", Action="*")),
        (PolicyType.RCP, statement(Effect="Deny", Principal="*", Action=["s3:GetObject", "*"])),
        (PolicyType.RCP, statement(Effect="Deny", Principal="*", Action=None, NotAction="s3:*")),
        (PolicyType.RCP, statement(Effect="Deny", Principal="*", Resource="arn:aws:s3:*")),
    ],
)
def test_organization_policies_are_refused_in_one_way(kind, wrong):
    assert refusal(document(wrong), kind) == ORGANIZATIONS
    assert refusal("{", kind) == ORGANIZATIONS


@pytest.mark.parametrize(
    ("kind", "right"),
    [
        (PolicyType.SCP, statement(Resource="arn:aws:s3*", Condition={"Bool": {"aws:SecureTransport": "false"}})),
        (PolicyType.SCP, statement(Action=None, NotAction="s3:*", Resource=None, NotResource=BUCKET)),
        (PolicyType.RCP, statement(Effect="Deny", Principal="*", Resource=None, NotResource=BUCKET)),
        (PolicyType.RCP, statement(Effect="Deny", Principal={"AWS": "*"})),
    ],
)
def test_organization_policies_are_accepted(kind, right):
    assert validate(document(right), kind).unreadable is None


def test_an_scp_needs_the_new_version_to_be_stored():
    one = statement(Effect="Deny", Resource="arn:aws:iam::111122223333:user/${aws:PrincipalTag/t}")
    for old in (json.dumps({"Statement": [one]}), document(one, Version="2008-10-17")):
        assert refusal(old, PolicyType.SCP) == ORGANIZATIONS
        # What was stored before is read as it was.
        assert load(old, PolicyType.SCP).unreadable is None
    assert validate(document(one), PolicyType.SCP).unreadable is None


ODD_VERSIONS = [[], {}, [["2012-10-17"]], ["2012-10-17"], {"2012-10-17": ""}, None, 5, True, "", "2012-10-18"]


@pytest.mark.parametrize("kind", PolicyType)
@pytest.mark.parametrize("version", ODD_VERSIONS)
def test_a_version_of_any_other_json_is_a_syntax_error(kind, version):
    principal = {} if kind in WITHOUT_PRINCIPAL else {"Principal": "*"}
    resource = {"Resource": None} if kind is PolicyType.TRUST else {}
    text = document(statement(Effect="Deny", Action="sts:AssumeRole", **principal, **resource), Version=version)
    expected = ORGANIZATIONS if kind in {PolicyType.SCP, PolicyType.RCP} else SYNTAX
    assert refusal(text, kind) == expected
    with pytest.raises(MalformedPolicy):
        check_simulated(text, kind)


@pytest.mark.parametrize("sid", ["Allow this", "a-b", "a_b", "é", "²"])
def test_a_trust_policys_statement_ids_are_letters_and_digits(sid):
    """AWS: "The Sid element supports ASCII uppercase letters (A-Z), lowercase letters (a-z), and numbers (0-9)" in IAM's
    own policies (IAM User Guide, reference_policies_elements_sid); users were refused an underscore in a trust policy.
    """
    assert refusal(trust(Sid=sid), PolicyType.TRUST) == ODD_SID
    assert validate(trust(Sid="Allow1"), PolicyType.TRUST).statements[0].sid == "Allow1"
    assert validate(trust(Sid=""), PolicyType.TRUST).unreadable is None
