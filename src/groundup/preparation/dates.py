"""Dates: the parts that vary, days since the first training date, and the cycles of month, weekday, hour."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from math import nan
from typing import TYPE_CHECKING, Any, ClassVar, Final

from groundup.core.errors import RecipeError
from groundup.core.schema import Column
from groundup.data.values import row_reader
from groundup.preparation.numbers import refuse_missing
from groundup.preparation.plan import (
    Choice,
    Dropped,
    PlanKind,
    Seen,
    Write,
    WriteBlock,
    missing_step,
)
from groundup.preparation.scaling import SCALE_STEPS, Scaling, fit_scaling

if TYPE_CHECKING:
    from groundup.core.inputs import FloatArray, IntArray
    from groundup.preparation.arrays import Times

US_PER_DAY: Final = 86_400_000_000
US_PER_HOUR: Final = 3_600_000_000
EPOCH: Final = datetime(1970, 1, 1)

PARTS: Final = ("year", "month", "day", "weekday", "hour", "days")
"""Whole numbers: month and day from 1, weekday from 0 (Monday), hour from 0; `days` since the first date,
with fractions."""

CYCLES: Final = {"month": (1, 12), "weekday": (0, 7), "hour": (0, 24)}
"""The first value and the length of each cycle."""

_TURNS: Final = {
    f"{part} {name}": tuple(turn(2 * math.pi * step / length) for step in range(length))
    for part, (_, length) in CYCLES.items()
    for name, turn in (("sine", math.sin), ("cosine", math.cos))
}
"""Sine and cosine of each step of each cycle: looked up by both paths, so both agree to the last bit."""

FILLS: Final = {
    "median": "the median date",
    "mean": "the mean date",
    "most_frequent": "the most frequent date",
    "constant": "the date",
    "none": "the median date",
    "drop_rows": "the median date",
}


@dataclass(frozen=True)
class DatePlan:
    """One date or time as numbers.

    Parameters
    ----------
    column : Column
        The raw column.
    seen : Seen
        Its training rows.
    impute : str
        How `fill` was chosen.
    fill : int or None
        What replaces a missing date, microseconds since 1970; None: its features stay missing (NaN).
    has_indicator : bool
        Whether a last feature is 1 where the date was missing.
    first : int
        The first training date, microseconds since 1970.
    features : tuple of (str, Scaling)
        Members of `PARTS`, or "month sine" and the like, and how each is scaled.
    """

    column: Column
    seen: Seen
    impute: str
    fill: int | None
    has_indicator: bool
    first: int
    features: tuple[tuple[str, Scaling], ...]
    is_categorical: ClassVar[bool] = False
    kind: ClassVar[PlanKind] = "date"

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names like "name year", "name month sine", …, and, with an indicator, "name (missing)"."""
        name = self.column.name
        names = [f"{name} {feature}" for feature, _ in self.features]
        return (*names, f"{name} (missing)") if self.has_indicator else tuple(names)

    def encode(self, values: Times) -> WriteBlock:
        """Encode a column of times."""
        import numpy as np

        us = values.us
        if self.fill is not None and len(values.missing):
            us = us.copy()
            us[values.missing] = self.fill
        calendar = _Calendar(us, self.first)
        tables = [
            (scaling.all(table), index)
            for table, index, scaling in (
                (*calendar.table(feature), scaling) for feature, scaling in self.features
            )
        ]
        is_missing = np.zeros(len(us), dtype=bool)
        is_missing[values.missing] = True
        keeps_missing, has_indicator = self.fill is None and len(values.missing) > 0, self.has_indicator

        def write(block: FloatArray, start: int, stop: int) -> None:
            for place, (table, index) in enumerate(tables):
                block[:, place] = table[start:stop] if index is None else table.take(index[start:stop])
            if keeps_missing:
                block[is_missing[start:stop], : len(tables)] = nan
            if has_indicator:
                block[:, len(tables)] = is_missing[start:stop]

        return write

    def compile_row(self, start: int) -> Write:
        """Return what writes one date's features from index `start` on."""
        read, first = row_reader(self.column), self.first
        whole = [
            (start + place, _ROW_PARTS[feature], scaling.one)
            for place, (feature, scaling) in enumerate(self.features)
            if feature in _ROW_PARTS
        ]
        days = [
            (start + place, scaling.one)
            for place, (name, scaling) in enumerate(self.features)
            if name == "days"
        ]
        fill = None if self.fill is None else self.fill - first
        filled = None if self.fill is None else from_microseconds(self.fill)
        places = range(start, start + len(self.features))
        indicator = start + len(self.features) if self.has_indicator else None

        def write(value: Any, out: list[float]) -> None:
            date = read(value)
            if date is None:
                if indicator is not None:
                    out[indicator] = 1.0
                if fill is None:
                    for place in places:
                        out[place] = nan
                    return
                date, since = filled, fill
            else:
                since = to_microseconds(date) - first
            for place, part, scale in whole:
                out[place] = scale(part(date))
            for place, scale in days:
                out[place] = scale(float(since) / US_PER_DAY)  # rounded twice, as a batch is

        return write

    def steps(self) -> list[str]:
        """Return what is done, for people."""
        names = [name for name, _ in self.features]
        steps = [
            f"becomes {', '.join(names)}".replace(
                "days", f"days since {from_microseconds(self.first):%Y-%m-%d}"
            )
        ]
        fill = None
        if self.fill is not None:
            fill = f"{FILLS[self.impute]}, {from_microseconds(self.fill):%Y-%m-%d}"
        steps.append(missing_step(self.seen, fill))
        if self.impute == "drop_rows":
            steps.append("rows in which it is missing are left out of training")
        if self.has_indicator:
            steps.append("a column says which were missing")
        methods = {scaling.method for name, scaling in self.features if name in PARTS} - {"none"}
        return [*steps, *(f"parts are {SCALE_STEPS[method]}" for method in sorted(methods))]

    def state(self) -> dict[str, Any]:
        """Return the fitted values as JSON values."""
        return {
            "seen": [self.seen.rows, self.seen.missing],
            "impute": self.impute,
            "fill": self.fill,
            "has_indicator": self.has_indicator,
            "first": self.first,
            "features": [[name, scaling.state()] for name, scaling in self.features],
        }

    @classmethod
    def from_state(cls, column: Column, state: dict[str, Any]) -> DatePlan:
        """Return the plan that `state` described."""
        features = tuple((name, Scaling.from_state(scaling)) for name, scaling in state["features"])
        return cls(column, **{**state, "features": features, "seen": Seen(*state["seen"])})


