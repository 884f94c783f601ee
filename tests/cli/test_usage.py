"""Wrong usage: one line that shows the way out, exit code 2, and nothing done."""

import pytest
from cli.conftest import one_line

WRONG = {
    "foo": "unknown command `foo`",
    "stauts": "unknown command `stauts`; did you mean `status`?",
    "--foo": "no such option '--foo'",
    "serve --prot 1": "unknown option `--prot`; did you mean `--port`?",
    "serve --port": "option '--port' requires an argument",
    "serve --port x": "wrong value for `port`: a whole number, got `x`",
    "serve extra": "got unexpected extra argument (extra)",
    "serve --config nope.toml": "cannot read `nope.toml`: No such file or directory",
    "serve --region us_east": "wrong value for `region`: a region as `us-east-1`, got `us_east`",
    "env --foo": "no such option '--foo'",
    "env --data nowhere": "no server was started with the data folder `nowhere`; start one, or name its folder with --data",
    "aws sts get-caller-identity": "no server was started with the data folder",
    "exec": "missing argument '-- COMMAND [ARG]...'",
    "exec --": "missing argument '-- COMMAND [ARG]...'",
    "account foo": "no such command 'foo'",
    "account add": "missing option '--name'",
    "account list -o xml": "invalid value for '-o' / '--output': 'xml' is not one of 'table', 'json', 'yaml', 'csv'",
    "audit foo": "no such command 'foo'",
    "can a b": "missing argument 'RESOURCE_ARN'",
    "can a b c --context x": "--context `x`: give it as key=value",
    "explain": "missing argument 'REQUEST_ID'",
    "completion": "missing argument '{bash|zsh|fish}'. Choose from: bash, zsh, fish",
    "completion tcsh": "invalid value for '{bash|zsh|fish}': 'tcsh' is not one of 'bash', 'zsh', 'fish'",
    "test": "missing argument 'FILE...'",
    "test nope.jsonl": "cannot read `nope.jsonl`: No such file or directory",
    "lint": "missing argument 'FILE...'",
    "lint nope.json": "cannot read `nope.json`: No such file or directory",
    "lint .": "cannot read `.`: Is a directory",
    "lint p.json --policy-type SCP": "invalid value for '--policy-type': 'SCP' is not one of 'IDENTITY_POLICY', 'RESOURCE_POLICY', 'SERVICE_CONTROL_POLICY', 'RESOURCE_CONTROL_POLICY'",
    "lint p.json --policy-type IDENTITY_POLICY --resource-type AWS::S3::Bucket": "--resource-type goes with --policy-type RESOURCE_POLICY only",
    "lint p.json --resource-type AWS::SQS::Queue": "invalid value for '--resource-type': 'AWS::SQS::Queue' is not one of 'AWS::S3::Bucket', ",
    "lint p.json --fail-on NOTHING": "invalid value for '--fail-on': 'NOTHING' is not one of 'ERROR', 'SECURITY_WARNING', 'WARNING', 'SUGGESTION'",
    "backup": "missing argument 'FILE'",
    "backup b --data nowhere": "there is no store in the data folder `nowhere`; name its folder with --data",
    "restore": "missing argument 'FILE'",
    "restore nope --data new": "there is no backup at `nope`",
    "fsck extra": "got unexpected extra argument (extra)",
    "fsck --data nowhere": "there is no store in the data folder `nowhere`; name its folder with --data",
}


@pytest.mark.parametrize("words", ["foo", "serve --prot 1", "fsck --data nowhere"])
def test_wrong_usage_of_a_process_is_one_line(process, words):
    assert one_line(process(*words.split()), 2).startswith(WRONG[words])


@pytest.mark.parametrize("words", WRONG)
def test_wrong_usage_is_told_in_one_line(iamd, folder, words):
    assert one_line(iamd(*words.split()), 2).startswith(WRONG[words])
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("words", [[], ["account"], ["audit"]])
def test_a_group_without_a_command_shows_its_help(iamd, words):
    ended = iamd(*words)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("Usage: ")
    assert "Commands:" in ended.stderr


def test_help_names_every_command_and_every_command_has_help(iamd):
    from iamd.cli.commands import COMMANDS

    told = iamd("--help").stdout
    for name in COMMANDS:
        assert f"  {name} " in told
        helped = iamd(name, "--help") if name not in {"aws", "exec"} else None
        assert helped is None or (helped.returncode == 0 and helped.stdout.startswith("Usage: "))


def test_an_empty_variable_names_no_folder(iamd):
    assert one_line(iamd("serve", env={"IAMD_DATA": ""}), 2) == "wrong value for `data`: a path, got ``"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('data = "a\\u0000b"', "wrong value for `data`: a path of printable characters, got 'a\\x00b'"),
        ('host = "a\\u0000b"', "wrong value for `host`: a text of printable characters, got 'a\\x00b'"),
        ('region = "us-east-1\\nx = 1"', "wrong value for `region`: a text of printable characters"),
        ("key_file = 5", "wrong value for `key_file`: a path, got `5`"),
        ("[backends.a]\nurl = 'http://a'\nregion = 'x y'", "wrong value for `backends.a.region`: a region as"),
    ],
)
def test_a_file_of_settings_with_a_slip_is_told_in_one_line(iamd, folder, text, told):
    (folder / "iamd.toml").write_text(text)
    assert one_line(iamd("serve", "--config", "iamd.toml"), 2).startswith(told)
