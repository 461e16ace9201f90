"""Categories: one 0/1 column per level, one column of points, or codes for learners that split on them.

Levels stand in order of frequency (ties: by value); `ordinal` orders them by value. Levels that are
rare in training share the level "rare"; missing values can be a level too. A level that training did
not have is "rare" where that level exists, else all 0 (`one_hot`), 0 (`frequency`), missing (`codes`),
or a point before the first (`ordinal`; missing for learners that take it).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, Any, ClassVar, Final

from groundup.core.errors import RecipeError
from groundup.core.schema import Column
from groundup.data.values import row_reader
from groundup.preparation.numbers import refuse_missing
from groundup.preparation.plan import Choice, Dropped, Level, PlanKind, Seen, Write, WriteBlock
from groundup.preparation.scaling import SCALE_STEPS, fit_scaling

if TYPE_CHECKING:
    from collections.abc import Callable

    from groundup.core.inputs import FloatArray, IntArray
    from groundup.preparation.arrays import Factor

ENCODE_STEPS: Final = {
    "one_hot": "one 0/1 column for each",
    "ordinal": "numbered in the order of their values",
    "frequency": "replaced by the share of training rows that have it",
    "target": "replaced by the mean target of their training rows",
    "codes": "numbered, and split on as categories",
}
"""What each encoding does, as a clause."""


@dataclass(frozen=True)
class CategoryPlan:
    """One category as 0/1 columns, points or codes.

    Parameters
    ----------
    column : Column
        The raw column.
    seen : Seen
        Its training rows.
    encoding : {"one_hot", "ordinal", "frequency", "target", "codes"}
        How a level becomes numbers.
    impute : str
        What happens to a missing value: `constant` with no fill value gives it a level of its own.
    levels : tuple
        The levels kept; a level's place is its index.
    n_rare : int
        How many further levels share the place after them, "rare"; 0: there is no such place.
    has_missing_level : bool
        Whether the last place stands for missing values.
    fill : str, int, float or None
        The level that replaces a missing value.
    points : tuple of float
        For `ordinal` and `frequency`: one number per place, then one for no place; empty otherwise.
        None is NaN.
    scale : str
        For `ordinal` and `frequency`: how the points were scaled.
    """

    column: Column
    seen: Seen
    encoding: str
    impute: str
    levels: tuple[Level, ...]
    n_rare: int
    has_missing_level: bool
    fill: Level | None = None
    points: tuple[float | None, ...] = ()
    scale: str = "none"
    kind: ClassVar[PlanKind] = "category"

    @property
    def is_categorical(self) -> bool:
        """Whether its one feature holds codes."""
        return self.encoding == "codes"

    @property
    def n_places(self) -> int:
        """Levels kept, "rare" and "missing" together."""
        return len(self.levels) + (self.n_rare > 0) + self.has_missing_level

    @property
    def feature_names(self) -> tuple[str, ...]:
        """One "name=level" for each place (`one_hot`), else the column's own name."""
        name = self.column.name
        if self.encoding != "one_hot":
            return (name,)
        places = [f"{name}={level}" for level in self.levels]
        places += [f"{name} (rare)"] if self.n_rare else []
        return (*places, f"{name} (missing)") if self.has_missing_level else tuple(places)

    @property
    def unseen_place(self) -> int:
        """Where a level goes that training did not have; -1: nowhere."""
        return len(self.levels) if self.n_rare else -1

    @property
    def missing_place(self) -> int:
        """Where a missing value goes; -1: nowhere."""
        if self.has_missing_level:
            return self.n_places - 1
        if self.fill is None:
            return -1 if self.impute == "none" else self.unseen_place
        return self.levels.index(self.fill) if self.fill in self.levels else self.unseen_place

    @property
    def _numbers(self) -> list[float]:
        """The number of each place; the last one stands for place -1. Not for `one_hot`."""
        if self.encoding == "codes":
            return [*map(float, range(self.n_places)), nan]
        return [nan if point is None else point for point in self.points]

    def encode(self, values: Factor) -> WriteBlock:
        """Encode a column of levels."""
        import numpy as np

        table = self.place_table(values)
        if self.encoding == "one_hot":
            return _write_ones(table, values.codes)
        numbers = np.asarray(self._numbers)[table]

        def write(block: FloatArray, start: int, stop: int) -> None:
            block[:, 0] = numbers.take(values.codes[start:stop])

        return write

    def place_table(self, values: Factor) -> IntArray:
        """Return the place of each code of `values`; the last two are for unknown and for missing levels."""
        import numpy as np

        place_of = {level: place for place, level in enumerate(self.levels)}
        places = [place_of.get(level, self.unseen_place) for level in values.levels]
        # Code n_levels is a level that the column was not read for, -1 (so the last place) a missing one.
        return np.array([*places, self.unseen_place, self.missing_place])

    def place_reader(self) -> Callable[[Any], int]:
        """Return what finds the place of one raw value; -1: nowhere."""
        read, unseen, missing = row_reader(self.column), self.unseen_place, self.missing_place
        places = {level: place for place, level in enumerate(self.levels)}

        def place_of(value: Any) -> int:
            value = read(value)
            return missing if value is None else places.get(value, unseen)

        return place_of

    def compile_row(self, start: int) -> Write:
        """Return what writes one level from index `start` on."""
        place_of, is_text = self.place_reader(), self.column.storage == "string"
        places = {level: place for place, level in enumerate(self.levels)}

        if self.encoding == "one_hot":

            def write(value: Any, out: list[float]) -> None:
                # A level exactly as in training needs no reading; anything else is read first.
                place = places.get(value) if is_text and type(value) is str else None
                if place is None:
                    place = place_of(value)
                    if place < 0:
                        return
                out[start + place] = 1.0

            return write
        numbers = self._numbers
        known = {level: numbers[place] for level, place in places.items()}

        def write_number(value: Any, out: list[float]) -> None:
            number = known.get(value) if is_text and type(value) is str else None
            out[start] = numbers[place_of(value)] if number is None else number

        return write_number

    def steps(self) -> list[str]:
        """Return what is done, for people."""
        n_levels = len(self.levels)
        steps = (
            [f"{n_levels} level{'s' * (n_levels != 1)}, {ENCODE_STEPS[self.encoding]}"] if n_levels else []
        )
        if self.n_rare == 1:
            steps.append("one rarer level becomes the level “rare”")
        elif self.n_rare:
            steps.append(f"{self.n_rare} {'rarer' if n_levels else 'rare'} levels share the level “rare”")
        steps.append(self._missing_step())
        if self.impute == "drop_rows":
            steps.append("rows in which it is missing are left out of training")
        return [*steps, SCALE_STEPS[self.scale]] if self.scale != "none" else steps

    def _missing_step(self) -> str:
        which = f"missing values ({self.seen.share})" if self.seen.missing else "a missing value"
        if self.has_missing_level:
            return (
                f"{which} are a level of their own" if self.seen.missing else f"{which} is a level of its own"
            )
        if self.missing_place >= 0 and self.fill is not None:
            return f"{which} {'count' if self.seen.missing else 'counts'} as `{self.fill}`"
        if self.missing_place >= 0:
            return "a missing value counts as “rare”: none was missing in training"
        is_no_place_a_number = self.encoding == "target" and self.impute != "none"
        if is_no_place_a_number or (self.points and self.points[-1] is not None):
            return (
                f"{which} {'count' if self.seen.missing else 'counts'} as a level that training did not have"
            )
        return f"{which} {'are' if self.seen.missing else 'is'} " + (
            "0 in all of them" if self.encoding == "one_hot" else "kept as missing, the learner handles it"
        )

    def state(self) -> dict[str, Any]:
        """Return the fitted levels as JSON values."""
        return {
            "seen": [self.seen.rows, self.seen.missing],
            "encoding": self.encoding,
            "impute": self.impute,
            "levels": list(self.levels),
            "n_rare": self.n_rare,
            "has_missing_level": self.has_missing_level,
            "fill": self.fill,
            "points": list(self.points),
            "scale": self.scale,
        }

    @classmethod
    def from_state(cls, column: Column, state: dict[str, Any]) -> CategoryPlan:
        """Return the plan that `state` described."""
        tuples = {"levels": tuple(state["levels"]), "points": tuple(state["points"])}
        return cls(column, **{**state, **tuples, "seen": Seen(*state["seen"])})


