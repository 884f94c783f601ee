"""moto's VPC endpoints, whose policy goes back to the default one when it is told so."""

from collections.abc import Callable
from typing import Any

from moto.ec2.responses.vpcs import VPCs

from iamd.backend.replacement import replace
from iamd.vpc_endpoint import FULL_ACCESS


def install() -> None:
    """Have moto do what `ResetPolicy` says (EC2 API Reference, ModifyVpcEndpoint)."""
    replace(VPCs, "modify_vpc_endpoint", _with_reset)


def _with_reset(original: Callable[..., Any]) -> Callable[..., Any]:
    def modify_vpc_endpoint(response: Any) -> Any:
        answer = original(response)
        if response._get_bool_param("ResetPolicy", False):  # noqa: SLF001 - moto's responses have no other way
            [endpoint] = response.ec2_backend.describe_vpc_endpoints(
                vpc_end_point_ids=[response._get_param("VpcEndpointId")]  # noqa: SLF001
            )
            endpoint.policy_document = FULL_ACCESS
        return answer

    return modify_vpc_endpoint
