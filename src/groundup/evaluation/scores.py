"""The arithmetic behind the metrics, for many weightings of the same rows at once.

A bootstrap resample is a weight per row: how often the row was drawn. Written this way, a thousand
resamples of a metric are a few sums over a matrix of weights, and nothing is sorted more than once.
Sums over weights are linear in n_samples x n_draws.

Shape suffixes: n_samples rows, n_draws weightings (columns), n_classes.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from groundup.core.inputs import FloatArray, IntArray, Predictions

SMALLEST_PROBABILITY: Final = float(np.finfo(np.float64).eps)
"""Probabilities are clipped to this for the log loss, so that one sure mistake is not infinite."""

_NEARLY_ZERO: Final = 1e-12  # a variance this small beside its terms is rounding, not spread


@dataclass(frozen=True, eq=False)
class Ranking:
    """The rows in order of one class's score, for curves under which an area is taken.

    Parameters
    ----------
    positives, negatives : ndarray of shape (n_positives,), (n_negatives,)
        Row positions in ascending order of score.
    below, up_to : ndarray of shape (n_positives,)
        For each positive, the number of negatives scored strictly lower, and lower or equal.
    descending : ndarray of shape (n_looked_at,)
        Row positions in descending order of score, down to the lowest scored positive.
    segments : ndarray of shape (n_steps,)
        Where in `descending` each step of the precision-recall curve begins: a step ends with the
        last row of a tie that holds a positive.
    ties : ndarray of shape (n_steps,)
        Where in the positives, in descending order, each step begins.
    """

    positives: IntArray
    negatives: IntArray
    below: IntArray
    up_to: IntArray
    descending: IntArray
    segments: IntArray
    ties: IntArray


def _rank(is_positive: NDArray[np.bool_], scores: FloatArray) -> Ranking:
    ascending = np.argsort(scores, kind="stable")
    positives, negatives = ascending[is_positive[ascending]], ascending[~is_positive[ascending]]
    negative_scores, positive_scores = scores[negatives], scores[positives]
    falling = positive_scores[::-1]
    ties = np.flatnonzero(np.concatenate([[True], falling[1:] != falling[:-1]]))[: len(falling)]
    # A step reaches down to and including every row whose score ties with its positives.
    ends = len(scores) - np.searchsorted(scores[ascending], falling[ties], side="left")
    return Ranking(
        positives=positives,
        negatives=negatives,
        below=np.searchsorted(negative_scores, positive_scores, side="left"),
        up_to=np.searchsorted(negative_scores, positive_scores, side="right"),
        descending=ascending[::-1][: ends.max(initial=0)],
        segments=np.concatenate([np.zeros(1, dtype=np.int64), ends])[:-1],
        ties=ties,
    )


class Case:
    """Rows with what was observed and what was predicted; whatever must be sorted is sorted once.

    Parameters
    ----------
    y_true : ndarray of shape (n_samples,)
        Class codes in [0, n_classes), or values.
    predictions : Predictions
        For the same rows; with probabilities for classification.
    positive : int, default=1
        Code of the class that is looked for, where there are two.
    """

    def __init__(self, y_true: NDArray[np.generic], predictions: Predictions, *, positive: int = 1) -> None:
        assert len(y_true) == len(predictions), (len(y_true), len(predictions))
        self.y_true = y_true
        self.predictions = predictions
        self.positive = positive
        self._rankings: dict[int, Ranking] = {}

    @property
    def n_samples(self) -> int:
        """How many rows."""
        return len(self.y_true)

    @property
    def probabilities(self) -> FloatArray:
        """Class probabilities, shape (n_samples, n_classes)."""
        assert self.predictions.probabilities is not None, "a metric of classification needs probabilities"
        return self.predictions.probabilities

    @property
    def n_classes(self) -> int:
        """How many classes there are, observed here or not."""
        return int(self.probabilities.shape[1])

    @property
    def codes(self) -> IntArray:
        """The observed class codes, shape (n_samples,)."""
        return np.asarray(self.y_true, dtype=np.int64)

    @cached_property
    def errors(self) -> FloatArray:
        """Predicted minus observed value, shape (n_samples,)."""
        values = np.asarray(self.predictions.values, dtype=np.float64)
        return values - np.asarray(self.y_true, dtype=np.float64)

    @cached_property
    def errors_order(self) -> IntArray:
        """Row positions in ascending order of absolute error."""
        return np.argsort(np.abs(self.errors), kind="stable")

    @property
    def _of_observed(self) -> FloatArray:
        rows = np.arange(self.n_samples)
        return np.asarray(self.probabilities[rows, self.codes])

    @cached_property
    def log_losses(self) -> FloatArray:
        """Minus the log of the probability given to the observed class, nats, shape (n_samples,)."""
        return np.asarray(-np.log(np.clip(self._of_observed, SMALLEST_PROBABILITY, 1.0)))

    @cached_property
    def squared_gaps(self) -> FloatArray:
        """Squared distance between the probabilities and what happened, shape (n_samples,)."""
        if self.n_classes == 2:
            gaps = self.probabilities[:, self.positive] - (self.codes == self.positive)
            return np.asarray(gaps**2)
        squares = np.einsum("ik,ik->i", self.probabilities, self.probabilities)
        return np.asarray(squares - 2 * self._of_observed + 1)

    def ranking(self, code: int) -> Ranking:
        """Return the rows in order of the probability of class `code`."""
        if code not in self._rankings:
            self._rankings[code] = _rank(self.codes == code, self.probabilities[:, code])
        return self._rankings[code]

    @cached_property
    def cells(self) -> tuple[IntArray, IntArray, IntArray]:
        """The occupied cells of the confusion matrix: row order, where each cell begins, which cell."""
        cell = self.codes * self.n_classes + np.asarray(self.predictions.values, dtype=np.int64)
        order = np.argsort(cell, kind="stable")
        sorted_cells = cell[order]
        starts = np.flatnonzero(np.concatenate([[True], sorted_cells[1:] != sorted_cells[:-1]]))
        return order, starts, sorted_cells[starts]


@dataclass(frozen=True, eq=False)
class ClassSums:
    """Weight per class and weighting: predicted rightly, observed, predicted; (n_classes, n_draws) each."""

    correct: FloatArray
    observed: FloatArray
    predicted: FloatArray


class Draws:
    """A case under n_draws weightings of its rows; sums that several metrics need are taken once.

    Parameters
    ----------
    case : Case
        The rows.
    weight : ndarray of shape (n_samples, n_draws)
        Non-negative; fastest when C-contiguous.
    """

    def __init__(self, case: Case, weight: FloatArray) -> None:
        self.case = case
        self.weight = weight

    @cached_property
    def total(self) -> FloatArray:
        """Sum of the weights, shape (n_draws,)."""
        return np.asarray(self.weight.sum(axis=0))

    def mean(self, values: FloatArray) -> FloatArray:
        """Return the weighted mean of `values` of shape (..., n_samples), shape (..., n_draws)."""
        return ratio(values @ self.weight, self.total)

    @cached_property
    def class_sums(self) -> ClassSums:
        """Weight per class: predicted rightly, observed, predicted."""
        order, starts, cells = self.case.cells
        per_cell = np.add.reduceat(self.weight[order], starts, axis=0)
        observed, predicted = np.divmod(cells, self.case.n_classes)
        classes = np.arange(self.case.n_classes)[:, None]
        is_observed, is_predicted = classes == observed, classes == predicted
        return ClassSums(
            correct=(is_observed & is_predicted).astype(np.float64) @ per_cell,
            observed=is_observed.astype(np.float64) @ per_cell,
            predicted=is_predicted.astype(np.float64) @ per_cell,
        )


def ratio(numerator: FloatArray, denominator: FloatArray, *, otherwise: float = np.nan) -> FloatArray:
    """Return numerator / denominator, and `otherwise` where the denominator is zero.

    Examples
    --------
    >>> ratio(np.array([1.0, 1.0]), np.array([2.0, 0.0]))
    array([0.5, nan])
    """
    result = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), otherwise)
    np.divide(numerator, denominator, out=result, where=denominator > 0)
    return result


def accuracy(draws: Draws) -> FloatArray:
    """Return the share of rows whose class was predicted, shape (n_draws,)."""
    return ratio(draws.class_sums.correct.sum(axis=0), draws.total)


def balanced_accuracy(draws: Draws) -> FloatArray:
    """Return the mean recall over the observed classes; NaN where fewer than two are observed."""
    sums = draws.class_sums
    n_observed = (sums.observed > 0).sum(axis=0).astype(np.float64)
    recalls = ratio(sums.correct, sums.observed, otherwise=0.0)
    return np.where(n_observed >= 2, ratio(recalls.sum(axis=0), n_observed), np.nan)


def _class_scores(sums: ClassSums, name: str) -> FloatArray:
    """Return precision, recall or F1 of every class, 0 where undefined, shape (n_classes, n_draws)."""
    if name == "precision":
        return ratio(sums.correct, sums.predicted, otherwise=0.0)
    if name == "recall":
        return ratio(sums.correct, sums.observed, otherwise=0.0)
    return ratio(2 * sums.correct, sums.observed + sums.predicted, otherwise=0.0)


def _macro(draws: Draws, name: str) -> FloatArray:
    sums = draws.class_sums
    is_seen = (sums.observed + sums.predicted) > 0
    return ratio(_class_scores(sums, name).sum(axis=0), is_seen.sum(axis=0).astype(np.float64))


def _weighted(draws: Draws, name: str) -> FloatArray:
    sums = draws.class_sums
    return ratio((_class_scores(sums, name) * sums.observed).sum(axis=0), draws.total)


def precision_macro(draws: Draws) -> FloatArray:
    """Return the plain mean of every class's precision."""
    return _macro(draws, "precision")


