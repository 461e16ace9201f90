"""Real data that ship inside a required package, ready for a first try: `sample:NAME`.

scikit-learn's wheel holds them as small files; they are read where they lie, without importing it.
"""

import csv
import gzip
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Final

import polars as pl

from groundup.core.errors import DataError, UnknownNameError


@dataclass(frozen=True)
class Sample:
    """A table that ships inside scikit-learn.

    Parameters
    ----------
    name : str
        As in `sample:NAME`.
    target : str
        The column that is usually predicted.
    description : str
        One line: what the rows are, how many, and what is asked.
    files : tuple of str
        Where they lie below the package's folder.
    read : callable
        From the files' texts to the table.
    """

    name: str
    target: str
    description: str
    files: tuple[str, ...]
    read: Callable[[list[str]], pl.DataFrame]


def _labelled(features: tuple[str, ...], target: str) -> Callable[[list[str]], pl.DataFrame]:
    """Return a reader of scikit-learn's CSV: counts and class names first, then features and class number."""

    def read(texts: list[str]) -> pl.DataFrame:
        first, body = texts[0].split("\n", 1)
        classes = first.strip().split(",")[2:]
        frame = _plain(body, (*features, target))
        return frame.with_columns(pl.col(target).replace_strict(list(range(len(classes))), classes))

    return read


def _plain(text: str, names: tuple[str, ...], separator: str = ",") -> pl.DataFrame:
    return pl.read_csv(text.encode(), has_header=False, new_columns=list(names), separator=separator)


def _read_digits(texts: list[str]) -> pl.DataFrame:
    pixels = tuple(f"pixel_{row}_{column}" for row in range(8) for column in range(8))
    frame = pl.read_csv(
        texts[0].encode(),
        has_header=False,
        new_columns=[*pixels, "digit"],
        schema_overrides=[pl.Float64] * 65,
    )
    return frame.with_columns(pl.all().cast(pl.Int64))


def _read_diabetes(texts: list[str]) -> pl.DataFrame:
    names = ("age", "sex", "bmi", "blood_pressure", "s1", "s2", "s3", "s4", "s5", "s6")
    frame = _plain(texts[0].replace("\t", " "), names, " ")
    return frame.with_columns(progression=_plain(texts[1], ("progression",)).to_series())


def _arff(*left_out: str) -> Callable[[list[str]], pl.DataFrame]:
    """Return a reader of the ARFF format, without the columns named."""

    def read(texts: list[str]) -> pl.DataFrame:
        header, body = texts[0].split("@data", 1) if "@data" in texts[0] else texts[0].split("@DATA", 1)
        attributes = [
            line.split(None, 2) for line in header.splitlines() if line.lower().startswith("@attribute")
        ]
        names = [name.strip("'\"") for _, name, _ in attributes]
        are_numbers = [kind.strip().lower() in ("numeric", "real", "integer") for _, _, kind in attributes]
        lines = [line for line in body.splitlines() if line.strip() and not line.startswith("%")]
        quote = (
            "'" if sum(line.count("'") for line in lines) > sum(line.count('"') for line in lines) else '"'
        )
        rows = csv.reader(
            io.StringIO("\n".join(lines)), quotechar=quote, escapechar="\\", skipinitialspace=True
        )
        columns = zip(*rows, strict=True)
        return pl.DataFrame(
            [
                _arff_column(name, values, is_number)
                for name, values, is_number in zip(names, columns, are_numbers, strict=True)
                if name not in left_out
            ]
        )

    return read


def _arff_column(name: str, values: tuple[str, ...], is_number: bool) -> pl.Series:
    text = pl.Series(name, [None if value in ("?", "_") else value for value in values], dtype=pl.String)
    if not is_number:
        return text
    whole = text.cast(pl.Int64, strict=False)
    return whole if whole.null_count() == text.null_count() else text.cast(pl.Float64)


_DATA = "datasets/data/"
_OPENML = "datasets/tests/data/openml/"

