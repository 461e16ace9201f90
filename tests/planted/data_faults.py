"""Tables that are honest, and tables in which a fault of the data was planted; the fault is known."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from groundup.core.tasks import Task

Random = np.random.Generator


@dataclass(frozen=True)
class Table:
    """A table with its question.

    Parameters
    ----------
    frame : polars.DataFrame
        Features and target.
    target : str
        The column to predict.
    task : Task
        What is asked for.
    leaks : tuple of str
        Columns that were planted to give the target away.
    time : str or None
        The column that orders the rows in time.
    """

    frame: pl.DataFrame
    target: str
    task: Task
    leaks: tuple[str, ...] = ()
    time: str | None = None


def _numbers(random: Random, n: int, n_columns: int) -> dict[str, np.ndarray]:
    return {f"x{i}": random.normal(size=n) for i in range(n_columns)}


def linear_classes(random: Random, n: int = 600) -> Table:
    """Two overlapping classes, four columns of different weight and two that say nothing."""
    columns = _numbers(random, n, 6)
    score = 2 * columns["x0"] + 1.5 * columns["x1"] - columns["x2"] + 0.5 * columns["x3"]
    y = np.where(score + random.logistic(size=n) > 0, "yes", "no")
    return Table(pl.DataFrame({**columns, "y": y}), "y", "classification")


def linear_numbers(random: Random, n: int = 600) -> Table:
    """A number that follows four columns, with noise."""
    columns = _numbers(random, n, 6)
    y = 3 * columns["x0"] + 2 * columns["x1"] - columns["x2"] + columns["x3"] + 1.5 * random.normal(size=n)
    return Table(pl.DataFrame({**columns, "y": y}), "y", "regression")


def curved_numbers(random: Random, n: int = 600) -> Table:
    """Friedman's first function: sine of a product, a square, two lines, five columns of nothing."""
    columns = {f"x{i}": random.random(n) for i in range(10)}
    wave = 10 * np.sin(np.pi * columns["x0"] * columns["x1"]) + 20 * (columns["x2"] - 0.5) ** 2
    y = wave + 10 * columns["x3"] + 5 * columns["x4"] + random.normal(size=n)
    return Table(pl.DataFrame({**columns, "y": y}), "y", "regression")


def skewed_numbers(random: Random, n: int = 600) -> Table:
    """Prices: log-normal, by size, age and town."""
    size, age = random.lognormal(4, 0.4, n), random.integers(0, 80, n)
    town = random.choice(["Bonn", "Ulm", "Kiel", "Jena"], n)
    level = np.array([{"Bonn": 0.3, "Ulm": 0.1, "Kiel": 0.0, "Jena": -0.3}[each] for each in town])
    price = np.exp(8 + 0.8 * np.log(size) - 0.01 * age + level + 0.35 * random.normal(size=n)).round(2)
    frame = pl.DataFrame({"size": size.round(1), "age": age, "town": town, "price": price})
    return Table(frame, "price", "regression")


def spiral(random: Random, n: int = 600) -> Table:
    """Two arms of a spiral: either coordinate alone says nothing, both together nearly all."""
    arm = random.integers(0, 2, n)
    angle = np.sqrt(random.random(n)) * 3 * np.pi
    radius = angle + 0.25 * random.normal(size=n)
    frame = pl.DataFrame(
        {
            "a": radius * np.cos(angle + np.pi * arm),
            "b": radius * np.sin(angle + np.pi * arm),
            "arm": np.where(arm == 1, "left", "right"),
        }
    )
    return Table(frame, "arm", "classification")


def checkerboard(random: Random, n: int = 600) -> Table:
    """Fields of a board: both coordinates are needed."""
    columns = {"a": random.uniform(0, 4, n), "b": random.uniform(0, 4, n), "c": random.normal(size=n)}
    y = (np.floor(columns["a"]) + np.floor(columns["b"])) % 2
    return Table(pl.DataFrame({**columns, "y": y.astype(int)}), "y", "classification")


def mixed_classes(random: Random, n: int = 600) -> Table:
    """Four classes by categories and numbers, with missing values at random."""
    plan = random.choice(["a", "b", "c"], n)
    age = random.integers(18, 90, n).astype(float)
    income = random.lognormal(3, 0.5, n).round(1)
    score = (plan == "a") * 1.2 + age / 40 + income / 30 + 0.5 * random.normal(size=n)
    y = np.searchsorted(np.quantile(score, [0.25, 0.5, 0.75]), score)
    gaps = random.random(n) < 0.08
    frame = pl.DataFrame({"plan": plan, "age": age, "income": income, "y": [f"class {each}" for each in y]})
    return Table(frame.with_columns(age=pl.when(~pl.Series(gaps)).then(pl.col("age"))), "y", "classification")