def recall_macro(draws: Draws) -> FloatArray:
    """Return the plain mean of every class's recall."""
    return _macro(draws, "recall")


def f1_macro(draws: Draws) -> FloatArray:
    """Return the plain mean of every class's F1."""
    return _macro(draws, "f1")


def precision_weighted(draws: Draws) -> FloatArray:
    """Return the mean of every class's precision, weighted by its rows."""
    return _weighted(draws, "precision")


def recall_weighted(draws: Draws) -> FloatArray:
    """Return the mean of every class's recall, weighted by its rows; equals the accuracy."""
    return _weighted(draws, "recall")


def f1_weighted(draws: Draws) -> FloatArray:
    """Return the mean of every class's F1, weighted by its rows."""
    return _weighted(draws, "f1")


def precision(draws: Draws) -> FloatArray:
    """Return the positive class's precision, NaN where it is never predicted; macro above two classes."""
    if draws.case.n_classes > 2:
        return precision_macro(draws)
    sums, positive = draws.class_sums, draws.case.positive
    return ratio(sums.correct[positive], sums.predicted[positive])


def recall(draws: Draws) -> FloatArray:
    """Return the positive class's recall, NaN where it is not observed; macro above two classes."""
    if draws.case.n_classes > 2:
        return recall_macro(draws)
    sums, positive = draws.class_sums, draws.case.positive
    return ratio(sums.correct[positive], sums.observed[positive])


