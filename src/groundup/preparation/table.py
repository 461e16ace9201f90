"""The preparation of a table: one fitted plan per column, then stages, for batches and for single rows.

Fitting looks at each column once, a few columns at a time; transforming writes every plan's features
into one matrix, the encoded rows. Stages, where there are any, act on that matrix. `from_state` and
`transform_row` load neither Polars nor pydantic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from groundup.preparation.plan import ColumnPlan, Dropped
from groundup.preparation.row import (
    VERSION,
    VERSION_WITH_STAGES,
    EncodeRow,
    compile_row,
    plans_from_state,
)
from groundup.preparation.stages.catalogue import (
    fit_stages,
    has_stages,
    stages_from_state,
    stages_state,
    without_unused,
)

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from groundup.core.inputs import FloatArray, Form, Inputs, IntArray, Needs, Supervision
    from groundup.core.schema import Column
    from groundup.data.dataset import Dataset
    from groundup.preparation.arrays import Arrays
    from groundup.preparation.fitting import TableFit
    from groundup.preparation.options import PreparationOptions
    from groundup.preparation.stages.contract import Stage

T = TypeVar("T")

BATCH_ROWS: Final = 65_536
"""Rows transformed at a time when they are too many to be held in memory together."""

BLOCK_ROWS: Final = 8192
"""Rows of ``X`` that are written together, while they are in the processor's cache."""


