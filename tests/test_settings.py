"""Settings: every option, variable and key works; what is unknown or wrong is one line that shows the way out."""

from dataclasses import fields
from pathlib import Path

import pytest
from click.testing import CliRunner

from iamd import configuration
from iamd.cli.commands import iamd
from iamd.settings import NAMES, BackendSettings, Settings, SettingsError

SAMPLES = {
    "host": ("::1", "::1"),
    "port": ("1234", 1234),
    "data": ("/tmp/x", Path("/tmp/x")),
    "account": ("210987654321", "210987654321"),
    "backend": ("http://localhost:5000", "http://localhost:5000"),
    "enforce": ("soft", "soft"),
    "dev": ("true", True),
    "workers": ("3", 3),
    "region": ("eu-west-1", "eu-west-1"),
    "key_file": ("/tmp/k", Path("/tmp/k")),
    "admin_access_key_id": ("AKIAEXAMPLEEXAMPLE00", "AKIAEXAMPLEEXAMPLE00"),
    "admin_secret_access_key": ("a-secret-of-some-length", "a-secret-of-some-length"),
    "audit_retention_days": ("7", 7),
    "max_staleness_seconds": ("5", 5),
    "allow_plain_http": ("true", True),
    "trusted_proxies": ("10.0.0.1", ("10.0.0.1",)),
    "loopback_is_secure": ("true", True),
    "federation_hosts": ("Idp.example:9000", ("idp.example:9000",)),
    "integration_hosts": ("Shop.example:9000", ("shop.example:9000",)),
    "fido_metadata": ("/tmp/mds.jwt", Path("/tmp/mds.jwt")),
    "issuer_url": ("https://iamd.example.com/", "https://iamd.example.com"),
    "metadata": ("127.0.0.1:1234", "127.0.0.1:1234"),
    "metadata_instance": ("i-0123456789abcdef0", "i-0123456789abcdef0"),
    "metadata_v1": ("true", True),
    "workload_session_seconds": ("900", 900),
    "functions": ("off", "off"),
    "functions_concurrency": ("9", 9),
    "backend_connect_seconds": ("1.5", 1.5),
    "backend_response_seconds": ("2.5", 2.5),
    "backend_idle_seconds": ("3.5", 3.5),
    "header_seconds": ("4.5", 4.5),
    "idle_seconds": ("5.5", 5.5),
    "connections": ("9", 9),
    "refusals_per_second": ("9", 9),
}
"""A text for each setting that is none of the default, and what it means; `store` has only one value yet."""

PAIRS = {"admin_access_key_id": "admin_secret_access_key", "admin_secret_access_key": "admin_access_key_id"}


def together(name: str) -> list[str]:
    return [name, PAIRS[name]] if name in PAIRS else [name]


def test_every_setting_has_a_sample():
    assert {*SAMPLES, "store", "backends", "vpc_endpoints"} == set(NAMES)


@pytest.mark.parametrize("name", SAMPLES)
def test_it_is_an_option(name, monkeypatch):
    seen: list[Settings] = []
    monkeypatch.setattr("iamd.run.serve", lambda settings: seen.append(settings) or 0)
    words = []
    for one in together(name):
        flag = "--" + one.replace("_", "-")
        words += [flag] if isinstance(getattr(Settings(), one), bool) else [flag, SAMPLES[one][0]]
    result = CliRunner().invoke(iamd, ["serve", *words], env={})
    assert result.exit_code == 0, result.output
    assert getattr(seen[0], name) == SAMPLES[name][1]


@pytest.mark.parametrize("name", SAMPLES)
def test_it_is_a_variable(name):
    given = {f"IAMD_{one.upper()}": SAMPLES[one][0] for one in together(name)}
    assert getattr(configuration.load({}, given), name) == SAMPLES[name][1]


@pytest.mark.parametrize("name", SAMPLES)
def test_it_is_a_key_of_the_file(name, tmp_path):
    lines = []
    for one in together(name):
        text, value = SAMPLES[one]
        bare = str(value).lower() if isinstance(value, bool | int | float) else f'"{text}"'
        lines.append(f"{one} = {f'[{bare}]' if isinstance(value, tuple) else bare}\n")
    file = tmp_path / "iamd.toml"
    file.write_text("".join(lines))
    assert getattr(configuration.load({"config": file}, {}), name) == SAMPLES[name][1]
    assert getattr(configuration.load({}, {"IAMD_CONFIG": str(file)}), name) == SAMPLES[name][1]