def f1(draws: Draws) -> FloatArray:
    """Return the positive class's F1, NaN where it is neither observed nor predicted; macro above two."""
    if draws.case.n_classes > 2:
        return f1_macro(draws)
    sums, positive = draws.class_sums, draws.case.positive
    return ratio(2 * sums.correct[positive], sums.observed[positive] + sums.predicted[positive])


def mcc(draws: Draws) -> FloatArray:
    """Return Matthews' correlation (Gorodkin's R_K above two classes).

    NaN where one class alone is observed; 0, its limit, where one class alone is predicted.
    """
    sums, total = draws.class_sums, draws.total
    covariance = sums.correct.sum(axis=0) * total - (sums.observed * sums.predicted).sum(axis=0)
    spread_observed = total**2 - (sums.observed**2).sum(axis=0)
    spread_predicted = total**2 - (sums.predicted**2).sum(axis=0)
    least = _NEARLY_ZERO * total**2
    defined = np.where(spread_predicted > least, spread_observed * spread_predicted, 0.0)
    score = ratio(covariance, np.sqrt(defined), otherwise=0.0)
    return np.where(spread_observed > least, score, np.nan)


def _roc_auc_of_class(draws: Draws, code: int) -> FloatArray:
    """Return the Mann-Whitney share: how often a random positive outranks a random negative."""
    ranking, n_draws = draws.case.ranking(code), draws.weight.shape[1]
    below = np.zeros((len(ranking.negatives) + 1, n_draws))
    np.cumsum(draws.weight[ranking.negatives], axis=0, out=below[1:])
    positives = draws.weight[ranking.positives]
    # A tie counts half: the mean of the negatives strictly below and of those up to the score.
    wins = np.einsum("ib,ib->b", positives, below[ranking.below])
    wins += np.einsum("ib,ib->b", positives, below[ranking.up_to])
    return ratio(wins / 2, below[-1] * positives.sum(axis=0))