class TablePreparation:
    """Turns the columns of a table into one matrix.

    Parameters
    ----------
    options : PreparationOptions
        What is asked for; `auto` follows from the learner's needs and the column.

    Examples
    --------
    >>> import polars as pl
    >>> from groundup.core.inputs import Needs
    >>> from groundup.core.schema import Column, Schema
    >>> from groundup.data.dataset import Dataset
    >>> from groundup.preparation.options import PreparationOptions
    >>> rows = pl.LazyFrame({"age": [20.0, None, 40.0, 30.0]})
    >>> dataset = Dataset(rows, Schema([Column("age", "number", "float")]), 4, "frame")
    >>> preparation = TablePreparation(PreparationOptions())
    >>> inputs, kept = preparation.fit_transform(dataset, Needs())
    >>> inputs.X.tolist()
    [[20.0, 0.0], [30.0, 1.0], [40.0, 0.0], [30.0, 0.0]]
    >>> preparation.transform_row({"age": None})
    [30.0, 1.0]
    """

    form: Form = "matrix"

    def __init__(self, options: PreparationOptions) -> None:
        self._asked: PreparationOptions | None = options
        self._resolved: dict[str, Any] = {}
        self._dropped: dict[str, Dropped] = {}
        self._raw: tuple[Column, ...] = ()
        self._set_plans((), ())

    def _set_plans(self, plans: Sequence[ColumnPlan], stages: Sequence[Stage]) -> None:
        self.plans, self.stages = tuple(plans), tuple(stages)
        self.__dict__.pop("encode_row", None)
        self.columns: tuple[str, ...] = tuple(plan.column.name for plan in plans)
        """The raw columns that are used, in order."""
        names = _unique(name for plan in plans for name in plan.feature_names)
        self.encoded_names: tuple[str, ...] = names
        """One per column of the encoded rows; unique."""
        self.encoded_features: dict[str, slice] = {
            plan.column.name: slice(start, start + len(plan.feature_names))
            for start, plan in zip(_starts(plans), plans, strict=True)
        }
        """Which columns of the encoded rows come from each raw column."""
        self.feature_names: tuple[str, ...] = stages[-1].feature_names if stages else names
        """One per column of ``X``; unique."""
        is_code = [plan.is_categorical for plan in plans for _ in plan.feature_names]
        self.categorical: tuple[int, ...] = tuple(
            place for place, found in enumerate(_through(stages, is_code, lambda _: False)) if found
        )
        """Columns of ``X`` that hold category codes."""
        sources: list[tuple[str, ...]] = [(plan.column.name,) for plan in plans for _ in plan.feature_names]
        self.feature_sources: tuple[tuple[str, ...], ...] = tuple(_through(stages, sources, _all_of))
        """For each column of ``X`` the raw columns that it is made of; several where a reduction mixes them.
        (A number that is missing and filled in from other columns still counts as its own column's.)"""

    def fit(self, dataset: Dataset, needs: Needs, supervision: Supervision | None = None) -> IntArray:
        """Fit on training rows and return the positions of the rows that are kept.

        Every column is looked at once, as many together as `FIT_BYTES` allow; cost is linear in rows
        but for sorting distinct levels.

        Parameters
        ----------
        dataset : Dataset
            Training rows with the feature columns only.
        needs : Needs
            What the learner declares.
        supervision : Supervision, optional
            The targets of the rows, for `encode: target`.

        Returns
        -------
        ndarray of shape (n_kept,)
            All rows, unless `impute: drop_rows` leaves some out.

        Raises
        ------
        DataError
            If there are no rows, or no column is left.
        RecipeError
            If an option cannot be meant for a column.
        """
        fit = self._fit(dataset, needs, supervision)
        if has_stages(self.resolved_options(), self.plans):
            self._fit_stages(self._encode_training(dataset, fit), fit, supervision)
        return fit.kept

    def fit_transform(
        self, dataset: Dataset, needs: Needs, supervision: Supervision | None = None
    ) -> tuple[Inputs, NDArray[Any]]:
        """Fit on `dataset` (see `fit`) and return its inputs and the positions of the rows kept.

        A column encoded by `target` is out of fold here: no row's inputs know its own target. `transform`
        of the same rows gives what any other row with that level gets.

        Parameters
        ----------
        dataset : Dataset
            Training rows with the feature columns only.
        needs : Needs
            What the learner declares.
        supervision : Supervision, optional
            The targets of the rows, for `encode: target`.

        Returns
        -------
        inputs : Inputs
            ``X`` of shape (n_kept, n_features), the only thing here that grows with the rows.
        kept : ndarray of shape (n_kept,)
            Positions of its rows in `dataset`.
        """
        fit = self._fit(dataset, needs, supervision)
        X = self._encode_training(dataset, fit)
        if has_stages(self.resolved_options(), self.plans):
            X = self._fit_stages(X, fit, supervision)
        return self._inputs(X), fit.kept

    def transform(self, frame: pl.DataFrame) -> Inputs:
        """Return the inputs of every row of `frame`.

        Parameters
        ----------
        frame : polars.DataFrame
            At least the columns `columns`, in their canonical types or in types that can be read as such.

        Returns
        -------
        Inputs
            ``X`` of shape (n_rows, n_features).

        Raises
        ------
        PredictionInputError
            If a column is absent or holds values of another type.
        """
        return self.apply_stages(self.encode(frame))

    def encode(self, frame: pl.DataFrame) -> FloatArray:
        """Return what the column plans make of every row of `frame`, before any stage.

        Each raw column decides its own columns of it alone (`encoded_features`).

        Returns
        -------
        ndarray of shape (n_rows, n_encoded)
            One column per name in `encoded_names`; NaN where a stage is to fill a number in.
        """
        import numpy as np

        X = np.zeros((len(frame), len(self.encoded_names)))
        self._write(self._read(frame), X)
        return X

    def apply_stages(self, X: FloatArray) -> Inputs:
        """Return the inputs of encoded rows, which stay as they are; without stages they are the inputs."""
        for stage in self.stages:
            X = stage.transform(X)
        return self._inputs(X)

    def transform_batches(self, dataset: Dataset, n_rows: int = BATCH_ROWS) -> Iterator[Inputs]:
        """Yield the inputs of all rows in order, at most `n_rows` at a time, in bounded memory."""
        for batch in dataset.select(self.columns).batches(n_rows):
            yield self.transform(batch)

    def transform_row(self, row: Mapping[str, Any]) -> list[float]:
        """Return one row of ``X`` for a dict of column name to raw value.

        Parameters
        ----------
        row : mapping
            At least the columns `columns`; None and NaN are missing. Values are read as the column's
            text was: ``"1.5"`` is a number, ``"2024-12-31"`` a date.

        Returns
        -------
        list of float, length n_features

        Raises
        ------
        PredictionInputError
            If a column is absent or its value cannot be read.
        """
        return self.encode_row(row)

    @cached_property
    def encode_row(self) -> EncodeRow:
        """`transform_row` as a plain function, without the call around it."""
        return compile_row(self.plans, self.stages)

    def stack(self, rows: Sequence[Sequence[float]]) -> Inputs:
        """Return as inputs what `transform_row` returned for several rows."""
        import numpy as np

        from groundup.core.inputs import Inputs

        X = np.array(rows, dtype=np.float64).reshape(len(rows), len(self.feature_names))
        return Inputs({"X": X}, self.feature_names, self.categorical)

    def describe(self) -> list[dict[str, Any]]:
        """Return what is done to each raw column, for people.

        Returns
        -------
        list of dict
            Keys ``column``, ``kind``, ``steps`` (clauses; empty for a column left out), ``n_features``,
            ``why`` (a clause) and ``resolved`` (its own options as used). After `from_state` columns
            that were left out are not listed.
        """
        plans = {plan.column.name: plan for plan in self.plans}
        raw = self._raw or tuple(plan.column for plan in self.plans)
        own = self._resolved.get("columns", {})
        return [self._describe(column, plans.get(column.name), own.get(column.name, {})) for column in raw]

    def _describe(self, column: Column, plan: ColumnPlan | None, own: dict[str, Any]) -> dict[str, Any]:
        return {
            "column": column.name,
            "kind": column.kind,
            "steps": [] if plan is None else plan.steps(),
            "n_features": 0 if plan is None else len(plan.feature_names),
            "why": column.reason if plan is not None else f"left out: {self._dropped[column.name].why}",
            "resolved": own,
        }

    def describe_stages(self) -> list[dict[str, Any]]:
        """Return what is done after the column plans, for people; empty where nothing is.

        Returns
        -------
        list of dict
            Keys ``stage`` (its name in `catalogue.STAGES`), ``option`` (what asks for it), ``what`` and
            ``cost`` (clauses; the cost of one row), ``n_features`` (afterwards), ``title``, ``heading`` and
            ``rows`` (a table; empty where there is none).
        """
        told = [(stage, stage.tell()) for stage in self.stages]
        return [
            {
                "stage": stage.kind,
                "option": stage.option,
                "what": each.what,
                "cost": each.cost,
                "n_features": len(stage.feature_names),
                "title": each.title,
                "heading": list(each.heading),
                "rows": [list(row) for row in each.rows],
            }
            for stage, each in told
        ]

    def resolved_options(self) -> PreparationOptions:
        """Return the options with every `auto` replaced; fitted with them, the plans are the same again."""
        from groundup.preparation.options import PreparationOptions

        return PreparationOptions.model_validate(self._resolved)

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return what was fitted, as JSON values and named arrays (of the stages alone)."""
        columns = [
            {"column": asdict(plan.column), "plan": plan.kind, "fitted": plan.state()} for plan in self.plans
        ]
        state = {"version": VERSION, "columns": columns, "options": self._resolved}
        if not self.stages:
            return state, {}
        stages, arrays = stages_state(self.stages)
        return {**state, "version": VERSION_WITH_STAGES, "stages": stages}, arrays

    @classmethod
    def from_state(cls, state: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Return the preparation that `state` described; it can transform, not be fitted again.

        Raises
        ------
        PackageError
            If the state is damaged or of another format.
        """
        preparation = cls.__new__(cls)
        preparation._asked = None
        preparation._resolved = dict(state.get("options", {}))
        preparation._dropped = {}
        preparation._raw = ()
        preparation._set_plans(plans_from_state(state), stages_from_state(state, arrays))
        return preparation

    def _fit(self, dataset: Dataset, needs: Needs, supervision: Supervision | None) -> TableFit:
        from groundup.preparation.fitting import fit_table

        assert self._asked is not None, "a loaded preparation is fitted already"
        fit = fit_table(dataset, self._asked, needs, supervision)
        self._raw, self._dropped = tuple(dataset.schema), fit.dropped
        self._resolved = fit.resolved
        self._set_plans(fit.plans, ())
        return fit

    def _encode_training(self, dataset: Dataset, fit: TableFit) -> FloatArray:
        """Return the encoded training rows, out of fold where a plan learned from the target."""
        import numpy as np

        X = np.zeros((len(fit.kept), len(self.encoded_names)))
        if fit.arrays is not None:
            self._write(fit.arrays, X)
        else:
            start = 0
            for batch in _kept_batches(dataset.select(self.columns), fit.kept):
                self._write(self._read(batch), X[start : start + len(batch)])
                start += len(batch)
        for name, values in fit.out_of_fold.items():
            if name in self.encoded_features:
                X[:, self.encoded_features[name]] = values
        return X

    def _fit_stages(self, X: FloatArray, fit: TableFit, supervision: Supervision | None) -> FloatArray:
        known = None if supervision is None else supervision.take(fit.kept)
        stages, X = fit_stages(X, self.plans, self.encoded_names, self.resolved_options(), known)
        plans, stages = without_unused(self.plans, stages)
        unused = {plan.column.name for plan in self.plans} - {plan.column.name for plan in plans}
        self._dropped |= dict.fromkeys(unused, Dropped("none of its inputs was selected"))
        self._set_plans(plans, stages)
        return X

    def _read(self, frame: pl.DataFrame) -> list[Arrays]:
        from groundup.preparation.arrays import Wanted, read_arrays

        return read_arrays(
            frame, [Wanted(plan.column, plan.kind, getattr(plan, "levels", None)) for plan in self.plans]
        )

    def _write(self, arrays: Sequence[Arrays], X: FloatArray) -> None:
        import numpy as np

        starts = [*_starts(self.plans), len(self.encoded_names)]
        writers = [plan.encode(values) for plan, values in zip(self.plans, arrays, strict=True)]
        places = list(zip(writers, starts[:-1], starts[1:], strict=True))
        with np.errstate(over="ignore"):
            for start in range(0, len(X), BLOCK_ROWS):
                block = X[start : start + BLOCK_ROWS]
                for write, low, high in places:
                    write(block[:, low:high], start, start + len(block))

    def _inputs(self, X: FloatArray) -> Inputs:
        from groundup.core.inputs import Inputs

        return Inputs({"X": X}, self.feature_names, self.categorical)


