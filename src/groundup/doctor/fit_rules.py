"""Rules about the fit: each looks at `FitSignals` and changes nothing."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from groundup.core.findings import Finding
from groundup.core.json import Json
from groundup.core.wording import count, listed, number
from groundup.doctor.contract import Answer, NotApplicable
from groundup.doctor.leak_rules import is_suspicious
from groundup.doctor.signals import FitSignals, Span

LAST_ROUNDS: Final = 0.05
"""A best round within this share of the last allowed one means that the loss was still falling (F004)."""

BASELINE: Final = "baseline"


class Scaled(NamedTuple):
    """A new value of a hyperparameter: the present one times `factor`, kept in [low, high]."""

    factor: float
    low: float
    high: float


SIMPLER: Final[Mapping[str, Mapping[str, Scaled]]] = MappingProxyType(
    {
        "lightgbm": {"num_leaves": Scaled(1 / 2, 4, 1024), "min_child_samples": Scaled(2, 1, 1000)},
        "ridge": {"alpha": Scaled(10, 1e-6, 1e6)},
        "lasso": {"alpha": Scaled(10, 1e-6, 1e6)},
        "elastic_net": {"alpha": Scaled(10, 1e-6, 1e6)},
        "logistic": {"C": Scaled(1 / 10, 1e-6, 1e6)},
        "knn": {"n_neighbors": Scaled(3, 1, 200)},
        "linear_svm": {"C": Scaled(1 / 10, 1e-6, 1e6)},
        "svm": {"C": Scaled(1 / 10, 1e-6, 1e6)},
        "naive_bayes": {"alpha": Scaled(10, 1e-6, 1000)},
        "decision_tree": {"min_samples_leaf": Scaled(4, 1, 1000)},
        "random_forest": {"min_samples_leaf": Scaled(5, 1, 1000)},
        "extra_trees": {"min_samples_leaf": Scaled(5, 1, 1000)},
        "hist_gradient_boosting": {
            "max_leaf_nodes": Scaled(1 / 2, 4, 1024),
            "min_samples_leaf": Scaled(2, 1, 1000),
        },
        "adaboost": {"n_estimators": Scaled(1 / 2, 5, 1000)},
        "xgboost": {"max_depth": Scaled(1 / 2, 2, 16), "min_child_weight": Scaled(4, 0, 1000)},
        "catboost": {"depth": Scaled(1 / 2, 2, 10), "l2_leaf_reg": Scaled(3, 0, 1000)},
    }
)
"""How each learner is made less able to learn its rows by heart, by hyperparameter."""

RICHER: Final[Mapping[str, Mapping[str, Scaled]]] = MappingProxyType(
    {
        "lightgbm": {"num_leaves": Scaled(2, 4, 1024)},
        "knn": {"n_neighbors": Scaled(1 / 2, 1, 200)},
        "svm": {"C": Scaled(10, 1e-6, 1e6)},
        "decision_tree": {"min_samples_leaf": Scaled(1 / 2, 1, 1000)},
        "hist_gradient_boosting": {"max_leaf_nodes": Scaled(2, 4, 1024)},
        "xgboost": {"max_depth": Scaled(1.5, 1, 16)},
        "catboost": {"depth": Scaled(1.5, 1, 10)},
    }
)
"""How a learner that can bend is made to bend more; the others are exchanged for one that can."""

ROUNDS: Final[Mapping[str, Mapping[str, Scaled]]] = MappingProxyType(
    {
        "lightgbm": {"n_estimators": Scaled(2, 1, 100_000)},
        "lasso": {"max_iterations": Scaled(10, 1, 1_000_000)},
        "elastic_net": {"max_iterations": Scaled(10, 1, 1_000_000)},
        "logistic": {"max_iterations": Scaled(10, 1, 1_000_000)},
        "linear_svm": {"max_iterations": Scaled(10, 1, 1_000_000)},
        "svm": {"max_iterations": Scaled(10, 1, 1_000_000)},
        "hist_gradient_boosting": {"n_estimators": Scaled(2, 1, 10_000)},
        "xgboost": {"n_estimators": Scaled(2, 1, 10_000)},
        "catboost": {"n_estimators": Scaled(2, 1, 10_000)},
    }
)
"""What bounds the length of each learner's training, by hyperparameter."""


