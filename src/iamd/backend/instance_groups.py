"""moto's instance groups of EMR, which it finds by their ids alone: they are their own cluster's here.

AWS: EMR API Reference, ModifyInstanceGroups, PutAutoScalingPolicy and RemoveAutoScalingPolicy; InvalidRequestException
is the common error of EMR's, its words are iamd's.
"""

from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.emr.exceptions import InvalidCluster, InvalidRequestException
from moto.emr.responses import ElasticMapReduceResponse

from iamd.backend.replacement import replace


def install() -> None:
    """SECURITY: what is decided is decided of the cluster that a request names."""
    for name in ("modify_instance_groups", "put_auto_scaling_policy", "remove_auto_scaling_policy"):
        replace(ElasticMapReduceResponse, name, _of_cluster)


def _of_cluster(original: Callable[[Any], ActionResult]) -> Callable[[Any], ActionResult]:
    def of_cluster(response: Any) -> ActionResult:
        named = response._get_param("ClusterId")  # noqa: SLF001 - moto's responses have no other way
        groups = response._get_param("InstanceGroups", [])  # noqa: SLF001 - likewise
        single = response._get_param("InstanceGroupId")  # noqa: SLF001 - likewise
        asked = [one["instance_group_id"] for one in groups] if single is None else [single]
        if named is not None and named not in response.backend.clusters:
            raise InvalidCluster(named)
        own = response.backend.clusters[named].instance_group_ids if named is not None else ()
        for group in asked:
            if group not in (own if named is not None else response.backend.instance_groups):
                raise InvalidRequestException(f"Instance group id '{group}' is not valid.")
        return original(response)

    return of_cluster
