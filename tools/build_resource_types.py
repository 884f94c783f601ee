"""Build `resource_types.pack` from an unpacked copy of the source that src/iamd/data/SOURCES.md names.

    python tools/build_resource_types.py --cfn-lint FOLDER --output FILE

`--cfn-lint` is the folder of the Python package `cfnlint`, the one that holds `data/`. Nothing is downloaded. The same
folder gives the same bytes.
"""

import argparse
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from iamd.data import pack
from iamd.data.resource_types import ResourceType, Value

REGION = "us_east_1"
_ROW = re.compile(r'"(?P<name>[A-Za-z0-9:]+)": "(?P<digest>[0-9a-f]{16})"')


def main() -> None:
    """Read the folder named on the command line and write the pack."""
    options = _options()
    schemas = options.cfn_lint / "data" / "schemas"
    provider = (schemas / "providers" / f"{REGION}.py").read_text()
    found = {match["name"]: schemas / "resources" / f"{match['digest']}.json" for match in _ROW.finditer(provider)}
    types = {name: _type(json.loads(path.read_text())) for name, path in sorted(found.items())}
    known = {name: one for name, one in types.items() if one is not None}
    blocks = [msgspec.msgpack.encode(one) for one in known.values()]
    pack.write(options.output, {name: number for number, name in enumerate(known)}, blocks)
    print(f"{len(known)} types; {options.output.stat().st_size} bytes")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cfn-lint", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    return parser.parse_args()


def _type(schema: Mapping[str, Any]) -> ResourceType | None:
    if "properties" not in schema:
        return None
    only = [*schema.get("createOnlyProperties", ()), *schema.get("conditionalCreateOnlyProperties", ())]
    return ResourceType(
        {name: _value(value) for name, value in schema["properties"].items()},
        tuple(schema.get("required", ())),
        {name: _value(value) for name, value in schema.get("definitions", {}).items()},
        tuple(_paths(only)),
        tuple(_paths(schema.get("readOnlyProperties", ()))),
    )


def _paths(pointers: Iterable[str]) -> Iterable[str]:
    return sorted({pointer.removeprefix("/properties/").replace("/properties/", "/") for pointer in pointers})


def _value(schema: Any) -> Value:
    if not isinstance(schema, dict):
        return Value()
    reference = schema.get("$ref", "")
    if reference.startswith("#/definitions/"):
        return Value(definition=reference.removeprefix("#/definitions/"))
    kinds = schema.get("type", ())
    members = {name: _value(value) for name, value in schema.get("properties", {}).items()}
    return Value(
        (kinds,) if isinstance(kinds, str) else tuple(kinds),
        members,
        tuple(schema.get("required", ())),
        not members or schema.get("additionalProperties") is not False,
        _value(schema["items"]) if "items" in schema else None,
    )


if __name__ == "__main__":
    main()
