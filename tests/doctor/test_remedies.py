"""Every remedy works: the flags that are printed change the recipe, and what was found is found no longer."""

import shlex
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import groundup as gu
from groundup.cli.findings import _as_flag
from groundup.cli.parameters import overrides as parse_overrides
from groundup.core.findings import Finding, column_patch
from groundup.doctor.contract import NotApplicable
from groundup.doctor.examine import load_rule
from groundup.doctor.rules import FIT_RULES
from groundup.doctor.signals import DoubtfulTargets, FitSignals, Span
from groundup.models.catalogue import make_learner

N = 300
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=N)
Y = np.where(X + RANDOM.logistic(size=N) > 0, "yes", "no")
DAYS = [date(2022, 1, 1) + timedelta(row) for row in range(N)]
BASE = pl.DataFrame({"x": X, "z": RANDOM.normal(size=N), "y": Y})


def told(frame: pl.DataFrame, **overrides: Any) -> list[Finding]:
    return list(gu.check(frame, "y", overrides=overrides).findings)


def flags(finding: Finding) -> dict[str, str]:
    """Return the patch as it comes back from the terminal."""
    words = shlex.split(" ".join(_as_flag(path, value) for path, value in finding.patch.items()))
    assert words[::2] == ["--set"] * len(finding.patch)
    return parse_overrides(words[1::2])


def walk() -> pl.DataFrame:
    """Return a number that follows itself from day to day."""
    y = np.random.default_rng(1).normal(size=N).cumsum()
    return pl.DataFrame({"day": DAYS, "x": X, "z": np.arange(N) % 7, "y": y})


PLANTED: dict[str, tuple[Callable[[], pl.DataFrame], dict[str, Any]]] = {
    "D005": (lambda: BASE.with_columns(empty=pl.lit(None, dtype=pl.Float64)), {}),
    "D006": (lambda: BASE.with_columns(same=pl.lit("always")), {}),
    "D007": (lambda: BASE.with_columns(code=pl.Series([f"id-{row:05d}" for row in range(N)])), {}),
    "D008": (
        lambda: BASE.with_columns(size=pl.Series([str(row) if row % 50 else "big" for row in range(N)])),
        {},
    ),
    "D010": (lambda: BASE.with_columns(rare=pl.when(pl.int_range(N) % 4 == 0).then(pl.col("z"))), {}),
    "D015": (lambda: BASE.with_columns(copy=pl.col("y").replace({"yes": "1", "no": "0"})), {}),
    "D016": (lambda: BASE.with_columns(flag=(pl.int_range(N) == 200).cast(pl.Int64)), {}),
    "D017": (
        lambda: BASE.with_columns(code=pl.Series([f"id-{row:05d}" for row in range(N)])),
        {"data.columns.code": "category"},
    ),
    "D018": (
        lambda: BASE.with_columns(
            group=pl.when(pl.int_range(N) % 10 == 0).then(pl.lit("few")).otherwise(pl.lit("most"))
        ),
        {"data.population": {"group": {"few": 0.5, "most": 0.5}}},
    ),
    "D019": (
        lambda: BASE.with_columns(day=pl.Series(DAYS), end=pl.Series([day + timedelta(9) for day in DAYS])),
        {"data.split.time": "day"},
    ),
    "D020": (
        lambda: BASE.with_columns(
            day=pl.Series(DAYS), tool=pl.when(pl.int_range(N) < 120).then(pl.lit("old"))
        ),
        {"data.split.time": "day"},
    ),
    "S004": (walk, {}),
    "P002": (
        lambda: BASE.with_columns(
            y=pl.when(pl.int_range(N) % 20 == 0).then(pl.lit("rare")).otherwise(pl.lit("usual"))
        ),
        {},
    ),
    "P004": (lambda: BASE.with_columns(y=np.exp(3 * pl.col("x"))), {}),
}
"""Code → a table in which it is found, and the recipe's settings."""


