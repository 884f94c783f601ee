"""What is wrong with a resource, before any service is asked or by what it was answered."""

from iamd.stacks.resources import Made


class InvalidProperties(Exception):
    """Why a resource's properties can't be used, in a sentence."""


class Failed(Exception):
    """Why a resource could not be made, changed or removed, in the words that the stack has for it."""


class Unfinished(Failed):
    """It could not be made whole, and is removed when the stack goes back; `made` is what there is of it."""

    def __init__(self, words: str, made: Made) -> None:
        super().__init__(words)
        self.made = made
