"""The lists of docs/how-to/ are true: every path and name is there, every example is one that iamd reads."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from running import REGION

from iamd.gateway.actions import mapping, table
from iamd.gateway.actions.passed_roles_table import Passing

ROOT = Path(__file__).parent.parent
PAGES = sorted((ROOT / "docs" / "how-to").glob("*.md"))
GATEWAY = (ROOT / "docs" / "how-to" / "add-a-service-to-the-gateway.md").read_text("utf-8")
TOML = re.findall(r"^```toml\n(.*?)^```", GATEWAY, re.MULTILINE | re.DOTALL)
GRAMMAR = "    <action> on <resource> [<sense> <members>]\n"
TABLES = ROOT / "src" / "iamd" / "gateway" / "actions" / "tables"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_name_that_is_named_in_a_file_is_in_it(page):
    text = " ".join(page.read_text("utf-8").split())
    folders = [ROOT, ROOT / "src" / "iamd", ROOT / "src" / "iamd" / "gateway"]
    for name, path in re.findall(r"`([A-Z_]+)` (?:in|of) `([a-z_/]+\.py)`", text):
        [file] = [folder / path for folder in folders if (folder / path).exists()]
        assert re.search(rf"^{name}\b", file.read_text("utf-8"), re.MULTILINE), (name, path)


@pytest.mark.parametrize("example", TOML, ids=range(len(TOML)))
def test_the_examples_are_tables(example):
    read = table._read("example", tomllib.loads(example))
    for operation, function in read.computed.items():
        assert function in mapping.COMPUTED[read.prefix], operation


def test_every_key_of_a_table_is_described_and_shown():
    described = re.findall(r"^\| `\[?([a-z_]+)\]?` \| ", GATEWAY, re.MULTILINE)
    assert set(described) == table._NAMES
    assert {key for example in TOML for key in tomllib.loads(example)} == table._NAMES


def test_every_part_of_a_row_is_described():
    assert GRAMMAR in GATEWAY
    parts = re.findall(r"<(\w+)>", GRAMMAR)
    assert parts == list(table._ROW.groupindex)
    assert re.findall(r"^\| `<(\w+)>` \|", GATEWAY, re.MULTILINE) == parts


def test_every_row_that_is_shown_stands_in_a_table():
    rows = re.findall(r"\| `([^`]* on [^`]*)` \|$", GATEWAY, re.MULTILINE)
    tables = "\n".join(path.read_text("utf-8") for path in TABLES.glob("*.toml"))
    assert len(rows) == 6
    for row in rows:
        text = row.replace("\\|", "|")
        assert table._ROW.fullmatch(text), text
        assert f'"{text}"' in tables, text


def test_the_senses_of_a_row_are_described():
    pattern = table._ROW.pattern
    senses = re.search(r"\(\?P<sense>([a-z|]+)\)", pattern)[1].split("|")
    assert all(f"`{sense}`" in GATEWAY for sense in senses)


def test_what_every_template_may_name_is_described():
    place = mapping.Asked(operation=None, parameters={}, account="1", region="us-east-1").place
    assert all(f"`{{{name}}}`" in GATEWAY for name in place)


def test_the_keys_of_a_passed_role_are_described():
    assert all(f"`{key}` (" in " ".join(GATEWAY.split()) for key in Passing.__struct_fields__)


def test_an_organization_is_set_up_by_the_lines_that_say_how(server, aws):
    """The AWS CLI runs the page's ten lines, and the last is refused as the page says."""
    page = (ROOT / "docs" / "how-to" / "set-up-an-organization.md").read_text("utf-8")
    [script] = re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert len(script.splitlines()) == 10
    administrator = aws.server.administrator
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(server.data),
        "AWS_ENDPOINT_URL": server.endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": administrator.access_key_id,
        "AWS_SECRET_ACCESS_KEY": administrator.secret_access_key,
        "AWS_PAGER": "",
    }
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 255, ran.stderr
    told = re.search(r"`(with an explicit deny [^`]*)`", page)[1]
    assert "when calling the CreateUser operation" in ran.stderr
    assert f"{told}: arn:aws:organizations::" in ran.stderr.rstrip().splitlines()[-1]
    assert len(aws.client("organizations").list_accounts()["Accounts"]) == 2
