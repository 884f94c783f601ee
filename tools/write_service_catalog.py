"""Write src/iamd/wire/services.json from botocore's models: run it after botocore is updated."""

import json
from pathlib import Path
from typing import Any

from botocore.loaders import create_loader

TARGET = Path(__file__).resolve().parent.parent / "src" / "iamd" / "wire" / "services.json"


def rows() -> dict[str, list[Any]]:
    """Give each service's folder, API version, protocols, endpoint prefix, signing name and target prefix."""
    loader = create_loader()
    return {name: _row(loader, name) for name in sorted(loader.list_available_services("service-2"))}


def _row(loader: Any, name: str) -> list[Any]:
    folder = loader.determine_latest_version(name, "service-2")
    said = loader.load_service_model(name, "service-2", folder)["metadata"]
    protocols = [said["protocol"], *(spoken for spoken in said.get("protocols", ()) if spoken != said["protocol"])]
    prefix = said["endpointPrefix"]
    return [folder, said["apiVersion"], protocols, prefix, said.get("signingName", prefix), said.get("targetPrefix")]


def text() -> str:
    """Give the file's text: one service a line."""
    lines = [f"{json.dumps(name)}: {json.dumps(row)}" for name, row in rows().items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    TARGET.write_text(text(), "utf-8")
    print(f"wrote {TARGET.name}")