def _starts(plans: Sequence[ColumnPlan]) -> list[int]:
    starts, start = [], 0
    for plan in plans:
        starts.append(start)
        start += len(plan.feature_names)
    return starts


def _through(stages: Sequence[Stage], facts: list[T], mix: Callable[[list[T]], T]) -> list[T]:
    """Return a fact of each column of ``X`` from those of the encoded columns; `mix` is for mixtures."""
    for stage in stages:
        origins = stage.origins
        if origins is None:
            facts = [mix(facts)] * len(stage.feature_names)
        else:
            facts = [facts[place] for place in origins]
    return facts


def _all_of(sources: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for each in sources for name in each))


def _unique(names: Iterator[str]) -> tuple[str, ...]:
    """Return the names with " (2)", " (3)", … behind those that were there before."""
    seen: dict[str, None] = {}
    for name in names:
        unique, count = name, 1
        while unique in seen:
            count += 1
            unique = f"{name} ({count})"
        seen[unique] = None
    return tuple(seen)


def _kept_batches(dataset: Dataset, kept: IntArray) -> Iterator[pl.DataFrame]:
    """Yield the rows at the sorted positions `kept`, a batch at a time."""
    for index, batch in enumerate(dataset.batches(BATCH_ROWS)):
        start = index * BATCH_ROWS
        low, high = kept.searchsorted([start, start + len(batch)])
        yield batch if high - low == len(batch) else batch[kept[low:high] - start]
