"""Step 7: the learning curve over rows — the chosen learner fitted on growing parts of each fold's rows.

The largest part is the fold itself, whose fit the cross-validation made already; the others halve it again
and again. They take less than a fit for each fold that is used: together less than five fits of the final
model with up to 20 000 training rows, three with up to 100 000, and two with more.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from groundup.core.inputs import FloatArray, IntArray, Predictions
from groundup.core.seeds import generator
from groundup.data.splitters import spread_classes
from groundup.evaluation.more_rows import Growth
from groundup.evaluation.row_losses import row_losses
from groundup.lifecycle.define import BASELINE
from groundup.lifecycle.fitting import Trainer, Training
from groundup.lifecycle.weighing import undo

_SHARES: Final = (1 / 16, 1 / 8, 1 / 4, 1 / 2)
_FEWEST_ROWS: Final = 20
_FEWEST_UNITS: Final = 5  # groups, or moments
_FOLDS: Final = ((20_000, 5), (100_000, 3))  # with up to so many rows, so many folds; with more, two


@dataclass(frozen=True)
class _Measured:
    """One fit: losses of the rows held out, shape (n_held_out,), and the mean loss of its own rows."""

    held_out: FloatArray
    own: float


class _Fold:
    """A fold's rows in an order whose every beginning is a fair part of them.

    Classes keep their shares, rows of one group or moment stay together, and of rows in time order the
    latest come first: what is held out follows on them.
    """

    def __init__(self, trainer: Trainer, place: int) -> None:
        self.trainer, self.place = trainer, place
        self.rows, self.held_out = trainer.folds.first[place]
        collected, split = trainer.collected, trainer.session.recipe.data.split
        self._y = collected.y_train[self.rows]
        random = generator(trainer.session.seed("growth"), "fold", place)
        times = collected.groups(collected.train, split.time)
        groups = collected.groups(collected.train, split.group)
        self._ends: IntArray | None = None  # after how many rows a group or moment ends
        if times is not None:
            self._order, self._ends = _whole_units(-times[self.rows])
        elif groups is not None:
            units = np.unique(groups[self.rows], return_inverse=True)[1].reshape(-1)
            self._order, self._ends = _whole_units(random.permutation(units.max() + 1)[units])
        elif trainer.framed.problem.task == "classification":
            codes = np.unique(self._y, return_inverse=True)[1].reshape(-1)
            self._order = spread_classes(codes, random)[0]
        else:
            self._order = random.permutation(len(self.rows))

    def _beginning(self, share: float) -> IntArray:
        n_rows = max(1, round(share * len(self.rows)))
        if self._ends is not None:
            n_rows = int(self._ends[np.argmin(np.abs(self._ends - n_rows))])
        return np.sort(self._order[:n_rows])

    def part(self, share: float) -> IntArray:
        """Return the rows of a part, as positions in the training part."""
        return self.rows[self._beginning(share)]

    def is_enough(self, share: float) -> bool:
        """Return whether a part has the rows, the groups and the classes that a fit needs."""
        part = self._beginning(share)
        if len(part) < _FEWEST_ROWS or len(part) >= len(self.rows):
            return False
        if self._ends is not None and (self._ends <= len(part)).sum() < _FEWEST_UNITS:
            return False
        is_classes = self.trainer.framed.problem.task == "classification"
        return not is_classes or len(np.unique(self._y[part])) == len(np.unique(self._y))

    def fit(self, name: str, share: float, number: int) -> _Measured:
        """Fit on a part; what an interrupted run had finished is taken from there."""
        session, key = self.trainer.session, f"part-{round(1 / share)}-{name}-fold-{self.place + 1}"
        done = session.restore(key)
        if done is not None:
            return _Measured(np.asarray(done.arrays["held_out"], dtype=np.float64), done.facts["own"])
        rows = self.part(share)
        trained = self.trainer.fit_on(name, rows, fold=number, is_told=False)
        train, per_class = self.trainer.collected.train, self.trainer.class_shift(name, trained)
        measured = _Measured(
            self.losses(self.held_out, undo(trained.predict(train.take(self.held_out)), per_class)),
            float(self.losses(rows, undo(trained.predict(train.take(rows)), per_class)).mean()),
        )
        session.keep(key, {"own": measured.own}, {"held_out": measured.held_out})
        return measured

    def losses(self, rows: IntArray, predictions: Predictions) -> FloatArray:
        """Return the loss of each row."""
        return row_losses(self.trainer.framed.loss, self.trainer.collected.y_train[rows], predictions)


def _whole_units(keys: IntArray) -> tuple[IntArray, IntArray]:
    """Return the order of rows by key, and after how many rows each key ends."""
    order = np.argsort(keys, kind="stable").astype(np.int64)
    return order, np.append(np.flatnonzero(np.diff(keys[order])) + 1, len(keys))


def measure_growth(trainer: Trainer, training: Training) -> Growth | None:
    """Fit the chosen learner on growing parts of the rows; None without complete folds, or after a stop.

    Parameters
    ----------
    trainer : Trainer
        Its fits are kept as checkpoints, so that a killed run goes on behind them.
    training : Training
        The cross-validation, of which the largest part is taken.
    """
    results, name, first = training.results, training.chosen, trainer.folds.first
    if any(each not in results or len(results[each].predictions) < len(first) for each in (name, BASELINE)):
        return None
    folds = [_Fold(trainer, place) for place in _places(trainer)]
    shares = [share for share in _SHARES if all(fold.is_enough(share) for fold in folds)]
    number = len(trainer.folds) * (
        len(first) + 1
    )  # behind those of the cross-validation and of the nested one
    measured: list[list[_Measured]] = []
    for share in shares:
        measured.append([])
        for fold in folds:
            if trainer.session.events.should_stop:
                return None
            measured[-1].append(fold.fit(name, share, number))
            number += 1
    per_class = trainer.class_shift(name, training.final)
    largest = [
        fold.losses(fold.held_out, undo(results[name].predictions[fold.place], per_class)) for fold in folds
    ]
    guessed = [fold.losses(fold.held_out, results[BASELINE].predictions[fold.place]) for fold in folds]
    sizes = [[len(fold.part(share)) for fold in folds] for share in shares]
    own = [[each.own for each in row] for row in measured]
    held_out = np.concatenate([fold.held_out for fold in folds])
    return Growth(
        sizes=np.array([*sizes, [len(fold.rows) for fold in folds]], dtype=np.float64).mean(axis=1),
        losses=np.stack(
            [*(np.concatenate([each.held_out for each in row]) for row in measured), np.concatenate(largest)]
        ),
        fold=np.repeat(np.arange(len(folds)), [len(fold.held_out) for fold in folds]),
        own=np.array([*own, [np.nan] * len(folds)]),
        baseline=float(np.concatenate(guessed).mean()),
        n_train=trainer.collected.train.n_rows,
        is_in_time=trainer.folds.method == "time",
        options=trainer.bootstrap_options(trainer.collected.train.take(held_out), "growth"),
    )


def _places(trainer: Trainer) -> list[int]:
    """Return which folds are used: the first ones, of forward folds the latest, which have most rows."""
    n_rows, n_folds = trainer.collected.train.n_rows, len(trainer.folds.first)
    n_used = min(n_folds, next((folds for rows, folds in _FOLDS if n_rows <= rows), 2))
    if trainer.folds.method == "time":
        return list(range(n_folds - min(n_used, 3), n_folds))
    return list(range(n_used))
