"""The loss: what training makes small, and by which a fit is judged afterwards."""

import re
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from groundup.core.tasks import Task

LossName: TypeAlias = Literal["log_loss", "squared_error", "absolute_error", "quantile"]


@dataclass(frozen=True)
class Loss:
    """How wrong one answer is.

    Parameters
    ----------
    name : {"log_loss", "squared_error", "absolute_error", "quantile"}
        Log loss for classes. For numbers: what makes it small is the mean, the median, or a quantile.
    quantile : float, default=0.5
        Which quantile, in (0, 1); 0.5 for the others.

    References
    ----------
    Koenker and Bassett (1978), "Regression quantiles", Econometrica 46; Gneiting (2011), "Making and
    evaluating point forecasts", JASA 106 (which loss asks for which number).

    Examples
    --------
    >>> Loss("quantile", 0.9).title
    'pinball loss'
    """

    name: LossName
    quantile: float = 0.5

    def __post_init__(self) -> None:
        assert self.name == "quantile" or self.quantile == 0.5, self

    @property
    def title(self) -> str:
        """Its name in prose."""
        return {"quantile": "pinball loss"}.get(self.name, self.name.replace("_", " "))


LOG_LOSS: Final = Loss("log_loss")
SQUARED_ERROR: Final = Loss("squared_error")
ABSOLUTE_ERROR: Final = Loss("absolute_error")

_PINBALL: Final = "pinball_loss_"
_OF_THE_MEDIAN: Final = ("mae", "median_absolute_error", "mape")


def pinball_name(quantile: float) -> str:
    """Return the name of the metric that the quantile of a target has the lowest value of.

    Examples
    --------
    >>> pinball_name(0.9)
    'pinball_loss_0.9'
    """
    return f"{_PINBALL}{quantile:.12g}"


def quantile_of(metric: str) -> float | None:
    """Return the quantile in the name of a pinball loss; None for every other name.

    Examples
    --------
    >>> quantile_of("pinball_loss_0.9"), quantile_of("rmse")
    (0.9, None)
    """
    found = re.fullmatch(rf"{_PINBALL}(0\.\d+)", metric)
    if found is None or not (quantile := float(found[1])) or pinball_name(quantile) != metric:
        return None  # one quantile, one name: "0.90" is none
    return quantile


def loss_of(task: Task, metric: str) -> Loss:
    """Return what training makes small where a metric decides: the loss whose best answer is the metric's.

    Parameters
    ----------
    task : Task
        What is asked for.
    metric : str
        Name of the deciding metric.

    Examples
    --------
    >>> loss_of("regression", "mae").name, loss_of("regression", "r2").name
    ('absolute_error', 'squared_error')
    """
    if task == "classification":
        return LOG_LOSS
    if (quantile := quantile_of(metric)) is not None:
        return Loss("quantile", quantile)
    return ABSOLUTE_ERROR if metric in _OF_THE_MEDIAN else SQUARED_ERROR