def rare_classes(random: Random, n: int = 1_500) -> Table:
    """One row in ten is of the class that is looked for."""
    columns = _numbers(random, n, 8)
    score = columns["x0"] + columns["x1"] * columns["x2"] - 2.9 + random.logistic(size=n) * 0.5
    return Table(pl.DataFrame({**columns, "y": np.where(score > 0, "hit", "miss")}), "y", "classification")


def blobs(random: Random, n: int = 500) -> Table:
    """Five clouds in six dimensions, a little overlapping."""
    y = random.integers(0, 5, n)
    X = random.normal(size=(5, 6))[y] * 2 + random.normal(size=(n, 6))
    frame = pl.DataFrame({f"x{i}": X[:, i] for i in range(6)})
    return Table(frame.with_columns(y=pl.Series([f"cloud {each}" for each in y])), "y", "classification")


def nothing_to_learn(random: Random, n: int = 600) -> Table:
    """Columns that have nothing to do with the target."""
    columns = _numbers(random, n, 5)
    return Table(pl.DataFrame({**columns, "y": random.integers(0, 2, n)}), "y", "classification")


def heavy_tails(random: Random, n: int = 800) -> Table:
    """A number with noise that has long tails, and more of it where the number is large."""
    columns = _numbers(random, n, 4)
    level = columns["x0"] + 0.7 * columns["x1"]
    y = level + 0.4 * np.exp(0.4 * level) * random.laplace(size=n)
    return Table(pl.DataFrame({**columns, "y": y}), "y", "regression")


def _frame(X: np.ndarray, y: object) -> pl.DataFrame:
    return pl.DataFrame({**{f"x{i}": X[:, i] for i in range(X.shape[1])}, "y": y})


def _named(codes: np.ndarray) -> list[str]:
    return [f"kind {code}" for code in codes]


def rings(random: Random, n: int = 600) -> Table:
    """Three rings around each other in the first two of four columns."""
    y, angle = random.integers(0, 3, n), 2 * np.pi * random.random(n)
    radius = 1 + y + 0.3 * random.normal(size=n)
    X = np.column_stack([radius * np.cos(angle), radius * np.sin(angle), random.normal(size=(n, 2))])
    return Table(_frame(X, _named(y)), "y", "classification")


def unequal_clouds(random: Random, n: int = 700) -> Table:
    """Four clouds of unequal width and size in five dimensions."""
    y = random.choice(4, n, p=[0.5, 0.3, 0.15, 0.05])
    centres, widths = 2.5 * random.normal(size=(4, 5)), random.uniform(0.5, 2, (4, 5))
    return Table(
        _frame(centres[y] + widths[y] * random.normal(size=(n, 5)), _named(y)), "y", "classification"
    )


def duration(random: Random, n: int = 600) -> Table:
    """A time to failure, exponential by load and make."""
    load, make = random.uniform(0, 1, n), random.choice(["A", "B", "C"], n)
    mean = np.exp(4 - 2 * load + 0.5 * (make == "B"))
    frame = pl.DataFrame({"load": load, "make": make, "age": random.integers(0, 20, n)})
    return Table(frame.with_columns(y=pl.Series(random.exponential(mean))), "y", "regression")


HONEST: dict[str, Callable[[Random], Table]] = {
    "linear classes": linear_classes,
    "linear numbers": linear_numbers,
    "curved numbers": curved_numbers,
    "skewed numbers": skewed_numbers,
    "spiral": spiral,
    "checkerboard": checkerboard,
    "mixed classes": mixed_classes,
    "rare classes": rare_classes,
    "blobs": blobs,
    "nothing to learn": nothing_to_learn,
    "heavy tails": heavy_tails,
    "rings": rings,
    "unequal clouds": unequal_clouds,
    "duration": duration,
}
"""Name → a draw of an honest table."""


def with_columns(table: Table, **columns: Any) -> Table:
    """Return a table with planted columns."""
    frame = table.frame.with_columns(**{name: pl.Series(values) for name, values in columns.items()})
    return replace(table, frame=frame, leaks=tuple(columns))


def _is_yes(table: Table) -> np.ndarray:
    return (table.frame[table.target] == "yes").to_numpy()


def copy_with_noise(random: Random) -> Table:
    """A number copied with one part in ten of noise."""
    table = linear_numbers(random)
    y = table.frame["y"].to_numpy()
    return with_columns(table, booked=y + 0.1 * y.std() * random.normal(size=len(y)))


def label_with_slips(random: Random) -> Table:
    """The class as a code, wrong in two rows of a hundred."""
    table = linear_classes(random)
    yes = _is_yes(table) ^ (random.random(len(table.frame)) < 0.02)
    return with_columns(table, code=np.where(yes, "K7", "K2"))


