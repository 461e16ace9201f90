"""JSON objects become rows: nested objects flattened to dotted names, lists kept as JSON text."""

import contextlib
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import polars as pl

from groundup.core.errors import DataError
from groundup.data.frames import series_of
from groundup.data.values import as_text

_MAX_DEPTH: Final = 20
_MAX_COLUMNS: Final = 10_000
_PLAIN: Final = {str: pl.String(), float: pl.Float64(), int: pl.Int64(), bool: pl.Boolean()}


class Rows:
    """Collects objects and hands them out as frames.

    Parameters
    ----------
    origin : str
        The file, for messages.
    """

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.lists: dict[str, None] = {}
        self._names: dict[str, str] = {}
        self._taken: set[str] = set()
        self._rows: list[Mapping[str, Any]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, record: Mapping[str, Any], place: Callable[[], str]) -> None:
        """Add an object as a row; `place` says where it stands.

        Raises
        ------
        DataError
            If it is nested too deeply, or two of its values would have the same name.
        """
        if any(type(value) in (dict, list) for value in record.values()):
            flat: dict[str, Any] = {}
            self._flatten(record, "", flat, place, 1)
            record = flat
        self._rows.append(record)

    def _flatten(
        self,
        record: Mapping[str, Any],
        prefix: str,
        flat: dict[str, Any],
        place: Callable[[], str],
        depth: int,
    ) -> None:
        if depth > _MAX_DEPTH:
            raise DataError(
                f"{place()}: `{prefix[:80]}…` is nested more than {_MAX_DEPTH} levels deep. Take the values "
                "that matter out into columns of their own."
            )
        for key, value in record.items():
            name = prefix + key
            if type(value) is dict:
                self._flatten(value, f"{name}.", flat, place, depth + 1)
                continue
            if name in flat:
                raise DataError(f"{place()}: there are two values called `{name}`. Rename one of them.")
            if type(value) is list:
                self.lists[name] = None
                value = json.dumps(value, ensure_ascii=False) if value else None
            flat[name] = value

    def take(self) -> pl.DataFrame:
        """Return the rows so far, and forget them."""
        rows, self._rows = self._rows, []
        keys = dict.fromkeys(key for row in rows for key in row)
        names = [self._name(key) for key in keys]
        if not names:
            return pl.DataFrame(height=len(rows))
        return pl.DataFrame(
            [
                column_of(name, [row.get(key) for row in rows], self.origin)
                for key, name in zip(keys, names, strict=True)
            ]
        )

    def _name(self, key: str) -> str:
        """Return a column's name: trimmed, not blank, and its own."""
        if key not in self._names:
            if len(self._names) >= _MAX_COLUMNS:
                raise DataError(
                    f"`{self.origin}` has more than {_MAX_COLUMNS} different keys, such as `{key[:80]}`. "
                    "Keys that are values (an ID, a date) belong into a field; write one object per row."
                )
            trimmed = key.strip() or f"column_{len(self._names) + 1}"
            name, count = trimmed, 1
            while name in self._taken:
                count += 1
                name = f"{trimmed}_{count}"
            self._names[key] = name
            self._taken.add(name)
        return self._names[key]


def column_of(name: str, values: list[Any], origin: str) -> pl.Series:
    """Return Python values as a column: of one type where they have one, else as text.

    Examples
    --------
    >>> column_of("x", [1, "n/a", 2.0, True], "x.json").to_list()
    ['1', 'n/a', '2', 'true']
    """
    types = set(map(type, values))
    if bytes in types:
        values = [_decoded(value, name, origin) if type(value) is bytes else value for value in values]
        types = set(map(type, values))
    if types <= {type(None)}:
        return pl.Series(name, values, dtype=pl.Null)
    if not types <= {str, type(None)} and (str in types or types >= {bool, int} or types >= {bool, float}):
        return pl.Series(
            name, [None if value is None else as_text(value) for value in values], dtype=pl.String
        )
    with contextlib.suppress(OverflowError, TypeError):  # an integer beyond 64 bits
        for plain, dtype in _PLAIN.items():  # several times as quick as what knows every type
            if types <= {plain, type(None)}:
                return pl.Series(name, values, dtype=dtype)
    return series_of(values).alias(name)


def _decoded(value: bytes, name: str, origin: str) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise DataError(
            f"`{origin}`: column `{name}` holds bytes, which are no single values. Leave it out: "
            f"data.drop: [{name}], or choose other columns."
        ) from None