def fit_date(column: Column, values: Times, choice: Choice) -> DatePlan | Dropped:
    """Fit the plan of one date.

    Parameters
    ----------
    column : Column
        The raw column.
    values : Times
        Its training values.
    choice : Choice
        What is to be done.

    Returns
    -------
    DatePlan or Dropped
        Dropped when it has at most one value and nothing is told by where it is missing.

    Raises
    ------
    RecipeError
        If the fill value is no date, or missing values are to be kept for a learner that takes none.
    """
    import numpy as np

    us, n_missing = values.us, len(values.missing)
    observed = us if not n_missing else np.delete(us, values.missing)
    seen = Seen(len(us), n_missing)
    if not len(observed):
        return Dropped("it has no value in the training rows")
    first = int(observed.min())
    has_indicator = choice.indicator and seen.missing > 0
    if first == observed.max() and not (seen.missing and (has_indicator or choice.keeps_missing)):
        return Dropped(f"it is {from_microseconds(first)} in every training row that has a value")
    fill = _fill(column, observed, seen, choice)
    filled = observed if fill is None else np.append(observed, np.full(n_missing, fill))
    counted = _Calendar(filled, first).counted()
    varying = [part for part, (each, _) in counted.items() if each.min() != each.max()] or ["days"]
    features = [(part, fit_scaling(*counted[part], choice.scale)) for part in varying]
    if choice.has_cycles:
        features += [(name, Scaling()) for name in _TURNS if name.split()[0] in varying]
    assert choice.impute is not None
    return DatePlan(column, seen, choice.impute, fill, has_indicator, first, tuple(features))


def to_microseconds(date: datetime) -> int:
    """Return a datetime without zone as microseconds since 1970.

    Examples
    --------
    >>> to_microseconds(datetime(1970, 1, 2))
    86400000000
    """
    since = date - EPOCH
    return since.days * US_PER_DAY + since.seconds * 1_000_000 + since.microseconds


