"""Checks of condition keys: whether they exist, how many values they have, what goes with them.

AWS: IAM User Guide, "Condition" (reference_policies_elements_condition) and "AWS global condition context keys"
(reference_policies_condition-keys); Service Authorization Reference.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

from iamd.policy.conditions import Quantifier
from iamd.policy.lint.finding import Note, note
from iamd.policy.lint.global_keys import FORMER, ONLY_WITH
from iamd.policy.lint.resources import NAMES
from iamd.policy.lint.subject import AttachedTo, Document, DocumentType, Entry, Statement, Text
from iamd.policy.request import lower
from iamd.policy.tree import Object, Place

UNTRUSTWORTHY: Final = frozenset({"aws:referer", "aws:useragent"})
"""Keys whose value the caller chooses: the warnings at aws:referer and aws:UserAgent."""

PAIRS: Final[Mapping[str, tuple[frozenset[str], str]]] = {
    # A recorded answer has these two names; the page of keys says that aws:SourceVpcArn does as well.
    "aws:vpcsourceip": (
        frozenset({"aws:sourcevpc", "aws:sourcevpce", "aws:sourcevpcarn"}),
        "aws:SourceVPC, aws:SourceVPCE",
    ),
    "aws:ec2instancesourceprivateipv4": (frozenset({"aws:ec2instancesourcevpc"}), "aws:Ec2InstanceSourceVpc"),
    "aws:sourcearn": (frozenset({"aws:sourceaccount"}), "aws:SourceAccount"),
}
"""Keys that say little by themselves, and those of which one must stand beside them."""

_OWNED: Final = frozenset({AttachedTo.BUCKET, AttachedTo.ACCESS_POINT, AttachedTo.MULTI_REGION_ACCESS_POINT})
IRRELEVANT: Final[Mapping[str, frozenset[AttachedTo]]] = {"s3:resourceaccount": _OWNED}
"""Keys that in a resource's own policy always have one value (IRRELEVANT_CONDITION_KEY_IN_POLICY)."""

OF_PROVIDERS: Final = frozenset({"amr", "aud", "sub"})
"""Keys of every OIDC provider, whatever else the reference has of its host.

AWS: IAM User Guide, "Available keys for AWS OIDC federation" (reference_policies_iam-condition-keys).
"""

TAGS: Final = ("aws:resourcetag", "aws:requesttag", "aws:principaltag")


def check(document: Document) -> Iterator[Note]:
    """What is wrong with each condition key of each statement."""
    for statement in document.statements:
        yield from _spelled_twice(statement)
        for entry in statement.conditions:
            yield from _existence(document, entry)
            yield from _count(entry)
            yield from _pairs(statement, entry)
            yield from _irrelevant(document, entry)
            yield from _services(document, statement, entry)
            if entry.lower in UNTRUSTWORTHY:
                yield note("UNTRUSTWORTHY_CONDITION_KEY", entry.key.key, key=entry.key.name)


def _spelled_twice(statement: Statement) -> Iterator[Note]:
    member = statement.node.member("Condition")
    for operator in member.value.members if member is not None and isinstance(member.value, Object) else ():
        if not isinstance(operator.value, Object):
            continue
        places: dict[str, list[tuple[str, Place]]] = defaultdict(list)
        for key in operator.value.members:
            places[lower(key.name)].append((key.name, key.key))
        for found in places.values():
            if len(found) > 1:
                yield note("DUPLICATE_KEYS_WITH_DIFFERENT_CASE", *(place for _, place in found), key=found[0][0])


