"""Further honest tables and leaks, written after the rules' thresholds were set, to measure them by."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl

from planted.data_faults import (
    Random,
    Table,
    curved_numbers,
    linear_classes,
    linear_numbers,
    mixed_classes,
    rare_classes,
    skewed_numbers,
    with_columns,
)


def _frame(X: np.ndarray, y: object) -> pl.DataFrame:
    return pl.DataFrame({**{f"x{i}": X[:, i] for i in range(X.shape[1])}, "y": y})


def _named(codes: np.ndarray) -> list[str]:
    return [f"kind {code}" for code in codes]


# Honest tables


def moons(random: Random, n: int = 500) -> Table:
    """Two crescents that reach into each other."""
    y, angle = random.integers(0, 2, n), np.pi * random.random(n)
    X = np.column_stack([np.cos(angle) + y, np.sin(angle) * (1 - 2 * y) + 0.4 * y])
    return Table(_frame(X + 0.2 * random.normal(size=X.shape), _named(y)), "y", "classification")


def nested_squares(random: Random, n: int = 600) -> Table:
    """Squares inside each other, with rounded corners, in the first two of five columns."""
    y = random.integers(0, 3, n)
    side, along = random.integers(0, 4, n), random.uniform(-1, 1, n)
    radius = 1 + y + 0.3 * random.normal(size=n)
    a = np.where(side % 2 == 0, radius * (1 - (side > 1) * 2), along * radius)
    b = np.where(side % 2 == 0, along * radius, radius * (1 - (side > 1) * 2))
    return Table(
        _frame(np.column_stack([a, b, random.normal(size=(n, 3))]), _named(y)), "y", "classification"
    )


def waves(random: Random, n: int = 600) -> Table:
    """Stripes along a wave, blurred where they meet."""
    X = random.uniform(-2, 2, (n, 4))
    height = X[:, 1] - np.sin(2 * X[:, 0]) + 0.15 * random.normal(size=n)
    return Table(_frame(X, _named((np.floor(height) % 2).astype(int))), "y", "classification")


def survey(random: Random, n: int = 500) -> Table:
    """Answers from 1 to 5 that lean to one of three groups."""
    y = random.integers(0, 3, n)
    lean = 0.8 * random.normal(size=(3, 8))
    X = np.clip(np.round(3 + lean[y] + random.normal(size=(n, 8))), 1, 5).astype(int)
    return Table(_frame(X, _named(y)), "y", "classification")


def word_counts(random: Random, n: int = 600) -> Table:
    """Counts of forty words, some of which are commoner in one of two kinds of message."""
    y = (random.random(n) < 0.35).astype(int)
    rates = random.gamma(0.5, 1, 40) * np.exp(0.5 * random.normal(size=(2, 40)))
    return Table(_frame(random.poisson(rates[y]), _named(y)), "y", "classification")


def many_columns(random: Random, n: int = 400) -> Table:
    """Sixty columns, five of which matter."""
    X = random.normal(size=(n, 60))
    y = X[:, :5] @ [2, 1.5, 1, -1, -0.5] + random.logistic(size=n) > 0
    return Table(_frame(X, _named(y.astype(int))), "y", "classification")


def asked_for_a_reason(random: Random, n: int = 800) -> Table:
    """A test that is done where its result matters: missing in 20 % of one class, 50 % of the other."""
    table = linear_classes(random, n)
    is_yes = (table.frame["y"] == "yes").to_numpy()
    gaps = random.random(n) < np.where(is_yes, 0.2, 0.5)
    values = pl.when(~pl.Series(gaps)).then(pl.col("x3"))
    return Table(table.frame.with_columns(x3=values), "y", "classification")


def strong_column(random: Random, n: int = 500) -> Table:
    """A number that mostly follows one column, as weight follows height."""
    X = random.normal(size=(n, 5))
    y = X[:, 0] + 0.2 * X[:, 1] + 0.45 * random.normal(size=n)
    return Table(_frame(X, y), "y", "regression")


def counts(random: Random, n: int = 700) -> Table:
    """How often something happens, by rate."""
    X = random.normal(size=(n, 5))
    return Table(_frame(X, random.poisson(np.exp(0.7 * X[:, 0] + 0.4 * X[:, 1] + 1))), "y", "regression")


def claims(random: Random, n: int = 700) -> Table:
    """Amounts with a Pareto tail by car and age."""
    car, age = random.choice(["small", "large", "van"], n), random.integers(18, 80, n)
    level = 500 + 300 * (car == "large") + 4 * age
    frame = pl.DataFrame({"car": car, "age": age, "km": random.integers(1, 40, n)})
    amounts = level * (0.5 + random.pareto(4, n))
    return Table(frame.with_columns(y=pl.Series(amounts.round(2))), "y", "regression")


def waiting(random: Random, n: int = 500) -> Table:
    """Minutes of waiting, gamma by hour and staff."""
    hour, staff = random.integers(8, 20, n), random.integers(1, 6, n)
    minutes = random.gamma(1.5, (2 + abs(hour - 13)) / staff)
    frame = pl.DataFrame({"hour": hour, "staff": staff, "day": random.integers(0, 7, n)})
    return Table(frame.with_columns(y=pl.Series(minutes)), "y", "regression")


def season(random: Random, n: int = 900) -> Table:
    """A daily number with trend and season, its lag and weather; ordered in time."""
    days = [date(2020, 1, 1) + timedelta(day) for day in range(n)]
    warm = np.sin(2 * np.pi * np.arange(n) / 365) + 0.3 * random.normal(size=n)
    y = 10 + 0.004 * np.arange(n) + 3 * warm + random.normal(size=n)
    for i in range(1, n):
        y[i] += 0.4 * (y[i - 1] - 10)
    frame = pl.DataFrame(
        {"day": days, "warm": warm, "lag": np.append(10, y[:-1]), "weekday": np.arange(n) % 7}
    )
    return Table(frame.with_columns(y=pl.Series(y)), "y", "regression", time="day")


def contracts(random: Random, n: int = 800) -> Table:
    """Contracts with their start and the customer's birthday, ordered in time; a tie that drifts slowly."""
    starts = [date(2019, 1, 1) + timedelta(int(day)) for day in np.sort(random.integers(0, 1500, n))]
    born = [date(1950, 1, 1) + timedelta(int(day)) for day in random.integers(0, 18_000, n)]
    X, strength = random.normal(size=(n, 3)), np.linspace(1.5, 0.9, n)
    y = strength * X[:, 0] + 0.7 * X[:, 1] + random.logistic(size=n) > 0
    frame = _frame(X, _named(y.astype(int))).with_columns(start=pl.Series(starts), born=pl.Series(born))
    return Table(frame, "y", "classification", time="start")


