"""Real tables for the benchmarks, and how a user of scikit-learn prepares their columns.

They are looked for in GROUNDUP_TEST_DATA (see tests/conftest.py). Import this module before NumPy, Polars
or scikit-learn: it keeps every library to one thread.
"""

import os

for _name in ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_name] = "1"

from dataclasses import dataclass  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from sklearn.compose import ColumnTransformer  # noqa: E402
from sklearn.impute import SimpleImputer  # noqa: E402
from sklearn.model_selection import KFold, StratifiedKFold  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder  # noqa: E402

DATA = Path(os.environ.get("GROUNDUP_TEST_DATA", Path(__file__).parents[1] / "shared" / "data"))


@dataclass(frozen=True)
class Source:
    """Where a table is, its target, and the columns that are left out: names, and what holds the answer."""

    path: str
    target: str
    left_out: tuple[str, ...] = ()
    is_class: bool = True


SOURCES = {
    "titanic": Source("titanic/titanic.csv", "Survived", ("PassengerId", "Name", "Ticket", "Cabin")),
    "german-credit": Source("german-credit/german_credit.csv.gz", "credit_risk"),
    "spambase": Source("spambase/spambase.csv.gz", "spam"),
    "adult-income": Source("adult-income/adult_train.csv.gz", "income"),
    "california-housing": Source("california-housing/housing.csv.gz", "median_house_value", is_class=False),
    "bike-hourly": Source(
        "bike-hourly/hour.csv.gz", "cnt", ("instant", "dteday", "casual", "registered"), is_class=False
    ),
}


@dataclass(frozen=True)
class Table:
    """Features, target and folds; `scoring` is the area under the ROC curve, or R²."""

    X: pd.DataFrame
    y: Any
    is_class: bool

    @property
    def folds(self) -> Any:
        """Five of them, in classification alike in classes; both sides get the same."""
        return (StratifiedKFold if self.is_class else KFold)(5, shuffle=True, random_state=0)

    @property
    def scoring(self) -> str:
        """What scikit-learn calls the score."""
        return "roc_auc" if self.is_class else "r2"


def load(name: str, n_rows: int) -> Table:
    """Return a table, of more than `n_rows` rows so many drawn at random."""
    source = SOURCES[name]
    table = pd.read_csv(DATA / source.path, na_values="?")
    if len(table) > n_rows:
        table = table.sample(n_rows, random_state=1).reset_index(drop=True)
    y = table.pop(source.target).to_numpy()
    return Table(table.drop(columns=list(source.left_out)), y, source.is_class)


def numbers_of(X: pd.DataFrame) -> list[str]:
    """Return the names of the columns of numbers."""
    names: list[str] = X.select_dtypes("number").columns.tolist()
    return names


def one_hot() -> Any:
    """Return what makes one 0/1 column a level, rare levels together, a missing one as a level."""
    return make_pipeline(
        SimpleImputer(strategy="constant", fill_value="missing"),
        OneHotEncoder(handle_unknown="ignore", min_frequency=5, sparse_output=False),
    )


def codes() -> Any:
    """Return what makes a code of each level, rare levels together, missing and unknown ones not a number."""
    return OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, min_frequency=5)


def columns_of(X: pd.DataFrame, *steps: Any, levels: Any = None) -> ColumnTransformer:
    """Return scikit-learn's preparation: `steps` for the numbers, `levels` (one-hot) for all others."""
    numbers = numbers_of(X)
    others = [name for name in X.columns if name not in numbers]
    return ColumnTransformer(
        [
            ("numbers", make_pipeline(*steps) if steps else "passthrough", numbers),
            ("levels", one_hot() if levels is None else levels, others),
        ]
    )