def fit_category(column: Column, values: Factor, choice: Choice) -> CategoryPlan | Dropped:
    """Fit the plan of one category.

    Parameters
    ----------
    column : Column
        The raw column.
    values : Factor
        Its training values.
    choice : Choice
        What is to be done.

    Returns
    -------
    CategoryPlan or Dropped
        Dropped when all training rows share one place.

    Raises
    ------
    RecipeError
        If missing values are to be kept for a learner that takes none.
    """
    assert choice.encode is not None
    assert choice.impute is not None
    counts = _count_levels(values)
    n_rows = len(values.codes)
    seen = Seen(n_rows, n_rows - sum(counts.values()))
    fill, has_missing_level = _missing_rule(column, counts, seen, choice)
    ranked = sorted(counts, key=lambda level: (-counts[level], level))
    n_kept = len(ranked) if choice.encode in ("frequency", "target") else choice.max_levels
    levels = [level for level in ranked[:n_kept] if counts[level] >= choice.rare_below]
    if choice.encode == "ordinal":
        levels.sort()
    n_rare = len(ranked) - len(levels)
    missing_tells = has_missing_level or (fill is None and seen.missing > 0)
    if len(levels) + (n_rare > 0) + missing_tells < 2:
        return Dropped(_one_place(ranked, choice, has_levels=bool(levels)))
    plan = CategoryPlan(
        column, seen, choice.encode, choice.impute, tuple(levels), n_rare, has_missing_level, fill
    )
    return _with_points(plan, counts, choice) if choice.encode in ("ordinal", "frequency") else plan