def overfits(signals: FitSignals) -> Answer:
    """F001: the model is clearly better on the rows it was fitted on than on rows held out."""
    if signals.verdict == "undecided":
        return _UNDECIDED
    if signals.verdict != "overfits":
        return ()
    return (
        Finding(
            "F001",
            "warning",
            signals.sentence,
            "Use a simpler model (the patch makes this one simpler), fewer columns, or more rows.",
            {"learner": signals.learner, "loss": signals.loss, "gap": _json(signals.gap)},
            _scaled_patch(signals, SIMPLER),
        ),
    )


def underfits(signals: FitSignals) -> Answer:
    """F002: the model is too simple for a pattern that is there, on fitted and held-out rows alike."""
    if signals.verdict == "undecided":
        return _UNDECIDED
    if signals.verdict != "underfits":
        return ()
    can_bend = signals.learner in RICHER
    return (
        Finding(
            "F002",
            "warning",
            signals.sentence,
            "Use a model that can bend, or add columns that say more about the target.",
            {"learner": signals.learner, "loss": signals.loss, "gap": _json(signals.gap)},
            _scaled_patch(signals, RICHER) if can_bend else {"model.name": "lightgbm"},
        ),
    )


def no_better_than_baseline(signals: FitSignals) -> Answer:
    """F003: on the test part, the model is not clearly better than guessing the same for every row."""
    if signals.learner == BASELINE:
        return _baseline_was_chosen(signals)
    if signals.improvement is None:
        return NotApplicable("the test part was not evaluated")
    value, low, high = signals.improvement
    if low > 0:
        return ()
    return (
        Finding(
            "F003",
            "error" if high <= 0 else "warning",
            f"On the test rows, the mean {signals.loss} of `{signals.learner}` is lower than the "
            f"baseline's by {number(value, 3)} (interval {number(low, 3)} to {number(high, 3)}): not clearly "
            "more than nothing.",
            "Do not use the model yet: look for columns that can say something about the target, and for "
            "mistakes in it.",
            {"learner": signals.learner, "loss": signals.loss, "improvement": _json(signals.improvement)},
        ),
    )


def not_converged(signals: FitSignals) -> Answer:
    """F004: training reached its limit while it was still making progress."""
    facts = signals.facts
    is_monitored = "validation" in facts.get("curve", {})
    if _falls_by_plan(facts):
        return NotApplicable(f"the learning rate of `{signals.learner}` fell by plan, and the loss with it")
    if "converged" not in facts and not is_monitored:
        return NotApplicable(f"`{signals.learner}` trained without steps whose progress could be followed")
    if facts.get("converged") is False:
        message = f"`{signals.learner}` reached its limit of iterations before it had converged."
    elif is_monitored and _still_falling(facts):
        message = (
            f"The best round of `{signals.learner}` was {count(facts['best_round'])} of "
            f"{count(facts['n_rounds'])} allowed: the validation loss was still falling when training ended."
        )
    else:
        return ()
    keys = ("converged", "n_iterations", "max_iterations", "best_round", "n_rounds", "stopped")
    return (
        Finding(
            "F004",
            "warning",
            message,
            "Allow more rounds or iterations.",
            {"learner": signals.learner, **{key: facts[key] for key in keys if key in facts}},
            _scaled_patch(signals, ROUNDS),
        ),
    )


def _falls_by_plan(facts: Mapping[str, Any]) -> bool:
    """Return whether a network's learning rate fell to 0 by its last step, so that the loss fell to it."""
    return any(
        used["option"] == "schedule" and used["value"] not in ("constant", "plateau")
        for used in facts.get("training_options", ())
    )


