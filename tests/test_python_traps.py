"""Python's traps that have let somebody in elsewhere: none of them is in the source."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import iamd

SOURCE = Path(iamd.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))

UNHOOKED_JSON = {
    "backend/deliveries/topics.py": "where undelivered messages go, which is decided when one is sent there",
    "backend/control.py": "what iamd itself wrote",
    "cli/connection.py": "what the server answered",
    "cli/report_command.py": "what the server answered",
    "data/regions.py": "a file of botocore's",
    "gateway/events_effects.py": "policies that were checked when they were stored",
    "gateway/statement_policies.py": "policies that were checked when they were stored",
    "gateway/actions/passed_roles.py": "trust policies that were checked when they were stored",
    "gateway/log_policies.py": "policies that were checked, repeated names included, before",
    "services/iam/trust_policies.py": "policies that were checked, repeated names included, before",
    "wire/catalog.py": "the index that is part of the package",
}
OTHER_LETTERS = {
    "gateway/actions/logs.py": "what is found is refused: finding more is safe",
    "gateway/bucket_tags.py": "tags have letters of every language",
}
OTHER_DIGITS = {
    "gateway/actions/by_rule.py": "an account of other digits owns nothing",
    "metadata/imds.py": "bytes, whose digits are ASCII",
    "services/iam/account.py": "an alias was checked to be ASCII before",
    "wire/patterns.py": "it reads patterns of the models",
}
BEFORE_NEWLINES_TOO = {
    "data/service_reference.py": "DOTALL stands beside it",
    "wire/hosts.py": "a Host header that holds a newline is refused before",
}
ONE_CHARACTER = {
    "gateway/actions/expressions.py": "a token's first character",
    "wire/patterns.py": "a pattern's characters, one by one",
}
BYTES = {
    "auth/signing_key.py": "the signature of a claim is bytes",
    "gateway/bodies.py": "digests",
    "auth/checksums.py": "digests",
    "auth/chunked.py": "digests",
    "metadata/containers.py": "a header's bytes",
    "metadata/session_tokens.py": "digests",
}
UNMAPPED = {
    "cli/exec_command.py": "IPv4 alone",
    "metadata/service.py": "a mapped address becomes IPv4",
    "services/iamd/metadata_sources.py": "a mapped address becomes IPv4",
    "stacks/functions.py": "a block that is cut in parts; nobody is looked for in it",
    "federation/fetching.py": "only whether it is an address; hosts.py says which is permitted",
    "metadata/guests.py": "only whether it is an address",
    "federation/hosts.py": "a mapped address, and others that stand for IPv4, count as that",
    "policy/lint/condition_values.py": "only whether it is an address",
    "configuration.py": "a mapped address becomes IPv4",
    "endpoint_settings.py": "a mapped network is refused",
    "vpc_endpoints.py": "a mapped address becomes IPv4; no network is mapped",
    "policy/operators.py": "a mapped address and a mapped range become IPv4",
    "authz/public_policies.py": "a mapped range counts as one of IPv6, of which none is private",
    "server.py": "a mapped address becomes IPv4",
}
FOLDED = {
    "policy/cases.py": "booleans",
    "policy/lint/shape.py": "names of elements that AWS's have",
    "policy/lint/subject.py": "booleans",
    "policy/lint/tag_keys.py": "effects that were read as `Allow` or `Deny`",
    "policy/malformed.py": "no letter of `allow` and `deny` has another that folds to it",
    "policy/operators.py": "StringEqualsIgnoreCase is of every letter, character by character",
    "policy/telling_texts.py": "patterns of StringEqualsIgnoreCase",
    "policy/trial_values.py": "values for StringEqualsIgnoreCase",
    "policy/syntax.py": "booleans",
    "policy/trust.py": "AWS's four names of members",
}
BEFORE_NEWLINES = {"gateway/actions/secretsmanager.py": "an ARN that ends in a newline names no secret"}


@cache
def trees():
    """Every file's syntax, by its path; read by the process that runs these tests, not by all that collect them."""
    return {path.relative_to(SOURCE).as_posix(): ast.parse(path.read_text()) for path in FILES}


@cache
def nodes():
    """Every node that has a line, with its file's path."""
    return [(name, node) for name, tree in trees().items() for node in ast.walk(tree) if hasattr(node, "lineno")]


def found(rule):
    """Where in the source a rule holds."""
    return [f"{name}:{node.lineno}: {ast.unparse(node).splitlines()[0]}" for name, node in nodes() if rule(name, node)]


