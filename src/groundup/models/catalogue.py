"""The catalogue: every learner there is, in one table, loaded when it is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from groundup.core.errors import PackageError, RecipeError, UnknownKeyError, UnknownNameError
from groundup.core.losses import SQUARED_ERROR, Loss
from groundup.core.tasks import Task

if TYPE_CHECKING:
    from groundup.core.options import Options
    from groundup.models.contract import Fitted, Learner

OptionsT = TypeVar("OptionsT", bound="Options")

LEARNERS: Final[Mapping[str, str]] = MappingProxyType(  # loaded on use: "module:class"
    {
        "baseline": "groundup.models.baseline:Baseline",
        "linear": "groundup.models.linear:Linear",
        "ridge": "groundup.models.linear:Ridge",
        "lasso": "groundup.models.linear:Lasso",
        "elastic_net": "groundup.models.linear:ElasticNet",
        "quantile_regression": "groundup.models.quantile_regression:QuantileRegression",
        "logistic": "groundup.models.linear:Logistic",
        "knn": "groundup.models.neighbors:KNN",
        "linear_svm": "groundup.models.svm:LinearSVM",
        "svm": "groundup.models.svm:SVM",
        "naive_bayes": "groundup.models.naive_bayes:NaiveBayes",
        "lightgbm": "groundup.models.lightgbm:LightGBM",
        "decision_tree": "groundup.models.trees:DecisionTree",
        "random_forest": "groundup.models.forests:RandomForest",
        "extra_trees": "groundup.models.forests:ExtraTrees",
        "hist_gradient_boosting": "groundup.models.boosted_trees:HistGradientBoosting",
        "adaboost": "groundup.models.boosted_trees:AdaBoost",
        "bagging": "groundup.models.ensembles:Bagging",
        "voting": "groundup.models.ensembles:Voting",
        "stacking": "groundup.models.ensembles:Stacking",
        "xgboost": "groundup.models.xgboost:XGBoost",
        "catboost": "groundup.models.catboost:CatBoost",
        "mlp": "groundup.models.mlp:MLP",
        "transformer": "groundup.models.text_networks:Transformer",
        "rnn": "groundup.models.text_networks:RNN",
        "cnn": "groundup.models.image_networks:CNN",
        "vit": "groundup.models.image_networks:ViT",
    }
)
"""Our learners; `groundup models` lists them."""

FITTED: Final[frozenset[str]] = frozenset(
    {
        "groundup.models.baseline:FittedBaseline",
        "groundup.models.linear_fitted:FittedLinear",
        "groundup.models.neighbors_fitted:FittedNeighbors",
        "groundup.models.svm_fitted:FittedSVM",
        "groundup.models.naive_bayes_fitted:FittedNaiveBayes",
        "groundup.models.lightgbm_native:FittedLightGBM",
        "groundup.models.trees_fitted:FittedTrees",
        "groundup.models.ensembles_fitted:FittedEnsemble",
        "groundup.models.xgboost_native:FittedXGBoost",
        "groundup.models.catboost_fitted:FittedCatBoost",
        "groundup.models.network_fitted:FittedNetwork",
    }
)
"""What a package may name as the class that loads its parameters; nothing else is imported for it."""

IMAGE_CANDIDATES: Final = ("cnn",)
"""What is trained on pictures where the recipe does not say."""

ENTRY_POINTS: Final = "groundup.learners"
"""Entry points under which other distributions add learners: a name, and ``module:Class`` of a `Learner`."""


def learner_names() -> tuple[str, ...]:
    """Return the names of all learners: ours in their order, then those of other distributions."""
    return (*LEARNERS, *sorted(name for name in _foreign() if name not in LEARNERS))


def learner_class(name: str) -> type[Learner]:
    """Return the class of a learner.

    Parameters
    ----------
    name : str
        One of `learner_names`.

    Returns
    -------
    type of Learner
        Its fields are the hyperparameters.

    Raises
    ------
    UnknownNameError
        If there is no such learner.

    Examples
    --------
    >>> learner_class("ridge").title
    'ridge regression'
    """
    if name in LEARNERS:
        return cast("type[Learner]", _load(LEARNERS[name]))
    foreign = _foreign()
    if name in foreign:
        return cast("type[Learner]", foreign[name].load())
    raise UnknownNameError("learner", name, learner_names())


def make_learner(name: str, hyperparameters: Mapping[str, Any] | None = None) -> Learner:
    """Return a learner with the given hyperparameters, the others at their defaults.

    Parameters
    ----------
    name : str
        One of `learner_names`.
    hyperparameters : mapping, optional
        Values by field name.

    Returns
    -------
    Learner
        Ready to fit.

    Raises
    ------
    UnknownNameError
        If there is no such learner.
    UnknownKeyError
        If it has no such hyperparameter.
    RecipeError
        If a value is out of range or of the wrong type.

    Examples
    --------
    >>> make_learner("ridge", {"alpha": 10.0}).alpha
    10.0
    """
    return checked_options(learner_class(name), name, hyperparameters)


def checked_options(chosen: type[OptionsT], name: str, hyperparameters: Mapping[str, Any] | None) -> OptionsT:
    """Return a learner's class with its hyperparameters; `name` is what messages call it.

    Raises
    ------
    UnknownKeyError
        If it has no such hyperparameter.
    RecipeError
        If a value is out of range or of the wrong type.
    """
    from pydantic import ValidationError

    try:
        return chosen.model_validate(dict(hyperparameters or {}))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key, value = str(first["loc"][0]), first["input"]
        if key not in chosen.model_fields:
            raise UnknownKeyError(key, list(chosen.model_fields), where=f"model `{name}`") from None
        schema = chosen.model_json_schema()["properties"][key]
        raise RecipeError(
            f"model `{name}`: `{key}` must be {_allowed(schema)}; it is `{value}`. "
            f"What it does: {' '.join(str(schema['description']).split())}",
            key=key,
        ) from None


def default_candidates(task: Task, loss: Loss = SQUARED_ERROR) -> tuple[str, ...]:
    """Return what is compared where the recipe does not say: one linear model and boosted trees.

    Ridge, because its penalty is chosen in the same decomposition that fits it; the elastic net
    needs a hundred times the work for the same kind of boundary. Its answers are means, so where another
    loss than the squared error is asked for, the linear model that makes that one small.

    Examples
    --------
    >>> default_candidates("regression")
    ('ridge', 'lightgbm')
    """
    if task == "classification":
        return ("logistic", "lightgbm")
    return ("ridge" if loss.name == "squared_error" else "quantile_regression", "lightgbm")


def check_task(name: str, task: Task) -> None:
    """Check that a learner can do a task.

    Raises
    ------
    UnknownNameError
        If there is no such learner.
    RecipeError
        If it cannot; the message names the learners that can.

    Examples
    --------
    >>> check_task("ridge", "regression")
    """
    if task not in learner_class(name).tasks:
        able = _named(lambda learner: task in learner.tasks)
        raise RecipeError(f"`model.name`: the learner `{name}` does not do {task}. These do: {able}.")


def check_sees_images(name: str, learner: Learner) -> None:
    """Check that a learner can look at pictures, where there is nothing else to look at.

    Raises
    ------
    RecipeError
        If it cannot; the message names the learners that can.

    Examples
    --------
    >>> check_sees_images("cnn", make_learner("cnn"))
    """
    if learner.needs().form != "images":
        able = _named(lambda learner: learner().needs().form == "images")
        raise RecipeError(
            f"`model.name`: the learner `{name}` does not see pictures, and these rows hold nothing else. "
            f"These do: {able}."
        )


def check_loss(name: str, learner: Learner, loss: Loss) -> None:
    """Check that a learner can make a loss small: that it answers no mean where a quantile is asked for.

    Raises
    ------
    RecipeError
        If it cannot; the message names the learners that can.

    Examples
    --------
    >>> check_loss("lightgbm", make_learner("lightgbm"), Loss("quantile", 0.9))
    """
    if learner.minimised(loss) != loss:
        able = _named(lambda learner: loss.name in learner.losses)
        of = f" of the {100 * loss.quantile:g} % quantile" if loss.name == "quantile" else ""
        raise RecipeError(
            f"`model.name`: the learner `{name}` cannot make the {loss.title}{of} small. These can: {able}."
        )


def check_weights(name: str, learner: Learner) -> None:
    """Check that a learner can count some rows more than others.

    Raises
    ------
    RecipeError
        If it cannot; the message names the learners that can.

    Examples
    --------
    >>> check_weights("logistic", make_learner("logistic"))
    """
    if not learner.can_weigh():
        able = _named(lambda learner: learner().can_weigh())
        raise RecipeError(
            f"`model.name`: the learner `{name}` cannot count some rows more than others, as class "
            f"weights and sample weights ask for. These can: {able}."
        )


def load_fitted(reference: str, folder: Path) -> Fitted:
    """Return the fitted learner that a package holds.

    Parameters
    ----------
    reference : str
        `Learner.fitted` of the learner that wrote it, as the package's manifest names it.
    folder : Path
        Where `Fitted.save` wrote; the digests of its files have been checked.

    Returns
    -------
    Fitted
        Ready to predict.

    Raises
    ------
    PackageError
        If `reference` is neither ours nor that of a learner that an installed distribution
        registers under `ENTRY_POINTS` (a file never decides what is imported), or the files are damaged.
    """
    if reference in FITTED:
        return cast("type[Fitted]", _load(reference)).load(folder)
    for entry_point in _foreign().values():
        if entry_point.load().fitted == reference:
            return cast("type[Fitted]", _load(reference)).load(folder)
    raise PackageError(
        f"The package asks for `{reference}`, which is neither a model class of this version of groundup "
        "nor of an installed extension. Install what it was trained with, or do not trust it."
    )


def _named(can: Callable[[type[Learner]], bool]) -> str:
    """Return the names of the learners that can do something, in a row."""
    return ", ".join(f"`{name}`" for name in learner_names() if can(learner_class(name)))


def _foreign() -> dict[str, EntryPoint]:
    return {entry_point.name: entry_point for entry_point in entry_points(group=ENTRY_POINTS)}


def _load(reference: str) -> Any:
    module, _, name = reference.partition(":")
    return getattr(import_module(module), name)


_TYPES: Final = {
    "number": "a number",
    "integer": "a whole number",
    "string": "a text",
    "boolean": "true or false",
}
_BOUNDS: Final = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
}


def _allowed(schema: Mapping[str, Any]) -> str:
    """Return what a field's JSON schema allows, in words: "a number above 0, or `auto`"."""
    if "anyOf" in schema:
        return ", or ".join(_allowed(each) for each in schema["anyOf"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return "one of " + ", ".join(f"`{each}`" for each in schema["enum"])
    if schema.get("type") == "null":
        return "null"
    bounds = [text.format(schema[key]) for key, text in _BOUNDS.items() if key in schema]
    return " ".join([_TYPES.get(schema.get("type", ""), "a value"), " and ".join(bounds)]).strip()
