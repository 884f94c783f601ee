"""Assertions on answers, whose failures are explained."""

from iamd.policy.decision import Layer
from iamd.testing.answers import Answer


def assert_allowed(answer: Answer) -> None:
    """Fail with the explanation unless the request is allowed."""
    __tracebackhide__ = True
    if not answer.allowed:
        raise AssertionError(f"denied, and should be allowed\n{answer}")


def assert_denied(answer: Answer, *, by: str | None = None, explicitly: bool | None = None) -> None:
    """Fail with the explanation unless the request is denied.

    `by` is the type of policy that must have decided, as `permissions boundary`; `explicitly` says whether a Deny must
    have, or none.
    """
    __tracebackhide__ = True
    if by is not None and by not in set(Layer):
        raise ValueError(f"`{by}` is no type of policy; there are {', '.join(Layer)}")
    if answer.allowed:
        raise AssertionError(f"allowed, and should be denied\n{answer}")
    if by is not None and answer.layer != by:
        raise AssertionError(f"denied by {answer.layer}, and should be by {by}\n{answer}")
    if explicitly is not None and explicitly != (answer.outcome == "ExplicitlyDenied"):
        raise AssertionError(f"{answer.outcome}, and a Deny should {'' if explicitly else 'not '}do it\n{answer}")
