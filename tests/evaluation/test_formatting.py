"""Numbers keep their value and lose only digits nobody needs."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.evaluation import formatting
from groundup.evaluation.formatting import (
    DASH,
    THIN,
    duration,
    interval_texts,
    number,
    percent,
    shorten,
    size,
)

FORMATTERS = (number, percent, duration, size)


@pytest.mark.parametrize("formatter", FORMATTERS)
@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf, [1], object()])
def test_what_is_no_number_is_a_dash(formatter, value) -> None:
    assert formatter(value) == DASH


@settings(deadline=None, max_examples=50)
@given(st.floats(-1e14, 1e14).filter(lambda value: value == 0 or abs(value) > 1e-4))
def test_number_reads_back_within_its_digits(value: float) -> None:
    text = number(value).replace(THIN, "").replace("−", "-")
    if "×" not in text:
        assert float(text) == pytest.approx(value, rel=6e-4)


@settings(deadline=None, max_examples=50)
@given(st.floats(0, 1e10), st.floats(1e-6, 1e6), st.floats(1e-6, 1e6))
def test_interval_shares_its_decimals_and_holds_its_value(value: float, below: float, above: float) -> None:
    texts = interval_texts(value, value - below, value + above)
    decimals = {len(text.partition(".")[2]) for text in texts}
    assert len(decimals) == 1
    middle, low, high = (float(text.replace(THIN, "").replace("−", "-")) for text in texts)
    assert low <= middle <= high


@settings(deadline=None, max_examples=50)
@given(st.floats(0, 1))
def test_percent_is_zero_or_hundred_only_when_it_is(share: float) -> None:
    text = percent(share).removesuffix(f"{THIN}%")
    assert (text == "0") == (share == 0)
    assert (text == "100") == (share == 1)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 µs"), (59.96, "1 min"), (3599.6, "1 h"), (86399, "1 d"), (0.9999, "1 s"), (7260, "2 h 1 min")],
)
def test_duration_carries_over(seconds: float, text: str) -> None:
    assert duration(seconds).replace(THIN, " ") == text


def test_negative_zero_has_no_sign() -> None:
    assert interval_texts(-0.0001, -0.1, 0.1)[0] == "0.00"


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=200), st.integers(5, 80))
def test_shortened_text_is_one_printable_line(text: str, limit: int) -> None:
    line = shorten(text, limit)
    assert 0 < len(line) <= max(limit, len("(empty)"))
    assert line.isprintable()


def test_everything_here_is_tested_or_shown() -> None:
    assert {each.__name__ for each in FORMATTERS} <= set(vars(formatting))
