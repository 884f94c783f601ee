"""moto's access points, each of its Region: moto knows a name once for an account, and calls all of us-east-1."""

from collections.abc import Callable
from typing import Any, Final

from moto.s3.models import s3_backends
from moto.s3control.models import AccessPoint, S3ControlBackend
from moto.s3control.responses import S3ControlResponse

from iamd.backend.dispatch import CURRENT
from iamd.backend.replacement import replace

_LONGEST_ALIAS: Final = 63
"""Of a bucket's name, which an alias stands for (S3 User Guide, "Access point aliases")."""
_ENDPOINTS: Final = {
    "ipv4": "s3-accesspoint",
    "fips": "s3-accesspoint-fips",
    "fips_dualstack": "s3-accesspoint-fips.dualstack",
    "dualstack": "s3-accesspoint.dualstack",
}


def install() -> None:
    """Make moto's access points those of the Region that was decided on."""
    replace(S3ControlBackend, "__init__", _regional)
    replace(S3ControlBackend, "delete_access_point", _with_its_tags)
    replace(AccessPoint, "__init__", _of_region)
    replace(S3ControlResponse, "get_access_point", _with_endpoints)


class _ByRegion(dict[tuple[str, str], dict[str, AccessPoint]]):
    """Access points by account, as moto asks for them: those of the request's Region."""

    def __getitem__(self, account: Any) -> dict[str, AccessPoint]:
        return self.setdefault((account, CURRENT.get().region), {})

    def get(self, account: Any, _default: Any = None) -> dict[str, AccessPoint]:
        """The same."""
        return self[account]


def _regional(original: Callable[..., None]) -> Callable[..., None]:
    def made(backend: Any, *given: Any, **named: Any) -> None:
        original(backend, *given, **named)
        # SECURITY: else a request that was decided on a point of one Region would touch that of another.
        backend.access_points = _ByRegion()

    return made


def _with_its_tags(original: Callable[..., None]) -> Callable[..., None]:
    def delete_access_point(backend: Any, account_id: str, name: str) -> None:
        point = backend.access_points[account_id].get(name)
        if point is not None:
            # SECURITY: else the next point of this name would begin with its tags.
            s3_backends[backend.account_id][backend.partition].tagger.delete_all_tags_for_resource(point.arn)
        original(backend, account_id, name)

    return delete_access_point


def _of_region(original: Callable[..., None]) -> Callable[..., None]:
    def made(point: Any, *given: Any, **named: Any) -> None:
        original(point, *given, **named)
        point.arn = point.arn.replace(":s3:us-east-1:", f":s3:{CURRENT.get().region}:")
        metadata = point.alias.removeprefix(point.name)
        point.alias = point.name[: _LONGEST_ALIAS - len(metadata)] + metadata

    return made


def _with_endpoints(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def get_access_point(response: Any) -> Any:
        answer = original(response)
        region = CURRENT.get().region
        domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        answer.result["Endpoints"] = {name: f"{host}.{region}.{domain}" for name, host in _ENDPOINTS.items()}
        return answer

    return get_access_point
