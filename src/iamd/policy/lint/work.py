"""How much one document may cost: what is hostile ends in a refusal, not in a wait."""

from collections.abc import Sized
from dataclasses import dataclass

MAX_CHARACTERS = 262_144
"""AWS's own managed policies have up to 152,297; the longest that IAM's API takes is 131,072."""

MAX_VALUES = 10_000
"""AWS's own managed policies have up to 5,000 strings."""

MAX_STEPS = 170_000
"""Comparisons of a microsecond or two; the largest of AWS's own policies needs 33,000."""

STORED = 20_480
"""Characters, without white space, of the longest policy that people write: a bucket's; a role's has half of them."""

MAX_STEPS_OF_STORED = 2_000_000
"""What such a policy may need: a role's that is full of `ec2:*a`, `ec2:*b` needs 1,650,000, in a third of a second."""

MAX_COMPARED = 20_480
"""The longest text that is compared with patterns: all of the longest bucket policy."""

SHORT = 64
"""How many characters of a pattern are as quickly compared, or said in a message, as one."""


class TooMuchWork(Exception):
    """The document would take longer to examine than any policy that AWS stores."""


def steps_for(text: str) -> int:
    """How many comparisons the examination of `text` may take: whatever may be stored is examined to the end."""
    written = len(text) - sum(map(text.count, " \t\n\r"))
    return MAX_STEPS_OF_STORED if written <= STORED else MAX_STEPS


@dataclass(slots=True)
class Work:
    """The comparisons that are left for one document."""

    left: int

    def spend(self, steps: int) -> None:
        """Take `steps` off what is left; TooMuchWork when it is used up."""
        self.left -= steps
        if self.left < 0:
            raise TooMuchWork

    def compare(self, pattern: str, others: Sized) -> None:
        """Spend what it takes to compare a pattern, or a text, with each of `others`."""
        if len(pattern) > MAX_COMPARED:
            raise TooMuchWork
        self.spend(len(others) * (1 + len(pattern) // SHORT))


def is_too_long(text: str) -> bool:
    """Whether `text` is longer, or has more values, than what is examined."""
    return len(text) > MAX_CHARACTERS or text.count(",") > MAX_VALUES
