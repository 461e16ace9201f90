"""The recipe's section `problem`."""

from typing import Literal

from pydantic import Field

from groundup.core.options import Options
from groundup.core.tasks import Task


class ProblemOptions(Options):
    """What is asked of the data."""

    target: str | None = None
    """The column to predict."""
    task: Task | Literal["generation", "auto"] = "auto"
    """`classification` (one of a few classes), `regression` (a number), or `generation` (a text is learned
    from, and written on); `auto` looks at the target, and takes a text file without one as `generation`."""
    metric: str = "auto"
    """The number that decides between models, e.g. `roc_auc` or `rmse`; `auto` looks at the target. In
    regression it also says what is predicted: `rmse` and `r2` the mean, `mae` the median."""
    quantile: float | None = Field(default=None, ge=0.001, le=0.999)
    """In regression: predict this quantile of the target, e.g. 0.9 for what nine rows in ten stay below; the
    metric is then its pinball loss."""
    positive: str | bool | int | float | None = None
    """In a problem of two classes, the one that is looked for; by default the rarer one."""
    max_classes: int = Field(default=100, ge=2)
    """More classes than this are refused as a wrong framing."""
