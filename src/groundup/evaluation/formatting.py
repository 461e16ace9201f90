"""Numbers as a reader wants them: few digits, thin spaces between thousands, units people know.

Every function accepts None and non-finite values, which become a dash.
"""

import math
from typing import Any, Final, TypeGuard

DASH: Final = "–"
THIN: Final = "\u202f"
"""A narrow space at which no line breaks: between thousands, and before a unit."""

_SUPERSCRIPT: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def is_number(value: object) -> TypeGuard[float]:
    """Return whether `value` is a finite int or float (booleans are not).

    Examples
    --------
    >>> is_number(2.5), is_number(float("nan")), is_number(True), is_number("3")
    (True, False, False, False)
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, int) or math.isfinite(value)


def number(value: Any, digits: int = 4) -> str:
    """Return a number with `digits` significant digits; whole numbers up to 10^15 in full.

    Parameters
    ----------
    value : object
        An int or float; text is returned as it is, anything else becomes a dash.
    digits : int, default=4
        Significant digits, at least 1.

    Returns
    -------
    str
        Text with a true minus sign.

    Examples
    --------
    >>> number(1234567).replace(THIN, "_"), number(0.123456), number(-12.0), number(None)
    ('1_234_567', '0.1235', '−12', '–')
    >>> number(3.2e-7), number(6.02e23)
    ('3.2×10⁻⁷', '6.02×10²³')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not is_number(value):
        return DASH
    if value == int(value) and abs(value) < 10**15:
        return _sign(f"{int(value):,}")
    exponent = math.floor(math.log10(abs(value)))
    if exponent < -4 or exponent >= 15:
        return _scientific(value, digits)
    text = f"{value:,.{max(0, digits - 1 - exponent)}f}"
    return _sign(text.rstrip("0").rstrip(".") if "." in text else text)


def _scientific(value: float, digits: int) -> str:
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    trimmed = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return _sign(f"{trimmed}×10{str(int(exponent)).translate(_SUPERSCRIPT)}")


def _sign(text: str) -> str:
    return text.replace(",", THIN).replace("-", "−")


def percent(share: Any, decimals: int = 1) -> str:
    """Return a share in [0, 1] as a percentage.

    A share that is not zero never reads "0 %", one that is not one never "100 %".

    Examples
    --------
    >>> percent(0.8712).replace(THIN, " "), percent(0.5, 0).replace(THIN, " "), percent(1), percent(None)
    ('87.1 %', '50 %', '100\u202f%', '–')
    >>> percent(0.00001).replace(THIN, " "), percent(0.99999).replace(THIN, " ")
    ('<0.1 %', '>99.9 %')
    """
    if not is_number(share):
        return DASH
    step = 10.0**-decimals
    if 0 < share < step / 200:
        return f"<{step:g}{THIN}%"
    if 1 - step / 200 < share < 1:
        return f">{100 - step:g}{THIN}%"
    text = f"{100 * share:.{0 if share in (0, 1) else decimals}f}"
    return f"{_sign(text)}{THIN}%"


def interval_decimals(value: Any, low: Any, high: Any, *, scale: float = 1.0) -> int | None:
    """Return how many decimals an interval justifies: its half-width keeps two significant digits.

    Examples
    --------
    >>> interval_decimals(0.87123, 0.8592, 0.8823), interval_decimals(1234.5, 1100.0, 1400.0)
    (3, 0)
    >>> interval_decimals(0.5, None, None) is None
    True
    """
    if not (is_number(value) and is_number(low) and is_number(high)):
        return None
    half = max(high - value, value - low) * scale
    return min(8, max(0, 1 - math.floor(math.log10(half)))) if half > 0 else None