def _existence(document: Document, entry: Entry) -> Iterator[Note]:
    key, place = entry.key.name, entry.key.key
    prefix, colon, name = entry.lower.partition(":")
    if not colon or not prefix or not name:
        yield note("INVALID_CONDITION_KEY_FORMAT", place)
    elif entry.lower == FORMER:
        # AWS lists both findings; a resource's policy could mean either of two keys.
        is_resource = document.type is DocumentType.RESOURCE
        yield note("UNSUPPORTED_GLOBAL_CONDITION_KEY" if is_resource else "DEPRECATED_GLOBAL_CONDITION_KEY", place)
    elif entry.known is None and _lacks_tag(document, entry):
        yield note("MISSING_TAG_KEY_IN_CONDITION", place, conditionKeyName=f"{key.removesuffix('/')}/")
    elif entry.known is None:
        yield from _unknown(document, entry, prefix)


def _lacks_tag(document: Document, entry: Entry) -> bool:
    name = entry.lower.removesuffix("/")
    if name in TAGS:
        return True
    if "/" in name:
        return False
    reference, work = document.reference, document.work
    return reference.condition_key(name, work) is None and reference.condition_key(f"{name}/x", work) is not None


def _unknown(document: Document, entry: Entry, prefix: str) -> Iterator[Note]:
    key, place = entry.key.name, entry.key.key
    if prefix == "aws":
        yield note("INVALID_GLOBAL_CONDITION_KEY", place, key=key)
    elif "." in prefix and entry.lower.partition(":")[2] in OF_PROVIDERS:
        return
    elif document.reference.key_owners(prefix):
        yield note("INVALID_SERVICE_CONDITION_KEY", place, key=key, service=prefix)
    elif "." not in prefix and prefix != "saml":
        # A prefix with a dot is an identity provider's host.
        yield note("INVALID_SERVICE", place, service=prefix)


def _count(entry: Entry) -> Iterator[Note]:
    """Set operators where one value is compared, and none where there are several."""
    if entry.known is None or entry.name.base == "Null":
        return
    if entry.known.type.startswith("ArrayOf"):
        if not entry.name.quantifier:
            yield note("MISSING_QUALIFIER", entry.key.key, key=entry.key.name)
    elif entry.name.quantifier is Quantifier.FOR_ALL_VALUES:
        yield note("FORALLVALUES_WITH_SINGLE_VALUED_KEY", entry.key.key, key=entry.key.name)


def _pairs(statement: Statement, entry: Entry) -> Iterator[Note]:
    if entry.lower not in PAIRS or not statement.allows or entry.name.base == "Null":
        return
    partners, recommended = PAIRS[entry.lower]
    if entry.lower == "aws:sourcearn" and all(map(_has_account, entry.values)):
        # AWS: an ARN that holds its account needs no other key (aws:SourceArn, reference_policies_condition-keys).
        return
    if statement.condition_keys.isdisjoint(partners):
        yield note(
            "MISSING_PAIRED_CONDITION_KEYS",
            entry.key.key,
            conditionKeyName=entry.key.name,
            recommendedKeys=recommended,
        )


def _has_account(arn: Text) -> bool:
    fields = arn.value.split(":", 5)
    return len(fields) == 6 and fields[4] not in {"", "*"}


def _irrelevant(document: Document, entry: Entry) -> Iterator[Note]:
    attached_to = document.attached_to
    if attached_to is not None and attached_to in IRRELEVANT.get(entry.lower, ()):
        yield note(
            "IRRELEVANT_CONDITION_KEY_IN_POLICY",
            entry.key.key,
            condition_key=entry.key.name,
            resource_type=NAMES[attached_to],
        )


def _services(document: Document, statement: Statement, entry: Entry) -> Iterator[Note]:
    """Keys that some services alone have, in a statement that speaks of others too."""
    supporting = ONLY_WITH.get(entry.lower)
    if supporting is None:
        return
    document.work.spend(len(statement.actions))
    named = {text.lower.partition(":")[0] for text in statement.actions}
    # The page leaves out iam:PassRole.
    passes = any(text.lower == "iam:passrole" for text in statement.actions)
    if statement.not_actions or passes or not named <= supporting:
        yield note("USE_CONDITION_KEY_ONLY_WITH_SUPPORTED_SERVICES", entry.key.key, key=entry.key.name)
