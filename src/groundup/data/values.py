"""One value: how a number, a date or a boolean is spelled, and how a row's value becomes canonical.

Plain Python, without Polars or NumPy, because the one-row path reads its values here. Columns are
parsed by `groundup.data.parsing`, which follows the same rules; the tests hold the two together.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from groundup.core.errors import PredictionInputError
from groundup.core.schema import Column

MISSING_SPELLINGS: Final = frozenset(
    {"", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "?", "-", "#N/A", "<NA>", "NaT"}
)
"""Spellings of "missing" that no number, date or boolean can be confused with."""

BLANKS: Final = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029"
    "\u202f\u205f\u3000"
)
"""What is trimmed around a value: Unicode's white space, as Polars trims it."""

BOOLEANS: Final[Mapping[str, bool]] = MappingProxyType(
    {"true": True, "false": False, "yes": True, "no": False, "y": True, "n": False, "t": True, "f": False}
    | {"1": True, "0": False}
)
"""Spellings of true and false, in lower case."""

BOOLEAN_PAIRS: Final = (("true", "false"), ("yes", "no"), ("y", "n"), ("t", "f"))
"""What a text column of two values must hold to be found boolean (0 and 1 are numbers)."""

_CURRENCY = r"[$€£¥₹]|US\$|USD|EUR|GBP|CHF|JPY"


@dataclass(frozen=True)
class NumberFormat:
    """How a number with grouping, currency, percent sign or accounting brackets is spelled.

    Parameters
    ----------
    thousands : str
        A pattern for what may stand between groups of three digits.
    decimal : str
        What stands before the fraction.
    """

    thousands: str
    decimal: str

    @property
    def pattern(self) -> str:
        """A pattern for the whole text.

        Its groups: bracket, sign, currency, sign, digits, fraction, exponent, percent, currency, bracket.
        """
        digits = rf"([1-9][0-9]{{0,2}}(?:{self.thousands}[0-9]{{3}})+|[0-9]*)"
        fraction = rf"(\{self.decimal}[0-9]*)?"
        return (
            rf"^(\()?\s*([+\-−])?\s*({_CURRENCY})?\s*([+\-−])?{digits}{fraction}([eE][+\-]?[0-9]+)?"
            rf"\s*(%)?\s*({_CURRENCY})?\s*(\))?$"
        )


NUMBER_FORMATS: Final[Mapping[str, NumberFormat]] = MappingProxyType(
    {
        "1,234.5": NumberFormat(",", "."),
        "1.234,5": NumberFormat(r"\.", ","),
        "1 234,5": NumberFormat("[ \u00a0\u2009\u202f]", ","),
        "1 234.5": NumberFormat("[ \u00a0\u2009\u202f]", "."),
        "1'234.5": NumberFormat("['’]", "."),
    }
)
"""Formats of numbers by their example, in the order they are tried; a plain number has none."""

