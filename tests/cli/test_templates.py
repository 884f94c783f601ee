"""What the operator registers for partners and services: policy templates, and role templates."""

import json

import pytest
from cli.conftest import one_line
from services.iam.delegating import PARTNER, TEMPLATE, Partner

ROLE_TEMPLATE = "arn:aws:iam::aws:role-template/ec2.amazonaws.com/Reader:1"
TRUST = '{"Version":"2012-10-17","Statement":[]}'
ROLE = json.dumps({"RoleNamePattern": "reader", "AssumeRolePolicyDocumentTemplate": TRUST})
ARN = "arn:aws:iam:::delegation-template/reports"


@pytest.fixture
def data(aws):
    return aws.server.data


@pytest.fixture
def file(folder):
    """`file(content)` is a file that holds this."""

    def made(content):
        path = folder / "template.json"
        path.write_text(content)
        return path

    return made


def add(iamd, data, file, **changes):
    given = {"account": PARTNER, "requestor": "Example Corp", "name": "reports"} | changes
    options = [word for name, value in given.items() for word in (f"--{name}", value)]
    return iamd("delegation-template", "add", file, *options, "-o", "json", "--data", data)


def test_a_policy_template_is_added_listed_and_removed(aws, iamd, data, file):
    aws.iamd("CreateAccount", Name="partner", AccountId=PARTNER)
    added = add(iamd, data, file(json.dumps(TEMPLATE)))
    assert json.loads(added.stdout) == {"PolicyTemplateArn": ARN}
    [listed] = json.loads(iamd("delegation-template", "list", "-o", "json", "--data", data).stdout)["Templates"]
    assert json.loads(listed.pop("PolicyTemplate")) == TEMPLATE
    assert listed == {"PolicyTemplateArn": ARN, "AccountId": PARTNER, "RequestorName": "Example Corp"}
    assert iamd("delegation-template", "remove", ARN, "--data", data).returncode == 0
    assert one_line(iamd("delegation-template", "remove", ARN, "--data", data), 2) == (
        f"no template {ARN} is registered"
    )
    assert json.loads(iamd("delegation-template", "list", "-o", "json", "--data", data).stdout) == {"Templates": []}


def test_a_policy_template_comes_from_standard_input_too(aws, iamd, data):
    aws.iamd("CreateAccount", Name="partner", AccountId=PARTNER)
    words = ("--account", PARTNER, "--requestor", "Example Corp", "--name", "reports", "--data", data)
    assert iamd("delegation-template", "add", "-", *words, input=json.dumps(TEMPLATE)).returncode == 0
    assert len(aws.iamd("ListDelegationTemplates")["Templates"]) == 1


def test_what_is_no_policy_template_is_one_line(aws, iamd, data, file):
    assert one_line(add(iamd, data, file(json.dumps(TEMPLATE))), 2) == f"no account {PARTNER} is on this server"
    aws.iamd("CreateAccount", Name="partner", AccountId=PARTNER)
    assert one_line(add(iamd, data, file("{")), 2) == "the template is not JSON"
    assert "cannot read" in one_line(add(iamd, data, "absent.json"), 2)


def test_a_partner_asks_how_a_request_stands_and_for_its_token(aws, iamd):
    partner = Partner.of(aws)
    request_id = partner.ask()
    theirs = {
        "AWS_ENDPOINT_URL": aws.endpoint,
        "AWS_ACCESS_KEY_ID": partner.credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": partner.credentials.secret_access_key,
    }

    def shown(*words):
        return iamd("delegation-request", "show", request_id, *words, "-o", "json", env=theirs)

    assert json.loads(shown("--with-token").stdout)["State"] == "UNASSIGNED"
    iam = aws.client("iam")
    for step in ("associate_delegation_request", "accept_delegation_request", "send_delegation_token"):
        getattr(iam, step)(DelegationRequestId=request_id)
    told = json.loads(shown().stdout)
    assert told["State"] == "FINALIZED"
    assert "TradeInToken" not in told
    credentials, _ = partner.exchange(json.loads(shown("--with-token").stdout)["TradeInToken"])
    assert aws.client("sts", credentials).get_caller_identity()["Account"] == aws.account_id


def test_nobody_but_the_partner_learns_of_a_request(aws, iamd, data):
    request_id = Partner.of(aws).ask()
    ended = iamd("delegation-request", "show", request_id, "--data", data)
    assert one_line(ended, 2) == f"no delegation request {request_id} was made by this account"


def version(aws, number=None):
    given = {} if number is None else {"MinorVersion": number}
    shown = aws.client("iam").get_role_template_version(TemplateArn=ROLE_TEMPLATE, **given)["RoleTemplateVersion"]
    return shown["MinorVersion"], shown["Enabled"], shown["VersionEnabled"]


def test_versions_of_a_role_template_are_added_and_chosen(aws, iamd, data, file):
    for number in (0, 1):
        words = ("role-template", "add", ROLE_TEMPLATE, file(ROLE), "--minor-version", number, "--data", data)
        assert iamd(*words).returncode == 0
    assert version(aws) == (0, True, True)

    def set_to(*words):
        return iamd("role-template", "set", ROLE_TEMPLATE, *words, "--data", data)

    assert set_to("--default-version", 1, "--disabled-version", 0, "--disabled-version", 1).returncode == 0
    assert (version(aws), version(aws, 0)) == ((1, True, False), (0, True, False))
    assert set_to("--disabled-version", 0).returncode == 0
    assert (version(aws), version(aws, 0)) == ((1, True, True), (0, True, False))
    assert set_to("--no-disabled-versions", "--disable").returncode == 0
    assert (version(aws), version(aws, 0)) == ((1, False, True), (0, False, True))
    assert set_to("--enable").returncode == 0
    assert version(aws) == (1, True, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "nothing to set"),
        (("--no-disabled-versions", "--disabled-version", 0), "exclude each other"),
        (("--default-version", 7), "no such version"),
    ],
)
def test_what_cannot_be_set_is_one_line(aws, iamd, data, words, said):
    assert said in one_line(iamd("role-template", "set", ROLE_TEMPLATE, *words, "--data", data), 2)


def test_what_is_no_role_template_is_one_line(iamd, data, file):
    ended = iamd("role-template", "add", ROLE_TEMPLATE, file("{}"), "--minor-version", 0, "--data", data)
    assert "the template is malformed" in one_line(ended, 2)
