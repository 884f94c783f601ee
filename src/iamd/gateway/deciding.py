"""Steps 6 to 8 for other services: what a request touches, by which rules, and whether it is allowed."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from operator import attrgetter
from typing import Final

import msgspec
from msgspec.structs import replace

from iamd import policy_places
from iamd.arn import partition_of
from iamd.auth.identity import ANONYMOUS, Identity
from iamd.auth.sealing import Keyring
from iamd.authz import authorization_messages, context, owners_only, vpc_endpoints
from iamd.authz.authorize import Denied, Verdict, authorize
from iamd.authz.context import Context
from iamd.authz.partly_known import Unknowns
from iamd.authz.regions import region_of
from iamd.authz.target import Target
from iamd.data import service_reference
from iamd.errors import AWSError, Common, CommonError
from iamd.gateway import (
    access_points,
    account_parts,
    anonymous,
    any_of_kind,
    bucket_abac,
    bucket_owners,
    bucket_ownership,
    bucket_tags,
    events,
    first_use,
    for_users,
    kms_grants,
    kms_keys,
    named_policies,
    new_things,
    object_acls,
    on_behalf,
    public_access,
    reached,
    refused_entries,
    resource_tags,
    resources,
    subscriptions,
)
from iamd.gateway.actions import launch_templates, mapping, passed_roles, unknown_keys, untabled
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.passed_roles import Passed
from iamd.gateway.backends import Place
from iamd.gateway.browser_forms import Posted
from iamd.gateway.first_use import FirstUse
from iamd.gateway.key_uses.sealing import Sealing
from iamd.gateway.recording import Recording
from iamd.gateway.resources import Facts, NoSuchBucket
from iamd.gateway.traits import Traits
from iamd.gateway.traits import of as traits_of
from iamd.pipeline import Progress, Via
from iamd.runtime import Runtime

_OF_CONTEXT: Final = ("kms:encryptioncontext:", "kms:encryptioncontextkeys")


class Step(msgspec.Struct):
    """What is known of one request once it has been decided."""

    progress: Progress
    asked: Asked
    place: Place
    facts: Facts
    targets: Sequence[Target]
    traits: Traits
    made: frozenset[str]
    """The ARNs of what is made."""
    passed: list[Passed] = []
    """The roles that it hands to services."""
    first_uses: list[FirstUse] = []
    """The service-linked roles that its service makes when it is done."""
    refused: dict[int, str] = {}
    """The words for those entries of a batch that are refused; `asked` and `targets` are without them."""
    would_deny: Denied | None = None
    bucket: str | None = None
    """The ARN of the bucket that a request to S3 names."""
    is_split: bool = False
    """Whether resources of the service lie at several backends."""
    owner: str | None = None
    """What `owner` has found."""
    sealing: Sealing | None = None
    """How what it writes is to be encrypted by KMS."""
    encrypted_by: str | None = None
    """The ARN of the key that what it writes is encrypted by, empty for the service's own; None where there is none."""
    encrypted_anew: Sequence[str] = ()
    """The versions that its service encrypts by another key."""
    untold_context: bool = False
    """Whether the encryption context of what is being decided may hold more than is known."""
    posted: Posted | None = None
    """The form that its object comes in, where it comes in one."""
    acl: str | None = None
    """The access control list of what S3 makes or sets, for a backend that keeps it."""
    recording: Recording | None = None
    """Its event, which can be made while its backend works."""


