"""The metrics: one literal table, read in one glance; the arithmetic is in `evaluation.scores`.

`pinball_loss_0.9` and its like hold the quantile in their name, so that a name alone says what was measured.

A metric that is undefined (a ROC curve of a single class, say) is NaN here, and `Metric.undefined`
says what was missing; nothing warns and nothing raises.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from math import sqrt
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from groundup.core.errors import RecipeError, UnknownNameError, did_you_mean
from groundup.core.inputs import FloatArray, Predictions
from groundup.core.losses import pinball_name, quantile_of
from groundup.core.tasks import Task
from groundup.core.wording import number
from groundup.evaluation import scores
from groundup.evaluation.scores import Case, Draws
from groundup.evaluation.studentizing import Studentized

_CHUNK_CELLS: Final = 1 << 17  # weights worked on at once (1 MB): small enough for a core's cache

_CLASSES: Final[tuple[Task, ...]] = ("classification",)
_NUMBERS: Final[tuple[Task, ...]] = ("regression",)


@dataclass(frozen=True)
class Metric:
    """One way to say how good predictions are.

    Parameters
    ----------
    name : str
        Its key in `METRICS` and in a recipe.
    title : str
        Its name in prose.
    tasks : tuple of Task
        What it fits.
    higher_is_better : bool
        Whether a larger value is a better one.
    explanation : str
        One sentence for a beginner: what it is, which value is good.
    undefined : str
        When it has no value, as a clause after "undefined:".
    function : callable
        Draws to the values, shape (n_draws,); NaN where undefined.
    is_share : bool
        Whether it is the share of rows that are right in some sense.
    studentized : Studentized, optional
        How its interval is found where rows are independent; otherwise from plain percentiles.
    """

    name: str
    title: str
    tasks: tuple[Task, ...]
    higher_is_better: bool
    explanation: str
    undefined: str
    function: Callable[[Draws], FloatArray]
    is_share: bool = False
    studentized: Studentized | None = None

    def compute(
        self,
        y_true: NDArray[np.generic],
        predictions: Predictions,
        weight: FloatArray | None = None,
        *,
        positive: int = 1,
    ) -> FloatArray:
        """Return the metric of some rows, or of many weightings of them at once.

        Parameters
        ----------
        y_true : ndarray of shape (n_samples,)
            Class codes in [0, n_classes), or values.
        predictions : Predictions
            For the same rows.
        weight : ndarray of shape (n_samples,) or (n_resamples, n_samples), optional
            Non-negative; by default every row counts once.
        positive : int, default=1
            Code of the class that is looked for, where there are two.

        Returns
        -------
        ndarray of shape () or (n_resamples,)
            NaN where the metric is undefined.

        Examples
        --------
        >>> predictions = Predictions(np.array([1.0, 2.0, 5.0]))
        >>> float(METRICS["mae"].compute(np.array([1.0, 2.0, 2.0]), predictions))
        1.0
        """
        weight = np.ones(len(y_true)) if weight is None else np.asarray(weight, dtype=np.float64)
        case = Case(y_true, predictions, positive=positive)
        values = weighted_values({self.name: self.function}, case, np.atleast_2d(weight))
        return values[self.name].reshape(weight.shape[:-1])


def weighted_values(
    functions: Mapping[str, Callable[[Draws], FloatArray]], case: Case, weight: FloatArray
) -> dict[str, FloatArray]:
    """Return functions of many weightings of the same rows, in bounded memory.

    Parameters
    ----------
    functions : mapping of str to callable
        Draws to values whose last axis is n_draws.
    case : Case
        The rows; at least one.
    weight : ndarray of shape (n_resamples, n_samples)
        Non-negative; fastest as the transpose of a C-contiguous array.

    Returns
    -------
    dict of str to ndarray of shape (..., n_resamples)
        By the functions' names.
    """
    step = max(1, _CHUNK_CELLS // case.n_samples)
    parts: dict[str, list[FloatArray]] = {name: [] for name in functions}
    for start in range(0, len(weight), step):
        draws = Draws(case, np.ascontiguousarray(weight[start : start + step].T))
        for name, function in functions.items():
            parts[name].append(function(draws))
    return {name: np.concatenate(values, axis=-1) for name, values in parts.items()}


def compute_metrics(
    names: Sequence[str], y_true: NDArray[np.generic], predictions: Predictions, *, positive: int = 1
) -> dict[str, float]:
    """Return several metrics of the same rows, by name; NaN where undefined.

    Examples
    --------
    >>> predictions = Predictions(np.array([1.0, 2.0, 5.0]))
    >>> compute_metrics(["mae", "median_absolute_error"], np.array([1.0, 2.0, 2.0]), predictions)
    {'mae': 1.0, 'median_absolute_error': 0.0}
    """
    case = Case(y_true, predictions, positive=positive)
    if case.n_samples == 0:
        return dict.fromkeys(names, float("nan"))
    functions = {name: METRICS[name].function for name in names}
    values = weighted_values(functions, case, np.ones((1, case.n_samples)))
    return {name: float(values[name][0]) for name in names}


def default_metrics(task: Task, n_classes: int) -> tuple[str, ...]:
    """Return the metrics that a report shows, by name, the most telling first.

    Examples
    --------
    >>> default_metrics("regression", 0)
    ('rmse', 'mae', 'r2', 'median_absolute_error')
    """
    if task == "regression":
        return ("rmse", "mae", "r2", "median_absolute_error")
    by_label = ("accuracy", "balanced_accuracy", "precision", "recall", "f1")
    by_probability = ("pr_auc", "log_loss", "brier", "mcc")
    # `recall_weighted` is left out: it always equals the accuracy.
    weighted = ("precision_weighted", "f1_weighted") if n_classes > 2 else ()
    top = tuple(f"top_{k}_accuracy" for k in (3, 5) if n_classes > k)
    return ("roc_auc", *by_label, *top, *weighted, *by_probability)


def get_metric(name: str, task: Task) -> Metric:
    """Return a metric by name.

    Parameters
    ----------
    name : str
        A key of `METRICS`, or `pinball_loss_` and a quantile.
    task : Task
        What it must fit.

    Raises
    ------
    UnknownNameError
        If there is no such metric; other libraries' spellings are recognised in the message.
    RecipeError
        If the metric does not fit the task.

    Examples
    --------
    >>> get_metric("rmse", "regression").higher_is_better
    False
    >>> get_metric("average_precision", "classification")
    Traceback (most recent call last):
        ...
    groundup.core.errors.UnknownNameError: There is no metric `average_precision`. Did you mean `pr_auc`?
    """
    if name not in METRICS:
        near = "pinball_loss_0.9" if name.startswith("pinball") else _other_spelling(name)
        raise UnknownNameError("metric", name, sorted(METRICS), near=near)
    metric = METRICS[name]
    if task not in metric.tasks:
        fitting = [each.name for each in METRICS.values() if task in each.tasks]
        raise RecipeError(
            f"The metric `{name}` does not fit {task}: it is for {' and '.join(metric.tasks)}."
            f"{did_you_mean('', fitting, limit=20)}"
        )
    return metric


def _other_spelling(name: str) -> str | None:
    folded = (
        name.strip()
        .casefold()
        .replace("-", "_")
        .replace(" ", "_")
        .removeprefix("neg_")
        .removesuffix("_score")
    )
    return folded if folded in METRICS else OTHER_SPELLINGS.get(folded)


OTHER_SPELLINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "acc": "accuracy",
        "auc": "roc_auc",
        "auroc": "roc_auc",
        "roc_auc_ovr": "roc_auc",
        "ap": "pr_auc",
        "aucpr": "pr_auc",
        "auprc": "pr_auc",
        "average_precision": "pr_auc",
        "binary_logloss": "log_loss",
        "cross_entropy": "log_loss",
        "logloss": "log_loss",
        "multi_logloss": "log_loss",
        "brier_loss": "brier",
        "brier_score_loss": "brier",
        "matthews_corrcoef": "mcc",
        "sensitivity": "recall",
        "tpr": "recall",
        "ppv": "precision",
        "f1_binary": "f1",
        "mse": "rmse",
        "mean_squared_error": "rmse",
        "root_mean_squared_error": "rmse",
        "mean_absolute_error": "mae",
        "l1": "mae",
        "l2": "rmse",
        "r_squared": "r2",
        "rsquared": "r2",
        "medae": "median_absolute_error",
        "median_error": "median_absolute_error",
        "mean_pinball_loss": "pinball_loss_0.9",
        "quantile": "pinball_loss_0.9",
        "quantile_loss": "pinball_loss_0.9",
    }
)
"""What other libraries call a metric (without `neg_` and `_score`), and what it is called here."""


def _mean_of(values: Callable[[Case], FloatArray], back: Callable[[float], float] = float) -> Studentized:
    """Return how the interval of a mean of one number per row is found."""
    return Studentized(
        lambda draws: scores.mean_with_error(draws, values(draws.case)),
        lambda case: values(case) - values(case).mean(),
        back,
    )


_NEVER: Final = "there are no rows"
_ONE_CLASS: Final = "it needs rows of at least two classes"


class _WithQuantiles(Mapping[str, Metric]):
    """The listed metrics, and a pinball loss for every quantile."""

    def __init__(self, listed: Mapping[str, Metric]) -> None:
        self._listed = MappingProxyType(listed)

    def __getitem__(self, name: str) -> Metric:
        quantile = quantile_of(name)
        return self._listed[name] if quantile is None else _pinball(quantile)

    def __iter__(self) -> Iterator[str]:
        return iter(self._listed)

    def __len__(self) -> int:
        return len(self._listed)


@cache
def _pinball(quantile: float) -> Metric:
    told = number(100 * quantile, 6)
    return Metric(
        name=pinball_name(quantile),
        title=f"Pinball loss of the {told} % quantile",
        tasks=_NUMBERS,
        higher_is_better=False,
        explanation=f"How far predictions are from the truth, in the target's own unit, where being too low "
        f"costs {number(quantile, 6)} of the distance and being too high {number(1 - quantile, 6)} of it; 0 "
        f"is perfect, and the lowest score goes to the value that {told} % of the truths do not exceed.",
        undefined=_NEVER,
        function=partial(scores.pinball_loss, quantile=quantile),
        studentized=_mean_of(lambda case: scores.pinball_losses(case.errors, quantile)),
    )


METRICS: Final[Mapping[str, Metric]] = _WithQuantiles(
    {
        metric.name: metric
        for metric in (
            Metric(
                name="accuracy",
                title="Accuracy",
                tasks=_CLASSES,
                higher_is_better=True,
                explanation="The share of rows whose class was predicted; 1 is perfect, and always "
                "naming the commonest class already reaches that class's share.",
                undefined=_NEVER,
                function=scores.accuracy,
                is_share=True,
            ),
            Metric(
                name="balanced_accuracy",
                title="Balanced accuracy",
                tasks=_CLASSES,
                higher_is_better=True,
                explanation="The share of rows that was found, taken class by class and averaged, "
                "so that rare classes count as much as common ones; 1 is perfect, and guessing gives "
                "1 / number of classes.",
                undefined=_ONE_CLASS,
                function=scores.balanced_accuracy,
            ),
            Metric(
                name="precision",
                title="Precision",
                tasks=_CLASSES,
                higher_is_better=True,
                explanation="Of the rows predicted to be of a class, the share that is; 1 is "
                "perfect. With two classes it is about the positive one, with more it is the mean over them.",
                undefined="the positive class is never predicted",
                function=scores.precision,
            ),
            Metric(
                name="recall",
                title="Recall",
                tasks=_CLASSES,
                higher_is_better=True,
                explanation="Of the rows that are of a class, the share that was found; 1 is "
                "perfect. With two classes it is about the positive one, with more it is the mean over them.",
                undefined="there are no rows of the positive class",
                function=scores.recall,
            ),
            Metric(
                name="f1",
                title="F1",
                tasks=_CLASSES,
                higher_is_better=True,
                explanation="Precision and recall in one number (their harmonic mean), high only if "
                "both are; 1 is perfect, 0 the worst.",
                undefined="the positive class is neither observed nor predicted",
                function=scores.f1,
            ),
            Metric(
                name="precision_macro",
                title="Precision (macro)",
                tasks=_CLASSES,
                higher_is_better=True,
                explanation="The precision of every class, averaged with each class counting the same; "
                "1 is perfect.",
                undefined=_NEVER,
                function=scores.precision_macro,
            ),
            Metric(
                name="recall_macro",
                title="Recall (macro)",
                tasks=_CLASSES,
                higher_is_better=True,
                explanation="The recall of every class, averaged with each class counting the same; "
                "1 is perfect.",
                undefined=_NEVER,
                function=scores.recall_macro,
            ),
            Metric(
                name="f1_macro",
                title="F1 (macro)",
                tasks=_CLASSES,
                higher_is_better=True,
                explanation="The F1 of every class, averaged with each class counting the same; 1 "
                "is perfect.",
                undefined=_NEVER,
                function=scores.f1_macro,
            ),
            Metric(
                name="precision_weighted",
                title="Precision (weighted)",
                tasks=_CLASSES,
                higher_is_better=True,
                explanation="The precision of every class, averaged with each class counting by its rows; "
                "1 is perfect.",
                undefined=_NEVER,
                function=scores.precision_weighted,
            ),
            Metric(
                name="recall_weighted",
                title="Recall (weighted)",
                tasks=_CLASSES,
                higher_is_better=True,
                explanation="The recall of every class, averaged with each class counting by its rows; "
                "it equals the accuracy, and 1 is perfect.",
                undefined=_NEVER,
                function=scores.recall_weighted,
                is_share=True,
            ),
            Metric(
                name="f1_weighted",
                title="F1 (weighted)",
                tasks=_CLASSES,
                higher_is_better=True,
                explanation="The F1 of every class, averaged with each class counting by its rows; "
                "1 is perfect.",
                undefined=_NEVER,
                function=scores.f1_weighted,
            ),
            Metric(
                name="roc_auc",
                title="ROC AUC",
                tasks=_CLASSES,
                higher_is_better=True,
                explanation="How often a row of the class is scored higher than a row of another class; "
                "1 is perfect order, 0.5 is guessing, whatever the share of the classes.",
                undefined=_ONE_CLASS,
                function=scores.roc_auc,
            ),
            Metric(
                name="pr_auc",
                title="PR AUC (average precision)",
                tasks=_CLASSES,
                higher_is_better=True,
                explanation="The precision averaged over all levels of recall, which looks hardest "
                "at the top of the list; 1 is perfect, the class's share of the rows is guessing.",
                undefined=_ONE_CLASS,
                function=scores.pr_auc,
            ),
            Metric(
                name="log_loss",
                title="Log loss",
                tasks=_CLASSES,
                higher_is_better=False,
                explanation="How surprised the predicted probabilities were by what happened, in nats; 0 is "
                "perfect, and being sure and wrong costs most.",
                undefined=_NEVER,
                function=scores.log_loss,
                studentized=_mean_of(lambda case: case.log_losses),
            ),
            Metric(
                name="brier",
                title="Brier score",
                tasks=_CLASSES,
                higher_is_better=False,
                explanation="The mean squared distance between the predicted probabilities and what "
                "happened; 0 is perfect, and with two classes always saying 50 % gives 0.25.",
                undefined=_NEVER,
                function=scores.brier,
            ),
            Metric(
                name="mcc",
                title="Matthews correlation",
                tasks=_CLASSES,
                higher_is_better=True,
                explanation="The correlation between predicted and observed classes, fair to rare classes; "
                "1 is perfect, 0 is no better than chance, -1 is always wrong.",
                undefined=_ONE_CLASS,
                function=scores.mcc,
            ),
            Metric(
                name="top_3_accuracy",
                title="Top-3 accuracy",
                tasks=_CLASSES,
                higher_is_better=True,
                explanation="The share of rows whose class was among the three most probable ones; 1 is "
                "perfect, guessing gives 3 / number of classes; with up to three classes it says nothing.",
                undefined=_NEVER,
                function=scores.top_3_accuracy,
                is_share=True,
            ),
            Metric(
                name="top_5_accuracy",
                title="Top-5 accuracy",
                tasks=_CLASSES,
                higher_is_better=True,
                explanation="The share of rows whose class was among the five most probable ones; 1 is "
                "perfect, guessing gives 5 / number of classes; with up to five classes it says nothing.",
                undefined=_NEVER,
                function=scores.top_5_accuracy,
                is_share=True,
            ),
            Metric(
                name="rmse",
                title="Root mean squared error",
                tasks=_NUMBERS,
                higher_is_better=False,
                explanation="The typical size of an error in the target's own unit, in which large "
                "errors weigh most; 0 is perfect.",
                undefined=_NEVER,
                function=scores.rmse,
                studentized=_mean_of(scores.squares, sqrt),
            ),
            Metric(
                name="mae",
                title="Mean absolute error",
                tasks=_NUMBERS,
                higher_is_better=False,
                explanation="The mean size of an error in the target's own unit; 0 is perfect.",
                undefined=_NEVER,
                function=scores.mae,
                studentized=_mean_of(scores.sizes),
            ),
            Metric(
                name="r2",
                title="R² (explained variance)",
                tasks=_NUMBERS,
                higher_is_better=True,
                explanation="The share of the target's variation that the predictions explain; 1 is perfect, "
                "0 is no better than always predicting the mean, below 0 is worse than that.",
                undefined="the target has the same value in every row",
                function=scores.r2,
                studentized=Studentized(
                    scores.unexplained, scores.unexplained_influence, lambda share: 1 - share
                ),
            ),
            Metric(
                name="median_absolute_error",
                title="Median absolute error",
                tasks=_NUMBERS,
                higher_is_better=False,
                explanation="Half of the errors are smaller than this, in the target's own unit; "
                "0 is perfect, and a few wild errors do not move it.",
                undefined=_NEVER,
                function=scores.median_absolute_error,
            ),
            Metric(
                name="mape",
                title="Mean absolute percentage error",
                tasks=_NUMBERS,
                higher_is_better=False,
                explanation="The mean size of an error as a share of the true value (0.1 is 10 %); 0 is "
                "perfect, and answers that are too low are punished less than ones too high.",
                undefined="a true value is zero",
                function=scores.mape,
                studentized=_mean_of(scores.shares),
            ),
        )
    }
)
"""Every metric, by name; those of quantiles are found by their name, but not listed."""