_PATTERNS = {key: re.compile(each.pattern) for key, each in NUMBER_FORMATS.items()}
_PLAIN_NUMBER = re.compile(r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$", re.ASCII)
_NOT_A_DIGIT = re.compile(r"[^0-9]")
_MIN_YEAR = 1000


def parse_number(text: str, format: str | None = None) -> float | None:  # noqa: A002
    """Return the number that `text` spells, or None when it spells none.

    Parameters
    ----------
    text : str
        Without blanks around it.
    format : str or None
        A key of `NUMBER_FORMATS`; None for plain numbers such as ``-1.5e3``.

    Returns
    -------
    float or None
        ``45 %`` is 45.0 and ``(123)`` is -123.0.

    Examples
    --------
    >>> parse_number("€ 1.234,50", "1.234,5"), parse_number("(12 %)", "1,234.5"), parse_number("twelve")
    (1234.5, -12.0, None)
    """
    if format is None:
        return float(text) if _PLAIN_NUMBER.match(text) else None
    found = _PATTERNS[format].match(text)
    if found is None:
        return None
    bracket, sign, currency, inner_sign, digits, fraction, exponent, _, suffix, closing = found.groups()
    whole, part = _NOT_A_DIGIT.sub("", digits), _NOT_A_DIGIT.sub("", fraction or "")
    if not (whole or part) or bool(bracket) != bool(closing) or (currency and suffix):
        return None
    if sum(map(bool, (bracket, sign, inner_sign))) > 1:
        return None
    value = float(f"{whole or 0}.{part or 0}{exponent or ''}")
    negative = bool(bracket) or (sign or inner_sign or "+") != "+"
    return -value if negative else value


_NUMERIC_DATE = re.compile(r"^(\d{1,4})([/.\-])(\d{1,2})\2(\d{1,4})")
_COMPACT_DATE = re.compile(r"^(19|20)\d{2}(0[1-9]|1[0-2])([0-2]\d|3[01])$")
_NAMED_DATES = (
    (re.compile(r"^\d{1,2}([ \-./])([A-Za-z]{3,9})\.?(\1)(\d{4}|\d{2})(?!\d)"), "%d{0}{month}{0}{year}"),
    (re.compile(r"^([A-Za-z]{3,9}) \d{1,2}(,? )()(\d{4})"), "{month} %d{1}{year}"),
    (re.compile(r"^\d{4}([ \-/])([A-Za-z]{3,9})(\1)\d{1,2}(?!\d)"), "%Y{0}{month}{0}%d"),
    (re.compile(r"^([A-Za-z]{3,9})([ \-])()(\d{4})(?!\d)"), "{month}{1}{year}"),
    (re.compile(r"^\d{4}([ \-])([A-Za-z]{3,9})()(?![A-Za-z])"), "%Y{0}{month}"),
)
_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_MONTH_ONLY = re.compile(r"^(\d{4})([\-/])(\d{2})$")
_TIME = re.compile(
    r"^(?P<gap>T| |, ?)(?P<hour>\d{1,2})(?P<colon>[:.])\d{2}"
    r"(?P<second>(?P=colon)\d{2}(?P<fraction>\.\d{1,6})?)?"
    r"(?P<half> ?[AaPp][Mm])?(?P<zone> ?(Z|[+-]\d{2}:?\d{2}))?$"
)


def _date_parts(text: str) -> tuple[list[str], int]:
    """Return the formats that the date at the start of `text` can have, and its length."""
    if found := _NUMERIC_DATE.match(text):
        first, mark, _, last = found.groups()
        if len(first) == 4 and len(last) <= 2:
            return [f"%Y{mark}%m{mark}%d", f"%Y{mark}%d{mark}%m"], found.end()
        if len(first) <= 2 and len(last) in (2, 4):
            year = "%Y" if len(last) == 4 else "%y"
            formats = [f"%d{mark}%m{mark}{year}", f"%m{mark}%d{mark}{year}"]
            return formats + ([f"%y{mark}%m{mark}%d"] if len(first) == len(last) == 2 else []), found.end()
        return [], 0
    if _COMPACT_DATE.match(text):
        return ["%Y%m%d"], 8
    if found := _MONTH_ONLY.match(text):
        return [f"%Y{found.group(2)}%m"], len(text)
    for pattern, template in _NAMED_DATES:
        if found := pattern.match(text):
            word = next(each for each in found.groups() if each and each[0].isalpha()).casefold()
            months = [m for m in _MONTHS if word in (m, m[:3])]
            if not months:
                return [], 0
            month = "%b" if len(word) == 3 else "%B"
            groups = found.groups()
            year = "%Y" if len(groups) > 3 and groups[3] and len(groups[3]) == 4 else "%y"
            return [template.format(*groups, month=month, year=year)], found.end()
    return [], 0


def datetime_formats(text: str) -> list[str]:
    """Return the `strptime` formats that `text` may be written in, most usual first.

    Parameters
    ----------
    text : str
        One value, without blanks around it.

    Returns
    -------
    list of str
        Empty when it is no date. Several where day and month could be either.

    Examples
    --------
    >>> datetime_formats("01/02/2020 10:30")
    ['%d/%m/%Y %H:%M', '%m/%d/%Y %H:%M']
    >>> datetime_formats("Jan 12, 2020"), datetime_formats("12.5")
    (['%b %d, %Y'], [])
    """
    dates, length = _date_parts(text)
    rest = text[length:]
    if not dates or not rest:
        return dates
    found = _TIME.match(rest)
    if found is None:
        return []
    colon = found["colon"]
    time = found["gap"] + ("%I" if found["half"] else "%H") + f"{colon}%M"
    if found["second"]:
        time += f"{colon}%S" + (".%f" if found["fraction"] else "")
    if found["half"]:
        time += found["half"][:-2] + "%p"
    if found["zone"]:
        time += (" " if found["zone"].startswith(" ") else "") + "%z"
    return [each + time for each in dates]


_ISO = re.compile(r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?( ?(Z|[+-]\d{2}:?\d{2}))?)?$")


def is_iso(text: str) -> bool:
    """Return whether `text` is a date, or date and time, as ISO 8601 writes it.

    Examples
    --------
    >>> is_iso("2020-01-31"), is_iso("2020-01-31T10:00:00.5+02:00"), is_iso("31.01.2020")
    (True, True, False)
    """
    return _ISO.match(text) is not None


def without_zone(value: datetime) -> datetime:
    """Return `value` in UTC and without its zone; one that has none is taken as it is."""
    return value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)


def parse_datetime(text: str, format: str | None = None) -> datetime | None:  # noqa: A002
    """Return the moment that `text` spells, in UTC and without a zone, or None when it spells none.

    Parameters
    ----------
    text : str
        Without blanks around it.
    format : str or None
        A `strptime` format; None for ISO 8601.

    Examples
    --------
    >>> parse_datetime("2020-01-31T10:00:00+02:00"), parse_datetime("31.1.2020", "%d.%m.%Y")
    (datetime.datetime(2020, 1, 31, 8, 0), datetime.datetime(2020, 1, 31, 0, 0))
    """
    try:
        if format is None:
            if not is_iso(text):
                return None
            value = datetime.fromisoformat(text.replace(" Z", "Z").replace(" +", "+"))
        else:
            value = datetime.strptime(text, format)
        return without_zone(value) if value.year >= _MIN_YEAR else None
    except ValueError:
        return None