class Decider:
    """Decides requests to other services."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def decide(self, progress: Progress, asked: Asked, place: Place, facts: Facts, identity: Identity) -> Step:
        """The step that may be taken; Denied, or another refusal, when it may not."""
        progress.view, traits = facts.view, traits_of(asked.operation)
        if traits.is_for_users:
            step = Step(progress, asked, place, facts, [Target(arn="*")], traits, new_things.NOTHING)
            self.authorize(step, ANONYMOUS, for_users.targets(asked))
            return step
        wanted = mapping.targets(asked)
        if identity is ANONYMOUS:
            _check_anonymous(asked, facts, wanted)
            anonymous.check(asked)
        made = new_things.made(wanted, asked, traits.action, facts) if traits.may_make else new_things.NOTHING
        targets = resources.decided(wanted, facts, asked.account, made)
        if traits.retargets:
            targets = _retargeted(targets, asked, facts)
        step = Step(progress, asked, place, facts, targets, traits, made)
        if asked.operation.service == "s3" and "Bucket" in asked.parameters:
            step.bucket = f"arn:{partition_of(asked.region)}:s3:::{asked.parameters['Bucket']}"
        if traits.asks_either:
            step.targets = targets = self._by_either(step, identity)
        if asked.through is not None:
            access_points.check(asked)
        is_open = identity is ANONYMOUS and subscriptions.is_open(asked, embedded=place.backend.embedded is not None)
        if not traits.is_batch and not is_open:
            if traits.refuses_entries:
                self._authorize_entries(step, identity, wanted)
                asked, targets = step.asked, list(step.targets)
            elif asked.through is not None:
                self.authorize(step, identity, access_points.before(targets, asked, identity, facts))
            else:
                self.authorize(step, identity, targets)
            if traits.is_decided_further:
                self._authorize_further(step, identity, asked)
        resources.check_expected_owner(asked, targets)
        if traits.is_decided_further:
            self._check_further(step, identity, asked, targets)
        return step

    def _authorize_further(self, step: Step, identity: Identity, asked: Asked) -> None:
        """Decide what the service does for its caller besides."""
        traits = step.traits
        if traits.passes_roles:
            self._authorize_roles(step, identity, asked)
        if traits.makes_roles:
            self._authorize_first_uses(step, identity, asked)
        if traits.asks_for_caller:
            self._authorize_on_behalf(step, identity, asked)

    def _check_further(self, step: Step, identity: Identity, asked: Asked, targets: Sequence[Target]) -> None:
        """What is kept to owners, and what must not be set."""
        traits, facts, embedded = step.traits, step.facts, step.place.backend.embedded
        if traits.is_owners_alone:
            bucket_owners.check(targets, identity)
        if traits.gives_access:
            step.acl = bucket_ownership.check(asked, identity, facts, is_kept=embedded is not None)
            public_access.check(asked, targets, identity, facts)
        if traits.locks_out:
            self._check_lockout(step, identity)

    def _authorize_entries(self, step: Step, identity: Identity, wanted: Sequence[Target]) -> None:
        """Decide what a batch as a whole needs, then each entry by itself; the step goes on with what is allowed."""
        asked, facts = step.asked, step.facts
        shared, entries = refused_entries.split(asked, wanted)
        allowed = resources.decided(shared, facts, asked.account)
        self.authorize(step, identity, allowed)
        for index, entry in enumerate(entries):
            targets = resources.decided([entry], facts, asked.account)
            try:
                self.authorize(step, identity, targets)
            except Denied as denied:
                step.refused[index] = denied.message or ""
            else:
                allowed += targets
        step.asked = refused_entries.left(asked, step.refused) if step.refused else asked
        step.targets = allowed or step.targets[:1]

    def _check_lockout(self, step: Step, identity: Identity) -> None:
        """Refuse a policy after which its caller could not change it any more."""
        asked, view, now = step.asked, step.facts.view, self._runtime.clock.seconds()
        if asked.operation.service == "kms":
            kms_keys.check_lockout(asked, step.targets[0].arn, identity, view, now)
        else:
            named_policies.check_lockout(asked, identity, view, now)

    def _by_either(self, step: Step, identity: Identity) -> list[Target]:
        """The targets of CreateLogGroup, with the right to tag that the caller has where it has not the newer one.

        AWS: CloudWatch Logs API Reference, CreateLogGroup: either `logs:TagResource` or `logs:TagLogGroup`.
        """
        group, *tagged = step.targets
        for one in tagged:
            older = replace(one, arn=group.arn, action="logs:TagLogGroup")
            with suppress(Denied):
                self.verdicts(step, identity, [one])
                continue
            with suppress(Denied):
                self.verdicts(step, identity, [older])
                return [group, older]
        return [group, *tagged]

    def _authorize_roles(self, step: Step, identity: Identity, asked: Asked) -> None:
        passed = passed_roles.of(asked, step.facts.view)
        if passed:
            self.authorize(step, identity, passed_roles.targets(passed, asked))
            passed_roles.check_trust(passed, asked, step.facts.view)
            step.passed += passed

    def _authorize_first_uses(self, step: Step, identity: Identity, asked: Asked) -> None:
        """The roles that the service makes for its caller; those that are only attempted refuse nothing."""
        step.first_uses = first_use.of(asked, step.facts.view)
        through_it = Via(events.source(asked.operation), as_caller=True).seen(identity)
        for row in step.first_uses:
            if not row.attempted:
                self.authorize(step, through_it, [first_use.target(row, asked)], partial(first_use.refusal, row))

    def _authorize_on_behalf(self, step: Step, identity: Identity, asked: Asked) -> None:
        """What the service asks of others with its caller's permissions."""
        through_it = Via(events.source(asked.operation), as_caller=True).seen(identity)
        wanted = on_behalf.targets(asked, is_embedded=step.place.backend.embedded is not None)
        decided = resources.decided(wanted, step.facts, asked.account)
        self.authorize(step, through_it, decided, partial(on_behalf.refusal, asked))

    def authorize(
        self,
        step: Step,
        identity: Identity,
        targets: Sequence[Target],
        refusal: Callable[[Denied], AWSError | None] | None = None,
    ) -> None:
        """Decide these, and note the verdicts; Denied when one is, unless denials are only told: then all of them.

        `refusal` gives the service's own error for a denial, where it has one.
        """
        progress, left = step.progress, targets
        while left:
            try:
                verdicts = self.verdicts(step, identity, left)
            except Denied as denied:
                verdicts = list(denied.verdicts)
                if self._runtime.settings.enforce != "soft" or identity is ANONYMOUS:
                    progress.verdicts = [*progress.verdicts, *verdicts]
                    own_words = refusal(denied) if refusal is not None else None
                    raise own_words or worded(denied, step.asked, self._runtime.keyring) from denied
                step.would_deny = step.would_deny or denied
                told = {"iamdWouldDeny": step.would_deny.message}
                progress.notes = {**progress.notes, "additionalEventData": told}
            progress.verdicts = [*progress.verdicts, *verdicts]
            left = left[len(verdicts) :]

    def verdicts(self, step: Step, identity: Identity, targets: Sequence[Target]) -> list[Verdict]:
        """The verdicts, all of them allowing; Denied at the first that does not."""
        asked, facts, now = step.asked, step.facts, self._runtime.clock.seconds()
        of_request = partial(_context, step, identity, now)
        # Whatever stays in a verdict must not hold the step, which has the verdict: only the collector of garbage would
        # find what is left of a request.
        unknown = partial(_unknown, asked, facts, step.made, step.untold_context)
        action = step.traits.action
        if facts.tags:
            targets = _tagged(targets, facts)
        if any(map(_POLICIES, targets)):
            targets = _by_their_policies(targets, identity, asked, facts, action)
        listed = object_acls.decided(targets, identity, asked, facts, action)
        marked = any_of_kind.marked(listed, step.made, asked, action)
        request = step.progress.request
        through = vpc_endpoints.of(request, identity) if request.vpc_endpoint is not None else None
        return authorize(identity, facts.view, action, marked, of_request, now, unknown, through)


