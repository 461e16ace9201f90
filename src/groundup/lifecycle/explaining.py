"""What each column adds to the predictions of the chosen model, over rows of the validation part."""

from __future__ import annotations

import math
import time
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from groundup.core.errors import NotExplainedError
from groundup.core.inputs import Contributions, FloatArray, Inputs, IntArray, Predictions
from groundup.core.losses import Loss
from groundup.core.seeds import generator
from groundup.evaluation.contributions import (
    column_sizes,
    dependences,
    example_rows,
    strips,
    terms,
)
from groundup.evaluation.row_losses import row_losses
from groundup.lifecycle.deciding import Decided
from groundup.lifecycle.fitting import Trainer, Training
from groundup.serving.explaining import Explainer, about_classes, scale_sentence

_N_FIRST: Final = 20
_SECONDS: Final = 3.0  # of CPU time, judged by the first rows


def explain_choice(trainer: Trainer, training: Training, decided: Decided) -> dict[str, Any]:
    """Return the report's section on contributions.

    Rows are drawn from the validation part by the run's seed. The first 20 are always explained; as many
    more as promise to take three seconds of CPU time, at most `evaluation.contribution_rows`.

    Returns
    -------
    dict
        Empty where the recipe leaves it out; only ``why_not`` where the predictions are no sum over the
        columns.
    """
    session, collected, problem = trainer.session, trainer.collected, trainer.framed.problem
    limit = session.recipe.evaluation.contribution_rows
    part = collected.validation
    if limit == 0 or part.n_rows == 0:
        return {}
    order = generator(session.seed("contributions"), "rows").permutation(part.n_rows)[:limit]
    preparation = training.final.preparation
    frame = part.take(order).frame(preparation.columns)
    explainer = Explainer(
        training.final.fitted,
        preparation,
        decided.answering,
        classes=collected.target_plan.classes,
        positive=problem.positive,
    )
    inputs = preparation.transform(frame)
    try:
        found, seconds = _explained(explainer, inputs)
    except NotExplainedError as error:
        return {"why_not": str(error)}
    n_rows = len(found.values)
    rows = _Rows(
        explainer,
        found,
        frame[:n_rows],
        inputs.take(np.arange(n_rows)),
        collected.y_validation[order[:n_rows]],
        collected.split.validation[order[:n_rows]],
    )
    return {
        **rows.facts(problem.target, trainer.framed.loss),
        "part": "validation",
        "n_rows": n_rows,
        "n_rows_part": part.n_rows,
        "seconds": seconds,
    }


def _explained(explainer: Explainer, inputs: Inputs) -> tuple[Contributions, float]:
    """Return the contributions of the first rows, as many as there is time for, and the time it took."""
    start = time.process_time()
    first = explainer.by_class(inputs.take(np.arange(min(_N_FIRST, inputs.n_samples))))
    seconds = time.process_time() - start
    n_first = len(first.values)
    n_rows = min(inputs.n_samples, int(n_first * _SECONDS / max(seconds, 1e-9)))
    if n_rows > n_first:
        rest = explainer.by_class(inputs.take(np.arange(n_first, n_rows)))
        first = Contributions(np.concatenate([first.values, rest.values]), first.scale)
    return first, time.process_time() - start


class _Rows:
    """Rows that were explained, with everything that is said about them."""

    def __init__(
        self,
        explainer: Explainer,
        found: Contributions,
        frame: pl.DataFrame,
        inputs: Inputs,
        y_true: NDArray[np.generic],
        positions: IntArray,
    ) -> None:
        self.explainer, self.found, self.frame = explainer, found, frame
        self.y_true, self.positions = y_true, positions
        self.said: Predictions = explainer.answers(inputs)
        self.codes = explainer.codes(inputs, said=self.said)

    def facts(self, target: str, loss: Loss) -> dict[str, Any]:
        """Return what the report says about them."""
        explainer, classes = self.explainer, self.explainer.classes
        sizes = column_sizes(explainer.names, self.found.values, classes)
        columns = [row["column"] for row in sizes if row["mean_absolute"] > 0]
        code = int(np.bincount(self.codes).argmax()) if classes else 0
        about = about_classes(self.found, np.full(len(self.codes), code))
        by_name = dict(zip(explainer.names, about[:, :-1].T, strict=True))
        of = classes[code] if classes else None
        is_calibrated = explainer.answering.calibrator is not None
        what = f"`{target if of is None else of}`" if len(classes) < 3 else "a class"
        return {
            "scale": self.found.scale,
            "of": of,
            "is_calibrated": is_calibrated,
            "sentence": scale_sentence(self.found.scale, what=what, is_calibrated=is_calibrated),
            "base_value": _finite(float(about[0, -1])),
            "columns": sizes,
            "strips": strips(columns, by_name, self.frame),
            "dependence": dependences(columns, by_name, self.frame),
            "examples": self._examples(loss),
        }

    def _examples(self, loss: Loss) -> list[dict[str, Any]]:
        losses = row_losses(loss, self.y_true, self.said)
        probabilities = self.said.probabilities
        outstanding: FloatArray = (
            self.said.values.astype(np.float64) if probabilities is None else probabilities.max(axis=1)
        )
        about = about_classes(self.found, self.codes)
        return [
            {"title": title, **self._example(row, about[row])}
            for title, row in example_rows(losses, outstanding).items()
        ]

    def _example(self, row: int, about: FloatArray) -> dict[str, Any]:
        classes, probabilities = self.explainer.classes, self.said.probabilities
        answer, observed = self.said.values.tolist()[row], self.y_true.tolist()[row]
        shown, others = terms(self.explainer.names, about[:-1], self.frame.row(row, named=True))
        return {
            "row": int(self.positions[row]),
            "answer": classes[answer] if classes else answer,
            "observed": classes[observed] if classes else observed,
            "of": classes[self.codes[row]] if classes else None,
            "probability": None if probabilities is None else float(probabilities[row, self.codes[row]]),
            "base_value": _finite(float(about[-1])),
            "total": _finite(float(about.sum())),
            "terms": shown,
            "others": others,
        }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
