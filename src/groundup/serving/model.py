"""A model that predicts: tables of any kind, or one row at a time.

The row path is plain Python and the learner's own single-row call: it loads neither Polars nor
scikit-learn, and costs microseconds. The table path loads Polars when it is first used.
"""

import warnings
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from groundup.core.errors import PredictionInputError, did_you_mean
from groundup.core.schema import Schema
from groundup.serving.manifest import Manifest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import polars as pl

    from groundup.core.inputs import Inputs, Predictions, Scale
    from groundup.models.contract import Fitted
    from groundup.preparation.contract import Preparation
    from groundup.serving.answering import Answering
    from groundup.serving.explaining import Explainer, Explanation

Label: TypeAlias = str | int | float | bool

_IMPUTE_HINT: Final = (
    " Give it, or set `deployment.missing_columns: impute` in the recipe to treat its values as missing."
)


class Model:
    """What `groundup.load` returns.

    Parameters
    ----------
    manifest : Manifest
        What the package says about itself.
    preparation : Preparation
        Fitted.
    fitted : Fitted
        The learner's parameters.
    answering : Answering
        Calibration, threshold, and the scores behind intervals and sets.

    Examples
    --------
    >>> import groundup as gu
    >>> model = gu.load("runs/first")  # doctest: +SKIP
    >>> model.predict_row({"rooms": 4, "city": "Bonn"})  # doctest: +SKIP
    312500.0
    """

    def __init__(
        self,
        manifest: Manifest,
        *,
        preparation: "Preparation",
        fitted: "Fitted",
        answering: "Answering",
    ) -> None:
        self.manifest = manifest
        self.schema: Schema = manifest.schema
        self.digest: str = manifest.digest
        self._preparation = preparation
        self._fitted = fitted
        self._answering = answering
        self._encode_row = preparation.encode_row
        self._classes = manifest.classes
        self._columns = frozenset(manifest.schema.names)
        self._imputes_columns = manifest.deployment.get("missing_columns") == "impute"

    @property
    def task(self) -> str:
        """What is asked for: `classification` or `regression`."""
        return self.manifest.task

    @property
    def target(self) -> str:
        """The column that is predicted."""
        return self.manifest.target

    @property
    def classes(self) -> tuple[Label, ...]:
        """The classes, in the order of the probabilities; empty for regression."""
        return self._classes

    @property
    def threshold(self) -> float | None:
        """Of two classes: the probability from which on the positive one is answered; None: the larger."""
        return self._answering.threshold

    @property
    def card(self) -> Mapping[str, Any]:
        """What was written about the model: its metrics, data and origin."""
        return self.manifest.card

    def __repr__(self) -> str:
        return f"Model({self.task} of `{self.target}` by {self.manifest.learner}, {self.digest[:12]})"

    def predict_row(self, row: Mapping[str, Any]) -> Label:
        """Return the class or the value of one row.

        Parameters
        ----------
        row : mapping of str to value
            A value for every column of `schema` (None where it is missing); other keys are ignored.

        Returns
        -------
        str, int, float or bool
            The class (the most probable one, or as the threshold says), or the value.

        Raises
        ------
        PredictionInputError
            If a column is absent (unless `deployment.missing_columns` is `impute`) or a value cannot
            be read as its column's type.
        """
        answer = self._fitted.predict_row(self._transform_row(row))
        if isinstance(answer, list):
            return self._classes[self._answering.decide_row(self._answering.apply_row(answer))]
        return answer

    def predict_proba_row(self, row: Mapping[str, Any]) -> dict[Label, float]:
        """Return the probability of each class for one row (see `predict_row`)."""
        self._refuse_regression()
        answer = self._fitted.predict_row(self._transform_row(row))
        assert isinstance(answer, list)
        return dict(zip(self._classes, self._answering.apply_row(answer), strict=True))

    def predict(self, frame: object) -> Any:
        """Return the class or the value of every row, as a column of the kind that came in.

        Parameters
        ----------
        frame : pandas or Polars DataFrame, Arrow table, list of dict, or dict of columns
            With every column of `schema`; others are ignored. Text is read as in training. A value that
            cannot be read counts as missing in a table, and a warning says how many did; among plain
            rows it is an error, as it is for `predict_row`.

        Returns
        -------
        pandas.Series, polars.Series, pyarrow.Array or list of length n_rows
            A pandas Series keeps the index.

        Raises
        ------
        PredictionInputError
            If a column is absent and `deployment.missing_columns` is not `impute`, or a value of a
            plain row cannot be read.
        DataError
            If `frame` is no table.
        """
        import numpy as np

        from groundup.data.frames import series_like

        values: Any = self._predictions(frame).values
        if self._classes:
            values = np.array(self._classes)[values]
        return series_like(frame, self.target, values)

    def predict_proba(self, frame: object) -> Any:
        """Return the probability of each class for every row, as a table of the kind that came in.

        Parameters
        ----------
        frame
            As for `predict`.

        Returns
        -------
        pandas.DataFrame, polars.DataFrame, pyarrow.Table, list of dict or dict of list
            One column a class, named by its label (as text; plain rows keep the label itself).
        """
        from groundup.data.frames import frame_kind, frame_like

        self._refuse_regression()
        probabilities = self._predictions(frame).probabilities
        assert probabilities is not None
        names: Iterable[Any] = self._classes if frame_kind(frame) == "rows" else map(str, self._classes)
        return frame_like(frame, dict(zip(names, probabilities.T, strict=True)))

    def predict_interval(self, frame: object, coverage: float = 0.9) -> Any:
        """Return the ends of an interval around every row's value that holds the truth as often as asked.

        Parameters
        ----------
        frame
            As for `predict`.
        coverage : float, default=0.9
            The share of intervals that hold the truth, in (0, 1), on average over rows like those of
            the validation part (split conformal prediction).

        Returns
        -------
        pandas.DataFrame, polars.DataFrame, pyarrow.Table, list of dict or dict of list
            The columns ``low`` and ``high``.

        Raises
        ------
        PredictionInputError
            As for `predict`; if the target is a class; if the validation part was too small for `coverage`.
        """
        import numpy as np

        from groundup.data.frames import frame_like

        radius = self._interval_radius(coverage)
        values = np.asarray(self._predictions(frame).values, dtype=np.float64)
        return frame_like(frame, {"low": values - radius, "high": values + radius})

    def predict_interval_row(self, row: Mapping[str, Any], coverage: float = 0.9) -> tuple[float, float]:
        """Return the ends of the interval around one row's value (see `predict_interval`)."""
        radius = self._interval_radius(coverage)
        value = self._fitted.predict_row(self._transform_row(row))
        assert not isinstance(value, list)
        return value - radius, value + radius

    def predict_set(self, frame: object, coverage: float = 0.9) -> Any:
        """Return which classes are in every row's set, which holds the truth as often as asked.

        Parameters
        ----------
        frame
            As for `predict`.
        coverage : float, default=0.9
            The share of sets that hold the truth, in (0, 1), on average over rows like those of the
            validation part (split conformal prediction); at least so many.

        Returns
        -------
        pandas.DataFrame, polars.DataFrame, pyarrow.Table, list of dict or dict of list
            One column a class, as in `predict_proba`: whether it is in the set. The class that the
            learner finds most probable always is.

        Raises
        ------
        PredictionInputError
            As for `predict`; if the target is a number; if the validation part was too small for `coverage`.
        """
        from groundup.data.frames import frame_kind, frame_like
        from groundup.evaluation.conformal import in_sets

        self._refuse_regression("predict_interval")
        radius = self._answering.radius(coverage)
        probabilities = self._fitted.predict(self._inputs(frame)).probabilities
        assert probabilities is not None
        names: Iterable[Any] = self._classes if frame_kind(frame) == "rows" else map(str, self._classes)
        return frame_like(frame, dict(zip(names, in_sets(probabilities, radius).T, strict=True)))

    def predict_set_row(self, row: Mapping[str, Any], coverage: float = 0.9) -> list[Label]:
        """Return the classes in one row's set (see `predict_set`)."""
        self._refuse_regression("predict_interval")
        radius = self._answering.radius(coverage)
        answer = self._fitted.predict_row(self._transform_row(row))
        assert isinstance(answer, list)
        largest = answer.index(max(answer))
        return [
            label
            for code, (label, probability) in enumerate(zip(self._classes, answer, strict=True))
            if code == largest or 1 - probability <= radius
        ]

    def contributions(self, frame: object, *, of: Label | None = None) -> Any:
        """Return what each column adds to the prediction of every row, as a table of the kind that came in.

        Parameters
        ----------
        frame
            As for `predict`.
        of : str, int, float or bool, optional
            The class it is about; by default the positive one of two, and of more the one that is answered.

        Returns
        -------
        pandas.DataFrame, polars.DataFrame, pyarrow.Table, list of dict or dict of list
            ``contribution_COLUMN`` for each column, and ``base_value``, what is said before any column is
            looked at; added up they are what `contribution_scale` says, before any calibration.

        Raises
        ------
        PredictionInputError
            As for `predict`.
        NotExplainedError
            If the model's predictions are no sum over the columns.
        UnknownNameError
            If there is no class `of`.

        References
        ----------
        Lundberg and Lee (2017), "A unified approach to interpreting model predictions", NeurIPS.
        """
        from groundup.data.frames import frame_like
        from groundup.serving.explaining import BASE, PREFIX, about_classes

        explainer, inputs = self._explainer, self._inputs(frame)
        values = about_classes(explainer.by_class(inputs), explainer.codes(inputs, of))
        columns = [*(f"{PREFIX}{name}" for name in explainer.names), BASE]
        return frame_like(frame, dict(zip(columns, values.T, strict=True)))

    def explain_row(self, row: Mapping[str, Any], *, of: Label | None = None) -> "Explanation":
        """Return what each column adds to the prediction of one row, the largest first.

        Parameters
        ----------
        row : mapping of str to value
            As for `predict_row`.
        of : str, int, float or bool, optional
            The class it is about; by default the positive one of two, and of more the one that is answered.

        Raises
        ------
        PredictionInputError, NotExplainedError, UnknownNameError
            As for `contributions`.

        Examples
        --------
        >>> import groundup as gu
        >>> print(gu.load("runs/first").explain_row({"rooms": 4, "city": "Bonn"}))  # doctest: +SKIP
        """
        return self._explainer.row(self._preparation.stack([self._transform_row(row)]), of)

    @property
    def contribution_scale(self) -> "Scale":
        """What contributions add up to: `value`, `log_odds`, `probability`, or `score` (several classes)."""
        return self._explainer.scale

    @property
    def is_calibrated(self) -> bool:
        """Whether probabilities are calibrated, which contributions do not know of."""
        return self._answering.calibrator is not None

    @cached_property
    def _explainer(self) -> "Explainer":
        from groundup.serving.explaining import Explainer

        return Explainer(
            self._fitted,
            self._preparation,
            self._answering,
            classes=self._classes,
            positive=self.manifest.positive,
        )

    def _interval_radius(self, coverage: float) -> float:
        if self._classes:
            raise PredictionInputError(
                f"`{self.target}` is a class, so there is no interval. Use `predict_set`."
            )
        return self._answering.radius(coverage)

    def _refuse_regression(self, instead: str = "predict") -> None:
        if not self._classes:
            raise PredictionInputError(f"`{self.target}` is a number, so it has no classes. Use `{instead}`.")

    def _transform_row(self, row: Mapping[str, Any]) -> Any:
        try:
            return self._encode_row(row)
        except (PredictionInputError, TypeError):
            # Looked into only now: a row as it should be does not pay for the questions.
            if not isinstance(row, Mapping):
                raise PredictionInputError(
                    f"A row is a dict of column name to value; what came is of type `{type(row).__name__}`. "
                    "For several rows, use `predict`."
                ) from None
            if self._columns <= row.keys():
                raise
        return self._encode_row(self._completed(row))

    def _completed(self, row: Mapping[Any, Any]) -> dict[str, Any]:
        """Return a row with its keys as text and absent columns as missing, if that is allowed."""
        by_text = {str(key).strip(): value for key, value in row.items()}
        absent = [name for name in self.schema.names if name not in by_text]
        if absent and not self._imputes_columns:
            raise PredictionInputError(self._absence("The row", absent, list(by_text)))
        return {**dict.fromkeys(absent), **by_text}

    def _absence(self, where: str, absent: list[str], present: list[str]) -> str:
        unused = [name for name in present if name not in self._columns]
        others = f" ({len(absent) - 1} more are absent)" if len(absent) > 1 else ""
        near = did_you_mean(absent[0], unused)
        return f"{where} has no column `{absent[0]}`{others}, which the model needs.{near}{_IMPUTE_HINT}"

    def _predictions(self, frame: object) -> "Predictions":
        return self._answering.apply(self._fitted.predict(self._inputs(frame)))

    def _inputs(self, frame: object) -> "Inputs":
        from groundup.data.frames import frame_kind

        if isinstance(frame, list | tuple) and frame_kind(frame) == "rows":
            # They are Python objects anyway: as fast as making columns of them, and equal to `predict_row`.
            return self._encode_rows(frame)
        table = self._read(frame)
        return self._preparation.transform(table) if len(table) else self._encode_rows([])

    def _encode_rows(self, rows: "Sequence[Mapping[str, Any]]") -> "Inputs":
        encoded = []
        for position, row in enumerate(rows):
            try:
                encoded.append(self._transform_row(row))
            except PredictionInputError as error:
                raise PredictionInputError(f"Row {position} (counted from 0): {error}") from None
        return self._preparation.stack(encoded)

    def _read(self, frame: object) -> "pl.DataFrame":
        """Return the columns of the schema in their canonical types; absent ones are all missing."""
        import polars as pl

        from groundup.data.frames import column_names
        from groundup.data.options import DataOptions
        from groundup.data.sources import read

        dataset = read(DataOptions(), frame=frame, schema=self.schema)
        absent = [name for name in self.schema.names if name not in dataset.schema]
        if absent and not self._imputes_columns:
            raise PredictionInputError(self._absence("The table", absent, column_names(frame)))
        for finding in dataset.findings:
            warnings.warn(f"{finding.code}: {finding.message}", stacklevel=5)
        missing = pl.repeat(None, dataset.n_rows, dtype=pl.Null, eager=True)
        present = dataset.frame().to_dict()
        return pl.DataFrame({name: present.get(name, missing) for name in self.schema.names})