def test_the_command_line_comes_before_the_environment_before_the_file(tmp_path):
    file = tmp_path / "iamd.toml"
    file.write_text('port = 1\nregion = "eu-west-1"\nworkers = 4\n')
    settings = configuration.load({"config": file, "port": "3"}, {"IAMD_PORT": "2", "IAMD_REGION": "eu-west-2"})
    assert (settings.port, settings.region, settings.workers) == (3, "eu-west-2", 4)


@pytest.mark.parametrize(("value", "enforce"), [("1", "strict"), ("soft", "soft")])
def test_enforce_iam_is_taken(value, enforce):
    assert configuration.load({}, {"ENFORCE_IAM": value}).enforce == enforce


def test_backends_are_tables(tmp_path):
    file = tmp_path / "iamd.toml"
    file.write_text('[backends.files]\nurl = "http://localhost:9000"\nservices = ["s3"]\nregion = "eu-west-1"\n')
    backends = configuration.load({"config": file}, {}).backends
    assert backends == {"files": BackendSettings(url="http://localhost:9000", services=("s3",), region="eu-west-1")}


WRONG = {
    "port": ["abc", "65536", "-1", "1.5"],
    "account": ["12", "abcdefghijkl", "1234567890123", "１２３４５６７８９０１２"],
    "backend": ["moto2", "ftp://x", "http://host/path", "http://host:x", "http://", "http://u:p@host"],
    "enforce": ["off", "0", ""],
    "dev": ["maybe"],
    "workers": ["0", "many", "65"],
    "audit_retention_days": ["0"],
    "max_staleness_seconds": ["-1"],
    "trusted_proxies": ["proxy", "10.0.0.1,x"],
    "federation_hosts": ["", "http://idp.example", "idp.example:0", "a b", "idp.example/x", "*"],
    "integration_hosts": ["", "http://shop.example", "shop.example:0", "a b", "shop.example/x", "*"],
    "issuer_url": ["", "iamd.example.com", "https://iamd.example.com/x", "ftp://x"],
    "header_seconds": ["0", "nan", "inf", "soon"],
    "idle_seconds": ["-3"],
    "connections": ["0"],
    "refusals_per_second": ["0", "many"],
    "store": ["postgresql://localhost/iamd", "mysql://x"],
    "host": ["0.0.0.0"],
    "region": ["", "us_east_1", "us-east-1/x", "us-east-1:", "*", "us-east-1\nx", "US-EAST-1"],
    "data": ["", "a\x00b", "a\nb"],
    "key_file": ["", "a\x00b"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_a_wrong_value_is_told_in_one_line_without_types(name, value):
    with pytest.raises(SettingsError) as error:
        configuration.load({}, {f"IAMD_{name.upper()}": value})
    told = str(error.value)
    assert "\n" not in told
    for type_name in ("int", "str", "float", "bool", "array", "enum", "Literal", "PosixPath", "NoneType", "tuple"):
        assert f"`{type_name}`" not in told
    assert not told.endswith(".")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"IAMD_PROT": "1"}, "unknown variable `IAMD_PROT`; did you mean `IAMD_PORT`?"),
        ({"IAMD_WORKER": "1"}, "unknown variable `IAMD_WORKER`; did you mean `IAMD_WORKERS`?"),
        ({"IAMD_BACKENDS": "x"}, "unknown variable `IAMD_BACKENDS`; did you mean `IAMD_BACKEND`?"),
        ({"ENFORCE_IAM": "0"}, "ENFORCE_IAM=`0`: iamd always enforces; use `--enforce soft` to only record denials"),
    ],
)
def test_an_unknown_variable_names_the_nearest(given, told):
    with pytest.raises(SettingsError) as error:
        configuration.load({}, given)
    assert str(error.value) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("prot = 1", "unknown setting `prot` in `{}`; did you mean `port`?"),
        ("port = ", "`{}` is not TOML"),
        ('port = "x"', "wrong value for `port`: a whole number, got `x`"),
        ("port = [1]", "wrong value for `port`: a whole number, got `[1]`"),
        ("host = 5", "wrong value for `host`: a text, got `5`"),
        ("data = 5", "wrong value for `data`: a path, got `5`"),
        ("admin_secret_access_key = [1]", "wrong value for `admin_secret_access_key`: a text"),
        ('backends = "x"', "backends are tables: `[backends.<name>]` with a `url`"),
        ("[backends.a]", "`[backends.a]` has no `url`"),
        ("[backends.a]\nurll = 'x'", "unknown setting `backends.a.urll`; did you mean `url`?"),
        ("[backends.a]\nurl = 5", "wrong value for `backends.a.url`: a text"),
        ("[backends.a]\nurl = 'http://a'\nservices = 's3'", "wrong value for `backends.a.services`: a list of"),
        ("[backends.a]\nurl = 'http://a/b'", "wrong value for `backends.a.url`: `http://host:port`, got `http://a/b`"),
        ("[backends.a]\nurl = 'http://a'\nca_file = '/no'", "wrong value for `backends.a.ca_file`: there is no file"),
        ("[backends.a]\nurl = 'http://a'\naccess_key_id = 'x'", "give both `access_key_id` and `secret_access_key` of"),
        (
            "[backends.a]\nurl = 'http://a'\nservices = ['s3']\n[backends.b]\nurl = 'http://b'\nservices = ['s3']",
            "backends `a` and `b` both answer for service `s3`",
        ),
    ],
)
def test_a_wrong_file_is_told_in_one_line(tmp_path, text, told):
    file = tmp_path / "iamd.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as error:
        configuration.load({"config": file}, {})
    assert str(error.value).startswith(told.format(file))
    assert "\n" not in str(error.value)