def _pr_auc_of_class(draws: Draws, code: int) -> FloatArray:
    """Return the average precision: precision at each step of recall, weighted by the step."""
    ranking = draws.case.ranking(code)
    found = draws.weight[ranking.positives[::-1]]
    n_positives = found.sum(axis=0)
    if not len(ranking.ties):
        return np.full(draws.weight.shape[1], np.nan)
    if len(ranking.ties) < len(found):
        found = np.add.reduceat(found, ranking.ties, axis=0)
    steps = np.add.reduceat(draws.weight[ranking.descending], ranking.segments, axis=0)
    looked_at = np.cumsum(steps, axis=0)
    precisions = np.cumsum(found, axis=0)
    precisions /= np.maximum(looked_at, np.finfo(np.float64).tiny)
    area = ratio(np.einsum("ib,ib->b", found, precisions), n_positives)
    return np.where(draws.total > n_positives, area, np.nan)


def _mean_over_classes(per_class: list[FloatArray]) -> FloatArray:
    scores = np.stack(per_class)
    is_defined = np.isfinite(scores)
    return ratio(np.where(is_defined, scores, 0.0).sum(axis=0), is_defined.sum(axis=0).astype(np.float64))


def roc_auc(draws: Draws) -> FloatArray:
    """Return the area under the ROC curve; above two classes the mean of one class against the rest.

    Classes that are not observed are left out of the mean; NaN where no class has a rest.
    """
    if draws.case.n_classes == 2:
        return _roc_auc_of_class(draws, draws.case.positive)
    return _mean_over_classes([_roc_auc_of_class(draws, code) for code in range(draws.case.n_classes)])


def pr_auc(draws: Draws) -> FloatArray:
    """Return the average precision; above two classes the mean of one class against the rest."""
    if draws.case.n_classes == 2:
        return _pr_auc_of_class(draws, draws.case.positive)
    return _mean_over_classes([_pr_auc_of_class(draws, code) for code in range(draws.case.n_classes)])


def log_loss(draws: Draws) -> FloatArray:
    """Return the mean log loss, nats."""
    return draws.mean(draws.case.log_losses)


def brier(draws: Draws) -> FloatArray:
    """Return the mean squared gap of the positive class's probability; above two, summed over classes."""
    return draws.mean(draws.case.squared_gaps)


def top_3_accuracy(draws: Draws) -> FloatArray:
    """Return the share of rows whose class is among the three most probable."""
    return _top_accuracy(draws, 3)


def top_5_accuracy(draws: Draws) -> FloatArray:
    """Return the share of rows whose class is among the five most probable."""
    return _top_accuracy(draws, 5)


def _top_accuracy(draws: Draws, k: int) -> FloatArray:
    case = draws.case
    own = case.probabilities[np.arange(case.n_samples), case.codes][:, None]
    is_before = np.arange(case.n_classes) < case.codes[:, None]
    # Of equally probable classes the first is named first, as `argmax` does.
    ahead = (case.probabilities > own) | ((case.probabilities == own) & is_before)
    return draws.mean((ahead.sum(axis=1) < k).astype(np.float64))


def mape(draws: Draws) -> FloatArray:
    """Return the mean of |error| / |target|; NaN where a target of some weight is zero."""
    is_zero = np.asarray(draws.case.y_true, dtype=np.float64) == 0
    has_zero = is_zero.astype(np.float64) @ draws.weight > 0
    return np.where(has_zero, np.nan, draws.mean(shares(draws.case)))


def rmse(draws: Draws) -> FloatArray:
    """Return the root of the mean squared error, in the target's unit."""
    return np.sqrt(draws.mean(squares(draws.case)))


def mae(draws: Draws) -> FloatArray:
    """Return the mean absolute error, in the target's unit."""
    return draws.mean(sizes(draws.case))


