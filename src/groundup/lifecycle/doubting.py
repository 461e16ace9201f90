"""Which targets look wrong: the rows that were not fitted, asked about their labels or values."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from groundup.core.inputs import FloatArray, IntArray, Predictions
from groundup.doctor.signals import DoubtfulTargets, Span
from groundup.evaluation.label_noise import MOST_OUTLYING, find_label_noise, find_outlying, second_opinion
from groundup.lifecycle.collect import Collected
from groundup.lifecycle.session import Session
from groundup.models.catalogue import make_learner
from groundup.preparation.target import Label

_N_DOUBTFUL: Final = 100
_SECOND: Final = "extra_trees"


def doubtful_targets(
    session: Session, collected: Collected, rows: IntArray, said: Predictions
) -> DoubtfulTargets | None:
    """Return which targets of the training and validation rows look wrong; None where that cannot be judged.

    Parameters
    ----------
    session : Session
        For seeds.
    collected : Collected
        The parts.
    rows : ndarray of shape (n_held_out,)
        Training rows that were held out of a fit.
    said : Predictions
        Of these rows out of fold, then of the validation part.
    """
    y = np.concatenate([collected.y_train[rows], collected.y_validation])
    positions = np.concatenate([collected.split.train[rows], collected.split.validation])
    if said.probabilities is None:
        far, _ = find_outlying(y, said.values)
        stands_out = 0 < len(far) <= MOST_OUTLYING * len(y)
        named = _named(collected, positions, y, far, said.values[far])
        return DoubtfulTargets(len(y), len(far), None, stands_out, named)
    noise = find_label_noise(
        y, said.probabilities, second=lambda: _second_opinion(session, collected, rows, y)
    )
    if noise is None:
        return None
    code = noise.one_sided
    return DoubtfulTargets(
        len(y),
        len(noise.rows),
        Span(noise.share, noise.low, noise.high),
        noise.stands_out,
        _named(collected, positions, y, noise.rows, noise.likely),
        None if code is None else collected.target_plan.decode([code])[0],
    )


def _named(
    collected: Collected,
    positions: IntArray,
    y: NDArray[np.generic],
    rows: IntArray,
    likely: NDArray[np.generic],
) -> tuple[tuple[int, Label, Label], ...]:
    decode, first = collected.target_plan.decode, rows[:_N_DOUBTFUL]
    labels = decode(y[first]), decode(likely[:_N_DOUBTFUL])
    return tuple(zip(positions[first].tolist(), *labels, strict=True))


def _second_opinion(
    session: Session, collected: Collected, rows: IntArray, y: NDArray[np.generic]
) -> FloatArray:
    """Return what another learner says of the same rows, of each without having seen it."""
    prepared = collected.prepared(make_learner(_SECOND).needs())
    own = prepared.preparation.transform(collected.train.take(rows).frame(prepared.preparation.columns))
    return second_opinion(
        np.concatenate([own.X, prepared.validation.X]),
        y,
        n_classes=len(collected.problem.classes),
        seed=session.seed("second opinion"),
    )
