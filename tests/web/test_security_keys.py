"""Who may register which security key: `iam:EnableMFADevice` is decided for both steps of it."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from running import AWS, Server, allow, deny
from web.authenticator import Maker, Model, blob
from web.conftest import ALIAS, PASSWORD

from iamd.auth import fido_metadata
from iamd.auth.fido_metadata import InvalidMetadata

ENABLE = "iam:EnableMFADevice"
LIST = allow("iam:ListMFADevices")


def state(*values):
    return {"StringEquals": {"iam:RegisterSecurityKey": list(values)}}


@pytest.fixture
def registers(aws, iam, ann, open_browser):
    """`registers(statements)`: whether ann, who may do this, gets a security key."""
    return Registering(aws, iam, open_browser)


@dataclass
class Registering:
    """A user who may do what the statements say, and registers a key of a model."""

    aws: Any
    iam: Any
    open_browser: Any

    def __post_init__(self):
        self.origin = f"http://localhost:{self.aws.endpoint.rpartition(':')[2]}"
        self.browser = self.open_browser(self.origin).sign_in(ALIAS, "ann", PASSWORD)

    def __call__(self, *statements, model=None):
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        self.iam.put_user_policy(UserName="ann", PolicyName="mfa", PolicyDocument=document)
        browser = self.browser.get("/_iamd/mfa")
        options = json.loads(browser.document.xpath("//form[@class='security-key']/@data-options")[0])
        answer = (model or Model()).registered(options, self.origin)
        browser.submit("/_iamd/mfa/security-key", credential=answer, name="blue")
        event = self.aws.events("EnableMFADevice")[0]
        devices = self.iam.list_mfa_devices(UserName="ann")["MFADevices"]
        assert bool(devices) == ("errorCode" not in event) == (browser.error is None)
        return devices[0]["SerialNumber"] if devices else None

    def certifications(self, model):
        """Those of a key of this model, which is taken away again."""
        serial = self(LIST, allow(ENABLE), model=model)
        shown = self.iam.get_mfa_device(UserName="ann", SerialNumber=serial)
        self.iam.deactivate_mfa_device(UserName="ann", SerialNumber=serial)
        return shown.get("Certifications", {})

    def lets_in(self, model, *statements):
        """Whether a key of this model is registered; it is taken away again."""
        serial = self(LIST, *statements, model=model)
        if serial is not None:
            self.iam.deactivate_mfa_device(UserName="ann", SerialNumber=serial)
        return serial is not None


def test_who_is_allowed_both_steps_registers_a_key(registers):
    """AWS: `iam:RegisterSecurityKey` (User Guide, "Supported configurations for using passkeys and security keys")."""
    neither = {"StringNotEquals": {"iam:RegisterSecurityKey": ["Create", "Activate"]}}
    assert registers.lets_in(None, allow(ENABLE))
    assert registers.lets_in(None, allow(ENABLE, **state("Create", "Activate")))
    assert registers.lets_in(None, allow(ENABLE, **state("Create")), allow(ENABLE, **state("Activate")))
    assert registers.lets_in(None, allow(ENABLE), deny(ENABLE, **neither))


def test_a_step_that_is_not_allowed_keeps_the_key_out(registers):
    for one in ("Create", "Activate"):
        assert not registers.lets_in(None, allow(ENABLE, **state(one)))
        assert not registers.lets_in(None, allow(ENABLE), deny(ENABLE, **state(one)))
    assert not registers.lets_in(None, allow(ENABLE), deny(ENABLE, Null={"iam:RegisterSecurityKey": "false"}))
    assert not registers.lets_in(None, allow(ENABLE, StringEquals={"iam:FIDO-certification": ["L1", "L2"]}))


def test_a_security_key_is_shown_as_it_is_listed(aws, iam, ann, registers):
    registers(LIST, allow(ENABLE))
    [device] = iam.list_mfa_devices(UserName=ann)["MFADevices"]
    shown = iam.get_mfa_device(UserName=ann, SerialNumber=device["SerialNumber"])
    assert {name: shown[name] for name in device} == device
    [event] = aws.events("GetMFADevice")
    assert event["requestParameters"] == {"userName": ann, "serialNumber": device["SerialNumber"]}
    iam.create_user(UserName="bob")
    with pytest.raises(iam.exceptions.NoSuchEntityException, match="MFA Device invalid for user"):
        iam.get_mfa_device(UserName="bob", SerialNumber=device["SerialNumber"])


def test_a_virtual_device_is_no_security_key(aws, iam, devices, ann):
    serial, seed = devices.new("phone")
    bob = aws.client("iam", aws.user("bob", allow(ENABLE, Null={"iam:RegisterSecurityKey": "true"})))
    bob.enable_mfa_device(UserName=ann, SerialNumber=serial, **devices.codes(seed))
    assert [device["SerialNumber"] for device in iam.list_mfa_devices(UserName=ann)["MFADevices"]] == [serial]


def level(of, status, since="2020-01-01", **more):
    """A report of the Metadata Service."""
    return {"status": status, "effectiveDate": since, **({"fipsRevision": of} if of else {}), **more}


L1, L2, GONE = level(None, "FIDO_CERTIFIED_L1"), level(None, "FIDO_CERTIFIED_L2", "2022-02-02"), {"status": "REVOKED"}
MAKER, STRANGER = Maker(), Maker()
PLAIN, SAFE, ODD = Model(MAKER), Model(MAKER), Model(MAKER)
SAFE.named, ODD.named = SAFE.aaguid, PLAIN.aaguid
FORGED = Model(STRANGER, aaguid=SAFE.aaguid)
SELF = Model(aaguid=SAFE.aaguid)
ROOTLESS = Model(MAKER)
BROKEN, EXPIRED, COMING, WITHDRAWN = (Model(MAKER) for _ in range(4))
KNOWN = blob(
    PLAIN.entry(L1),
    SAFE.entry(
        L2, L1, level(2, "FIPS140_CERTIFIED_L2"), level(3, "FIPS140_CERTIFIED_L3"), {"status": "UPDATE_AVAILABLE"}
    ),
    ODD.entry(L2),
    ROOTLESS.entry(L1, roots=()),
    BROKEN.entry(L1, GONE),
    EXPIRED.entry(level(None, "FIDO_CERTIFIED_L1", sunsetDate="2021-01-01")),
    COMING.entry(level(None, "FIDO_CERTIFIED_L1", "2999-01-01")),
    WITHDRAWN.entry(L1, level(None, "NOT_FIDO_CERTIFIED", "2023-01-01")),
    {"attestationCertificateKeyIdentifiers": ["0" * 40], "metadataStatement": {}, "statusReports": []},
)


@pytest.fixture(scope="module")
def knowing(tmp_path_factory):
    """An iamd that has the Metadata Service's file."""
    folder = tmp_path_factory.mktemp("fido")
    (folder / "blob.jwt").write_text(KNOWN)
    server = Server(folder / "data", "--backend", "none", "--dev", "--fido-metadata", str(folder / "blob.jwt"))
    yield AWS(server)
    server.stop()