def as_text(value: object) -> str:
    """Return how a value that is not text is spelled as a category; whole floats as integers.

    Examples
    --------
    >>> as_text(3.0), as_text(True), as_text(2.5)
    ('3', 'true', '2.5')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
        return str(int(value))
    if isinstance(value, datetime):
        return without_zone(value).strftime("%Y-%m-%dT%H:%M:%S")
    if isinstance(value, date):
        return value.strftime("%Y-%m-%dT00:00:00")
    return str(value)


def _plain(value: object) -> Any:
    """Return a scalar of NumPy or the like as the Python value it holds, and its own missing as None."""
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    item = getattr(value, "item", None)
    return item() if callable(item) and not isinstance(value, str | float) else value


def _misfit(column: Column, value: object, expected: str) -> PredictionInputError:
    written = f" written like `{column.format}`" if column.format and column.kind == "number" else ""
    return PredictionInputError(
        f"The value `{value!r}` of column `{column.name}` is not {expected}{written}. "
        "Give one, or None where it is missing."
    )


RowReader: TypeAlias = Callable[[object], Any]


def _number_reader(column: Column) -> RowReader:
    number_format = column.format
    missing = MISSING_SPELLINGS.union(column.missing)
    infinity = float("inf")

    def read_other(value: object) -> float | None:
        value = _plain(value)
        if value is None:
            return None
        if isinstance(value, str):
            text = value.strip(BLANKS)
            if text in missing or text.lower().lstrip("+-") in ("inf", "infinity", "nan"):
                return None
            number = parse_number(text, number_format)
            if number is None:
                raise _misfit(column, value, "a number")
        else:
            try:
                number = float(value)  # type: ignore[arg-type]
            except (TypeError, ValueError):
                raise _misfit(column, value, "a number") from None
            except OverflowError:
                return None
        return number if -infinity < number < infinity else None

    def read(value: object) -> float | None:
        if type(value) is float:
            return value if -infinity < value < infinity else None
        if type(value) is int and -(2**63) <= value < 2**63:
            return float(value)
        return read_other(value)

    return read


def _text_reader(column: Column) -> RowReader:
    missing = frozenset({"", *column.missing})

    def read(value: object) -> str | None:
        if type(value) is not str:
            value = _plain(value)
            if value is None or value != value:
                return None
            value = as_text(value) if not isinstance(value, str) else value
        text = value.strip(BLANKS)
        return None if text in missing else text

    return read


def _boolean_reader(column: Column) -> RowReader:
    missing = MISSING_SPELLINGS.union(column.missing)

    def read(value: object) -> bool | None:
        if value is True or value is False or value is None:
            return value
        value = _plain(value)
        if value is None or value != value:
            return None
        if isinstance(value, str):
            text = value.strip(BLANKS)
            if text in missing:
                return None
            if text.lower() in BOOLEANS:
                return BOOLEANS[text.lower()]
        elif value == 0 or value == 1:
            return bool(value)
        raise _misfit(column, value, "true or false")

    return read


def _datetime_reader(column: Column) -> RowReader:
    missing = MISSING_SPELLINGS.union(column.missing)

    def read(value: object) -> datetime | None:
        if isinstance(value, str):
            text = value.strip(BLANKS)
            if text in missing:
                return None
            moment = parse_datetime(text, column.format)
            if moment is None and column.format is not None:
                moment = parse_datetime(text)
            if moment is None:
                raise _misfit(column, value, f"a date like `{column.format or '2020-01-31'}`")
            return moment
        value = _plain(value)
        if value is None or value != value:
            return None
        if isinstance(value, datetime):
            return without_zone(value)
        if isinstance(value, date):
            return datetime(value.year, value.month, value.day)
        raise _misfit(column, value, f"a date like `{column.format or '2020-01-31'}`")

    return read


_READERS: Final[Mapping[str, Callable[[Column], RowReader]]] = MappingProxyType(
    {
        "integer": _number_reader,
        "float": _number_reader,
        "string": _text_reader,
        "boolean": _boolean_reader,
        "datetime": _datetime_reader,
    }
)


def row_reader(column: Column) -> RowReader:
    """Return the function that turns one value of a row's dict into the column's canonical value.

    Parameters
    ----------
    column : Column
        As found in training: its storage, format and missing spellings say how values are read.

    Returns
    -------
    callable
        From a number, text, None, NaN, bool, date or datetime to ``float``, ``str``, ``bool`` or
        ``datetime`` (UTC, without a zone), or None where it is missing; infinite numbers are missing.
        It raises PredictionInputError for a value that cannot be read. A float costs about 100 ns.

    Examples
    --------
    >>> read = row_reader(Column("price", "number", "float", format="1.234,5"))
    >>> read("1.234,50"), read(3), read("NA"), read(float("nan"))
    (1234.5, 3.0, None, None)
    """
    return _READERS[column.storage](column)


def row_readers(columns: Iterable[Column]) -> dict[str, RowReader]:
    """Return each column's `row_reader`, by name."""
    return {column.name: row_reader(column) for column in columns}
