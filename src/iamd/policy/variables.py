"""`${aws:username}` and its kin: policy variables, their defaults, and the escapes `${*}`, `${?}` and `${$}`.

AWS: IAM User Guide, "Policy variables" (reference_policies_variables). A value is cut into parts before anything else
reads it, because a variable's name holds a colon that is no separator of an ARN.
"""

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from iamd.policy.memo import LONGEST
from iamd.policy.request import UNKNOWN, Context, lower
from iamd.policy.wildcard import Matcher, Token, cached_matcher, matcher, tokens, typed_matcher

REMEMBERED: Final = 64
REMEMBERED_CHARACTERS: Final = 1_024
"""How many values of a variable have their pattern kept, and up to which length of all that they are put in."""

Match = Callable[[str, Context], bool | None]


@dataclass(frozen=True, slots=True)
class Literal:
    """A character that `${*}`, `${?}` or `${$}` stands for."""

    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Variable:
    """A condition key whose value is put in its place, or `default` when the key has none."""

    key: str
    default: str | None
    source: str

    @property
    def name(self) -> str:
        """The key as it is written."""
        return self.source[2:].partition(",")[0].removesuffix("}")


Part = str | Literal | Variable
Template = tuple[Part, ...]
"""A plain string is what the author typed: only its `*` and `?` are wildcards."""

_ESCAPES = {"${*}": "*", "${?}": "?", "${$}": "$"}


def parse(text: str) -> Template:
    """The parts of `text`; a `${` that begins no variable is plain text (it is refused when a policy is stored)."""
    if "${" not in text:
        return (text,)
    parts: list[Part] = []
    plain = position = 0
    last = text.rfind("'}")
    while (opening := text.find("${", position)) >= 0:
        part = _part(text, opening, last)
        if part is None:
            position = opening + 2
            continue
        parts += [text[plain:opening], part] if opening > plain else [part]
        plain = position = opening + len(part.source)
    return (*parts, text[plain:]) if plain < len(text) else tuple(parts)


def is_well_formed(text: str) -> bool:
    """Whether every `${` of `text` begins a variable or an escape."""
    return all(isinstance(part, (Literal, Variable)) or "${" not in part for part in parse(text))


def _part(text: str, opening: int, last: int) -> Literal | Variable | None:
    """The part that begins at `opening`; the end of the last default stands at `last`."""
    escape = text[opening : opening + 4]
    if escape in _ESCAPES:
        return Literal(_ESCAPES[escape], escape)
    # SECURITY: a name has no `$`, and nothing is sought beyond it: of many `${` each would look through all the rest.
    beyond = text.find("$", opening + 2)
    end = beyond if beyond >= 0 else len(text)
    closing = text.find("}", opening, end)
    comma = text.find(",", opening, closing if closing >= 0 else end)
    if comma >= 0:
        return _with_default(text, opening, comma) if comma < last else None
    return _variable(text[opening + 2 : closing], None, text[opening : closing + 1]) if closing >= 0 else None


def _with_default(text: str, opening: int, comma: int) -> Variable | None:
    # AWS writes a blank between the comma and the quote; it leaves open whether the blank may be missing. It may here.
    quote = comma + 1
    while text[quote : quote + 1] == " ":
        quote += 1
    end = text.find("'}", quote + 1) if text[quote : quote + 1] == "'" else -1
    if end < 0:
        return None
    return _variable(text[opening + 2 : comma], text[quote + 1 : end], text[opening : end + 2])


def _variable(name: str, default: str | None, source: str) -> Variable | None:
    if not name.strip() or "$" in name:
        return None
    return _shared(name, default, source) if len(source) <= LONGEST else Variable(lower(name), default, source)


@lru_cache(maxsize=1024)
def _shared(name: str, default: str | None, source: str) -> Variable:
    """One object for all who write the same."""
    return Variable(lower(name), default, source)


def is_static(template: Template) -> bool:
    """Whether `template` means the same in every request."""
    return not any(isinstance(part, Variable) for part in template)


def only_key(template: Template) -> str | None:
    """The key of a template that is one variable without a default, or None."""
    only = template[0] if len(template) == 1 else None
    return only.key if isinstance(only, Variable) and only.default is None else None


def source(template: Template) -> str:
    """`template` as it was written."""
    only = template[0] if len(template) == 1 else None
    if isinstance(only, str):
        return only
    return "".join(part if isinstance(part, str) else part.source for part in template)


def literal_beginning(template: Template) -> str:
    """What every text that `template` matches begins with, as far as the text alone tells."""
    found = ""
    for part in template:
        if isinstance(part, Variable):
            return found
        if isinstance(part, str):
            plain = BEFORE_WILDCARD.match(part)
            found += plain[0] if plain is not None else ""
            if plain is None or plain.end() < len(part):
                return found
        else:
            found += part.text
    return found


def literal_end(template: Template) -> str:
    """What every text that `template` matches ends with, as far as the text alone tells."""
    last = template[-1] if template else ""
    return _WILDCARD.split(last)[-1] if isinstance(last, str) else ""


