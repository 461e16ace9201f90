"""Learners with scikit-learn's interface: for pipelines, grid searches and cross-validation.

Each row goes through the same preparation and the same learner as in `groundup train`; what surrounds
them there (splitting, comparing, reporting) is left to scikit-learn.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, Self

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, column_or_1d, validate_data

from groundup.core.errors import GroundupError
from groundup.core.inputs import FloatArray, Inputs, IntArray, Predictions, Supervision
from groundup.core.losses import LOG_LOSS, Loss
from groundup.core.schema import Column, Schema
from groundup.core.tasks import Task
from groundup.data.dataset import Dataset
from groundup.data.options import DataOptions
from groundup.data.sources import read
from groundup.models.catalogue import check_loss, check_task, check_weights, load_fitted, make_learner
from groundup.models.contract import FitContext
from groundup.preparation.options import PreparationOptions
from groundup.preparation.table import TablePreparation
from groundup.training.class_weights import class_weights, weighed
from groundup.training.gradient_options import GradientOptions
from groundup.training.network_loop import network_loop
from groundup.training.options import EarlyStopping
from groundup.training.rounds import run_rounds

_FEWEST_ROWS_TO_HOLD_OUT: Final = 50
_SEEDS: Final = 2**31


class _Estimator(BaseEstimator):  # type: ignore[misc]
    """What both estimators share: their options, and how they fit and predict."""

    _task: Task

    def __init__(
        self,
        learner: str = "lightgbm",
        hyperparameters: Mapping[str, Any] | None = None,
        *,
        preparation: Mapping[str, Any] | None = None,
        validation_fraction: float = 0.1,
        patience_rounds: int | Literal["auto"] = "auto",
        seed: int = 0,
        n_jobs: int = 1,
    ) -> None:
        self.learner = learner
        self.hyperparameters = hyperparameters
        self.preparation = preparation
        self.validation_fraction = validation_fraction
        self.patience_rounds = patience_rounds
        self.seed = seed
        self.n_jobs = n_jobs

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags: missing values and tables of any columns are welcome."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _fit(
        self,
        X: object,
        y: NDArray[Any],
        weight: FloatArray | None,
        *,
        counted: IntArray,
        class_weight: Literal["balanced"] | FloatArray | None = None,
        n_classes: int = 0,
        loss: Loss = LOG_LOSS,
    ) -> Self:
        """Prepare and fit on the rows `counted`; `y` holds their class codes or numbers, `weight` theirs."""
        with _as_value_errors():
            learner = make_learner(self.learner, self.hyperparameters)
            check_task(self.learner, self._task)
            check_loss(self.learner, learner, loss)
            if not (weight is None and class_weight is None):
                check_weights(self.learner, learner)
            whole = self._read(X)
            self.schema_ = whole.schema
            dataset = whole if len(counted) == whole.n_rows else whole.take(counted)
            train, validation = self._parts(y, n_classes, has_rounds=learner.in_rounds)
            self.preparation_ = TablePreparation(PreparationOptions(**(self.preparation or {})))
            inputs, kept = self.preparation_.fit_transform(
                dataset.take(train),
                learner.needs(),
                Supervision(y[train], n_classes, seed=int(self.seed) % _SEEDS),
            )

            def supervised(part: Inputs, rows: IntArray) -> Inputs:
                return part.with_target(y[rows]).with_weight(None if weight is None else weight[rows])

            fitted_on = supervised(inputs, train[kept])
            per_class = None
            if class_weight is not None:
                per_class = class_weights(class_weight, fitted_on.y, n_classes, fitted_on.weight)
            held_out = None
            if len(validation):
                frame = dataset.take(validation).frame(self.preparation_.columns)
                held_out = weighed(supervised(self.preparation_.transform(frame), validation), per_class)
            self.fitted_ = learner.fit(
                weighed(fitted_on, per_class), held_out, self._context(n_classes, loss)
            )
            self.fitted_reference_ = learner.fitted
        return self

    def _read(self, X: object) -> Dataset:
        if _is_table(X):
            dataset = read(DataOptions(), frame=X)
            if dataset.n_rows < 2:
                raise ValueError(f"Found {dataset.n_rows} sample(s), and a minimum of 2 is required.")
            return dataset
        assert isinstance(X, np.ndarray)
        names = [f"x{position}" for position in range(X.shape[1])]
        schema = Schema([Column(name, "number", "float") for name in names])
        return Dataset(_frame(X, names).lazy(), schema, len(X), "array")

    def _parts(self, y: NDArray[Any], n_classes: int, *, has_rounds: bool) -> tuple[IntArray, IntArray]:
        """Return the rows to fit on and, for learners that stop early, rows that say when, seeded."""
        n_held_out = round(self.validation_fraction * len(y))
        everything = np.arange(len(y))
        if not has_rounds or n_held_out < 1 or len(y) < _FEWEST_ROWS_TO_HOLD_OUT:
            return everything, everything[:0]
        order = np.random.default_rng(self.seed).permutation(len(y))
        if n_classes:  # every n-th row in the order of classes: equal shares of them
            order = order[np.argsort(y[order], kind="stable")]
        picked = order[np.linspace(0, len(y) - 1, n_held_out + 2)[1:-1].astype(np.int64)]
        return np.setdiff1d(everything, picked), np.sort(picked)

    def _context(self, n_classes: int, loss: Loss) -> FitContext:
        early_stopping = EarlyStopping(patience_rounds=self.patience_rounds)
        loop = partial(
            run_rounds,
            early_stopping=early_stopping,
            emit=lambda **_fact: None,
            should_stop=lambda: False,
        )
        seed, threads = int(self.seed) % _SEEDS, max(1, self.n_jobs or 1)
        return FitContext(
            task=self._task,
            n_classes=n_classes,
            seed=seed,
            threads=threads,
            run_rounds=loop,
            should_stop=lambda: False,
            loss=loss,
            train_network=network_loop(
                options=GradientOptions(), early_stopping=early_stopping, threads=threads
            ),
        )

    def _predict(self, X: object) -> Predictions:
        check_is_fitted(self)
        checked = _checked(self, X, reset=False)
        with _as_value_errors():
            names = self.schema_.names
            if _is_table(checked):
                columns = self.preparation_.columns
                frame = read(DataOptions(), frame=checked, schema=self.schema_).frame(columns)
            else:
                assert isinstance(checked, np.ndarray)
                frame = _frame(checked, names)
            return self.fitted_.predict(self.preparation_.transform(frame))

    def __getstate__(self) -> dict[str, Any]:
        """Return the parameters and, once fitted, the files of the model; for copies to other processes."""
        state: dict[str, Any] = super().__getstate__()
        if "fitted_" in state:
            with tempfile.TemporaryDirectory() as folder:
                self.fitted_.save(Path(folder))
                files = [path for path in sorted(Path(folder).rglob("*")) if path.is_file()]
                saved = {str(path.relative_to(folder)): path.read_bytes() for path in files}
            state = {**state, "fitted_": saved, "preparation_": self.preparation_.state()}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore what `__getstate__` returned."""
        if "fitted_" in state:
            with tempfile.TemporaryDirectory() as folder:
                for name, content in state["fitted_"].items():
                    (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
                    (Path(folder) / name).write_bytes(content)
                fitted = load_fitted(state["fitted_reference_"], Path(folder))
            preparation = TablePreparation.from_state(*state["preparation_"])
            state = {**state, "fitted_": fitted, "preparation_": preparation}
        super().__setstate__(state)


class GroundupClassifier(ClassifierMixin, _Estimator):  # type: ignore[misc]
    """A learner for classes with scikit-learn's interface.

    Parameters
    ----------
    learner : str, default="lightgbm"
        A name that ``groundup models`` lists.
    hyperparameters : mapping, optional
        Its options that differ from their defaults.
    class_weight : "balanced", mapping of label to float, or None, default=None
        How often a row of each class counts, as in scikit-learn.
    preparation : mapping, optional
        Options of the recipe's section `preparation`.
    validation_fraction : float, default=0.1
        Share of the rows that say when training in rounds should stop; 0: none. Learners that do not
        train in rounds, and tables below 50 rows, use every row.
    patience_rounds : int or "auto", default="auto"
        Rounds without improvement before training stops.
    seed : int, default=0
        Decides every random choice.
    n_jobs : int, default=1
        Threads of the fit.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = GroundupClassifier("random_forest", {"n_estimators": 20}).fit(X, y)
    >>> model.predict(X[:2]).tolist(), model.predict_proba(X).shape
    ([0, 0], (150, 3))
    """

    _task = "classification"

    def __init__(
        self,
        learner: str = "lightgbm",
        hyperparameters: Mapping[str, Any] | None = None,
        *,
        class_weight: Literal["balanced"] | Mapping[Any, float] | None = None,
        preparation: Mapping[str, Any] | None = None,
        validation_fraction: float = 0.1,
        patience_rounds: int | Literal["auto"] = "auto",
        seed: int = 0,
        n_jobs: int = 1,
    ) -> None:
        super().__init__(
            learner,
            hyperparameters,
            preparation=preparation,
            validation_fraction=validation_fraction,
            patience_rounds=patience_rounds,
            seed=seed,
            n_jobs=n_jobs,
        )
        self.class_weight = class_weight

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit on a table or an array.

        Parameters
        ----------
        X : DataFrame or array of shape (n_samples, n_features)
            A table's columns may be of any kind; an array's are numbers, NaN is missing.
        y : array-like of shape (n_samples,)
            Labels.
        sample_weight : array-like of shape (n_samples,), optional
            How often each row counts in the loss, from 0 on; the preparation looks at every row that counts
            at all, once.

        Returns
        -------
        GroundupClassifier

        Raises
        ------
        ValueError
            If the data, an option or a hyperparameter cannot be used.
        """
        checked, labels = _checked_with_target(self, X, y)
        check_classification_targets(labels)
        counted, weight = _counted(sample_weight, checked, len(labels))
        self.classes_, codes = np.unique(labels[counted], return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"The target holds one class only, `{self.classes_[0]}`; there is nothing to learn."
            )
        asked = self.class_weight
        if asked is not None and asked != "balanced":
            asked = compute_class_weight(dict(asked), classes=self.classes_, y=labels[counted])
        return self._fit(
            checked,
            codes.astype(np.int64),
            weight,
            counted=counted,
            class_weight=asked,
            n_classes=len(self.classes_),
        )

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable label of each row, shape (n_samples,)."""
        codes = self._predict(X).values.astype(np.int64)
        return np.asarray(self.classes_[codes])

    def predict_proba(self, X: Any) -> FloatArray:
        """Return the probability of each class, in the order of `classes_`, (n_samples, n_classes)."""
        probabilities = self._predict(X).probabilities
        assert probabilities is not None
        return probabilities


class GroundupRegressor(RegressorMixin, _Estimator):  # type: ignore[misc]
    """A learner for numbers with scikit-learn's interface.

    Parameters
    ----------
    learner : str, default="lightgbm"
        A name that ``groundup models`` lists.
    hyperparameters : mapping, optional
        Its options that differ from their defaults.
    loss : {"squared_error", "absolute_error", "quantile"}, default="squared_error"
        What training makes small, and so whether means, medians or quantiles are predicted.
    quantile : float, optional
        Which quantile, in (0, 1); only where that is the loss.
    preparation : mapping, optional
        Options of the recipe's section `preparation`.
    validation_fraction : float, default=0.1
        Share of the rows that say when training in rounds should stop; 0: none. Learners that do not
        train in rounds, and tables below 50 rows, use every row.
    patience_rounds : int or "auto", default="auto"
        Rounds without improvement before training stops.
    seed : int, default=0
        Decides every random choice.
    n_jobs : int, default=1
        Threads of the fit.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True)
    >>> bool(GroundupRegressor("ridge").fit(X, y).score(X, y) > 0.5)
    True
    """

    _task = "regression"

    def __init__(
        self,
        learner: str = "lightgbm",
        hyperparameters: Mapping[str, Any] | None = None,
        *,
        loss: Literal["squared_error", "absolute_error", "quantile"] = "squared_error",
        quantile: float | None = None,
        preparation: Mapping[str, Any] | None = None,
        validation_fraction: float = 0.1,
        patience_rounds: int | Literal["auto"] = "auto",
        seed: int = 0,
        n_jobs: int = 1,
    ) -> None:
        super().__init__(
            learner,
            hyperparameters,
            preparation=preparation,
            validation_fraction=validation_fraction,
            patience_rounds=patience_rounds,
            seed=seed,
            n_jobs=n_jobs,
        )
        self.loss = loss
        self.quantile = quantile

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit on a table or an array.

        Parameters
        ----------
        X : DataFrame or array of shape (n_samples, n_features)
            A table's columns may be of any kind; an array's are numbers, NaN is missing.
        y : array-like of shape (n_samples,)
            Finite numbers.
        sample_weight : array-like of shape (n_samples,), optional
            How often each row counts in the loss, from 0 on; the preparation looks at every row that counts
            at all, once.

        Returns
        -------
        GroundupRegressor

        Raises
        ------
        ValueError
            If the data, an option or a hyperparameter cannot be used.
        """
        checked, values = _checked_with_target(self, X, y, y_numeric=True)
        counted, weight = _counted(sample_weight, checked, len(values))
        y_counted = values[counted].astype(np.float64)
        return self._fit(checked, y_counted, weight, counted=counted, loss=self._checked_loss())

    def _checked_loss(self) -> Loss:
        if self.loss not in ("squared_error", "absolute_error", "quantile"):
            raise ValueError(
                f"`loss` is `{self.loss}`; it should be `squared_error`, `absolute_error` or `quantile`."
            )
        if self.loss != "quantile":
            return Loss(self.loss)
        if self.quantile is None or not 0 < self.quantile < 1:
            raise ValueError(
                f"`loss` is `quantile`, and `quantile` is `{self.quantile}`; name one in (0, 1)."
            )
        return Loss("quantile", self.quantile)

    def predict(self, X: Any) -> FloatArray:
        """Return the value of each row, shape (n_samples,)."""
        return self._predict(X).values.astype(np.float64)


def _counted(sample_weight: ArrayLike | None, X: object, n_rows: int) -> tuple[IntArray, FloatArray | None]:
    """Return the rows that count at all, and how often each of them does."""
    if sample_weight is None:
        return np.arange(n_rows), None
    weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    counted = np.flatnonzero(weight)
    if not len(counted):
        raise ValueError("`sample_weight` is zero in every row; there is nothing to learn from.")
    return counted, weight[counted]


def _is_table(X: object) -> bool:
    return hasattr(X, "columns")


def _checked(estimator: _Estimator, X: object, *, reset: bool) -> object:
    """Return a table as it is, anything else as an array of numbers, checked as scikit-learn does.

    A table that meets an estimator fitted on an array, and the other way round, becomes its like.
    """
    if _is_table(X) and (reset or hasattr(estimator, "feature_names_in_")):
        validate_data(estimator, X, reset=reset, skip_check_array=True)
        return X
    array = validate_data(estimator, X, reset=reset, dtype=np.float64, ensure_all_finite="allow-nan")
    if not reset and hasattr(estimator, "feature_names_in_"):
        return _frame(array, estimator.schema_.names)
    return array


def _checked_with_target(
    estimator: _Estimator, X: object, y: ArrayLike, *, y_numeric: bool = False
) -> tuple[object, NDArray[Any]]:
    if not _is_table(X):
        return validate_data(  # type: ignore[no-any-return]
            estimator,
            X,
            y,
            dtype=np.float64,
            ensure_all_finite="allow-nan",
            ensure_min_samples=2,
            y_numeric=y_numeric,
        )
    checked = _checked(estimator, X, reset=True)
    values = column_or_1d(y, warn=True)
    if len(values) != len(X):  # type: ignore[arg-type]
        raise ValueError(f"X has {len(X)} rows and y has {len(values)}.")  # type: ignore[arg-type]
    return checked, values


def _frame(X: FloatArray, names: list[str] | tuple[str, ...]) -> pl.DataFrame:
    return pl.DataFrame({name: X[:, position] for position, name in enumerate(names)})


@contextmanager
def _as_value_errors() -> Iterator[None]:
    """Turn our errors into the one that scikit-learn's tools expect."""
    try:
        yield
    except GroundupError as error:
        raise ValueError(str(error)) from error
