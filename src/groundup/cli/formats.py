"""Numbers, lengths of time and sizes as people read them."""

import math
import re
from collections.abc import Mapping
from typing import Any

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def visible(text: str) -> str:
    r"""Return `text` with its control characters spelled out, so that data cannot steer the terminal.

    Examples
    --------
    >>> visible("a\x1b[2Jb")
    'a\\x1b[2Jb'
    """
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def one_line(text: str) -> str:
    r"""Return `text` with every run of blanks and line ends as one blank.

    Examples
    --------
    >>> one_line("two\n  lines")
    'two lines'
    """
    return " ".join(text.split())


def number(value: float | None, decimals: int | None = None) -> str:
    """Return a number with `decimals` places, or by default with about four digits.

    Examples
    --------
    >>> number(0.87125), number(68432.1), number(3), number(1.5e-7), number(None)
    ('0.8712', '68 432', '3', '1.5e-07', 'undefined')
    """
    if value is None or not math.isfinite(value):
        return "undefined" if value is None else str(value)
    if decimals is not None:
        return f"{round(value, decimals) + 0.0:,.{decimals}f}".replace(",", " ")  # + 0.0: no "-0"
    if abs(value) >= 1000:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.4g}"


def interval(score: Mapping[str, Any]) -> str:
    """Return a score with its interval; the interval's width decides how many digits mean something.

    Parameters
    ----------
    score : mapping
        `value`, and `low` and `high` where there is an interval.

    Examples
    --------
    >>> interval({"value": 0.87125, "low": 0.812, "high": 0.921})
    '0.871 [0.812, 0.921]'
    >>> interval({"value": 68432.1, "low": 66120.0, "high": 70551.0}), interval({"value": 0.5})
    ('68 432 [66 120, 70 551]', '0.5')
    """
    value, low, high = (score.get(key) for key in ("value", "low", "high"))
    if value is None or low is None or high is None:
        return number(value)
    decimals = meaningful_decimals(score)
    return f"{number(value, decimals)} [{number(low, decimals)}, {number(high, decimals)}]"


def value_of(score: Mapping[str, Any]) -> str:
    """Return a score without its interval, with as many digits as `interval` shows.

    Examples
    --------
    >>> value_of({"value": 0.5, "low": 0.45, "high": 0.55})
    '0.500'
    """
    return interval(score).partition(" [")[0]


def beside(baseline: Mapping[str, Any] | None, score: Mapping[str, Any]) -> str:
    """Return the baseline's score with as many digits as the model's; "" where there is none.

    Examples
    --------
    >>> beside({"value": 0.5}, {"value": 0.87125, "low": 0.812, "high": 0.921})
    '0.500'
    """
    return "" if baseline is None else number(baseline["value"], meaningful_decimals(score))


def meaningful_decimals(score: Mapping[str, Any]) -> int | None:
    """Return the decimals that a score's interval leaves standing: two digits of half its width.

    Examples
    --------
    >>> meaningful_decimals({"low": 0.812, "high": 0.921}), meaningful_decimals({"value": 1.0})
    (3, None)
    """
    low, high = score.get("low"), score.get("high")
    if low is None or high is None:
        return None
    half = (high - low) / 2
    return min(max(1 - math.floor(math.log10(half)), 0), 6) if math.isfinite(half) and half > 0 else 3


def duration(seconds: float) -> str:
    """Return a length of time.

    Examples
    --------
    >>> duration(0.123), duration(12.3), duration(125), duration(3780)
    ('0.12 s', '12 s', '2 min 05 s', '1 h 03 min')
    """
    if seconds < 9.95:
        return f"{seconds:.2g} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def latency(microseconds: float) -> str:
    """Return a short length of time.

    Examples
    --------
    >>> latency(4.71), latency(2500)
    ('4.7 µs', '2.5 ms')
    """
    return f"{microseconds:.1f} µs" if microseconds < 1000 else f"{microseconds / 1000:.1f} ms"


def size(n_bytes: float) -> str:
    """Return a size on disk.

    Examples
    --------
    >>> size(512), size(6_520), size(20_480), size(3_500_000)
    ('512 B', '6.5 kB', '20 kB', '3.5 MB')
    """
    if n_bytes < 1000:
        return f"{n_bytes:.0f} B"
    if n_bytes < 1e6:
        return f"{n_bytes / 1e3:.{1 if n_bytes < 9_950 else 0}f} kB"
    return f"{n_bytes / 1e6:.1f} MB"
