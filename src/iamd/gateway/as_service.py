"""Deciding whether a service may do something of its own accord, before it is asked to."""

from iamd import ids
from iamd.auth.identity import Service, of_service
from iamd.authz import context
from iamd.authz.authorize import Verdict, authorize
from iamd.authz.target import Target
from iamd.gateway import resources
from iamd.gateway.resources import Facts
from iamd.http import HttpRequest
from iamd.runtime import Runtime


def decide(runtime: Runtime, facts: Facts, service: Service, action: str, arn: str, region: str) -> list[Verdict]:
    """The verdicts on what a service does with a resource; Denied when it may not, refused when that is not known."""
    request, now = HttpRequest(ids.request_id(), "POST", b"/", b"", [], b"", ""), runtime.clock.seconds()
    targets = resources.decided([Target(arn=arn)], facts, service.source_account)
    of_request = lambda: context.of_request(request, region, now)  # noqa: E731 - it is asked for once, if at all
    return authorize(of_service(service), facts.view, action, targets, of_request, now)