@pytest.mark.parametrize("code", PLANTED)
def test_the_flags_are_taken_and_the_finding_is_gone(code: str) -> None:
    make, overrides = PLANTED[code]
    frame = make()
    finding = next(each for each in told(frame, **overrides) if each.code == code)
    assert finding.patch
    result = gu.check(frame, "y", overrides={**overrides, **flags(finding)})
    again = {(each.code, each.column) for each in result.findings}
    if code == "P002":  # the rows stay as they are
        assert "class_weight: balanced" in result.recipe_yaml
    elif code == "D018":  # more rows must be gathered
        assert "slices: [group]" in result.recipe_yaml
    elif code == "P004":  # the target stays as skewed as it is; another metric judges
        assert result.problem.metric == "mae"
    else:
        assert (code, finding.column) not in again


def test_entities_are_kept_together_by_the_patch() -> None:
    who = np.repeat(np.arange(60), 5)
    frame = pl.DataFrame(
        {
            "customer": [f"c{each}" for each in who],
            "a": np.random.default_rng(2).normal(size=60)[who],
            "b": X,
            "y": np.random.default_rng(3).integers(0, 2, 60)[who],
        }
    )
    finding = next(each for each in told(frame) if each.code == "S003")
    assert flags(finding) == {"data.split.group": "customer"}
    assert "S003" not in {each.code for each in told(frame, **flags(finding))}


def test_more_columns_than_rows_ask_for_a_model_that_leaves_columns_out(tmp_path: Path) -> None:
    columns = np.random.default_rng(4).normal(size=(60, 70))
    wide = pl.DataFrame(columns).with_columns(y=pl.Series(np.where(columns[:, 0] > 0, "yes", "no")))
    finding = next(each for each in told(wide) if each.code == "D012")
    run = gu.train(wide, "y", overrides=flags(finding), runs=tmp_path)
    assert run.recipe.model.name == "logistic"


FIT: dict[str, dict[str, Any]] = {
    "F001": {"verdict": "overfits"},
    "F002": {"verdict": "underfits"},
    "F004": {"facts": {"converged": False}},
    "F007": {
        "doubtful": DoubtfulTargets(100, 1, None, True, ((9, 4e3, 4.5),)),
        "loss": "squared error",
    },
    "F009": {"shifted_by": "class weights", "n_classes": 2},
    "F010": {
        "facts": {
            "best_round": 80,
            "n_rounds": 120,
            "stopped": "diverged",
            "training_options": [{"option": "learning_rate", "value": 0.5, "why": "as asked"}],
        }
    },
    "F008": {"improvement": Span(0.2, 0.05, 0.35), "n_train": 100, "n_features": 30},
}


@pytest.mark.parametrize(
    "learner", ["lightgbm", "logistic", "random_forest", "hist_gradient_boosting", "knn"]
)
@pytest.mark.parametrize("code", FIT)
def test_the_flags_of_a_fit_change_the_recipe(code: str, learner: str) -> None:
    task = "regression" if code == "F007" else "classification"
    used = make_learner(learner).model_dump()
    answer = load_rule(FIT_RULES[code])(FitSignals(task, learner, hyperparameters=used, **FIT[code]))
    assert not isinstance(answer, NotApplicable)
    (finding,) = answer
    if not finding.patch:  # nothing bounds the length of their training
        assert (code, learner) in {("F004", "random_forest"), ("F004", "knn")}
        return
    before = gu.Recipe.model_validate({"data": {"source": "table.csv"}, "problem": {"target": "y"}})
    changed = before.with_overrides(flags(finding)).model_dump(mode="json")
    for path, value in finding.patch.items():
        section, key = path.split(".")
        assert changed[section][key] == value
        assert before.model_dump()[section].get(key) != value


def test_columns_whose_names_are_no_path_have_no_patch() -> None:
    for name in ("v1.0", "a=b", ""):
        assert column_patch("data.columns", name, value="category") == {}
    frame = BASE.with_columns(
        **{"size 1.0": pl.Series([str(row) if row % 50 else "big" for row in range(N)])}
    )
    finding = next(each for each in told(frame) if each.code == "D008")
    assert finding.patch == {}