def pinball_losses(errors: FloatArray, quantile: float) -> FloatArray:
    """Return the pinball loss of errors (predicted minus observed), of any shape.

    Examples
    --------
    >>> pinball_losses(np.array([-1.0, 1.0]), 0.75).tolist()
    [0.75, 0.25]
    """
    return np.asarray(np.maximum(-quantile * errors, (1 - quantile) * errors))


def pinball_loss(draws: Draws, *, quantile: float) -> FloatArray:
    """Return the mean pinball loss at `quantile`, in the target's unit."""
    return draws.mean(pinball_losses(draws.case.errors, quantile))


def r2(draws: Draws) -> FloatArray:
    """Return the share of the target's variance that is explained; NaN where the target is constant."""
    y_true = np.asarray(draws.case.y_true, dtype=np.float64)
    centred = y_true - y_true.mean()  # keeps the difference of two large sums exact
    squares = draws.mean(centred**2)
    variance = squares - draws.mean(centred) ** 2
    variance = np.where(variance > _NEARLY_ZERO * squares, variance, 0.0)
    return 1 - ratio(draws.mean(draws.case.errors**2), variance)


def median_absolute_error(draws: Draws) -> FloatArray:
    """Return the weighted median of the absolute errors, in the target's unit."""
    order = draws.case.errors_order
    ranked = sizes(draws.case)[order]
    cumulated = np.cumsum(draws.weight[order], axis=0)
    half = cumulated[-1] / 2
    last = len(ranked) - 1
    lower = np.minimum((cumulated < half).sum(axis=0), last)
    upper = np.minimum((cumulated <= half).sum(axis=0), last)
    return np.where(half > 0, (ranked[lower] + ranked[upper]) / 2, np.nan)


def squares(case: Case) -> FloatArray:
    """Return the squared error of each row."""
    return np.asarray(case.errors**2)


def sizes(case: Case) -> FloatArray:
    """Return the absolute error of each row."""
    return np.abs(case.errors)


def shares(case: Case) -> FloatArray:
    """Return the absolute error of each row as a share of its target; where that is zero, the error."""
    y_true = np.abs(np.asarray(case.y_true, dtype=np.float64))
    return np.abs(case.errors) / np.where(y_true == 0, 1.0, y_true)


def mean_with_error(draws: Draws, values: FloatArray) -> FloatArray:
    """Return the mean of one number per row and its standard error, shape (2, n_draws)."""
    mean, square = draws.mean(np.stack([values, values**2]))
    return _with_error(draws, mean, square - mean**2)


def _with_error(draws: Draws, value: FloatArray, variance: FloatArray) -> FloatArray:
    is_usable = (value > 0) & (variance > _NEARLY_ZERO * value**2)
    pair = np.stack([value, np.sqrt(np.maximum(variance, 0.0) / draws.total)])
    return np.where(is_usable, pair, np.nan)


def unexplained(draws: Draws) -> FloatArray:
    """Return 1 - R² and its standard error (delta method), shape (2, n_draws)."""
    y_true = np.asarray(draws.case.y_true, dtype=np.float64)
    y, e2 = y_true - y_true.mean(), squares(draws.case)
    e2, e4, e2y, e2y2, y1, y2, y3, y4 = draws.mean(
        np.stack([e2, e2**2, e2 * y, e2 * y**2, y, y**2, y**3, y**4])
    )
    variance = y2 - y1**2
    both = e2y2 - 2 * y1 * e2y + y1**2 * e2  # mean of e²(y - m)², m the weighted mean of y
    fourth = y4 - 4 * y1 * y3 + 6 * y1**2 * y2 - 3 * y1**4
    spread = ratio(e4, e2**2) - 2 * ratio(both, e2 * variance) + ratio(fourth, variance**2)
    share = ratio(e2, variance)
    return _with_error(draws, share, share**2 * spread)


def unexplained_influence(case: Case) -> FloatArray:
    """Return what each row adds to 1 - R², shape (n_samples,)."""
    y_true = np.asarray(case.y_true, dtype=np.float64)
    spread, errors = (y_true - y_true.mean()) ** 2, squares(case)
    return np.asarray(errors / errors.mean() - spread / spread.mean())
