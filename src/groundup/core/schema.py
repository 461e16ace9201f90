"""The schema: what each column of a table is, how it is stored, and how its text is read."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, get_args

from groundup.core.errors import UnknownColumnError

Kind = Literal["number", "category", "datetime", "boolean", "text", "image", "identifier", "constant"]
"""What a column is. `identifier`: names rows, so it cannot generalise; `text`: free text;
`image`: the path of a picture; `constant`: one value or none at all."""

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

Storage = Literal["integer", "float", "string", "boolean", "datetime"]
"""How a column is stored once read: Polars Int64, Float64, String, Boolean, Datetime("us", no zone)."""


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    name : str
        Unique in its table.
    kind : Kind
        What it is; decides how it is prepared.
    storage : Storage
        How it is stored; decides its canonical Polars type.
    format : str or None
        How its text is turned into values, where it was text and not plainly readable: for numbers
        a key of `groundup.data.values.NUMBER_FORMATS`, for datetimes a `strptime` format (None: ISO 8601).
    missing : tuple of str
        The spellings of "missing" that were found in it besides the empty one.
    reason : str
        Why it is of this kind, as a clause: "12 distinct values in 5 000 rows".
    """

    name: str
    kind: Kind
    storage: Storage
    format: str | None = None
    missing: tuple[str, ...] = ()
    reason: str = ""


class Schema:
    """The columns of a table, in order.

    Examples
    --------
    >>> schema = Schema([Column("age", "number", "integer"), Column("city", "category", "string")])
    >>> schema["age"].kind, len(schema), schema.names
    ('number', 2, ('age', 'city'))
    """

    def __init__(self, columns: Iterable[Column]) -> None:
        self._columns = {column.name: column for column in columns}

    @property
    def names(self) -> tuple[str, ...]:
        """The column names, in order."""
        return tuple(self._columns)

    def __getitem__(self, name: str) -> Column:
        try:
            return self._columns[name]
        except KeyError:
            raise UnknownColumnError(name, self.names) from None

    def __contains__(self, name: object) -> bool:
        return name in self._columns

    def __iter__(self) -> Iterator[Column]:
        return iter(self._columns.values())

    def __len__(self) -> int:
        return len(self._columns)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Schema) and list(self) == list(other)

    def __repr__(self) -> str:
        return f"Schema({', '.join(f'{column.name}: {column.kind}' for column in self)})"

    def select(self, names: Iterable[str]) -> "Schema":
        """Return the schema of the named columns, in that order."""
        return Schema(self[name] for name in names)

    def to_json(self) -> list[dict[str, Any]]:
        """Return one JSON object a column."""
        return [asdict(column) for column in self]

    @classmethod
    def from_json(cls, columns: Iterable[Mapping[str, Any]]) -> "Schema":
        """Return the schema that `to_json` described."""
        return cls(Column(**{**column, "missing": tuple(column.get("missing", ()))}) for column in columns)
