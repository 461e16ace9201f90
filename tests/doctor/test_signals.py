"""Signals are plain values."""

from groundup.core.schema import Column, Schema
from groundup.doctor.signals import DataSignals


def test_feature_profiles_leave_out_the_target() -> None:
    schema = Schema([Column("a", "number", "float"), Column("y", "number", "float")])
    profile = [{"name": "a", "n": 1}, {"name": "y", "n": 1}]
    signals = DataSignals(schema, "y", "regression", features=("a",), profile=profile)
    assert signals.feature_profiles() == [{"name": "a", "n": 1}]
    assert signals.n_features == 1
