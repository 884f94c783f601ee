"""Federation: what an identity provider has proven of the unsigned caller of an AssumeRoleWith... operation."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from iamd.policy.request import Context
from iamd.store.records import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Federation:
    """A caller whom a provider vouches for.

    `user_type` is CloudTrail's word for such a caller. `provider` is what a trust policy's `Federated` calls the
    provider, `record` its record in the role's account (None for one that AWS knows by itself), `identity_provider` and
    `name` are what events call the two. `context` holds the condition keys of this one request, `session_context` those
    that the session keeps, `answer` what the operation tells of the proof. `federated_provider` is the session's
    `aws:FederatedProvider`, `longest_seconds` how long the provider lets a session be, `once` what may be used once
    for a role, with when that is forgotten. `told` are parameters that the event shows.
    """

    user_type: str
    provider: str
    record: Record | None
    identity_provider: str
    name: str
    session_name: str
    context: Context
    session_context: Context
    answer: Mapping[str, str]
    federated_provider: str | None = None
    longest_seconds: int | None = None
    once: tuple[str, int] | None = None
    told: Mapping[str, str] = field(default_factory=dict)
    source_identity: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    transitive_tag_keys: tuple[str, ...] = ()