_POLICIES: Final = attrgetter("policies")


def _by_their_policies(
    targets: Sequence[Target], identity: Identity, asked: Asked, facts: Facts, action: str
) -> Sequence[Target]:
    """The targets with what their own policies do for this caller."""
    targets = resources.unlocked(targets, identity, action)
    targets = [owners_only.closed(one, identity, one.action or action) for one in targets]
    return public_access.closed(targets, identity, asked, facts)


def _retargeted(targets: list[Target], asked: Asked, facts: Facts) -> list[Target]:
    """The targets with what is known of the accounts and grants that they stand for."""
    if asked.operation.service == "xray":
        return named_policies.over_account(targets, asked, facts)
    return kms_grants.to_retire(targets, asked, facts)


_BY_TEMPLATES: Final = frozenset({"ec2:CreateTags", "ec2:RunInstances"})
"""What is asked for with the tags that a launch template gives."""


def _unknown(asked: Asked, facts: Facts, made: frozenset[str], untold_context: bool, arn: str, action: str) -> Unknowns:
    """The condition keys of an action on a resource whose values iamd does not know."""
    service = asked.operation.service
    asking = "kms" if action.startswith("kms:") else service
    found = unknown_keys.of(
        asking,
        action,
        creates=arn in made,
        unseen=kms_keys.is_key(arn) and not facts.known(arn),
        tagged=bucket_abac.may_count(facts, arn),
        through=asked.through is not None,
        templated=action in _BY_TEMPLATES and launch_templates.may_tag(asked),
    )
    if asking != service:
        found = found.also(unknown_keys.of_use(service, action))
    if untold_context and asking == "kms":
        found = found.also(_OF_CONTEXT)
    return found.without(resource_tags.known_beginnings(arn, facts)) if facts.tags else found


def _context(step: Step, identity: Identity, now: int) -> Context:
    """The condition keys of the request."""
    asked = step.asked
    # SECURITY: AWS sends a client to the bucket's Region, whichever it signs for; so it must not choose what the
    # policies of Regions say of it by that.
    region = step.facts.bucket(step.bucket).known.get(bucket_tags.REGION) if step.bucket is not None else None
    region = region or region_of(asked.operation.service, asked.region)
    return context.of_request(step.progress.request, region, now, identity.invoked_by is not None)


def _tagged(targets: Sequence[Target], facts: Facts) -> Sequence[Target]:
    """The targets with the tags that were asked for."""
    told = [resource_tags.keys_of(one.arn, facts) for one in targets]
    return [
        replace(one, context={**one.context, **keys}) if keys else one for one, keys in zip(targets, told, strict=True)
    ]


