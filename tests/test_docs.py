"""The documents say what is: generated pages are as they would be written, and what a page names is there."""

import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest
import write_docs
import write_tour
from evidence.evidence import registered
from pages import PAGES, commands, coverage, gateway, settings

from iamd.settings import ENVIRONMENT_PREFIX, FILE_ONLY, NAMES, BackendSettings

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

LINK = re.compile(r"(?<!!)\[[^]]*\]\(([^)\s]+)\)")
BLOCK = re.compile(r"^```[^\n]*\n(.*?)^```|^(?:    [^\n]*\n)+", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
READY = "iamd ready on"
OWN_OPTIONS = {"iamd exec", "iamd aws"}
"""Commands behind which other commands' options stand."""


def text_of(path: Path) -> str:
    return path.read_text("utf-8")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def anchors(text: str) -> set[str]:
    """What a page's headings can be linked by."""
    titles = re.findall(r"^#+ (.*)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def typed(text: str) -> list[str]:
    """Every line of code, and every span of it."""
    lines = [line.strip().removeprefix("$ ") for block in BLOCK.finditer(text) for line in block[0].splitlines()]
    return [*lines, *SPAN.findall(FENCE.sub("", text))]


def iamd_lines(text: str) -> list[list[str]]:
    """Every use of the command, in words."""
    found = []
    for line in typed(text):
        line = re.sub(r"\$\((?!(?:\.venv/bin/)?iamd )[^)]*\)", "...", line)  # noqa: PLW2901
        for use in re.findall(r"(?:^|\$\()(?:\.venv/bin/)?(iamd(?: [^)#]*)?)", line):
            if not use.startswith(READY):
                found.append(shlex.split(use.replace("'", "").replace('"', "")))
    return found


def test_every_generated_page_is_what_would_be_written():
    assert write_docs.stale() == []


def test_a_page_that_was_changed_by_hand_or_is_gone_is_found(tmp_path, monkeypatch):
    names = ("docs/cli.md", "docs/settings.md")
    monkeypatch.setattr(write_docs, "PAGES", {name: PAGES[name] for name in names})
    (tmp_path / "docs").mkdir()
    for name in names:
        (tmp_path / name).write_text(PAGES[name]())
    assert write_docs.stale(tmp_path) == []
    (tmp_path / "docs" / "cli.md").write_text("changed")
    (tmp_path / "docs" / "settings.md").unlink()
    assert write_docs.stale(tmp_path) == list(names)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_relative_links_point_somewhere(document):
    for link in LINK.findall(FENCE.sub("", text_of(document))):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), link
        assert not anchor or anchor in anchors(text_of(target)), link


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_make_target_that_is_named_exists(document):
    targets = set(re.findall(r"^([a-z-]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    named = {target for line in typed(text_of(document)) for target in re.findall(r"^make ([a-z][a-z-]*)", line)}
    assert named <= targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_command_that_is_named_exists_with_its_options(document):
    known = dict(commands.documented())
    for words in iamd_lines(text_of(document)):
        path = max((p for p in known if p.split() == words[: len(p.split())]), key=len, default=None)
        if path is None:
            named = words[1] if len(words) > 1 and not words[1].startswith("-") else None
            assert named is None or is_a_group(words[1]), " ".join(words)
            continue
        given = [word.partition("=")[0] for word in words if word.startswith("-") and word != "--"]
        options = {name for option in known[path].params for name in option.opts} | {"-h", "--help"}
        assert path in OWN_OPTIONS or set(given) <= options, " ".join(words)


def is_a_group(name: str) -> bool:
    return any(path.startswith(f"iamd {name} ") for path, _ in commands.documented())


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_variable_that_is_named_is_a_setting(document):
    known = {ENVIRONMENT_PREFIX + name.upper() for name in (*NAMES, "config")}
    assert set(re.findall(r"\bIAMD_[A-Z_]+\b", text_of(document))) <= known


def test_every_setting_stands_on_the_page_as_option_variable_and_key():
    page = settings.page()
    for name in (name for name in NAMES if name not in FILE_ONLY):
        option, variable = f"`--{name.replace('_', '-')}`", f"`{ENVIRONMENT_PREFIX}{name.upper()}`"
        assert f"| {option} | {variable} | `{name}` |" in page


def test_the_file_that_is_shown_holds_settings():
    [shown] = re.findall(r"^```toml\n(.*?)^```", settings.page(), re.MULTILINE | re.DOTALL)
    content = tomllib.loads(shown)
    assert content.keys() <= set(NAMES)
    [table] = content["backends"].values()
    assert table.keys() <= set(BackendSettings.__struct_fields__)


def test_every_key_of_a_backend_has_its_sentence():
    assert list(settings.sentences(BackendSettings)) == list(BackendSettings.__struct_fields__)


def test_every_command_and_option_stands_on_the_page():
    page = commands.page()
    for path, command in commands.documented():
        section = page.partition(f"## {path}\n")[2].partition("\n## ")[0]
        for option in command.params:
            assert not isinstance(option, click.Option) or all(name in section for name in option.opts), path


def test_the_readme_shows_the_first_steps_of_the_tour():
    tour, readme = text_of(ROOT / "docs" / "tour.md"), text_of(ROOT / "README.md")
    shown = readme.partition(write_tour.BEGIN)[2].partition(write_tour.END)[0].strip()
    first = [part for part in write_tour.sections(tour) if part[0].partition(".")[0] in write_tour.README_STEPS]
    assert shown.replace("### ", "## ") == "\n".join(f"## {title}\n\n{text}\n" for title, text in first).strip()


def test_the_tours_page_has_the_steps_of_its_script():
    said = re.findall(r'^say "(.*)"$', text_of(ROOT / "docs" / "tour.sh"), re.MULTILINE)
    assert [title for title, _ in write_tour.sections(text_of(ROOT / "docs" / "tour.md"))] == said


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_page_ends_with_one_line_break(document):
    assert re.search(r"[^\n]\n\Z", text_of(document))


def test_every_decision_says_context_choice_and_what_else_was_considered():
    for path in (ROOT / "docs" / "decisions").glob("*.md"):
        text = text_of(path)
        assert re.findall(r"^#+ .*", text, re.MULTILINE)[0].startswith(f"# {int(path.name[:4])}. ")
        headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
        assert headings[0] == "Context", path.name
        assert headings[1] in {"Choice", "Choices"}, path.name
        assert headings[2] == "What else was considered", path.name


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_file_that_is_named_exists(document):
    folders = [ROOT, ROOT / "docs", *(ROOT / "src" / "iamd" / name for name in ("", "gateway", "policy", "wire"))]
    for path in re.findall(
        r"`((?:[a-z_]+/)*[a-z_0-9]+\.(?:py|toml|sh|tsv))(?::\w+)?`", FENCE.sub("", text_of(document))
    ):
        if path != "iamd.toml":
            assert any((folder / path).exists() for folder in folders), path


def test_every_operation_of_iamds_own_services_is_counted_once():
    states = {
        (service, name): state for service in coverage.services() for name, state in coverage.states(service).items()
    }
    present = {key for key, state in states.items() if state != coverage.NOT_YET}
    assert {(found.service, found.name.lower()) for found in registered()} == {(s, name.lower()) for s, name in present}
    assert {"iam", "sts", "cloudtrail", "organizations", "sso-admin", "identitystore"} <= set(coverage.services())


def test_no_service_is_both_exact_and_decided_by_rule():
    ruled = gateway.by_rule_only()
    assert "codebuild" in ruled
    assert not {"s3", "sqs", "iam", "sts"} & set(ruled)
