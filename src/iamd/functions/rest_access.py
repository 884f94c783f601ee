"""Who may use a method of a REST API: its authorization, the API's resource policy, and how the two go together.

AWS: API Gateway Developer Guide, "How API Gateway resource policies affect authorization workflow"
(apigateway-authorization-flow), whose tables A and B these are.
"""

import hmac

from iamd.auth.identity import ANONYMOUS
from iamd.authz.authorize import Denied, Verdict
from iamd.authz.target import Target
from iamd.functions import api_callers, rest_tokens
from iamd.functions.api_callers import NotSigned
from iamd.functions.api_calls import Calls
from iamd.functions.api_guards import decision, policy_of
from iamd.functions.rest_answers import (
    API_BROKEN,
    AUTHORIZER_BROKEN,
    INVALID_API_KEY,
    GatewayRefusal,
    not_let_in,
    of_signature,
    unsupported,
)
from iamd.functions.rest_authorizers import Guard, RestAuthorizers, context_of
from iamd.functions.rest_events import Authorized
from iamd.functions.rest_routes import Found, Key
from iamd.gateway import api_policies
from iamd.http import HttpRequest
from iamd.pipeline import Progress
from iamd.policy.decision import Outcome
from iamd.runtime import Runtime


class Access:
    """Lets requests in, or not."""

    def __init__(self, runtime: Runtime, calls: Calls) -> None:
        self._runtime = runtime
        self._authorizers = RestAuthorizers(runtime, calls)

    def clear(self) -> None:
        """Ask authorizers anew."""
        self._authorizers.clear()

    async def authorized(self, progress: Progress, found: Found) -> Authorized:
        """What is known of who asks, once it is known that they may; Denied, or another refusal, when they may not."""
        kind = found.route.authorization_type
        match kind:
            case "NONE":
                self._by_policy(progress, found)
                return Authorized()
            case "AWS_IAM":
                return self._by_signature(progress, found)
            case "CUSTOM":
                return await self._by_function(progress, found)
            case "COGNITO_USER_POOLS":
                return await self._by_token(progress, found)
            case _:
                raise unsupported(f"the authorization type {kind}.")

    def _by_policy(self, progress: Progress, found: Found) -> None:
        """AWS: where there is a resource policy, it must allow explicitly."""
        if found.deployment.policy is not None:
            api_callers.decide(self._runtime, progress, ANONYMOUS, found.api.region, _targets(found))

    def _by_signature(self, progress: Progress, found: Found) -> Authorized:
        """AWS: within an account either policy, else both must allow."""
        try:
            identity = api_callers.signed(self._runtime, progress, found.api.region)
        except NotSigned as error:
            raise of_signature(error) from error
        api_callers.decide(self._runtime, progress, identity, found.api.region, _targets(found))
        return Authorized(caller=identity)

    async def _by_token(self, progress: Progress, found: Found) -> Authorized:
        """AWS: the token first, then the resource policy by itself, which must allow explicitly."""
        authorizer = found.deployment.authorizer_of(found.route)
        if authorizer is None or authorizer.type != "COGNITO_USER_POOLS":
            raise GatewayRefusal(AUTHORIZER_BROKEN, "The method has no authorizer of user pools.")
        told = await rest_tokens.claims(self._runtime, progress.request, found, authorizer)
        self._by_policy(progress, found)
        return Authorized(authorizer={"claims": told})

    async def _by_function(self, progress: Progress, found: Found) -> Authorized:
        """AWS: what the resource policy denies is denied before the function is asked; then both count together."""
        authorizer = found.deployment.authorizer_of(found.route)
        if authorizer is None or authorizer.type not in {"TOKEN", "REQUEST"}:
            raise GatewayRefusal(AUTHORIZER_BROKEN, "The method has no Lambda authorizer.")
        verdicts = self._verdicts(progress, found)
        denying = [one for one in verdicts if one.decision.outcome is Outcome.EXPLICITLY_DENIED]
        if denying:
            raise Denied(denying[:1])
        guard = await self._authorizers.guarded(progress.request, found, authorizer)
        self._check(guard, progress.request, found, verdicts)
        progress.verdicts = [one for one in verdicts if one.decision.allowed]
        answer = guard.answer
        return Authorized(authorizer=context_of(answer), usage_key=answer.usageIdentifierKey)

    def _verdicts(self, progress: Progress, found: Found) -> list[Verdict]:
        """What the resource policy says of each spelling of what is invoked; none without one."""
        verdicts: list[Verdict] = []
        for target in _targets(found) if found.deployment.policy is not None else ():
            try:
                api_callers.decide(self._runtime, progress, ANONYMOUS, found.api.region, [target])
            except Denied as denied:
                verdicts += denied.verdicts
            else:
                verdicts += progress.verdicts
        progress.verdicts = ()
        return verdicts

    def _check(self, guard: Guard, request: HttpRequest, found: Found, verdicts: list[Verdict]) -> None:
        """Tables A and B: neither denies, and one of them allows, or both where they are of two accounts."""
        policy, api, now = policy_of(guard.answer), found.api, self._runtime.clock.seconds()
        if policy.unreadable is not None:
            raise GatewayRefusal(AUTHORIZER_BROKEN, f"The authorizer's policy can't be read: {policy.unreadable}")
        for number, arn in enumerate(found.arns):
            by_function = decision(policy, request, arn, api.account, api.region, now)
            by_policy = verdicts[number].decision.allowed if verdicts else False
            is_denied = by_function.outcome is Outcome.EXPLICITLY_DENIED
            if guard.account != api.account and verdicts:
                is_allowed = by_function.allowed and by_policy
            else:
                is_allowed = by_function.allowed or by_policy
            if is_denied or not is_allowed:
                raise not_let_in(by_function)


def _targets(found: Found) -> list[Target]:
    """What is invoked, in every spelling, with the API's policy."""
    api, deployment = found.api, found.deployment
    policies: tuple[str, ...] = ()
    if deployment.policy is not None:
        policies = (api_policies.in_force(deployment.policy, deployment.principals, api.arn),)
    return [Target(arn=arn, account=api.account, policies=policies) for arn in found.arns]


def key_of(found: Found, request: HttpRequest, authorized: Authorized) -> Key | None:
    """The API key of a request, of a usage plan that its stage is in; None where the method needs none.

    AWS: "Choose an API key source" (api-gateway-api-key-source); a key in no such plan is refused as a missing one is.
    """
    if not found.route.api_key_required:
        return None
    match found.deployment.api_key_source:
        case "HEADER":
            given = [value.decode("latin-1") for name, value in request.headers if name == b"x-api-key"]
        case "AUTHORIZER":
            given = [authorized.usage_key] if authorized.usage_key is not None else []
        case other:
            raise GatewayRefusal(API_BROKEN, f"The source of API keys is {other}.")
    if len(given) == 1:
        for key in found.stage.keys:
            if hmac.compare_digest(key.value.encode(), given[0].encode()):
                return key
    raise GatewayRefusal(INVALID_API_KEY, "The request has no API key of a usage plan that this stage is in.")