def name_of(node):
    """What is called; nothing for what is no call."""
    return _called(node) if isinstance(node, ast.Call) else ""


@cache
def _called(node):
    return ast.unparse(node.func)


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

    def asks(node):
        return any(isinstance(part, ast.Attribute) and part.attr in kinds for part in ast.walk(node))

    def is_open(name, node):
        if name in OTHER_DIGITS or not isinstance(node, ast.stmt | ast.comprehension) or not asks(node):
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


def test_a_dot_of_a_pattern_is_every_character():
    """`.` stops at a newline without DOTALL: a Deny would be passed over."""

    def is_short(name, node):
        bare = [re.sub(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", "", text, flags=re.DOTALL) for text in patterns(node)]
        return name not in BEFORE_NEWLINES_TOO and any("." in text for text in bare) and "DOTALL" not in flags(node)

    assert found(is_short) == []


def test_no_wildcards_run_as_regular_expressions():
    """`.*` of three stars takes seconds, of four it does not end; fnmatch makes such patterns."""
    assert found(lambda _, node: bool(imported(node) & {"fnmatch", "glob"})) == []


def test_membership_is_asked_of_sets():
    """`x in "text"` is true of every part of the text, of none too."""
    assert (
        found(
            lambda name, node: (
                isinstance(node, ast.Compare)
                and isinstance(node.ops[0], ast.In | ast.NotIn)
                and isinstance(node.comparators[0], ast.Constant)
                and name not in ONE_CHARACTER
            )
        )
        == []
    )


def test_secrets_are_compared_as_bytes():
    """hmac.compare_digest raises on a str that is not ASCII."""
    assert (
        found(
            lambda name, node: (
                name_of(node).endswith("compare_digest")
                and name not in BYTES
                and not all(name_of(argument).endswith(".encode") for argument in node.args)
            )
        )
        == []
    )


def test_addresses_are_unmapped():
    """`::ffff:10.0.0.1` is not in 10.0.0.0/8: whoever reads an address has to know."""
    readers = {"ip_address", "ip_network", "ip_interface", "IPv4Address", "IPv6Address", "IPv4Network", "IPv6Network"}
    assert found(lambda name, node: name_of(node).split(".")[-1] in readers and name not in UNMAPPED) == []


def test_policies_fold_ascii_letters_only():
    """str.lower makes `k` of KELVIN SIGN; `request.lower` does not."""
    folds = {"lower", "upper", "casefold", "swapcase", "title", "capitalize"}
    assert (
        found(
            lambda name, node: (
                name.startswith("policy/")
                and name not in FOLDED
                and isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in folds
            )
        )
        == []
    )


def test_policies_read_ascii_digits_only():
    """int() and float() take other digits, blanks and `1_0`: only what a pattern of [0-9] took goes into them.

    Wildcards make the digits that they read themselves, of zeros and ones.
    """
    assert (
        found(
            lambda name, node: (
                name.startswith("policy/")
                and name not in {"policy/operators.py", "policy/wildcard.py"}
                and name_of(node) in {"int", "float"}
            )
        )
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


def is_type(node):
    """Whether it imports but classes that annotations name: of lxml they begin with an underscore."""
    return isinstance(node, ast.ImportFrom) and all(alias.name.startswith("_") for alias in node.names)


def test_nothing_runs_or_loads_what_others_wrote():
    assert found(lambda _, node: name_of(node) in FORBIDDEN or "shell" in options(node)) == []
    assert found(lambda _, node: bool(imported(node) & UNSAFE) and not is_type(node)) == []
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


def test_no_pipe_is_read_through_the_loop():
    """uvloop closes a pipe's descriptor, and then its file does: what another thread has opened meanwhile is closed."""
    through = {"connect_read_pipe", "connect_write_pipe"}
    assert found(lambda _, node: name_of(node).rpartition(".")[2] in through) == []


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
re.compile("a.*b")
import fnmatch
x in "abc"
hmac.compare_digest(x, y)
ipaddress.ip_address(x)
x.lower()
int(x)
loop.connect_read_pipe(x, y)
"""
    of_broken = [("policy/broken.py", node) for node in ast.walk(ast.parse(broken)) if hasattr(node, "lineno")]
    monkeypatch.setitem(globals(), "nodes", lambda: of_broken)
    rules = [value for name, value in globals().items() if name.startswith("test_") and "rules" not in name]
    for rule in rules:
        with pytest.raises(AssertionError, match=r"broken\.py"):
            rule()