def interval_texts(
    value: Any, low: Any, high: Any, *, scale: float = 1.0, decimals: int | None = None
) -> tuple[str, str, str]:
    """Return value and bounds as text with as many decimals as the interval's width justifies.

    Parameters
    ----------
    value, low, high : float or None
        The value and its interval; without a full interval the bounds are empty text.
    scale : float, default=1.0
        Factor applied first, 100 for percentages.
    decimals : int or None
        Decimals to use instead, so that the numbers of a table row align.

    Returns
    -------
    tuple of str
        Value, low, high, all with the same number of decimals.

    Examples
    --------
    >>> interval_texts(0.87123, 0.8592, 0.8823)
    ('0.871', '0.859', '0.882')
    >>> interval_texts(0.87123, 0.8592, 0.8823, scale=100)
    ('87.1', '85.9', '88.2')
    >>> interval_texts(0.5, None, None)
    ('0.5', '', '')
    """
    if not is_number(value):
        return DASH, "", ""
    if decimals is None:
        decimals = interval_decimals(value, low, high, scale=scale)

    def text(each: float) -> str:
        return number(each * scale) if decimals is None else _fixed(each * scale, decimals)

    if not (is_number(low) and is_number(high)):
        return text(value), "", ""
    return text(value), text(low), text(high)


def range_text(low: str, high: str) -> str:
    """Return the ends of an interval as one text; "to" where a dash would look like a minus sign.

    Examples
    --------
    >>> range_text("0.859", "0.882"), range_text("−0.1", "0.2")
    ('0.859–0.882', '−0.1 to 0.2')
    """
    return f"{low} to {high}" if "−" in low + high else f"{low}–{high}"


def _fixed(value: float, decimals: int) -> str:
    if value != 0 and abs(value) >= 1e15:
        return _scientific(value, 4)
    text = _sign(f"{value:,.{decimals}f}")
    return text.removeprefix("−") if not text.strip("−0.") else text


def duration(seconds: Any) -> str:
    """Return a length of time in the unit that fits it.

    Examples
    --------
    >>> [duration(each).replace(THIN, " ") for each in (0.000012, 0.25, 4.26, 75, 4000, 100000)]
    ['12 µs', '250 ms', '4.3 s', '1 min 15 s', '1 h 7 min', '1 d 4 h']
    """
    if not is_number(seconds):
        return DASH
    if seconds < 0.001:
        return f"{number(seconds * 1e6, 2)}{THIN}µs"
    if seconds < 0.9995:
        return f"{number(seconds * 1e3, 2 if seconds < 0.0995 else 3)}{THIN}ms"
    if seconds < 59.95:
        return f"{number(round(seconds, 1))}{THIN}s"
    for size, unit, small, small_unit in (
        (60, "min", 1, "s"),
        (3600, "h", 60, "min"),
        (86400, "d", 3600, "h"),
    ):
        whole, rest = divmod(round(seconds / small), size // small)
        if whole * size < 60 * size or unit == "d":
            if unit == "h" and whole >= 24:
                continue
            return f"{number(whole)}{THIN}{unit}" + (f" {rest}{THIN}{small_unit}" if rest else "")
    raise AssertionError("days hold any length")


def size(n_bytes: Any) -> str:
    """Return a number of bytes in decimal units.

    Examples
    --------
    >>> [size(each).replace(THIN, " ") for each in (12, 1234, 5_600_000, 7.25e9)]
    ['12 B', '1.23 kB', '5.6 MB', '7.25 GB']
    """
    if not is_number(n_bytes):
        return DASH
    value, unit = float(n_bytes), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if abs(value) < 999.5:
            break
        value, unit = value / 1000, larger
    return f"{number(value, 3)}{THIN}{unit}"


def shorten(text: Any, limit: int = 60) -> str:
    """Return a value as text on one line, without control characters, cut in the middle if long.

    Examples
    --------
    >>> shorten("a" * 50, 11), shorten("two" + chr(10) + "lines"), shorten(""), shorten(True)
    ('aaaaa…aaaaa', 'two lines', '(empty)', 'True')
    """
    line = " ".join(str(text).split())
    line = "".join(letter if letter.isprintable() else "�" for letter in line)
    if not line:
        return "(empty)"
    if len(line) <= limit:
        return line
    half = (limit - 1) // 2
    return f"{line[: limit - 1 - half]}…{line[-half:]}"
