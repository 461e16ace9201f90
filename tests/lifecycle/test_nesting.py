"""Nested cross-validation: the choice is made again where it cannot see what it is judged on."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import groundup as gu
from groundup.core.errors import SplitError
from groundup.core.events import Event, Request
from groundup.lifecycle.fitting import train_candidates
from groundup.lifecycle.nesting import score_procedure
from planted.trainers import make_trainer

NESTED = {"evaluation.nested": True, "evaluation.folds": 4}
QUICK = ["naive_bayes", "decision_tree", "knn"]


class Watcher:
    """Keeps every event; raises or asks to stop after some number of fits."""

    def __init__(self, *, stop_after: int | None = None, crash_after: int | None = None) -> None:
        self.events: list[Event] = []
        self.stop_after, self.crash_after = stop_after, crash_after

    def on_event(self, event: Event) -> Request | None:
        self.events.append(event)
        n_fits = len(self.all("fit_finished"))
        if self.crash_after is not None and n_fits >= self.crash_after:
            raise KeyboardInterrupt
        return "stop" if self.stop_after is not None and n_fits >= self.stop_after else None

    def all(self, kind: str) -> list[Event]:
        return [event for event in self.events if event.kind == kind]

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: object) -> None:
        pass


def noise(seed: int, n: int = 120) -> pd.DataFrame:
    """A target that nothing says anything about."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(n, 4)), columns=list("abcd"))
    return frame.assign(y=rng.permutation(np.arange(n) % 2).astype(str))


@pytest.fixture(scope="module")
def watcher() -> Watcher:
    return Watcher()


@pytest.fixture(scope="module")
def nested(tmp_path_factory: pytest.TempPathFactory, watcher: Watcher) -> gu.Run:
    runs = tmp_path_factory.mktemp("runs")
    return gu.train(
        noise(0), "y", model=QUICK, overrides=NESTED, runs=runs, name="noise", observers=[watcher]
    )


def test_the_number_of_fits_is_said_before(nested: gu.Run, watcher: Watcher) -> None:
    (plan,) = watcher.all("plan")
    fits = watcher.all("fit_finished")
    assert plan.data["n_fits"] == len(fits) == 4 * 4 + 4 * 4 * 4 + 1
    assert nested.summary["nested"]["n_fits"] == 64 == sum(fit.data["outer"] is not None for fit in fits)
    notes = [event.data["message"] for event in watcher.all("note")]
    assert any("64 of these fits are for the nested cross-validation" in note for note in notes)


def test_each_fold_is_scored_by_the_candidate_that_won_among_its_training_rows(
    nested: gu.Run, watcher: Watcher
) -> None:
    inner: dict[tuple[int, str], list[float]] = {}
    for fit in watcher.all("fit_finished"):
        if fit.data["outer"] is not None:
            inner.setdefault((fit.data["outer"], fit.data["learner"]), []).append(fit.data["score"])
    board = {row["name"]: row for row in nested.leaderboard}
    facts = nested.summary["nested"]
    for row in facts["folds"]:
        means = {name: np.mean(scores) for (outer, name), scores in inner.items() if outer == row["fold"] - 1}
        best = max(means, key=lambda name: means[name])
        assert row["chosen"] == best or means[row["chosen"]] <= means[best]
        assert row["candidates"] == {name: board[name]["fold_scores"][row["fold"] - 1] for name in means}
        assert row["score"] == row["candidates"][row["chosen"]]
    metric = nested.summary["problem"]["metric"]
    assert facts["before"][metric]["value"] == pytest.approx(
        np.mean([row["score"] for row in facts["folds"]])
    )
    chosen = nested.summary["selection"]["name"]
    assert facts["cross_validation"][metric]["value"] == pytest.approx(board[chosen]["score"])
    assert facts["optimism"]["value"] == pytest.approx(
        facts["cross_validation"][metric]["value"] - facts["before"][metric]["value"]
    )
    assert sum(facts["chosen"].values()) == 4


