"""An iamd before the embedded moto with the observer in it: what moto ran for each request, beside what was decided."""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.tricks import Request
from gateway.wire import Reply, Wire
from running import AWS, Server

OBSERVER = Path(__file__).with_name("observer")


@dataclass
class Ran:
    """One request that reached moto's classes."""

    decided: dict[str, str]
    module: str
    functions: list[str]
    account: str
    region: str
    touched: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)


class ObservedCloud:
    """Sends requests, and tells what moto ran for each."""

    def __init__(self, folder: Path) -> None:
        copy = folder / "observer"
        shutil.copytree(OBSERVER, copy)
        self.server = Server(folder / "data", "--backend", "moto", "--dev", environment={"PYTHONPATH": str(copy)})
        self.aws = AWS(self.server)
        self.wire = Wire(self.server)
        self._calls = (copy / "calls.jsonl").open("w+")

    def send(self, request: Request) -> tuple[Reply, list[Ran]]:
        """Sign and send a request; what moto ran for it stands beside the answer."""
        self.ran()
        reply = self.wire.send(
            request.service, request.method, request.target, request.headers, request.body, host=request.host
        )
        return reply, self.ran()

    def ran(self) -> list[Ran]:
        """What moto has run since this was asked last."""
        return [_ran(json.loads(line)) for line in self._calls.read().splitlines()]

    def decided(self, reply: Reply) -> list[tuple[str, str]]:
        """Action and resource of each decision on a request."""
        request_id = reply.headers.get("x-amzn-requestid") or reply.headers["x-amz-request-id"]
        headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "iamd.Explain")]
        told = self.wire.send("iamd", "POST", "/", headers, json.dumps({"RequestId": request_id}).encode())
        return [(one["Action"], one["Resource"]) for one in json.loads(told.body)["Decisions"]]

    def close(self) -> None:
        """End it."""
        self.wire.close()
        self._calls.close()
        assert self.server.stop() == 0


def _ran(line: dict[str, Any]) -> Ran:
    return Ran(line["decided"], **line["ran"])
