"""A finding: what is wrong with the data or the model, the evidence, and the remedy.

A fault in the user's data is not an exception. It is stated with a stable code, so that it can be
looked up (`docs/findings/<code>.md`), silenced, or acted on by applying its patch to the recipe.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal

from groundup.core.json import Json

Severity = Literal["info", "warning", "error"]

CODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        # D: reading the data and its columns
        "D001": "Rows were malformed",
        "D002": "Column names were duplicate or blank",
        "D003": "Text was decoded with a fallback encoding",
        "D004": "Rows without a target were left out",
        "D005": "A column is entirely missing",
        "D006": "A column is constant",
        "D007": "A column looks like an identifier",
        "D008": "A column mixes numbers and text",
        "D009": "Infinite values were read as missing",
        "D010": "Many values are missing",
        "D011": "A date format is ambiguous",
        "D012": "There are more columns than rows",
        "D013": "Padding around the table was skipped",
        "D014": "Files of one table differ in their columns",
        "D015": "A column gives the target away",
        "D016": "A column is nearly constant",
        "D017": "An identifier is used as a feature",
        "D018": "A group of the population is under-represented",
        "D019": "Dates lie after the row's own moment",
        "D020": "A column changes in the course of time",
        "D021": "Pictures could not be read",
        # S: splitting into train, validation and test
        "S001": "Rows appear in more than one part",
        "S002": "Nearly equal rows appear in more than one part",
        "S003": "The same entity appears in more than one part",
        "S004": "The parts overlap in time",
        "S005": "A part is small",
        # P: the problem as framed
        "P001": "A class has very few rows",
        "P002": "Classes are imbalanced",
        "P003": "There are many classes",
        "P004": "The target is skewed",
        # F: how the fit went
        "F001": "The model overfits",
        "F002": "The model underfits",
        "F003": "The model is no better than the baseline",
        "F004": "Training stopped before it had converged",
        "F005": "More data would help",
        "F006": "The model is suspiciously good",
        "F007": "Targets look doubtful",
        "F008": "There is too little data for the question",
        "F009": "Probabilities are not frequencies",
        "F010": "The training loss exploded",
        # M: using the model on new rows
        "M001": "New rows are unlike the training rows",
        # V: parts of the rows beside each other
        "V001": "The model is worse on a part of the rows",
        "V002": "Answers differ between parts of the rows",
    }
)
"""Every code and its title; each has a page in `docs/findings/`."""


@dataclass(frozen=True)
class Finding:
    """One statement about the data or the model.

    Parameters
    ----------
    code : str
        A key of `CODES`.
    severity : {"info", "warning", "error"}
        `info`: good to know; `warning`: the result may mislead; `error`: the result is not usable.
    message : str
        One or two sentences with the numbers in them.
    remedy : str
        What to do, in one sentence.
    evidence : mapping
        The numbers and examples behind the message (JSON values).
    patch : mapping
        The remedy as a change of the recipe, dotted path to value, e.g.
        ``{"data.split.group": "customer"}``; empty when no option helps.
    column : str or None
        The column it is about.
    """

    code: str
    severity: Severity
    message: str
    remedy: str
    evidence: Mapping[str, Json] = field(default_factory=dict)
    patch: Mapping[str, Json] = field(default_factory=dict)
    column: str | None = None

    def __post_init__(self) -> None:
        assert self.code in CODES, self.code

    @property
    def title(self) -> str:
        """The code's title."""
        return CODES[self.code]

    def to_json(self) -> dict[str, Any]:
        """Return the finding as a JSON object, its title included."""
        return {"title": self.title, **asdict(self)}


def column_patch(section: str, column: str, *keys: str, value: Json) -> dict[str, Json]:
    """Return the patch of one column's option; empty when the column's name cannot stand in a dotted path.

    Examples
    --------
    >>> column_patch("preparation.columns", "age", "drop", value=True)
    {'preparation.columns.age.drop': True}
    >>> column_patch("preparation.columns", "v1.0", "drop", value=True)
    {}
    """
    if not column or "." in column or "=" in column:
        return {}
    return {".".join((section, column, *keys)): value}
