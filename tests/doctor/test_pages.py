"""Every code has a page that a reader can act on."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from groundup.core.findings import CODES
from groundup.data.options import DataOptions
from groundup.evaluation.options import EvaluationOptions
from groundup.models.catalogue import make_learner
from groundup.preparation.options import PreparationOptions
from groundup.problems.options import ProblemOptions
from groundup.training.options import TrainingOptions

PAGES = Path(__file__).parents[2] / "docs" / "findings"
SECTIONS = {
    "data": DataOptions,
    "evaluation": EvaluationOptions,
    "preparation": PreparationOptions,
    "problem": ProblemOptions,
    "training": TrainingOptions,
}
HEADINGS = ["Example", "How it is found", "Why it matters", "What to do", "When to ignore it"]


def test_there_is_a_page_for_every_code_and_no_other() -> None:
    assert sorted(path.stem for path in PAGES.glob("*.md")) == sorted([*CODES, "README"])


@pytest.mark.parametrize("code", CODES)
def test_a_page_has_its_title_and_its_parts(code: str) -> None:
    text = (PAGES / f"{code}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {code}: {CODES[code]}\n")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == HEADINGS
    assert 15 <= len(text.splitlines()) <= 60


@pytest.mark.parametrize("code", CODES)
def test_the_index_names_the_page(code: str) -> None:
    assert f"[{code}]({code}.md) | {CODES[code]} |" in (PAGES / "README.md").read_text(encoding="utf-8")


def snippets() -> list[tuple[str, dict[str, Any]]]:
    """Return every recipe in a page."""
    return [
        (path.stem, yaml.safe_load(block))
        for path in sorted(PAGES.glob("*.md"))
        for block in re.findall(
            r"^```yaml\n(.*?)^```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
        )
    ]


@pytest.mark.parametrize(("page", "recipe"), snippets(), ids=str)
def test_the_recipes_in_a_page_are_understood(page: str, recipe: dict[str, Any]) -> None:
    for section, values in recipe.items():
        if section == "model":
            name = values.pop("name")
            if name != "auto":
                make_learner(name, values)
        else:
            SECTIONS[section].model_validate(values)


@pytest.mark.parametrize("path", sorted(PAGES.glob("*.md")), ids=lambda path: path.stem)
def test_links_lead_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", path.read_text(encoding="utf-8")):
        assert (PAGES / link).is_file(), link
