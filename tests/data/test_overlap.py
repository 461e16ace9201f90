"""Overlap in time is told where the target depends on time."""

import datetime

import numpy as np
import polars as pl
import pytest

from groundup.core.schema import Column, Schema
from groundup.data.dataset import Dataset
from groundup.data.options import SplitOptions
from groundup.data.overlap import find_overlap
from groundup.data.split import make_split

START = datetime.datetime(2020, 1, 1)


def overlap_of(target, days, **options):
    moments = [None if day is None else START + datetime.timedelta(days=int(day)) for day in days]
    dates = pl.Series(moments, dtype=pl.Datetime("us"))
    frame = pl.DataFrame({"day": dates, "y": target})
    is_number = frame["y"].dtype.is_numeric()
    kind = ("number", "float") if is_number else ("category", "string")
    schema = Schema([Column("day", "datetime", "datetime"), Column("y", *kind)])
    dataset = Dataset(frame.lazy(), schema, len(frame), "frame")
    task = "regression" if is_number else "classification"
    split = make_split(dataset, target="y", task=task, options=SplitOptions(**options), seed=0)
    return find_overlap(dataset, split, target="y", time=options.get("time"))


WALK = np.cumsum(np.random.default_rng(0).normal(size=600))
NOISE = np.random.default_rng(1).normal(size=600)


def test_a_series_is_a_warning_with_the_patch_and_noise_is_none():
    (finding,) = overlap_of(WALK, range(600))
    assert (finding.code, finding.severity) == ("S004", "warning")
    assert dict(finding.patch) == {"data.split.time": "day"}
    assert overlap_of(NOISE, range(600)) == []
    assert overlap_of(NOISE, np.random.default_rng(2).integers(20000, size=600)) == []


def test_weak_dependence_is_information():
    noise = np.random.default_rng(3).normal(size=3002)
    (finding,) = overlap_of(np.convolve(noise, [0.15, 0.25, 1])[:3000], range(3000))
    assert finding.severity == "info"


def test_classes_and_several_rows_a_day_and_missing_days():
    days = np.repeat(np.arange(300), 2)
    labels = np.where(np.sin(days / 20) + NOISE * 0.3 > 0, "up", "down")
    assert overlap_of(labels, days)[0].severity == "warning"
    assert overlap_of(WALK, [None if day % 7 == 0 else day for day in range(600)])[0].code == "S004"
    assert overlap_of(WALK, [None] * 600) == []
    assert overlap_of(np.ones(600), range(600)) == []


@pytest.mark.parametrize("values", [WALK, NOISE])
def test_a_split_by_time_ends_it(values):
    assert overlap_of(values, range(600), time="day") == []