SAMPLES: Final[Mapping[str, Sample]] = MappingProxyType(
    {
        "breast_cancer": Sample(
            "breast_cancer",
            "diagnosis",
            "569 breast tumours, 30 measurements of their cells: malignant or benign? (binary "
            "classification)",
            (f"{_DATA}breast_cancer.csv",),
            _labelled(
                tuple(
                    f"{statistic} {what}"
                    for statistic in ("mean", "error of", "worst")
                    for what in (
                        "radius",
                        "texture",
                        "perimeter",
                        "area",
                        "smoothness",
                        "compactness",
                        "concavity",
                        "concave points",
                        "symmetry",
                        "fractal dimension",
                    )
                ),
                "diagnosis",
            ),
        ),
        "diabetes": Sample(
            "diabetes",
            "progression",
            "442 diabetes patients, 10 measurements: how far has the disease gone a year later? (regression)",
            (f"{_DATA}diabetes_data_raw.csv.gz", f"{_DATA}diabetes_target.csv.gz"),
            _read_diabetes,
        ),
        "digits": Sample(
            "digits",
            "digit",
            "1 797 handwritten digits as 8 × 8 pixels of 0 to 16: which digit? (classification, 10 classes)",
            (f"{_DATA}digits.csv.gz",),
            _read_digits,
        ),
        "iris": Sample(
            "iris",
            "species",
            "150 iris flowers, 4 lengths in cm: which of three species? (classification)",
            (f"{_DATA}iris.csv",),
            _labelled(("sepal_length", "sepal_width", "petal_length", "petal_width"), "species"),
        ),
        "penguins": Sample(
            "penguins",
            "species",
            "344 penguins near Palmer Station, numbers and categories with missing values: which of "
            "three species?",
            (f"{_OPENML}id_42585/data-v1-dl-21854866.arff.gz",),
            _arff(),
        ),
        "titanic": Sample(
            "titanic",
            "survived",
            "1 309 passengers of the Titanic: who survived? Without `boat` and `body`, which were "
            "recorded after the "
            "sinking and give the answer away (binary classification)",
            (f"{_OPENML}id_40945/data-v1-dl-16826755.arff.gz",),
            _arff("boat", "body"),
        ),
        "wine": Sample(
            "wine",
            "cultivar",
            "178 Italian wines, 13 chemical measurements: from which of three cultivars? (classification)",
            (f"{_DATA}wine_data.csv",),
            _labelled(
                (
                    "alcohol",
                    "malic_acid",
                    "ash",
                    "alcalinity_of_ash",
                    "magnesium",
                    "total_phenols",
                    "flavanoids",
                    "nonflavanoid_phenols",
                    "proanthocyanins",
                    "color_intensity",
                    "hue",
                    "od280_od315_of_diluted_wines",
                    "proline",
                ),
                "cultivar",
            ),
        ),
    }
)
"""Name → sample."""


def load_sample(name: str) -> pl.DataFrame:
    """Return a sample's table.

    Raises
    ------
    UnknownNameError
        If there is no such sample.
    DataError
        If the installed scikit-learn does not hold its files.

    Examples
    --------
    >>> load_sample("iris").shape
    (150, 5)
    """
    if name not in SAMPLES:
        raise UnknownNameError("sample", name, tuple(SAMPLES))
    sample = SAMPLES[name]
    return sample.read([_text(_folder(sample) / file, sample) for file in sample.files])


def _folder(sample: Sample) -> Path:
    spec = find_spec("sklearn")
    if spec is None or spec.origin is None:
        raise DataError(
            f"`sample:{sample.name}` lies inside scikit-learn, which is not installed. Run: pip "
            "install scikit-learn"
        )
    return Path(spec.origin).parent


def _text(path: Path, sample: Sample) -> str:
    try:
        content = path.read_bytes()
    except OSError:
        raise DataError(
            f"`sample:{sample.name}` needs the file `{path}`, which scikit-learn's wheel of version "
            "1.9.1 holds but the "
            f"installed one ({_installed_version()}) does not. Install it again: pip install "
            "--force-reinstall "
            "scikit-learn, or read a file of your own."
        ) from None
    return (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8")


def _installed_version() -> str:
    try:
        return version("scikit-learn")
    except PackageNotFoundError:
        return "unknown"