HONEST: dict[str, Callable[[Random], Table]] = {
    "moons": moons,
    "nested squares": nested_squares,
    "waves": waves,
    "survey": survey,
    "word counts": word_counts,
    "many columns": many_columns,
    "asked for a reason": asked_for_a_reason,
    "strong column": strong_column,
    "counts": counts,
    "claims": claims,
    "waiting": waiting,
    "season": season,
    "contracts": contracts,
}
"""Name → a draw of an honest table."""


# Leaks


def _yes(table: Table) -> np.ndarray:
    return (table.frame["y"] == "yes").to_numpy()


def _slipping(random: Random, yes: np.ndarray, share: float) -> np.ndarray:
    return yes ^ (random.random(len(yes)) < share)


def other_currency(random: Random) -> Table:
    """The price in another currency, at a rate that varies by 3 %."""
    table = skewed_numbers(random)
    return with_columns(table, dollars=table.frame["price"] * random.normal(1.1, 0.03, len(table.frame)))


def rank(random: Random) -> Table:
    """The place in a list that was sorted by the target."""
    table = linear_numbers(random)
    return with_columns(table, place=table.frame["y"].rank("ordinal", descending=True))


def plus_a_fee(random: Random) -> Table:
    """The bill: the target and a fee that differs by row."""
    table = curved_numbers(random)
    return with_columns(table, bill=table.frame["y"] + random.choice([0.5, 1.0, 2.0], len(table.frame)))


