"""Write src/iamd/wire/services.json from botocore's models: run it after botocore is updated."""

import json
from pathlib import Path
from typing import Any

from botocore.loaders import create_loader

TARGET = Path(__file__).resolve().parent.parent / "src" / "iamd" / "wire" / "services.json"


def line(loader: Any, name: str) -> str:
    """Give a service's folder, API version, protocols, endpoint prefix, signing name, target prefix and SDK id."""
    folder = loader.determine_latest_version(name, "service-2")
    said = loader.load_service_model(name, "service-2", folder)["metadata"]
    protocols = [said["protocol"], *(spoken for spoken in said.get("protocols", ()) if spoken != said["protocol"])]
    prefix = said["endpointPrefix"]
    sdk_id = said["serviceId"].replace(" ", "").lower()
    row = [
        folder,
        said["apiVersion"],
        protocols,
        prefix,
        said.get("signingName", prefix),
        said.get("targetPrefix"),
        sdk_id,
    ]
    return f"{json.dumps(name)}: {json.dumps(row)}"


def text() -> str:
    """Give the file's text: one service a line, by name."""
    loader = create_loader()
    lines = [line(loader, name) for name in sorted(loader.list_available_services("service-2"))]
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    TARGET.write_text(text(), "utf-8")
    print(f"wrote {TARGET.name}")