def diverged(signals: FitSignals) -> Answer:
    """F010: the training loss exploded, and the weights from before are kept."""
    facts = signals.facts
    if "stopped" not in facts:
        return NotApplicable(f"`{signals.learner}` does not train step by step")
    if facts["stopped"] != "diverged":
        return ()
    rate = next(each["value"] for each in facts["training_options"] if each["option"] == "learning_rate")
    return (
        Finding(
            "F010",
            "warning",
            f"The training loss of `{signals.learner}` exploded after {count(facts['n_rounds'], 'step')}; "
            f"the weights after {count(facts['best_round'], 'step')} are kept, the last that were good.",
            f"Lower the learning rate, which was {rate:g}, and look for extreme values in the inputs.",
            {"learner": signals.learner, "n_rounds": facts["n_rounds"], "best_round": facts["best_round"]},
            {"training.learning_rate": float(f"{rate / 10:.2g}")},
        ),
    )


def more_data_would_help(signals: FitSignals) -> Answer:
    """F005: the held-out loss still falls as rows are added, so more of them would lower it further."""
    if signals.slope is None:
        return NotApplicable("no learning curve was drawn, or it has too few sizes")
    value, low, high = signals.slope
    if signals.outlook != "helps" or is_suspicious(signals):  # of what hardly errs, more would be no help
        return ()
    return (
        Finding(
            "F005",
            "info",
            f"Twice the {count(signals.n_train, 'training row')} would lower the held-out {signals.loss} by "
            f"about {number(value, 2)} (interval {number(low, 2)} to {number(high, 2)}).",
            "Gather more rows like these, if so much is worth the effort.",
            {"n_train": signals.n_train, "loss": signals.loss, "slope": _json(signals.slope)},
        ),
    )


def probabilities_are_shifted(signals: FitSignals) -> Answer:
    """F009: weights or resampling made the classes count otherwise than they are frequent."""
    if not signals.n_classes:
        return NotApplicable("there are no probabilities")
    if not signals.shifted_by:
        return ()
    patch: dict[str, Json] = {"training.calibrate": "auto"}
    remedy = "Read them as a ranking. Where they must be frequencies, calibrate them (the patch); answers "
    if signals.n_classes == 2:
        patch["evaluation.threshold"] = "auto"
        remedy += "then need a threshold of their own."
    else:
        remedy += "then follow the frequencies, too."
    return (
        Finding(
            "F009",
            "info",
            f"{signals.shifted_by.capitalize()} made rare classes count more, so the probabilities of "
            f"`{signals.learner}` are too high for them: they are no frequencies.",
            remedy,
            {"learner": signals.learner, "shifted_by": signals.shifted_by, "n_classes": signals.n_classes},
            patch,
        ),
    )


_UNDECIDED: Final = NotApplicable("the evidence does not decide whether it over- or underfits")


def _baseline_was_chosen(signals: FitSignals) -> Answer:
    others = [name for name in signals.candidates if name != BASELINE]
    if not others:
        return NotApplicable("nothing but the baseline was asked for")
    return (
        Finding(
            "F003",
            "error",
            f"No model was better than the baseline; tried: {listed(others)}.",
            "Look for columns that can say something about the target, and for mistakes in it.",
            {"learner": BASELINE, "candidates": list(signals.candidates)},
        ),
    )


def _still_falling(facts: Mapping[str, Any]) -> bool:
    if facts["stopped"] != "limit":
        return False
    # Without early stopping the last round is kept, however far the loss had risen again by then.
    points = facts["curve"]["validation"]
    lowest = min(points, key=lambda point: point[1])[0] if points else facts["best_round"]
    return bool(lowest > (1 - LAST_ROUNDS) * facts["n_rounds"])


def _scaled_patch(signals: FitSignals, table: Mapping[str, Mapping[str, Scaled]]) -> dict[str, Json]:
    """Return the learner's hyperparameters of `table`, scaled from their present values."""
    patch: dict[str, Json] = {}
    used = signals.used
    for name, (factor, low, high) in table.get(signals.learner, {}).items():
        present = used.get(name)
        if not isinstance(present, int | float):
            continue
        scaled = min(max(present * factor, low), high)
        value = round(scaled) if isinstance(present, int) else scaled
        if value != present:
            patch[f"model.{name}"] = value
    return {"model.name": signals.learner, **patch} if patch else {}


def _json(span: Span | None) -> Json:
    return None if span is None else {"value": span.value, "low": span.low, "high": span.high}
