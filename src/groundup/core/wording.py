"""Numbers, shares and values as people read them in a message."""

from collections.abc import Iterable


def count(n: int, noun: str = "", plural: str = "") -> str:
    """Return a whole number with its thousands apart, and the noun that it counts.

    Parameters
    ----------
    n : int
        How many.
    noun : str, default=""
        What is counted, in the singular.
    plural : str, default=""
        Its plural, where that is not the singular and an `s`.

    Examples
    --------
    >>> count(48842, "row"), count(1, "row"), count(3, "class", "classes")
    ('48 842 rows', '1 row', '3 classes')
    """
    number = f"{n:,}".replace(",", " ")
    return f"{number} {noun if n == 1 else plural or noun + 's'}" if noun else number


def percent(share: float) -> str:
    """Return a share in [0, 1] as a percentage of two digits or so.

    Examples
    --------
    >>> percent(0.2408), percent(0.035), percent(0.99999), percent(0.0002), percent(0.00002), percent(0)
    ('24 %', '3.5 %', 'almost 100 %', '0.02 %', 'under 0.01 %', '0 %')
    """
    value = 100 * share
    if 0 < value < 0.01:
        return "under 0.01 %"
    if 99.5 <= value < 100:
        return f"{value:.1f} %" if value < 99.95 else "almost 100 %"
    digits = 0 if value >= 10 or value == 0 else 1 if value >= 0.1 else 2
    return f"{value:.{digits}f} %"


def shown(value: object, *, limit: int = 60) -> str:
    """Return a value in backticks on one line, whole floats without their point, long text cut.

    Examples
    --------
    >>> shown(3.0), shown("yes"), shown(0.123456789), shown(None)
    ('`3`', '`yes`', '`0.123457`', 'missing')
    """
    if value is None:
        return "missing"
    if isinstance(value, float):
        return f"`{value:.0f}`" if value.is_integer() and abs(value) < 1e15 else f"`{value:.6g}`"
    text = str(value).replace("\n", "⏎")
    return f"`{text if len(text) <= limit else text[: limit - 1] + '…'}`"


def listed(values: Iterable[object], *, limit: int = 5) -> str:
    """Return values in backticks with commas between, the rest counted.

    Examples
    --------
    >>> listed(["a", "b"]), listed(range(7), limit=2)
    ('`a`, `b`', '`0`, `1` and 5 more')
    """
    every = list(values)
    text = ", ".join(shown(value) for value in every[:limit])
    return f"{text} and {count(len(every) - limit)} more" if len(every) > limit else text


def number(value: float, digits: int = 4) -> str:
    """Return a number with about `digits` significant digits and its thousands apart.

    Examples
    --------
    >>> number(46661.2), number(0.87125), number(2.177e9), number(3.2e-7), number(-12.0), number(0.0)
    ('46 661', '0.8712', '2.177e+09', '3.2e-07', '-12', '0')
    >>> number(714.0, 2)
    '710'
    """
    if 10**digits <= abs(value) < 1000:
        value = float(f"{value:.{digits}g}")
        return f"{value:.0f}"
    if 1000 <= abs(value) < 1e7:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.{digits}g}"
