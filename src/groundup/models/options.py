"""The recipe's section `model`."""

from typing import Any

from pydantic import ConfigDict, Field

from groundup.core.options import Options


class ModelOptions(Options):
    """Which learner is trained; further keys are that learner's hyperparameters.

    ``{name: lightgbm, n_estimators: 300}`` or
    ``{name: auto, candidates: [ridge, {name: lightgbm, num_leaves: 15}]}``.
    The recipe checks the further keys against the learner's own fields.
    """

    model_config = ConfigDict(**{**Options.model_config, "extra": "allow"})

    name: str = "auto"
    """A name that `groundup models` lists, or `auto`: try the candidates and keep the best."""
    candidates: tuple[str | dict[str, Any], ...] = Field(default=())
    """What `auto` compares besides the baseline; empty: a linear model and boosted trees."""

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """The further keys."""
        return dict(self.model_extra or {})
