"""The loop over boosting rounds: advance, score, report, stop."""

import math
from collections.abc import Callable, Mapping
from typing import Final, Literal, Protocol

from groundup.core.errors import TrainingError
from groundup.models.contract import RoundsResult
from groundup.training.options import EarlyStopping

PATIENCE_ROUNDS: Final = 50
"""What `patience_rounds: auto` stands for in boosting."""

_N_REPORTS: Final = 100
# By rounds, not by time, so that two runs emit the same events. Scoring the training rows costs up
# to 15 % of a boosting round, one round in ten 1 %.


class RoundEmitter(Protocol):
    """Takes note of one round, e.g. ``partial(stream.emit, "round", learner=…, fold=…)``."""

    def __call__(self, *, round: int, n_rounds: int, metrics: Mapping[str, float]) -> None:  # noqa: A002
        """Take note that `round` of at most `n_rounds` ended with the losses `metrics`."""


def run_rounds(
    advance: Callable[[], bool],
    scores: Callable[[bool], Mapping[str, float]],
    *,
    n_rounds: int,
    monitor: str,
    early_stopping: EarlyStopping | None,
    emit: RoundEmitter,
    should_stop: Callable[[], bool],
) -> RoundsResult:
    """Run up to `n_rounds` rounds and say which one to keep.

    Parameters
    ----------
    advance : callable
        Adds one round; returns True when no further round is possible and none was added.
    scores : callable
        ``scores(complete)`` returns losses (lower is better) by name: all if `complete`, else only
        `monitor`, because scoring every part in every round is dear.
    n_rounds : int
        Rounds at most, at least 1.
    monitor : str
        Name of the loss that early stopping follows; where `scores` does not return it, every round
        is run and the last one kept.
    early_stopping : EarlyStopping or None
        Its patience; None runs every round and keeps the last one.
    emit : callable
        Told about round 1, the last one, and about a hundred evenly spaced between them.
    should_stop : callable
        Asked after every round; True ends the loop and keeps the best round so far.

    Returns
    -------
    RoundsResult
        The round to keep, the rounds run, the losses, and why it ended.

    Raises
    ------
    TrainingError
        If a loss is not finite.

    Examples
    --------
    >>> losses = iter([3.0, 1.0, 2.0, 2.0, 2.0])
    >>> result = run_rounds(
    ...     lambda: False,
    ...     lambda complete: {"validation": next(losses)},
    ...     n_rounds=5,
    ...     monitor="validation",
    ...     early_stopping=EarlyStopping(patience_rounds=2),
    ...     emit=lambda **fact: None,
    ...     should_stop=lambda: False,
    ... )
    >>> result.best_round, result.n_rounds, result.stopped
    (2, 4, 'patience')
    """
    curve: dict[str, list[tuple[int, float]]] = {}
    best_round, best_loss, n_run = 0, math.inf, 0
    stopped: Literal["limit", "patience", "exhausted", "request"] = "limit"
    spacing = max(1, n_rounds // _N_REPORTS)
    patience = patience_of(early_stopping)
    for number in range(1, n_rounds + 1):
        if advance():
            stopped = "exhausted"
            break
        n_run = number
        is_reported = number % spacing == 0 or number in (1, n_rounds)
        losses = scores(is_reported)
        _record(curve, number, losses)
        if is_reported:
            emit(round=number, n_rounds=n_rounds, metrics=losses)
        if early_stopping is None or monitor not in losses:
            best_round = number
        elif losses[monitor] < best_loss - early_stopping.min_delta:
            best_round, best_loss = number, losses[monitor]
        elif number - best_round >= patience:
            stopped = "patience"
            break
        if should_stop():
            stopped = "request"
            break
    return RoundsResult(best_round, n_run, curve, stopped)


def patience_of(early_stopping: EarlyStopping | None) -> int:
    """Return after how many rounds without improvement boosting ends; 0 where it never does."""
    if early_stopping is None:
        return 0
    asked = early_stopping.patience_rounds
    return PATIENCE_ROUNDS if asked == "auto" else asked


def _record(curve: dict[str, list[tuple[int, float]]], number: int, losses: Mapping[str, float]) -> None:
    for name, loss in losses.items():
        if not math.isfinite(loss):
            raise TrainingError(
                f"The {name} loss became `{loss}` in round {number}. Look for extreme values in the target "
                "and the inputs, or lower the learning rate (`model.learning_rate`)."
            )
        curve.setdefault(name, []).append((number, loss))
