"""The curve over rows is drawn on fair parts of each fold, costs what it says, and is kept."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import groundup as gu
from groundup.core.events import Event, Request
from groundup.data.samples import load_sample
from groundup.lifecycle import growing
from groundup.lifecycle.fitting import Trainer, train_candidates
from groundup.lifecycle.growing import measure_growth
from planted.trainers import make_trainer


def table(n: int = 400) -> pd.DataFrame:
    """Rows of 80 people over 50 days, with a rare class."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 3))
    label = np.where(x[:, 0] + rng.normal(size=n) > 2.2, "rare", np.where(x[:, 1] > 0, "a", "b"))
    return pd.DataFrame(x, columns=list("pqr")).assign(
        who=rng.integers(0, 80, n), day=np.arange(n) // 8, label=label, y=x @ [1, 2, 3] + rng.normal(size=n)
    )


def trainer_of(target: str, folder: Path, **split: str) -> Trainer:
    learner = "ridge" if target == "y" else "logistic"
    overrides = {f"data.split.{key}": value for key, value in split.items()}
    return make_trainer(table(), target, [learner], folder, overrides)


def parts_of(trainer: Trainer) -> list[tuple[np.ndarray, list[np.ndarray]]]:
    """Return the rows of each fold that is used, and its parts from the smallest on."""
    folds = [growing._Fold(trainer, place) for place in growing._places(trainer)]
    return [(fold.rows, [fold.part(share) for share in growing._SHARES]) for fold in folds]


def test_parts_halve_a_folds_rows_and_lie_in_each_other(tmp_path: Path) -> None:
    trainer = trainer_of("y", tmp_path)
    for rows, parts in parts_of(trainer):
        assert [len(part) for part in parts] == [round(share * len(rows)) for share in growing._SHARES]
        for small, large in zip(parts, [*parts[1:], rows], strict=True):
            assert set(small) <= set(large)


def test_classes_keep_their_shares(tmp_path: Path) -> None:
    trainer = trainer_of("label", tmp_path)
    y = trainer.collected.y_train
    for rows, parts in parts_of(trainer):
        for part in parts:
            expected = np.bincount(y[rows]) * len(part) / len(rows)
            assert np.abs(np.bincount(y[part], minlength=3) - expected).max() <= 2


def test_groups_stay_together_and_in_time_the_latest_come_first(tmp_path: Path) -> None:
    by_group = trainer_of("y", tmp_path, group="who")
    who = by_group.collected.groups(by_group.collected.train, "who")
    for rows, parts in parts_of(by_group):
        for part in parts:
            assert not set(who[part]) & set(who[np.setdiff1d(rows, part)])
    in_time = trainer_of("y", tmp_path, time="day")
    day = in_time.collected.groups(in_time.collected.train, "day")
    assert growing._places(in_time) == [2, 3, 4]
    for rows, parts in parts_of(in_time):
        for part in parts:
            assert day[part].min() > day[np.setdiff1d(rows, part)].max()


def test_the_largest_size_is_the_cross_validation(tmp_path: Path) -> None:
    trainer = trainer_of("label", tmp_path)
    training = train_candidates(trainer.session, trainer)
    growth = measure_growth(trainer, training)
    assert growth is not None
    assert growth.losses.shape == (len(growth.sizes), trainer.collected.train.n_rows)
    rows, predictions = trainer.held_out(training.results[training.chosen])
    expected = -np.log(predictions.probabilities[np.arange(len(rows)), trainer.collected.y_train[rows]])
    assert growth.losses[-1].mean() == pytest.approx(expected.mean())
    assert np.isfinite(growth.own[:-1]).all()
    assert (growth.sizes[:-1] / growth.sizes[-1]).round(1).tolist() == [0.1, 0.2, 0.5]  # of 16 rows: too few


@pytest.mark.parametrize(
    ("n_rows", "n_folds", "cost"), [(20_000, 5, 3.75), (100_000, 3, 2.25), (10**6, 2, 1.5)]
)
def test_the_more_rows_the_fewer_folds(
    n_rows: int, n_folds: int, cost: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = trainer_of("y", tmp_path)
    monkeypatch.setattr(trainer.collected, "train", type("Part", (), {"n_rows": n_rows}))
    assert len(growing._places(trainer)) == n_folds
    assert n_folds * 0.8 * sum(growing._SHARES) == pytest.approx(cost)


def test_a_run_says_whether_more_rows_would_help(tmp_path: Path) -> None:
    overrides = {"evaluation.importance_repeats": 0}
    rows = load_sample("digits").head(900)
    run = gu.train(rows, "digit", model="logistic", overrides=overrides, runs=tmp_path)
    outlook = run.summary["fit"]["more_rows"]
    assert outlook["outcome"] == "helps"
    assert 0 < outlook["gain"]["low"] < outlook["gain"]["value"] < outlook["gain"]["high"]
    assert [each["held_out"] for each in run.summary["fit"]["fractions"]][-1] is None
    assert "F005" in {finding.code for finding in run.findings}
    page = run.report.read_text(encoding="utf-8")
    assert "Would more data help?" in page
    assert outlook["sentence"] in page


def test_the_curve_can_be_left_out(tmp_path: Path) -> None:
    overrides = {"evaluation.learning_curve": False}
    run = gu.train("sample:iris", "species", model="logistic", overrides=overrides, runs=tmp_path)
    assert run.summary["fit"]["fractions"] is None
    assert run.summary["fit"]["more_rows"] is None
    assert "Would more data help?" not in run.report.read_text(encoding="utf-8")


class Crash:
    """Ends the process, in effect, when a part has been fitted."""

    def on_event(self, event: Event) -> Request | None:
        if event.kind == "checkpoint" and event.data["key"] == "part-4-ridge-fold-3":
            raise KeyboardInterrupt
        return None

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: object) -> None:
        pass


def test_a_run_killed_inside_the_curve_goes_on_behind_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = gu.train(table(), "y", model="ridge", runs=tmp_path, name="whole")
    with pytest.raises(KeyboardInterrupt):
        gu.train(table(), "y", model="ridge", runs=tmp_path, name="killed", observers=[Crash()])
    fitted: list[int | None] = []
    fit_on = Trainer.fit_on

    def count(self: Trainer, name: str, rows: Any, *, fold: int | None, is_told: bool = True) -> Any:
        fitted.append(fold)
        return fit_on(self, name, rows, fold=fold, is_told=is_told)

    monkeypatch.setattr(Trainer, "fit_on", count)
    resumed = gu.resume(tmp_path / "killed")
    assert resumed.summary["fit"] == whole.summary["fit"]
    # Of 3 sizes by 5 folds, the smallest and three of the next were kept; then one fit of the baseline.
    assert len(fitted) == 15 - 8 + 1
