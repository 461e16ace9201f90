"""The documentation is true: links lead somewhere, recipes are accepted, examples run, commands exist."""

import importlib.util
import re
import shlex
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
import pytest

from groundup.cli.main import VERBS, cli, main
from groundup.core.findings import CODES
from groundup.core.yaml import read_yaml
from groundup.recipe import Recipe

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
STEPS = 8

CHEAP = {"models", "schema", "runs", "--version", "--help"}
"""What is run and not only parsed."""


class Block(NamedTuple):
    """One fenced block of a page."""

    page: Path
    line: int
    language: str
    text: str


def blocks_of(page: Path) -> Iterator[Block]:
    lines = page.read_text(encoding="utf-8").split("\n")
    start, language = 0, None
    for number, line in enumerate(lines, 1):
        if not line.startswith("```"):
            continue
        if language is None:
            start, language = number, line.removeprefix("```").strip()
        else:
            yield Block(page, start + 1, language, "\n".join(lines[start : number - 1]) + "\n")
            language = None
    assert language is None, f"{page}:{start}: a block that never ends"


def prose_of(page: Path) -> str:
    """Return a page without its fenced blocks."""
    return re.sub(r"(?ms)^```.*?^```$", "", page.read_text(encoding="utf-8"))


BLOCKS = [block for page in PAGES for block in blocks_of(page)]


def named(block: Block) -> str:
    return f"{block.page.relative_to(ROOT)}:{block.line}"


def blocks_in(*languages: str) -> pytest.MarkDecorator:
    chosen = [block for block in BLOCKS if block.language in languages]
    return pytest.mark.parametrize("block", chosen, ids=named)


EACH_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def anchors_of(page: Path) -> set[str]:
    """Return the anchors that a page's headings make."""
    headings = re.findall(r"(?m)^#+ (.+)$", prose_of(page))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@EACH_PAGE
def test_relative_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose_of(page)):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), target
        if anchor:
            assert anchor in anchors_of(found), target


@EACH_PAGE
def test_inline_commands_exist(page: Path) -> None:
    for text in re.findall(r"`(groundup [^`]+)`", prose_of(page)):
        verb = text.split()[1]
        if verb.startswith("-"):
            assert verb in ("--help", "--version"), text
            continue
        assert verb in VERBS, text
        known = {name for parameter in command_of(verb).params for name in parameter.opts} | {"--help"}
        assert {word for word in text.split() if re.match(r"--?[a-z]", word)} <= known, text


@blocks_in("yaml")
def test_recipes_are_accepted(block: Block) -> None:
    document = read_yaml(block.text, origin=named(block))
    Recipe.from_values(document.values)  # which checks the learners, too


@blocks_in("sh", "console")
def test_commands_exist(block: Block, capsys: pytest.CaptureFixture[str]) -> None:
    for command in commands_of(block):
        words = shlex.split(command, comments=True)
        if words[:1] == ["make"]:
            assert re.search(rf"(?m)^{words[1]}:", (ROOT / "Makefile").read_text("utf-8")), command
        elif words[:1] == ["python"]:
            assert (ROOT / words[1]).is_file(), command
        elif words[:1] == ["groundup"]:
            parse(words[1:])
            if set(words[1:2]) & CHEAP:
                assert main(words[1:]) == 0, command
    capsys.readouterr()


def commands_of(block: Block) -> Iterator[str]:
    """Yield the commands of a block; in a `console` block they follow a `$`, the rest is output."""
    for line in block.text.replace("\\\n", " ").splitlines():
        if block.language == "sh" and line.strip():
            yield line
        elif line.startswith("$ "):
            yield line.removeprefix("$ ")


def command_of(verb: str) -> click.Command:
    command = cli.get_command(click.Context(cli), verb)
    assert command is not None, verb
    return command


def parse(words: list[str]) -> None:
    """Parse a command line as the terminal would, without running it."""
    if words[0].startswith("--"):
        return
    try:
        command_of(words[0]).make_context(words[0], words[1:])
    except click.exceptions.Exit:
        pass  # --help
    except click.UsageError as error:
        pytest.fail(f"groundup {' '.join(words)}: {error.format_message()}")


PYTHON_PAGES = sorted({block.page for block in BLOCKS if block.language == "python"})


@pytest.mark.parametrize("page", PYTHON_PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_python_examples_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a page's blocks in order in one namespace, in an empty folder.

    A block whose first line is `# NAME.py` is a file; a `toml` block with entry points installs it.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    before, namespace = set(sys.modules), {"__name__": "page"}
    for block in blocks_of(page):
        file = re.match(r"# (\w+\.py)\n", block.text)
        if block.language == "toml":
            install(tomllib.loads(block.text)["project"], tmp_path)
        elif block.language == "python" and file:
            (tmp_path / file[1]).write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            code = "\n" * (block.line - 1) + block.text
            exec(compile(code, str(block.page), "exec"), namespace)
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(tmp_path) in str(sys.modules[name].__file__):
            del sys.modules[name]


def install(project: dict[str, dict[str, dict[str, str]]], folder: Path) -> None:
    """Write what an installer leaves behind of a distribution: its name and its entry points."""
    information = folder / f"{project['name']}-{project['version']}.dist-info".replace("-", "_", 1)
    information.mkdir()
    (information / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    lines = []
    for group, entries in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in entries.items())]
    (information / "entry_points.txt").write_text("\n".join(lines) + "\n")


def test_the_reference_of_options_is_up_to_date() -> None:
    specification = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert specification is not None
    assert specification.loader is not None
    generate = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(generate)
    assert generate.PAGE.read_text(encoding="utf-8") == generate.render(), "run: python docs/generate.py"


def test_the_readme_names_the_commands_of_a_clone() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for command in ("make setup", "make demo", "make test", "make check", "pip install groundup"):
        assert command in text, command


def test_the_readme_names_every_verb() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"(?m)^\| `groundup (\w+)", text)) == set(VERBS)


def test_every_step_has_a_page() -> None:
    numbers = [int(path.name.split("-")[0]) for path in sorted(ROOT.glob("docs/tutorial/*.md"))]
    assert numbers == list(range(1, STEPS + 1))


def test_the_index_names_every_page() -> None:
    index = ROOT / "docs" / "README.md"
    linked = {
        (index.parent / link).resolve() for link in re.findall(r"\]\(([^)#]+)\)", index.read_text("utf-8"))
    }
    findings = {ROOT / "docs" / "findings" / f"{code}.md" for code in CODES}
    assert set(ROOT.glob("docs/**/*.md")) - findings - {index} <= linked
