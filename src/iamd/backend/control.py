"""The backend's control door: its own socket, which no forwarded request can reach."""

import json
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any, Final

from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.iam import models as iam
from moto.s3.models import s3_backends
from moto.utilities.utils import get_partition

from iamd.backend import execute_apis, function_urls, functions, handover, streams
from iamd.backend.deliveries import schedules

# moto's classes leave abstract methods of its CloudFormation open, and are made all the same.
_ROLE: Any = iam.Role
_PROFILE: Any = iam.InstanceProfile


class Control:
    """The WSGI application on the control socket."""

    def __init__(self, boot: str) -> None:
        self._boot = boot

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one of the calls; anything else is 404."""
        call = _CALLS.get(environ["PATH_INFO"])
        if call is None:
            start_response("404 Not Found", [])
            return [b""]
        told = call(json.loads(environ["wsgi.input"].read() or b"{}")) or {}
        start_response("200 OK", [("content-type", "application/json")])
        return [json.dumps({"boot": self._boot, **told}).encode()]


def _status(_: Mapping[str, Any]) -> None:
    return


def _reset(_: Mapping[str, Any]) -> dict[str, Any]:
    BackendDict.reset()
    reset_model_data()
    s3_backends.bucket_accounts.clear()
    return {"resets": handover.clear()}


def _regions(given: Mapping[str, Any]) -> dict[str, Any]:
    """The Regions in which an account has anything, of any service."""
    services: Any = BackendDict
    found = {region for service in services._instances for region in service.get(given["account_id"], {})}  # noqa: SLF001
    return {"regions": sorted(found)}


def _mirror(given: Mapping[str, Any]) -> None:
    backend = iam.iam_backends[given["account_id"]][get_partition(given["region"])]
    roles = {role["arn"]: _role(backend, role) for role in given["roles"]}
    for role in roles.values():
        backend.roles[role.id] = role
    for profile in given["instance_profiles"]:
        backend.instance_profiles[profile["name"]] = _PROFILE(
            account_id=given["account_id"],
            region_name=given["region"],
            instance_profile_id=profile["id"],
            name=profile["name"],
            path=profile["path"],
            roles=[roles[arn] for arn in profile["roles"] if arn in roles],
        )


def _role(backend: Any, given: Mapping[str, Any]) -> Any:
    # A role that was deleted and made again has another id under the same ARN; the newer one stands alone.
    for known in [role for role in backend.roles.values() if role.arn == given["arn"]]:
        del backend.roles[known.id]
    return _ROLE(
        account_id=backend.account_id,
        partition=backend.partition,
        role_id=given["id"],
        name=given["name"],
        assume_role_policy_document=given["trust"],
        path=given["path"],
        permissions_boundary=None,
        description="",
        tags=[],
        max_session_duration=None,
    )


def _user_codes(given: Mapping[str, Any]) -> dict[str, Any]:
    # This part of moto takes long to import, and most backends never need it.
    found: dict[str, Any] = import_module("iamd.backend.user_codes").told(given)
    return found


_CALLS: Final[Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any] | None]]] = {
    "/status": _status,
    "/reset": _reset,
    "/regions": _regions,
    "/mirror": _mirror,
    "/function": functions.told,
    "/function_url": function_urls.told,
    "/execute_api": execute_apis.told,
    "/mappings": functions.mappings,
    "/news": streams.news,
    "/deliveries": handover.taken,
    "/replied": handover.replied,
    "/due": schedules.due,
    "/completed": schedules.completed,
    "/user_codes": _user_codes,
}
