"""AWS::Lambda::Function: its code and configuration, and what is set on it."""

import asyncio
import io
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from iamd.stacks import shaping
from iamd.stacks.client import RequestFailed
from iamd.stacks.errors import InvalidProperties
from iamd.stacks.kinds import Kind, Setting, Tags, Work

# AWS: Lambda API Reference, UpdateFunctionConfiguration: what a function has that is not told otherwise.
_DEFAULTS: Mapping[str, Any] = {
    "DeadLetterConfig": {"TargetArn": ""},
    "Description": "",
    "Environment": {"Variables": {}},
    "EphemeralStorage": {"Size": 512},
    "FileSystemConfigs": [],
    "Handler": None,
    "ImageConfig": {},
    "KmsKeyArn": "",
    "Layers": [],
    "LoggingConfig": {"LogFormat": "Text"},
    "MemorySize": 128,
    "Role": None,
    "Runtime": None,
    "SnapStart": {"ApplyOn": "None"},
    "Timeout": 3,
    "TracingConfig": {"Mode": "PassThrough"},
    "VpcConfig": {"SubnetIds": [], "SecurityGroupIds": []},
}
# AWS: AWS::Lambda::Function Code, ZipFile: the source of a Node.js or Python function, in a file named `index`.
_INLINE = {"python": "index.py", "nodejs": "index.js"}
_IMPORTS = re.compile(r"^[ \t]*import cfnresponse\b", re.MULTILINE)
_ANSWERS = Path(__file__).parents[1] / "cfnresponse.py"
_POLL_SECONDS = 0.2
_POLLS = 600


def _code(work: Work) -> dict[str, Any]:
    """The code as the operation has it: source in the template becomes an archive."""
    code = dict(work["Code"])
    if "ZipFile" not in code:
        return code
    runtime = str(work["Runtime"])
    name = next((name for prefix, name in _INLINE.items() if runtime.startswith(prefix)), None)
    if name is None:
        raise InvalidProperties("#/Code/ZipFile: source can be given for Node.js and Python only")
    source = shaping.text(code["ZipFile"])
    # AWS: the module is beside source that imports it by just this statement (User Guide, "cfn-response module").
    answers = {"cfnresponse.py": _ANSWERS.read_text("utf-8")} if _IMPORTS.search(source) and name == "index.py" else {}
    return {**code, "ZipFile": archive({name: source, **answers})}


def archive(files: Mapping[str, str]) -> bytes:
    """A zip archive of text files, which is the same for the same files."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o644 << 16
            zipped.writestr(entry, text)
    return content.getvalue()


async def settled(work: Work, answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is told of the function once it has come to rest."""
    for _ in range(_POLLS):
        state, last = answer.get("State"), answer.get("LastUpdateStatus")
        if "Failed" in {state, last}:
            reason = answer.get("StateReason") or answer.get("LastUpdateStatusReason") or "The function failed."
            raise RequestFailed("NotStabilized", str(reason), 400, "GetFunctionConfiguration")
        if state != "Pending" and last != "InProgress":
            return answer
        await asyncio.sleep(_POLL_SECONDS)
        answer = await work.call("lambda", "GetFunctionConfiguration", FunctionName=work.id)
    raise RequestFailed("NotStabilized", "The function does not come to rest.", 400, "GetFunctionConfiguration")


async def _put_concurrency(work: Work) -> None:
    await work.call(
        "lambda", "PutFunctionConcurrency", FunctionName=work.id, **work.given("ReservedConcurrentExecutions")
    )


async def _delete_concurrency(work: Work) -> None:
    await work.call_unless_gone("lambda", "DeleteFunctionConcurrency", FunctionName=work.id)


async def _put_recursion(work: Work) -> None:
    loop = work["RecursiveLoop"] or "Terminate"
    await work.call("lambda", "PutFunctionRecursionConfig", FunctionName=work.id, RecursiveLoop=loop)


async def _put_runtime_management(work: Work) -> None:
    given = work["RuntimeManagementConfig"] or {"UpdateRuntimeOn": "Auto"}
    await work.call("lambda", "PutRuntimeManagementConfig", FunctionName=work.id, **given)


async def _put_signing(work: Work) -> None:
    given = work.given("CodeSigningConfigArn")
    await work.call("lambda", "PutFunctionCodeSigningConfig", FunctionName=work.id, **given)


async def _delete_signing(work: Work) -> None:
    await work.call_unless_gone("lambda", "DeleteFunctionCodeSigningConfig", FunctionName=work.id)


async def _tag(work: Work, changed: Any) -> None:
    await work.call("lambda", "TagResource", Resource=work.attribute("Arn"), Tags=changed)


async def _untag(work: Work, keys: Any) -> None:
    await work.call("lambda", "UntagResource", Resource=work.attribute("Arn"), TagKeys=keys)


class Function(Kind):
    """A function."""

    type = "AWS::Lambda::Function"
    properties = ("Architectures", "Code", "FunctionName", "PackageType", *_DEFAULTS)
    parts = (
        Setting(("CodeSigningConfigArn",), _put_signing, _delete_signing, on_create=False),
        Setting(("ReservedConcurrentExecutions",), _put_concurrency, _delete_concurrency),
        Setting(("RecursiveLoop",), _put_recursion, _put_recursion),
        Setting(("RuntimeManagementConfig",), _put_runtime_management, _put_runtime_management),
        Tags(_tag, _untag),
    )
    attributes = ("Arn", "SnapStartResponse.ApplyOn", "SnapStartResponse.OptimizationStatus")

    async def make(self, work: Work) -> None:
        """Make the function, and wait until it can be used."""
        name = work.name("FunctionName", 64)
        given = {**work.given(*_DEFAULTS, "Architectures", "PackageType", "CodeSigningConfigArn"), "Code": _code(work)}
        answer = await work.call("lambda", "CreateFunction", FunctionName=name, Tags=work.tags, **given)
        work.made_as(name, Arn=answer["FunctionArn"])
        _learn(work, await settled(work, answer))

    async def change(self, work: Work) -> None:
        """Give it other code, then another configuration."""
        if work.changes("Code", "Architectures"):
            given = {**_code(work), **work.given("Architectures")}
            answer = await work.call("lambda", "UpdateFunctionCode", FunctionName=work.id, **given)
            await settled(work, answer)
        changed = [name for name in _DEFAULTS if work.changes(name)]
        if changed:
            values = {name: work[name] if work[name] is not None else _DEFAULTS[name] for name in changed}
            answer = await work.call("lambda", "UpdateFunctionConfiguration", FunctionName=work.id, **values)
            _learn(work, await settled(work, answer))

    async def remove(self, work: Work) -> None:
        """Delete the function with all its versions."""
        await work.call("lambda", "DeleteFunction", FunctionName=work.id)


def _learn(work: Work, answer: Mapping[str, Any]) -> None:
    snap_start = answer.get("SnapStart") or {}
    work.learn(
        {
            "SnapStartResponse.ApplyOn": snap_start.get("ApplyOn", "None"),
            "SnapStartResponse.OptimizationStatus": snap_start.get("OptimizationStatus", "Off"),
        }
    )
