"""The recipe's section `data`."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from groundup.core.options import Options
from groundup.core.schema import Kind


class SplitOptions(Options):
    """How rows are divided into train, validation and test before anything is computed from them."""

    method: Literal["auto", "random", "stratified", "group", "time", "column"] = "auto"
    """`auto`: `column`, `group` or `time` if such a column is named below, else `stratified` for
    classes and `random` for numbers."""
    test: float = Field(default=0.2, gt=0, lt=1)
    """Share of rows in the test part, which is opened once, at the end."""
    validation: float = Field(default=0.2, gt=0, lt=1)
    """Share of the *remaining* rows in the validation part, which steers training (early stopping)."""
    group: str | None = None
    """Column that names an entity (a customer, a patient); its rows stay in one part."""
    time: str | None = None
    """Column that orders rows in time; later rows are tested on models of earlier ones."""
    column: str | None = None
    """Column that holds `train`, `validation` or `test` for each row."""

    @model_validator(mode="after")
    def _method_uses_the_columns(self) -> Self:
        named = [name for name in ("group", "time", "column") if getattr(self, name) is not None]
        if self.method in ("random", "stratified") and named:
            raise ValueError(f"`method: auto` where `{named[0]}` names a column, not `{self.method}`")
        return self


class DataOptions(Options):
    """Where the data are and how to read them."""

    source: str | tuple[str, ...] | None = None
    """A file (CSV, TSV, JSON, JSON Lines, Parquet, Arrow, Excel, SQLite, DuckDB; also compressed or in a
    .zip), `FILE!NAME` for a sheet, a table or a file inside an archive, a folder, a pattern such as
    `data/*.csv`, a list of these (several files form one table), `sample:NAME`, a folder of pictures, which
    are labelled by the folders that they lie in, or pictures in IDX files or an .npz."""
    table: str | None = None
    """The sheet of a workbook, or the table of a database, where there are several."""
    query: str | None = None
    """A SELECT whose result is the table, instead of `table`; SQLite and DuckDB files only."""
    file_column: str | None = None
    """Name of a further column that holds the name of the file each row comes from; as `split.group` it keeps
    the rows of a file in one part."""
    delimiter: str | Literal["auto"] = "auto"
    """The character between fields of a text file; `auto` finds it."""
    encoding: str | Literal["auto"] = "auto"
    """The encoding of a text file, e.g. `utf-8`, `utf-16`, `latin-1`; `auto` finds it."""
    header: bool | Literal["auto"] = "auto"
    """Whether the first row of a text file holds the column names."""
    missing: tuple[str, ...] = (
        "",
        "NA",
        "N/A",
        "n/a",
        "NaN",
        "nan",
        "NULL",
        "null",
        "None",
        "?",
        "-",
        "#N/A",
    )
    """Spellings that mean "missing"; compared after trimming blanks."""
    columns: dict[str, Kind] = Field(default_factory=dict)
    """Kinds of columns that are not as found: `{zip_code: category}`."""
    drop: tuple[str, ...] = ()
    """Columns to leave out."""
    population: dict[str, dict[str, Annotated[float, Field(ge=0, le=1)]]] | str | None = None
    """Whom the rows are to represent: shares of groups by column, `{sex: {male: 0.49, female: 0.51}, age:
    {"<30": 0.3, "30 to 60": 0.5, ">60": 0.2}}`, or a file whose rows are a sample of them."""
    split: SplitOptions = Field(default_factory=SplitOptions)
    """How rows are divided into train, validation and test."""

    @field_validator("population", mode="before")
    @classmethod
    def _names_are_text(cls, value: object) -> object:
        """Return groups by the text that names them: `--set` and Python may have read 1 or true."""
        if not isinstance(value, Mapping):
            return value
        return {
            str(column): {_name(group): share for group, share in groups.items()}
            if isinstance(groups, Mapping)
            else groups
            for column, groups in value.items()
        }


def _name(group: object) -> str:
    return str(group).lower() if isinstance(group, bool) else str(group)
