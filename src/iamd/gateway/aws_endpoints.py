"""AWS's endpoints: the host of a service in a Region, and the Region that it is signed for, as botocore knows them."""

from functools import cache
from typing import Any

from yarl import URL

from iamd.errors import Common, CommonError
from iamd.wire.models import service as model_of


@cache
def _endpoints() -> Any:
    # Imported here: of all that botocore's loaders import, a server that asks no endpoint of AWS's needs nothing.
    from botocore.loaders import create_loader  # noqa: PLC0415

    return create_loader().load_data("endpoints")


@cache
def _resolver() -> Any:
    from botocore.regions import EndpointResolver  # noqa: PLC0415 - likewise

    return EndpointResolver(_endpoints())


@cache
def _regions() -> frozenset[str]:
    partitions = _endpoints()["partitions"]
    return frozenset(region for partition in partitions for region in partition["regions"])


def of(service: str, region: str) -> tuple[URL, str]:
    """The origin of a service's endpoint, and the Region of its signatures; refused where the service is not."""
    # SECURITY: a Region that botocore does not know would be a host that a client chooses.
    if region not in _regions():
        raise _nowhere(service, region)
    found = _resolver().construct_endpoint(model_of(service).endpoint_prefix, region)
    if found is None:
        raise _nowhere(service, region)
    signing = str(found.get("credentialScope", {}).get("region", region))
    return URL(f"https://{found['hostname']}"), signing


def _nowhere(service: str, region: str) -> CommonError:
    return CommonError(Common.NOT_IMPLEMENTED, f"AWS has no endpoint of {service} in {region}.")
