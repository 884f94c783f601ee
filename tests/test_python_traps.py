"""Python's traps that have let somebody in elsewhere: none of them is in the source."""

import ast
import re
from pathlib import Path

import pytest

import iamd

SOURCE = Path(iamd.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))
TREES = {path.relative_to(SOURCE).as_posix(): ast.parse(path.read_text()) for path in FILES}

UNHOOKED_JSON = {
    "backend/control.py": "what iamd itself wrote",
    "cli/connection.py": "what the server answered",
    "data/regions.py": "a file of botocore's",
    "gateway/effects.py": "policies that were checked when they were stored",
    "services/iam/trust_policies.py": "policies that were checked, repeated names included, before",
    "wire/catalog.py": "the index that is part of the package",
}
OTHER_LETTERS = {"gateway/actions/logs.py": "what is found is refused: finding more is safe"}
OTHER_DIGITS = {
    "gateway/actions/by_rule.py": "an account of other digits owns nothing",
    "services/iam/account.py": "an alias was checked to be ASCII before",
    "wire/patterns.py": "it reads patterns of the models",
}
BEFORE_NEWLINES = {"gateway/actions/secretsmanager.py": "an ARN that ends in a newline names no secret"}


def found(rule):
    """Where in the source a rule holds."""
    return [
        f"{name}:{node.lineno}: {ast.unparse(node).splitlines()[0]}"
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if hasattr(node, "lineno") and rule(name, node)
    ]


def name_of(node):
    """What is called; nothing for what is no call."""
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""


def options(node):
    return {keyword.arg: keyword.value for keyword in node.keywords} if isinstance(node, ast.Call) else {}


def flags(node):
    return " ".join(ast.unparse(argument) for argument in (*node.args[1:], *options(node).values()))


def patterns(node):
    """The parts of a regular expression that stand in a call of `re` as texts."""
    if not name_of(node).startswith("re.") or not node.args or name_of(node) == "re.escape":
        return []
    return [
        part.value for part in ast.walk(node.args[0]) if isinstance(part, ast.Constant) and isinstance(part.value, str)
    ]


def test_no_check_vanishes_under_optimisation():
    """`assert` is no check: -O removes it (pysaml2, CVE-2017-1000433)."""
    assert found(lambda _, node: isinstance(node, ast.Assert)) == []


def test_json_is_read_with_repeated_names_refused():
    """json.loads keeps the last of two equal names: a second Effect would undo a Deny."""
    assert (
        found(
            lambda name, node: (
                name_of(node) in {"json.loads", "json.load"}
                and name not in UNHOOKED_JSON
                and "object_pairs_hook" not in options(node)
            )
        )
        == []
    )


def test_letters_and_digits_of_patterns_are_ascii():
    """re.IGNORECASE takes `ſ` for `s`; `\\d` and `\\w` take other digits and letters."""
    assert (
        found(
            lambda name, node: (
                isinstance(node, ast.Call)
                and name not in OTHER_LETTERS
                and "ASCII" not in flags(node)
                and any("IGNORECASE" in flags(node) or r"\d" in text or r"\w" in text for text in patterns(node))
            )
        )
        == []
    )


def test_digits_and_letters_of_texts_are_ascii():
    """str.isdigit and its like take other digits and letters: what they decide, isascii decides too."""
    kinds = {"isdigit", "isdecimal", "isnumeric", "isalnum"}

    def is_open(name, node):
        if name in OTHER_DIGITS or not isinstance(node, ast.stmt | ast.comprehension):
            return False
        own = ast.unparse(node).split("\n")[0]
        return any(f".{kind}()" in own for kind in kinds) and "isascii()" not in own

    assert found(is_open) == []


def test_no_pattern_ends_before_a_final_newline():
    """`$` matches before a newline at the end; fullmatch and `\\Z` don't."""

    def without(text):
        """The pattern without what is no anchor: escapes, and classes of characters."""
        return re.sub(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\$&", "", text, flags=re.DOTALL)

    assert (
        found(lambda name, node: name not in BEFORE_NEWLINES and any("$" in without(text) for text in patterns(node)))
        == []
    )


def test_base64_takes_its_alphabet_only():
    assert (
        found(
            lambda _, node: (
                name_of(node).endswith("b64decode")
                and ast.unparse(options(node).get("validate", ast.Constant(value=False))) != "True"
            )
        )
        == []
    )


FORBIDDEN = {
    "eval", "exec", "compile", "os.system", "os.popen", "pickle.loads", "pickle.load", "marshal.loads", "shelve.open",
    "yaml.safe_load", "datetime.strptime", "time.strptime", "subprocess.getoutput", "tempfile.mktemp",
}  # fmt: skip
"""yaml.safe_load: it keeps the last of two equal names too. strptime: it takes `2025011T...` for a day."""
UNSAFE = {"pickle", "marshal", "shelve", "xml.sax", "xml.dom.minidom", "lxml.etree"}
READERS = {"fromstring", "parse", "iterparse", "XML"}


def imported(node):
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    return {node.module} if isinstance(node, ast.ImportFrom) else set()


def test_nothing_runs_or_loads_what_others_wrote():
    assert found(lambda _, node: name_of(node) in FORBIDDEN or "shell" in options(node)) == []
    assert found(lambda _, node: bool(imported(node) & UNSAFE)) == []
    assert (
        found(
            lambda _, node: (
                imported(node) == {"xml.etree.ElementTree"}
                and bool(READERS & {alias.name for alias in getattr(node, "names", ())})
            )
        )
        == []
    )


def test_no_error_is_passed_over_in_silence():
    broad = {"Exception", "BaseException"}

    def is_silent(_, node):
        if isinstance(node, ast.ExceptHandler):
            everything = node.type is None or ast.unparse(node.type) in broad
            return everything and all(isinstance(line, ast.Pass | ast.Continue) for line in node.body)
        return name_of(node).endswith("suppress") and bool({ast.unparse(one) for one in node.args} & broad)

    assert found(is_silent) == []


def test_the_rules_find_what_they_are_for(monkeypatch):
    """Each rule fails on a line that breaks it."""
    broken = """
assert x
json.loads(x)
re.compile("a", re.I)
re.compile("a", re.IGNORECASE)
re.compile(r"[0-9]+$")
x = y.isdigit()
base64.b64decode(x)
eval(x)
with suppress(Exception):
    f()
"""
    monkeypatch.setitem(TREES, "broken.py", ast.parse(broken))
    rules = [value for name, value in globals().items() if name.startswith("test_") and "rules" not in name]
    for rule in rules:
        with pytest.raises(AssertionError, match=r"broken\.py"):
            rule()