def test_addresses_of_proxies_are_spelt_as_a_connections_are():
    given = {"IAMD_TRUSTED_PROXIES": "::ffff:10.0.0.1,0:0:0:0:0:0:0:1"}
    assert configuration.load({}, given).trusted_proxies == ("10.0.0.1", "::1")


def test_a_secret_with_a_slip_is_not_repeated():
    given = {
        "IAMD_ADMIN_ACCESS_KEY_ID": "AKIAEXAMPLEEXAMPLE00",
        "IAMD_ADMIN_SECRET_ACCESS_KEY": "se cret-of-some-length",
    }
    with pytest.raises(SettingsError) as error:
        configuration.load({}, given)
    assert "cret-of" not in str(error.value)


def test_development_doors_are_for_loopback_only():
    with pytest.raises(SettingsError, match="`--dev` binds loopback only"):
        configuration.load({"dev": True, "host": "0.0.0.0", "allow_plain_http": True}, {})


def test_every_setting_says_what_it_is():
    for field in fields(Settings):
        assert field.metadata["doc"].endswith(".")


ENDPOINT = """
[vpc_endpoints.vpce-0123456789abcdef0]
account = "123456789012"
vpc = "vpc-0123456789abcdef0"
services = ["s3", "com.amazonaws.us-east-1.ecr.api", "kinesis", "cloudwatch"]
sources = ["10.0.0.1", "fd00::/64"]
hosts = ["S3.Internal"]
"""


def test_vpc_endpoints_are_tables(tmp_path):
    file = tmp_path / "iamd.toml"
    file.write_text(ENDPOINT)
    [table] = configuration.load({"config": file}, {}).vpc_endpoints.values()
    assert (table.sources, table.hosts) == (("10.0.0.1/32", "fd00::/64"), ("s3.internal",))
    assert table.services == ("s3", "ecr.api", "kinesis-streams", "monitoring")
    assert (table.region, table.type, table.policy) == ("us-east-1", "Interface", None)


