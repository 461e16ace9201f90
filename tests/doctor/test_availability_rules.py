"""What time says of columns is told with its numbers, from a run that is split by time."""

from datetime import date, timedelta

import numpy as np
import polars as pl

import groundup as gu
from groundup.core.schema import Column, Schema
from groundup.doctor.availability_rules import changes_with_time, later_than_the_row
from groundup.doctor.contract import NotApplicable
from groundup.doctor.leak_rules import gives_target_away
from groundup.doctor.signals import DataSignals
from groundup.evaluation.availability import Availability, Change, LaterDates
from groundup.evaluation.formulas import Formula
from groundup.evaluation.giveaways import Giveaways

SCHEMA = Schema([*(Column(name, "number", "float") for name in ("a", "b", "y"))])


def signals(availability: Availability | None, giveaways: Giveaways | None = None) -> DataSignals:
    return DataSignals(
        SCHEMA, "y", "regression", features=("a", "b"), availability=availability, giveaways=giveaways
    )


def test_without_a_column_of_time_nothing_is_asked() -> None:
    assert isinstance(later_than_the_row(signals(None)), NotApplicable)
    assert isinstance(changes_with_time(signals(None)), NotApplicable)


def test_later_dates_are_counted_and_dropped() -> None:
    answer = later_than_the_row(signals(Availability("t", later=(LaterDates("a", 30, 120),))))
    assert not isinstance(answer, NotApplicable)
    (finding,) = answer
    assert "In 30 of 120 rows with both dates (25 %), `a` lies after `t`" in finding.message
    assert finding.patch == {"preparation.columns.a.drop": True}


def test_changes_say_what_was_and_what_is() -> None:
    changes = (Change("a", "filled", 0.9, 0.0, 500), Change("b", "tie", 0.01, 0.6, 500))
    answer = changes_with_time(signals(Availability("t", changes=changes)))
    assert not isinstance(answer, NotApplicable)
    filled, tie = answer
    assert "`a` is filled in 90 % of the earlier and 0 % of the later half of the rows" in filled.message
    assert (
        "`b` alone takes 1.0 % off the error of guessing in the earlier and 60 % in the later" in tie.message
    )


def test_a_look_ahead_gives_the_target_away_once() -> None:
    availability = Availability("t", ahead=(("a", 2), ("b", 0)))
    formula = Giveaways((), formula=Formula(("b",), (2.0,), 0.0, is_product=False))
    answer = gives_target_away(signals(availability, formula))
    assert not isinstance(answer, NotApplicable)
    by_formula, ahead = answer
    assert by_formula.column == "b"
    assert "`a` is computed exactly from `y` up to 2 rows ahead, in the order of `t`" in ahead.message
    assert ahead.patch == {"preparation.columns.a.drop": True}


def test_a_run_that_is_split_by_time_is_asked() -> None:
    random = np.random.default_rng(0)
    n = 700
    opened = [date(2021, 1, 1) + timedelta(day) for day in range(n)]
    is_lost = random.random(n) < 0.4
    closed = [
        day + timedelta(int(days)) if lost else None
        for day, days, lost in zip(opened, random.integers(5, 90, n), is_lost, strict=True)
    ]
    frame = pl.DataFrame({"opened": opened, "closed": closed, "x": random.normal(size=n), "lost": is_lost})
    frame = frame.with_columns(tool=pl.when(pl.int_range(n) < 280).then(pl.lit("old")))
    found = {(each.code, each.column) for each in gu.check(frame, "lost", overrides=BY_TIME).findings}
    assert {("D019", "closed"), ("D020", "tool"), ("D015", "closed")} <= found
    honest = frame.select("opened", "x", "lost")
    codes = {each.code for each in gu.check(honest, "lost", overrides=BY_TIME).findings}
    assert not codes & {"D015", "D019", "D020"}


BY_TIME = {"data.split.time": "opened"}
