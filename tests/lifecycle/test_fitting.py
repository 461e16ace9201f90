"""Repeated cross-validation: steadier scores of the same rows, and nothing else changes."""

from pathlib import Path

import numpy as np
import pytest

import groundup as gu
from groundup.core.errors import SplitError
from groundup.data.samples import load_sample
from groundup.lifecycle.fitting import train_candidates
from groundup.tuning.paired_test import corrected_t_test
from planted.trainers import make_trainer

MODELS = ["logistic", "naive_bayes"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[int, gu.Run]:
    folder = tmp_path_factory.mktemp("runs")
    return {
        repeats: gu.train(
            "sample:penguins",
            "species",
            model=MODELS,
            overrides={"evaluation.repeats": repeats, "problem.metric": "log_loss"},
            runs=folder,
        )
        for repeats in (1, 4)
    }


def test_the_first_repeat_is_the_cross_validation_without_repeats(runs: dict[int, gu.Run]) -> None:
    once, often = ({row["name"]: row for row in runs[n].leaderboard} for n in (1, 4))
    for name in MODELS:
        assert often[name]["fold_scores"][:5] == once[name]["fold_scores"]
        assert len(often[name]["fold_scores"]) == 20
        assert often[name]["score"] == pytest.approx(np.mean(often[name]["fold_scores"]))
    assert runs[4].summary["training"]["repeats"] == 4
    assert runs[4].recipe.evaluation.repeats == 4
    assert "drawn 4 times" in runs[4].report.read_text(encoding="utf-8")


def test_what_is_judged_row_by_row_does_not_depend_on_repeats(runs: dict[int, gu.Run]) -> None:
    once, often = runs[1].summary, runs[4].summary
    assert once["selection"]["name"] == often["selection"]["name"]
    assert once["fit"] == often["fit"]
    assert once["test"] == often["test"]
    assert runs[1].model.digest == runs[4].model.digest


def test_intervals_and_standard_errors_do_not_shrink_as_if_rows_were_new(runs: dict[int, gu.Run]) -> None:
    once, often = ({row["name"]: row for row in runs[n].leaderboard} for n in (1, 4))
    for name in MODELS:
        width, before = (row[name]["high"] - row[name]["low"] for row in (often, once))
        assert 0.6 < width / before < 1.2
        assert often[name]["standard_error"] > 0.6 * once[name]["standard_error"]


def test_the_paired_test_is_taken_over_all_repeats(runs: dict[int, gu.Run]) -> None:
    best, other = (row for row in runs[4].leaderboard if row["name"] in MODELS)
    differences = np.subtract(best["fold_scores"], other["fold_scores"])
    expected = corrected_t_test(differences.tolist(), 1 / 4)
    assert other["p_value"] == pytest.approx(expected, rel=0.02)


def test_all_candidates_get_the_same_folds_and_groups_stay_together(tmp_path: Path) -> None:
    frame = load_sample("penguins").with_row_index("row")
    frame = frame.with_columns(nest=frame["row"] // 7)
    overrides = {"evaluation.repeats": 3, "data.split.group": "nest"}
    trainer = make_trainer(frame, "species", MODELS, tmp_path, overrides)
    nests = trainer.collected.train.frame(["nest"])["nest"].to_numpy()
    for rows, held_out in trainer.folds:
        assert not set(nests[rows]) & set(nests[held_out])
    training = train_candidates(trainer.session, trainer)
    assert all(len(result.predictions) == 15 for result in training.results.values())
    rows, predictions = trainer.held_out(training.results["logistic"])
    assert rows.tolist() == list(range(trainer.collected.train.n_rows))
    assert len(predictions) == len(rows)
    for result in training.results.values():
        assert result.interval is not None
        assert result.interval.low <= result.interval.value <= result.interval.high


def test_rows_in_time_order_are_not_divided_anew(tmp_path: Path) -> None:
    frame = load_sample("penguins").with_row_index("row")
    overrides = {"evaluation.repeats": 3, "data.split.time": "row"}
    with pytest.raises(SplitError, match=r"only one way to divide them.*Set it to 1"):
        gu.train(frame, "body_mass_g", model="ridge", overrides=overrides, runs=tmp_path)
    assert list(tmp_path.iterdir()) == []
