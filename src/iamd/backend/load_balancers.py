"""moto's load balancers: one with deletion protection is not deleted.

AWS: Elastic Load Balancing API Reference (version 2015-12-01), DeleteLoadBalancer, and LoadBalancerAttribute
(deletion_protection.enabled). The words are those that it is seen to answer (aws-cloudformation/rain, issue 187).
"""

from collections.abc import Callable
from typing import Any, Final

from moto.elbv2.exceptions import ELBClientError
from moto.elbv2.models import ELBv2Backend

from iamd.backend.replacement import replace

_ATTRIBUTE: Final = "deletion_protection.enabled"


def install() -> None:
    """Look at the attribute first."""
    replace(ELBv2Backend, "delete_load_balancer", _unprotected)


def _unprotected(original: Callable[..., None]) -> Callable[..., None]:
    def delete_load_balancer(backend: Any, arn: str) -> None:
        found = backend.load_balancers.get(arn)
        # SECURITY: moto keeps any word for the attribute, and whatever is not the word for none protects.
        if found is not None and found.attrs[_ATTRIBUTE].lower() != "false":
            words = f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
            raise ELBClientError("OperationNotPermitted", words)
        original(backend, arn)

    return delete_load_balancer