def literals(template: Template) -> list[str]:
    """The texts that every text that `template` matches holds, as far as the text alone tells."""
    only = template[0] if len(template) == 1 else None
    if isinstance(only, str):
        return _WILDCARD.split(only)
    return [piece for part in template if isinstance(part, str) for piece in _WILDCARD.split(part)]


_WILDCARD = re.compile(r"[*?]")
BEFORE_WILDCARD = re.compile(r"[^*?]*")


def value_of(variable: Variable, context: Context) -> str | None:
    """The text a variable stands for, or None when it has no value.

    AWS: only single-valued keys can be variables. A key whose value is an empty string counts as having none, so that
    a missing tag never turns `home/${aws:PrincipalTag/x}*` into `home/*`.
    """
    value = context.get(variable.key)
    if isinstance(value, str) and value:
        return value
    return None if value is UNKNOWN else variable.default


def keys(template: Template) -> frozenset[str]:
    """The keys whose values `template` takes from a request."""
    return frozenset(part.key for part in template if isinstance(part, Variable))


def text_of(template: Template, context: Context, most: int = sys.maxsize) -> str | None:
    """The text `template` stands for in a request, or None when one of its variables has no value.

    None, too, when the text is longer than `most`: a value that is put in a hundred times could make one of any length.
    """
    texts = []
    for part in template:
        text = part if isinstance(part, str) else _text_of_part(part, context)
        if text is None:
            return None
        most -= len(text)
        if most < 0:
            return None
        texts.append(text)
    return "".join(texts)


def is_given(template: Template, context: Context) -> bool:
    """Whether each variable of `template` has a value."""
    return all(isinstance(part, str) or _text_of_part(part, context) is not None for part in template)


def _text_of_part(part: Literal | Variable, context: Context) -> str | None:
    return part.text if isinstance(part, Literal) else value_of(part, context)


def tokens_of(template: Template, context: Context, most: int = sys.maxsize) -> tuple[Token, ...] | None:
    """The pattern `template` stands for in a request, or None when one of its variables has no value.

    None, too, when what the variables bring is longer than `most`, the longest text that is to be matched.
    """
    pattern: list[Token] = []
    for part in template:
        if isinstance(part, str):
            pattern += tokens(part)
            continue
        text = _text_of_part(part, context)
        if text is None:
            return None
        # SECURITY: what a variable brings is a literal token: a tag of value `*` must not become a wildcard.
        pattern.append(text)
        most -= len(text)
        if most < 0:
            return None
    return tuple(pattern)


def glob(template: Template) -> Match:
    """A function that tells whether a text matches `template` in a request; a valueless variable matches nothing.

    None is its answer when that rests on a key that is not known.
    """
    if is_static(template):
        only = template[0] if len(template) == 1 else None
        static = typed_matcher(only) if isinstance(only, str) else matcher(tokens_of(template, {}) or ())
        return lambda text, _context: static(text)

    asked = tuple(keys(template))
    return _glob_of_one(template, asked[0]) if len(asked) == 1 else _glob_of_many(template, asked)


def _glob_of_one(template: Template, key: str) -> Match:
    """The same for one variable, which remembers what the last few of its values made of the template."""
    made: dict[object, Matcher] = {}

    def match(text: str, context: Context) -> bool | None:
        value = context.get(key)
        fits = made.get(value)
        if fits is None:
            pattern = tokens_of(template, context, len(text))
            if pattern is None:
                return None if value is UNKNOWN else False
            fits = cached_matcher(pattern, len(text))
            if isinstance(value, str) and len(value) * len(pattern) <= REMEMBERED_CHARACTERS:
                if len(made) >= REMEMBERED:
                    made.clear()
                made[value] = fits
        return fits(text)

    return match


def _glob_of_many(template: Template, asked: Sequence[str]) -> Match:

    def match(text: str, context: Context) -> bool | None:
        pattern = tokens_of(template, context, len(text))
        if pattern is None:
            return None if any(context.get(key) is UNKNOWN for key in asked) else False
        return cached_matcher(pattern, len(text))(text)

    return match


def segments(template: Template) -> list[Template]:
    """`template` cut at the first five colons that the author typed: the segments of an ARN, six at most."""
    only = template[0] if len(template) == 1 else None
    if isinstance(only, str):
        return [(piece,) if piece else () for piece in only.split(":", 5)]
    found: list[list[Part]] = [[]]
    for part in template:
        if not isinstance(part, str):
            found[-1].append(part)
            continue
        first, *rest = part.split(":", 6 - len(found))
        _append_text(found[-1], first)
        for piece in rest:
            found.append([])
            _append_text(found[-1], piece)
    return [tuple(segment) for segment in found]


def _append_text(segment: list[Part], text: str) -> None:
    if text:
        segment.append(text)


def joined(templates: Sequence[Template]) -> str:
    """The text of segments as they were written, with their colons."""
    return ":".join(map(source, templates))