@pytest.fixture
def attests(knowing, open_browser):
    """As `registers`, with a user of that iamd."""
    with knowing.reset() as aws:
        iam = aws.client("iam")
        iam.create_account_alias(AccountAlias=ALIAS)
        iam.create_user(UserName="ann")
        iam.create_login_profile(UserName="ann", Password=PASSWORD)
        yield Registering(aws, iam, open_browser)


def test_a_key_has_the_certifications_of_the_model_that_it_proves_to_be_of(attests):
    """WebAuthn Level 3, 8.2; FIDO Metadata Service 3.1, 3.1.4."""
    assert attests.certifications(PLAIN) == {"FIDO": "L1"}
    assert attests.certifications(SAFE) == {"FIDO": "L2", "FIPS-140-2": "L2", "FIPS-140-3": "L3"}
    for model in (ODD, FORGED, SELF, ROOTLESS, BROKEN, EXPIRED, COMING, WITHDRAWN, Model(MAKER)):
        assert attests.certifications(model) == {}


def test_policies_ask_for_certifications_when_the_key_has_answered(attests):
    """AWS: the guide's example allows `Create` by itself, and `Activate` with certifications."""
    create = allow(ENABLE, **state("Create"))
    keys = {"iam:FIDO-FIPS-140-2-certification": "L2", "iam:FIDO-FIPS-140-3-certification": "L3"}
    certified = allow(ENABLE, StringEquals=keys)
    level_2 = {"StringEquals": {"iam:FIDO-certification": "L2"}}
    assert attests.lets_in(SAFE, create, certified)
    assert not attests.lets_in(PLAIN, create, certified)
    assert not attests.lets_in(SAFE, allow(ENABLE), deny(ENABLE, **level_2))
    assert attests.lets_in(PLAIN, allow(ENABLE), deny(ENABLE, **level_2))
    assert not attests.lets_in(SAFE, allow(ENABLE, **level_2))


@pytest.mark.parametrize(
    "content", ["", "a.b.c", "x", blob({"aaguid": "x"}), "e30.eyJlbnRyaWVzIjpbXSwiZW50cmllcyI6W119.e30"]
)
def test_a_file_that_is_no_metadata_is_refused(tmp_path, content):
    file = tmp_path / "blob.jwt"
    file.write_text(content)
    with pytest.raises(InvalidMetadata, match="is no metadata of the FIDO Alliance"):
        fido_metadata.read(file)
