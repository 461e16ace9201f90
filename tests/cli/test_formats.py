"""Numbers as people read them."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.cli.formats import duration, interval, latency, number, size, value_of, visible


@settings(deadline=None, max_examples=50)
@given(st.text())
def test_visible_text_holds_no_control_characters(text: str) -> None:
    assert not any(ord(character) < 32 and character not in "\t\n" for character in visible(text))


@settings(deadline=None, max_examples=50)
@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e6))
def test_an_interval_still_holds_its_value(value: float, half: float) -> None:
    told = interval({"value": value, "low": value - half, "high": value + half})
    shown, low, high = (
        float(part.replace(" ", "")) for part in told.replace("[", ",").rstrip("]").split(",")
    )
    assert low <= shown <= high
    assert math.isclose(shown, value, abs_tol=half / 10 + 1e-6 + abs(value) * 1e-12)


@pytest.mark.parametrize(
    ("score", "told"),
    [
        ({"value": None, "low": None, "high": None}, "undefined"),
        ({"value": 0.5, "low": 0.5, "high": 0.5}, "0.500 [0.500, 0.500]"),
        ({"value": 0.5, "low": None, "high": None}, "0.5"),
        ({"value": math.nan}, "nan"),
    ],
)
def test_odd_scores(score: dict[str, float | None], told: str) -> None:
    assert interval(score) == told


def test_value_of_drops_the_interval() -> None:
    assert value_of({"value": 0.12345, "low": 0.1, "high": 0.15}) == "0.123"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.004, "0.004 s"), (9.96, "10 s"), (59.6, "1 min 00 s"), (3599.9, "1 h 00 min"), (7260, "2 h 01 min")],
)
def test_durations_carry_over(seconds: float, told: str) -> None:
    assert duration(seconds) == told


def test_units() -> None:
    assert (latency(999.0), latency(1000.0)) == ("999.0 µs", "1.0 ms")
    assert (size(999), size(1000), size(1e6)) == ("999 B", "1.0 kB", "1.0 MB")
    assert number(-12345.6) == "-12 346"
