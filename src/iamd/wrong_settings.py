"""What is wrong with a setting: the error that says so, and the known word that is nearest to an unknown one."""

from collections.abc import Sequence


class SettingsError(Exception):
    """A setting that is unknown or has a wrong value; the message is one line and names the way out."""


def suggestion(word: str, known: Sequence[str]) -> str:
    """What to say after an unknown word: the nearest known one, or nothing."""
    # Imported here: few settings are wrong, and a server holds what it has imported.
    import difflib  # noqa: PLC0415

    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"; did you mean `{near[0]}`?" if near else ""
