"""Which candidates the folds cannot tell from the best: a paired test, corrected for what folds share.

The training rows of two folds overlap, so their scores go together and the plain paired t-test finds
differences where there are none. Nadeau and Bengio's correction widens the variance for that.
"""

from collections.abc import Sequence
from math import isfinite, sqrt
from typing import Final

import numpy as np

from groundup.evaluation.adjusting import holm
from groundup.tuning.selection import BASELINE, Candidate

TIED_ABOVE: Final = 0.05
"""A candidate with a larger adjusted p-value is statistically tied with the best."""


def corrected_t_test(differences: Sequence[float], test_share: float) -> float | None:
    """Return the two-sided p-value of the mean of fold-by-fold differences being zero.

    Parameters
    ----------
    differences : sequence of float
        One a fold, of all repeats: the score of one candidate minus that of the other.
    test_share : float
        Rows held out divided by rows fitted on, e.g. 1/4 for five folds.

    Returns
    -------
    float or None
        None with fewer than two folds. Equal scores in every fold give 1; the same difference in every
        fold gives 0.

    References
    ----------
    Nadeau and Bengio (2003), "Inference for the generalization error", Machine Learning 52; Bouckaert and
    Frank (2004), "Evaluating the replicability of significance tests for comparing learning algorithms",
    PAKDD, for repeats.

    Examples
    --------
    >>> round(corrected_t_test([0.02, 0.01, 0.03, 0.02, 0.02], 1 / 4), 3)
    0.014
    >>> corrected_t_test([0.0, 0.0], 1.0)
    1.0
    """
    n_folds = len(differences)
    if n_folds < 2:
        return None
    mean, variance = float(np.mean(differences)), float(np.var(differences, ddof=1))
    if variance <= (1e-12 * mean) ** 2:
        return 1.0 if mean == 0 else 0.0
    from scipy.special import stdtr  # a tenth of the time that scipy.stats takes to load

    statistic = mean / sqrt((1 / n_folds + test_share) * variance)
    return float(2 * stdtr(n_folds - 1, -abs(statistic)))


def compare_with_best(
    candidates: Sequence[Candidate], *, higher_is_better: bool, test_share: float
) -> dict[str, float]:
    """Return, of every candidate but the best, the adjusted p-value of being no different from it.

    Parameters
    ----------
    candidates : sequence of Candidate
        On the same folds. The baseline is the floor, not a contender: it is left out.
    higher_is_better : bool
        Of the scores.
    test_share : float
        Rows held out divided by rows fitted on.

    Returns
    -------
    dict of str to float
        By name; without those that share fewer than two scored folds with the best.

    Examples
    --------
    >>> one = Candidate("ridge", 0.8, 0.01, (0.80, 0.79, 0.81), 1.0, 1)
    >>> other = Candidate("lasso", 0.7, 0.01, (0.70, 0.70, 0.70), 1.0, 1)
    >>> compare_with_best([one, other], higher_is_better=True, test_share=0.5)["lasso"] < 0.05
    True
    """
    sign = 1 if higher_is_better else -1
    scored = [each for each in candidates if isfinite(each.score) and each.name != BASELINE]
    if len(scored) < 2:
        return {}
    best = max(scored, key=lambda each: sign * each.score)
    p_values = {}
    for candidate in scored:
        differences = [
            one - other
            for one, other in zip(best.fold_scores, candidate.fold_scores, strict=False)
            if isfinite(one) and isfinite(other)
        ]
        p_value = corrected_t_test(differences, test_share)
        if candidate is not best and p_value is not None:
            p_values[candidate.name] = p_value
    return holm(p_values)