VPCE = "vpc_endpoints.vpce-0123456789abcdef0"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('account = "123456789012"', 'account = "1"', f"wrong value for `{VPCE}.account`: an account number has 12"),
        ('account = "123456789012"', "", f"`[{VPCE}]` has no `account`"),
        ('sources = ["10.0.0.1", "fd00::/64"]', "", f"`[{VPCE}]` has no `sources`"),
        ('sources = ["10.0.0.1", "fd00::/64"]', "sources = []", f"wrong value for `{VPCE}.sources`: at least one"),
        ('"10.0.0.1"', '"10.0.0.1/24"', f"wrong value for `{VPCE}.sources`: an address, or a network as"),
        ('"10.0.0.1"', '"::ffff:10.0.0.1"', f"wrong value for `{VPCE}.sources`: an IPv4 address in its own form"),
        ('"10.0.0.1"', "5", f"wrong value for `{VPCE}.sources`: a list of addresses"),
        ('"S3.Internal"', '"s3.internal:443"', f"wrong value for `{VPCE}.hosts`: a host without a port"),
        ('vpc = "vpc-0123456789abcdef0"', 'vpc = "vpc-1"', f"wrong value for `{VPCE}.vpc`: a VPC's id"),
        ('vpc = "vpc-0123456789abcdef0"', "", f"give both `vpc` and `services` of `[{VPCE}]`, or neither"),
        ('"kinesis"', '"kinesiss"', f"wrong value for `{VPCE}.services`: no service `kinesiss`; did you mean"),
        ('"kinesis"', '"iamd"', f"wrong value for `{VPCE}.services`: no service `iamd`"),
        ("us-east-1", "eu-west-1", f"wrong value for `{VPCE}.services`: `com.amazonaws.eu-west-1.ecr.api` is not in"),
        ("hosts", "host", f"unknown setting `{VPCE}.host`; did you mean `hosts`?"),
        ("hosts", "type = 'Gateway'\nhosts", f"wrong value for `{VPCE}.services`: gateway endpoints are for"),
        ("hosts", "type = 'x'\nhosts", f"wrong value for `{VPCE}.type`: `Interface` or `Gateway`"),
        ("hosts", "policy = '{'\nhosts", f"wrong value for `{VPCE}.policy`: an endpoint policy: "),
        ("hosts", "policy_file = '/none'\nhosts", f"wrong value for `{VPCE}.policy_file`: cannot read `/none`"),
        ("hosts", "policy = '{}'\npolicy_file = '/none'\nhosts", f"give `policy` or `policy_file` of `[{VPCE}]`, not"),
        ("vpce-0123456789abcdef0", "app", "`[vpc_endpoints.app]` has a `vpc`: its name is the endpoint's id"),
        (ENDPOINT, "vpc_endpoints = 5", "VPC endpoints are tables: `[vpc_endpoints.<name>]` with an `account` and"),
        (
            ENDPOINT,
            "[vpc_endpoints.app]\naccount = '123456789012'\nsources = ['::1']\npolicy = '{}'",
            "`[vpc_endpoints.app]` has no `vpc` and `services`: the policy and the type of an endpoint that",
        ),
        (
            ENDPOINT,
            ENDPOINT + ENDPOINT.replace("def0]", "def1]").replace("10.0.0.1", "10.0.0.0/28").replace("S3", "a.s3"),
            "requests to `ecr.api` could come through both `vpce-0123456789abcdef0` and `vpce-0123456789abcdef1`",
        ),
    ],
)
def test_what_is_wrong_with_a_vpc_endpoint_is_one_line(tmp_path, old, new, words):
    assert old in ENDPOINT
    file = tmp_path / "iamd.toml"
    file.write_text(ENDPOINT.replace(old, new, 1))
    with pytest.raises(SettingsError) as raised:
        configuration.load({"config": file}, {})
    assert str(raised.value).startswith(words)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("old", "new"),
    [("10.0.0.1", "10.0.0.2"), ("hosts = ", "# "), ("S3.Internal", "other"), ("[vpc", "region = 'eu-west-1'\n[vpc")],
)
def test_two_endpoints_may_be_told_apart(tmp_path, old, new):
    file = tmp_path / "iamd.toml"
    other = ENDPOINT.replace("def0]", "def1]").replace(', "fd00::/64"', "").replace("us-east-1.", "")
    if new.startswith("region"):
        other = other.replace("hosts", "region = 'eu-west-1'\nhosts")
    else:
        other = other.replace(old, new)
    file.write_text(ENDPOINT + other)
    assert len(configuration.load({"config": file}, {}).vpc_endpoints) == 2