def _check_anonymous(asked: Asked, facts: Facts, wanted: Sequence[Target]) -> None:
    """Whom nobody knows reaches no bucket that iamd knows nothing of."""
    if asked.operation.service != "s3" or not facts.forgets:
        return
    for target in wanted:
        if policy_places.is_s3(target.arn) and facts.get(policy_places.holder(target.arn)) is None:
            raise NoSuchBucket(
                "The specified bucket does not exist", members={"BucketName": str(asked.parameters.get("Bucket"))}
            )


def worded(denied: Denied, asked: Asked, keyring: Keyring) -> CommonError:
    """The denial in the service's words."""
    match asked.operation.service:
        case "s3":
            return _worded_by_s3(denied, asked)
        case "ec2":
            return _worded_by_ec2(denied, keyring)
        case "sns":
            # AWS: SNS alone writes its prefix in capitals ("not authorized to perform: SNS:Publish").
            return CommonError(Common.ACCESS_DENIED, denied.message.replace(" sns:", " SNS:"))
        case "kms":
            return _worded_by_kms(denied, asked)
        case _:
            return denied


def _worded_by_s3(denied: Denied, asked: Asked) -> CommonError:
    """S3 names the resource in quotes, and tells callers of other accounts nothing, but those of one organization.

    AWS: "Troubleshoot access denied (403 Forbidden) errors in Amazon S3".
    """
    last = denied.verdicts[-1].request
    own, others = last.context.get("aws:principalorgid"), last.context.get("aws:resourceorgid")
    is_near = last.resource_account == asked.account or (own == others and isinstance(own, str))
    if not asked.account or not is_near:
        return CommonError(Common.ACCESS_DENIED, "Access Denied")
    words = denied.message.replace(f"on resource: {last.resource} ", f'on resource: "{last.resource}" ')
    return CommonError(Common.ACCESS_DENIED, words)


_SOURCES: Final = {"kms:Decrypt": "KeyId", "kms:ReEncryptFrom": "SourceKeyId"}
"""Which parameter names the key of a ciphertext, of actions that can do without one."""


def _worded_by_kms(denied: Denied, asked: Asked) -> CommonError:
    """KMS does not tell which key a ciphertext is of, which may be another account's (its words are in refusals.py)."""
    last = denied.verdicts[-1].request
    member = _SOURCES.get(last.action)
    if member is None or asked.parameters.get(member):
        return denied
    words = denied.message.replace(f"on resource: {last.resource} ", "on the resource associated with this ciphertext ")
    return CommonError(Common.ACCESS_DENIED, words)


def _worded_by_ec2(denied: Denied, keyring: Keyring) -> CommonError:
    """EC2 adds a message to be decoded, but not to the denial of an action without resources, as DescribeInstances.

    AWS: STS API Reference, DecodeAuthorizationMessage; the words are seen in its answers.
    """
    last = denied.verdicts[-1]
    words = f"You are not authorized to perform this operation. {denied.message}"
    prefix, _, name = last.request.action.partition(":")
    known = service_reference.action(prefix, name)
    encoded = authorization_messages.encoded(last, keyring) if known is None or not known.wildcard_only else None
    if encoded is not None:
        words += f". Encoded authorization failure message: {encoded}"
    return CommonError(Common.ACCESS_DENIED, words)


def is_like(target: Target, first: Target) -> bool:
    """Tell whether a target is in the service that does the work, not one that it reads from."""
    return target.arn.split(":")[2:3] == first.arn.split(":")[2:3]


def owner(step: Step) -> str:
    """The account in which the backend does the work: the resource's owner, or the caller for something new."""
    if step.owner is None:
        step.owner = _owner(step)
    return step.owner


def owners(step: Step) -> Sequence[str]:
    """The accounts in which backends do the work: one, but for what is done in parts."""
    return account_parts.accounts(step.asked, step.targets) if step.traits.may_be_parted else [owner(step)]


def _owner(step: Step) -> str:
    asked = step.asked
    if step.bucket is not None:
        for target in step.targets:
            if target.account and target.arn.partition("/")[0] == step.bucket:
                return target.account
        return asked.account
    return _owner_of_targets(step)


def _owner_of_targets(step: Step) -> str:
    asked = step.asked
    if (asked.operation.service, asked.operation.name) in untabled.FOR_CALLER:
        return asked.account
    if step.traits.reaches:
        home = reached.home(asked, step.targets, is_embedded=step.place.backend.embedded is not None)
        if home is not None:
            return home
    owners = {target.account for target in step.targets if target.account and is_like(target, step.targets[0])}
    if len(owners) > 1:
        raise account_parts.refusal(asked.operation)
    return next(iter(owners), asked.account)