def _count_levels(values: Factor) -> dict[Level, int]:
    import numpy as np

    counts = np.bincount(values.codes + 1, minlength=len(values.levels) + 1)[1:].tolist()
    return {level: count for level, count in zip(values.levels, counts, strict=False) if count}


def _write_ones(table: IntArray, codes: IntArray) -> WriteBlock:
    import numpy as np

    has_gaps = bool((table < 0).any())
    rows = np.arange(len(codes))

    def write(block: FloatArray, start: int, stop: int) -> None:
        places = table[codes[start:stop]]
        if has_gaps:
            is_placed = places >= 0
            block[rows[: stop - start][is_placed], places[is_placed]] = 1.0
        else:
            block[rows[: stop - start], places] = 1.0

    return write


def _missing_rule(
    column: Column, counts: dict[Level, int], seen: Seen, choice: Choice
) -> tuple[Level | None, bool]:
    """Return the level that replaces missing values, and whether they have a place of their own."""
    most_frequent = min(counts, key=lambda level: (-counts[level], level), default=None)
    if choice.impute == "none":
        if choice.encode in ("ordinal", "frequency", "target") and not choice.keeps_missing:
            refuse_missing(column, seen)
            return most_frequent, False
        return None, False
    if choice.impute != "constant":
        return most_frequent, False
    if choice.fill_value is None:
        return None, seen.missing > 0
    fill = _as_level(column, choice.fill_value)
    if seen.missing:
        counts[fill] = counts.get(fill, 0) + seen.missing
    return fill, False


def _as_level(column: Column, fill_value: float | str) -> Level:
    if column.storage == "string":
        return f"{fill_value:g}" if isinstance(fill_value, float) else fill_value
    try:
        return int(float(fill_value)) if column.storage == "integer" else float(fill_value)
    except (ValueError, OverflowError):
        raise RecipeError(
            f"`preparation.columns.{column.name}.fill_value` is `{fill_value}`, but the column's levels are "
            "numbers. Give a number."
        ) from None


def _one_place(ranked: list[Level], choice: Choice, *, has_levels: bool) -> str:
    if not ranked:
        return "it has no value in the training rows"
    if has_levels:
        return f"it is `{ranked[0]}` in every training row that has a value"
    return f"each of its {len(ranked)} levels has fewer than {choice.rare_below} training rows (`rare_below`)"


def _with_points(plan: CategoryPlan, counts: dict[Level, int], choice: Choice) -> CategoryPlan | Dropped:
    """Return the plan with a number for each place and one for no place, scaled as asked."""
    from dataclasses import replace

    import numpy as np

    counted = [counts[level] for level in plan.levels]
    if plan.n_rare:
        counted.append(sum(counts.values()) - sum(counted))
    if plan.has_missing_level:
        counted.append(plan.seen.missing)
    if choice.encode == "frequency":
        raw, nowhere = _shares(plan, counted), 0.0
        if len(set(raw)) == 1 and (plan.missing_place >= 0 or not plan.seen.missing):
            return Dropped(f"each of its {len(raw)} levels is equally frequent")
        is_nan = choice.keeps_missing and choice.impute == "none"
    else:
        raw, nowhere, is_nan = [float(place) for place in range(len(counted))], -1.0, choice.keeps_missing
    scaling = fit_scaling(np.array(raw), np.array(counted), choice.scale)
    points = [*map(scaling.one, raw), None if is_nan else scaling.one(nowhere)]
    return replace(plan, points=tuple(points), scale=choice.scale)


def _shares(plan: CategoryPlan, counted: list[int]) -> list[float]:
    """Return the share of training rows of each place; that of "rare" is the mean of its levels'."""
    sizes = [*([1] * len(plan.levels)), *([plan.n_rare] if plan.n_rare else []), 1]
    return [n / (size * plan.seen.rows) for n, size in zip(counted, sizes, strict=False)]