def code_from_classes(random: Random) -> Table:
    """A status code, several for each class, drawn from it."""
    table = mixed_classes(random)
    codes = [f"S{17 * int(each[-1]) % 7}{random.integers(0, 3)}" for each in table.frame["y"]]
    return with_columns(table, status=codes)


def outcome_afterwards(random: Random) -> Table:
    """A date that is entered for one of the classes only, and for most of it."""
    table = linear_classes(random)
    entered = _is_yes(table) & (random.random(len(table.frame)) < 0.95)
    numbers = pl.Series(random.integers(1, 90, len(entered)))
    days = pl.select(pl.when(pl.Series(entered)).then(numbers)).to_series()
    return with_columns(table, days_until_refund=days)


def seldom_afterwards(random: Random) -> Table:
    """A number that is entered for few rows, all of one class."""
    table = linear_classes(random)
    entered = _is_yes(table) & (random.random(len(table.frame)) < 0.2)
    values = [float(v) if there else None for v, there in zip(random.normal(size=600), entered, strict=True)]
    return with_columns(table, complaint=values)


def two_at_once(random: Random) -> Table:
    """Two copies, each of which hides the lead of the other."""
    table = linear_classes(random)
    yes = _is_yes(table)
    slips = yes ^ (random.random(len(yes)) < 0.005)
    return with_columns(
        table, closed=yes.astype(int), bill=np.where(slips, 80.0, 20.0) + random.random(len(yes))
    )


def parts_of_a_sum(random: Random) -> Table:
    """Two counts that add up to the target."""
    table = linear_numbers(random)
    whole = np.round(np.exp(table.frame["y"].to_numpy() / 4) * 50).astype(int)
    part = random.binomial(whole, 0.4)
    planted = with_columns(table, members=part, guests=whole - part)
    return replace(planted, frame=planted.frame.with_columns(y=pl.Series(whole)))


def rescaled_copy(random: Random) -> Table:
    """The target in another unit, rounded."""
    table = skewed_numbers(random)
    return with_columns(table, tax=(table.frame["price"] * 0.19).round(0))


LEAKS: dict[str, Callable[[Random], Table]] = {
    "copy with noise": copy_with_noise,
    "label with slips": label_with_slips,
    "code from the classes": code_from_classes,
    "filled in afterwards": outcome_afterwards,
    "seldom filled in": seldom_afterwards,
    "two at once": two_at_once,
    "parts of a sum": parts_of_a_sum,
    "rescaled copy": rescaled_copy,
}
"""Name → a draw of a table with a leak."""


def with_wrong_labels(
    table: Table, random: Random, share: float, how: str = "any"
) -> tuple[Table, np.ndarray]:
    """Return the table with wrong labels, and which rows have one.

    Parameters
    ----------
    table : Table
        Of a classification.
    random : numpy.random.Generator
        Draws the rows.
    share : float
        Of the labels that are replaced; one way: of the labels of the commonest class.
    how : {"any", "pairs", "one way"}
        By any other class, each class by the next, or the commonest class alone by the next.
    """
    labels = table.frame[table.target].cast(pl.String)
    classes = labels.unique().sort()
    codes = labels.rank("dense").to_numpy().astype(int) - 1
    wrong = random.random(len(codes)) < share
    if how == "one way":
        wrong &= codes == np.bincount(codes).argmax()
    steps = random.integers(1, len(classes), len(codes)) if how == "any" else np.ones(len(codes), dtype=int)
    given = np.where(wrong, (codes + steps) % len(classes), codes)
    return replace(table, frame=table.frame.with_columns(classes[given].alias(table.target))), wrong


def with_wrong_numbers(table: Table, random: Random, share: float, how: str) -> tuple[Table, np.ndarray]:
    """Return the table with mistakes in its numbers, and which rows have one.

    Parameters
    ----------
    table : Table
        Of a regression.
    random : numpy.random.Generator
        Draws the rows.
    share : float
        Of the values that are wrong.
    how : {"point", "far off"}
        A decimal point one place to the right, in values that are not small; or eight standard deviations
        away, up or down.
    """
    y = table.frame[table.target].cast(pl.Float64).to_numpy()
    wrong = random.random(len(y)) < share
    if how == "point":
        wrong &= np.abs(y) >= np.median(np.abs(y))
        moved = 10 * y
    else:
        moved = y + 8 * y.std() * random.choice([-1, 1], len(y))
    values = pl.Series(table.target, np.where(wrong, moved, y))
    return replace(table, frame=table.frame.with_columns(values)), wrong