def from_microseconds(us: int) -> datetime:
    """Return the datetime that is `us` microseconds after 1970, or the calendar's nearest end."""
    from datetime import timedelta

    try:
        return EPOCH + timedelta(microseconds=us)
    except OverflowError:
        return datetime.max if us > 0 else datetime.min


def _turn(part: str, name: str) -> Callable[[datetime], float]:
    table, read, low = _TURNS[name], _ROW_PARTS[part], CYCLES[part][0]
    return lambda date: table[int(read(date)) - low]


_ROW_PARTS: Final[dict[str, Callable[[datetime], float]]] = {
    "year": lambda date: float(date.year),
    "month": lambda date: float(date.month),
    "day": lambda date: float(date.day),
    "weekday": lambda date: float(date.weekday()),
    "hour": lambda date: float(date.hour),
}
_ROW_PARTS.update({name: _turn(name.split()[0], name) for name in _TURNS})


class _Calendar:
    """The features of many times, each computed once for every distinct day or hour.

    Parameters
    ----------
    us : ndarray of shape (n_samples,)
        Microseconds since 1970.
    first : int
        From where `days` counts.
    """

    def __init__(self, us: IntArray, first: int) -> None:
        import numpy as np

        days = us // US_PER_DAY
        low, high = (int(days.min()), int(days.max())) if len(us) else (0, 0)
        # Where the days lie close together there is a table of all of them; else each time has its own entry.
        is_dense = high - low < len(us)
        self._days = np.arange(low, high + 1) if is_dense else days
        self._day = days - low if is_dense else np.arange(len(us))
        self._hour = (us - days * US_PER_DAY) // US_PER_HOUR
        self._since = (us - first) / US_PER_DAY

    def table(self, feature: str) -> tuple[FloatArray, IntArray | None]:
        """Return a feature's values, and for each time which of them it has (None: one each, in order)."""
        import numpy as np

        part = feature.split()[0]
        if part == "days":
            return self._since, None
        values, index = (np.arange(24), self._hour) if part == "hour" else (self._by_day[part], self._day)
        if feature in PARTS:
            return values.astype(np.float64), index
        return np.asarray(_TURNS[feature])[values - CYCLES[part][0]], index

    def counted(self) -> dict[str, tuple[FloatArray, IntArray | None]]:
        """Return the distinct values of each member of `PARTS`, and how often each occurs (None: once)."""
        import numpy as np

        by_day, by_hour = np.bincount(self._day), np.bincount(self._hour, minlength=24)
        counted: dict[str, tuple[FloatArray, IntArray | None]] = {}
        for part in PARTS:
            values, index = self.table(part)
            counts = by_hour if index is self._hour else by_day
            counted[part] = (values, None) if index is None else (values[counts > 0], counts[counts > 0])
        return counted

    @cached_property
    def _by_day(self) -> dict[str, IntArray]:
        import numpy as np

        dates = self._days.astype("datetime64[D]")
        months, years = dates.astype("datetime64[M]"), dates.astype("datetime64[Y]")
        return {
            "year": years.astype(np.int64) + 1970,
            "month": (months - years).astype(np.int64) + 1,
            "day": (dates - months).astype(np.int64) + 1,
            "weekday": (self._days + 3) % 7,  # 1970 began on a Thursday
        }


def _fill(column: Column, observed: IntArray, seen: Seen, choice: Choice) -> int | None:
    import numpy as np

    if choice.impute == "none":
        if choice.keeps_missing:
            return None
        refuse_missing(column, seen)
    if choice.impute == "mean":
        return round(float(np.mean(observed)))
    if choice.impute == "most_frequent":
        distinct, counts = np.unique(observed, return_counts=True)
        return int(distinct[counts.argmax()])
    if choice.impute == "constant":
        return int(observed.min()) if choice.fill_value is None else _constant(column, choice.fill_value)
    half = (len(observed) - 1) // 2
    return int(np.partition(observed, half)[half])


def _constant(column: Column, fill_value: float | str) -> int:
    try:
        return to_microseconds(datetime.fromisoformat(str(fill_value)).replace(tzinfo=None))
    except ValueError:
        raise RecipeError(
            f"`preparation.columns.{column.name}.fill_value` is `{fill_value}`, but the column holds dates. "
            "Give a date such as `2024-12-31`."
        ) from None