def letters(random: Random) -> Table:
    """The letter that was sent: several for each class, one in a hundred the wrong one."""
    table = mixed_classes(random)
    codes = np.array([int(each[-1]) for each in table.frame["y"]])
    slips = random.random(len(codes)) < 0.01
    codes = np.where(slips, random.integers(0, 4, len(codes)), codes)
    return with_columns(
        table, letter=[f"L{(7 * code + int(random.integers(0, 3)) * 4) % 28}" for code in codes]
    )


def refund(random: Random) -> Table:
    """An amount that is zero for one class and positive for the other."""
    table = linear_classes(random)
    yes = _slipping(random, _yes(table), 0.01)
    return with_columns(table, refund=np.where(yes, random.lognormal(3, 1, len(yes)).round(2), 0.0))


def returned_on(random: Random) -> Table:
    """A date that nearly all rows of one class have, and hardly any of the other."""
    table = linear_classes(random)
    has = np.where(_yes(table), random.random(600) < 0.97, random.random(600) < 0.01)
    days = [date(2023, 1, 1) + timedelta(int(day)) for day in random.integers(0, 300, 600)]
    return with_columns(
        table, returned_on=[day if there else None for day, there in zip(days, has, strict=True)]
    )


def sorted_stamps(random: Random) -> Table:
    """Times of entry of a file that was sorted by the answer before it was numbered."""
    table = linear_classes(random)
    order = np.argsort(_yes(table), kind="stable")
    stamps = np.empty(600, dtype=object)
    for place, row in enumerate(order):
        stamps[row] = datetime(2024, 5, 1) + timedelta(seconds=40 * place + int(random.integers(0, 40)))
    return with_columns(table, entered=stamps.tolist())


def model_score(random: Random) -> Table:
    """A score of a model that had learned these very rows."""
    table = linear_classes(random)
    z = np.where(_yes(table), 2.6, -2.6) + random.normal(size=600)
    return with_columns(table, score=(1 / (1 + np.exp(-z))).round(4))


def two_shares(random: Random) -> Table:
    """Two numbers that both say the class, each with slips of its own."""
    table = linear_classes(random)
    yes = _yes(table)
    won, lost = _slipping(random, yes, 0.005), _slipping(random, ~yes, 0.01)
    return with_columns(
        table, won=won * 40 + random.integers(0, 20, 600), lost=lost * 30 + random.integers(0, 20, 600)
    )


def three_records(random: Random) -> Table:
    """A flag, a code and a count, all entered with the outcome."""
    table = rare_classes(random)
    hit = (table.frame["y"] == "hit").to_numpy()
    codes = np.where(hit, random.choice(["X1", "X2"], len(hit)), random.choice(["N1", "N2", "N3"], len(hit)))
    return with_columns(
        table, flag=hit.astype(int), code=codes, calls=np.where(hit, random.integers(3, 9, len(hit)), 0)
    )


def net_and_tax(random: Random) -> Table:
    """Two parts of which the target is the sum, as far as cents go."""
    table = skewed_numbers(random)
    net = (table.frame["price"].to_numpy() / 1.19).round(4)
    return with_columns(table, net=net, tax=table.frame["price"].to_numpy() - net)


def blank_where_it_failed(random: Random) -> Table:
    """A measurement that is missing where the answer is no, and seldom elsewhere."""
    table = linear_classes(random)
    gone = np.where(_yes(table), random.random(600) < 0.02, random.random(600) < 0.9)
    x4 = [None if each else float(value) for each, value in zip(gone, table.frame["x4"], strict=True)]
    return with_columns(table, x4=x4)