def test_choosing_among_noise_flatters_and_the_procedure_is_not_flattered(tmp_path: Path) -> None:
    overrides = {**NESTED, "tuning.prefer_simpler": False, "problem.metric": "accuracy"}
    overrides |= {"evaluation.folds": 3}
    honest, flattered, optimism = [], [], []
    for seed in range(1, 6):
        trainer = make_trainer(noise(seed), "y", QUICK, tmp_path, overrides)
        training = train_candidates(trainer.session, trainer)
        facts = score_procedure(trainer, training, ["accuracy"])
        assert facts is not None
        honest.append(facts["scores"]["accuracy"]["value"])
        flattered.append(facts["cross_validation"]["accuracy"]["value"])
        optimism.append(facts["optimism"]["value"])
    assert np.mean(flattered) > 0.53
    assert np.mean(honest) == pytest.approx(0.5, abs=0.04)
    assert np.mean(optimism) > 0.005


def test_a_run_killed_inside_goes_on_and_ends_alike(nested: gu.Run, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        gu.train(
            noise(0),
            "y",
            model=QUICK,
            overrides=NESTED,
            runs=tmp_path,
            name="r",
            observers=[Watcher(crash_after=40)],
        )
    again = Watcher()
    run = gu.resume(tmp_path / "r", observers=[again])
    assert sum(fit.data["restored"] for fit in again.all("fit_finished")) == 39  # the final fit is made again
    assert run.model.digest == nested.model.digest
    assert run.summary["nested"] == nested.summary["nested"]


def test_a_run_stopped_inside_has_no_nested_score(tmp_path: Path) -> None:
    run = gu.train(
        noise(0), "y", model=QUICK, overrides=NESTED, runs=tmp_path, observers=[Watcher(stop_after=40)]
    )
    assert run.summary["status"] == "stopped"
    assert run.summary["nested"] is None
    assert "whole procedure" not in run.report.read_text(encoding="utf-8")


def test_calibration_and_threshold_are_decided_again_inside(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(260, 3))
    rare = rng.random(260) < 1 / (1 + np.exp(2.5 - 1.5 * x[:, 0]))
    frame = pd.DataFrame(x, columns=list("abc")).assign(y=np.where(rare, "yes", "no"))
    overrides = {
        **NESTED,
        "training.calibrate": "platt",
        "evaluation.threshold": "auto",
        "problem.metric": "f1",
        "problem.positive": "yes",
    }
    run = gu.train(frame, "y", model=["logistic", "naive_bayes"], overrides=overrides, runs=tmp_path)
    facts = run.summary["nested"]
    assert facts["is_decided"]
    assert "the calibrator and the threshold" in facts["includes"]
    assert facts["scores"]["f1"]["value"] > facts["before"]["f1"]["value"]
    assert facts["scores"]["roc_auc"] != facts["scores"]["f1"]
    assert "Before calibration and threshold" in run.report.read_text(encoding="utf-8")


def test_in_time_each_inner_fold_is_earlier_than_the_outer_one(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    frame = pd.DataFrame({"day": np.arange(200), "x": x, "y": 2 * x + rng.normal(size=200)})
    overrides = {**NESTED, "data.split.time": "day"}
    run = gu.train(frame, "y", model="ridge", overrides=overrides, runs=tmp_path)
    facts = run.summary["nested"]
    assert (facts["n_folds"], facts["n_left_out"]) == (4, 0)
    assert facts["chosen"] == {"ridge": 4}
    assert facts["optimism"]["value"] == 0.0
    assert "nothing shows that the choice flatters" in facts["sentence"]


def test_rows_that_cannot_be_divided_again_are_refused_before_training(tmp_path: Path) -> None:
    frame = noise(0).assign(who=lambda rows: np.repeat(["a", "b", "c", "d"], 30))
    overrides = {"evaluation.nested": True, "data.split.group": "who"}
    with pytest.raises(
        SplitError, match=r"`evaluation\.nested` divides the training rows of each fold again"
    ):
        gu.train(frame, "y", model="naive_bayes", overrides=overrides, runs=tmp_path)
    assert list(tmp_path.iterdir()) == []