def _series(random: Random, n: int = 700) -> Table:
    y = 5 + np.convolve(random.normal(size=n + 9), np.ones(10) / np.sqrt(10), mode="valid")
    frame = pl.DataFrame({f"x{i}": 0.4 * y + random.normal(size=n) for i in range(4)})
    days = [date(2021, 1, 1) + timedelta(day) for day in range(n)]
    return Table(frame.with_columns(day=pl.Series(days), y=pl.Series(y)), "y", "regression", time="day")


def next_value(random: Random) -> Table:
    """The target of the next day."""
    table = _series(random)
    return with_columns(table, tomorrow=table.frame["y"].shift(-1).fill_null(0.0))


def week_around(random: Random) -> Table:
    """The mean of the week around each day."""
    table = _series(random)
    return with_columns(table, week=table.frame["y"].rolling_mean(7, center=True, min_samples=1))


def month_so_far(random: Random) -> Table:
    """The mean of the last ten days, the day itself included."""
    table = _series(random)
    return with_columns(table, ten_days=table.frame["y"].rolling_mean(10, min_samples=1))


LEAKS: dict[str, Callable[[Random], Table]] = {
    "other currency": other_currency,
    "rank": rank,
    "plus a fee": plus_a_fee,
    "letters": letters,
    "refund": refund,
    "returned on": returned_on,
    "sorted stamps": sorted_stamps,
    "score of a model": model_score,
    "two at once, unseen": two_shares,
    "three at once": three_records,
    "net and tax": net_and_tax,
    "blank where it failed": blank_where_it_failed,
    "next value": next_value,
    "week around": week_around,
    "month so far": month_so_far,
}
"""Name → a draw of a table with a leak."""


def partner_mean(random: Random) -> Table:
    """The mean of the target over pairs of rows, the row itself included."""
    table = linear_numbers(random)
    y = table.frame["y"].to_numpy()
    return with_columns(table, pair_mean=(y + y[np.arange(600) ^ 1]) / 2)


def half_a_copy(random: Random) -> Table:
    """A copy of the target that half of the rows have."""
    table = linear_numbers(random)
    values = pl.when(pl.Series(random.random(600) < 0.5)).then(table.frame["y"])
    return with_columns(table, audited=pl.select(values).to_series())


def two_keys(random: Random) -> Table:
    """Two columns that say nothing alone and all together."""
    table = linear_classes(random)
    key = random.integers(0, 2, 600)
    return with_columns(table, left=key, right=key ^ _yes(table))


BEYOND: dict[str, Callable[[Random], Table]] = {
    "mean of pairs": partner_mean,
    "half a copy": half_a_copy,
    "two keys": two_keys,
}
"""Leaks that no lead of a column shows; they are counted, without a goal."""


def dates_ahead(random: Random) -> Table:
    """The end of what one class alone has, after the row's own moment."""
    table = contracts(random)
    ends = [
        day + timedelta(int(after)) if kind == "kind 1" else None
        for day, after, kind in zip(
            table.frame["start"], random.integers(10, 400, 800), table.frame["y"], strict=True
        )
    ]
    return with_columns(table, ended=ends)


def no_longer_filled(random: Random) -> Table:
    """A column that is no longer filled from some day on."""
    table = contracts(random)
    has = np.arange(800) < int(random.integers(270, 330))
    return with_columns(table, form=pl.select(pl.when(pl.Series(has)).then(pl.lit("old"))).to_series())


def lost_meaning(random: Random) -> Table:
    """A code that follows the target up to the middle of the known time, and nothing after."""
    table = contracts(random)
    is_one = (table.frame["y"] == "kind 1").to_numpy()
    is_early = np.arange(800) < 320
    code = np.where(is_early, _slipping(random, is_one, 0.1), random.integers(0, 2, 800))
    return with_columns(table, code=np.where(code == 1, "p", "q"))


IN_TIME: dict[str, tuple[str, Callable[[Random], Table]]] = {
    "dates after the row": ("D019", dates_ahead),
    "no longer filled": ("D020", no_longer_filled),
    "a tie that ends": ("D020", lost_meaning),
}
"""Name → the code that must be found, and a draw of a table in which time shows a fault."""
