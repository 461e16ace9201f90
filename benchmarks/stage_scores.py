"""Cross-validated scores with stages of the preparation, against scikit-learn pipelines on the same folds.

Three data sets from GROUNDUP_TEST_DATA (see tests/conftest.py): titanic, spambase, and 6 000 rows of
california-housing. Where they have few gaps, a tenth of some columns is made missing. The learner is the
same on both sides, logistic or ridge regression; only the preparation differs. ``--only titanic`` for one.
"""

import argparse
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from real_tables import columns_of, load  # noqa: I001  (sets one thread before NumPy loads)

import numpy as np
import pandas as pd
from sklearn import feature_selection as selection
from sklearn.decomposition import PCA
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.linear_model import LassoCV, LogisticRegression, Ridge
from sklearn.model_selection import KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from groundup.sklearn import GroundupClassifier, GroundupRegressor

GAPS: dict[str, Any] = {"titanic": (), "spambase": range(20), "california-housing": (3, 7)}
"""The columns of which a tenth is made missing."""


def with_gaps(X: pd.DataFrame, gaps: Any) -> pd.DataFrame:
    """Return the features with a tenth of some columns missing."""
    X, random = X.copy(), np.random.default_rng(0)
    for place in gaps:
        X.loc[random.random(len(X)) < 0.1, X.columns[place]] = np.nan
    return X


def cases(X: pd.DataFrame, n_kept: int, *, is_class: bool) -> Iterator[tuple[str, dict[str, Any], list[Any]]]:
    """Yield a title, our options and scikit-learn's steps."""
    scaler = StandardScaler()
    median = SimpleImputer(strategy="median"), scaler
    f = selection.f_classif if is_class else selection.f_regression
    information = selection.mutual_info_classif if is_class else selection.mutual_info_regression
    trees = (ExtraTreesClassifier if is_class else ExtraTreesRegressor)(100, random_state=0)
    folds = KFold(5, shuffle=True, random_state=0)
    n, l1 = {"select_features": n_kept}, selection.SelectFromModel(LassoCV(cv=folds), threshold=1e-5)
    forward = selection.SequentialFeatureSelector(
        Ridge(), n_features_to_select=n_kept, scoring="neg_mean_squared_error", cv=folds
    )
    univariate = {"select": "univariate"}
    yield "median", {}, [columns_of(X, *median)]
    yield "knn", {"impute_numbers": "knn"}, [columns_of(X, scaler, KNNImputer())]
    yield (
        "iterative",
        {"impute_numbers": "iterative"},
        [columns_of(X, scaler, IterativeImputer(random_state=0))],
    )
    for title, options, step in (
        (f"F, best {n_kept}", univariate | n, selection.SelectKBest(f, k=n_kept)),
        ("F, p < 0.05", univariate, selection.SelectFpr(f, alpha=0.05)),
        (
            f"mutual info, best {n_kept}",
            univariate | n | {"select_score": "mutual_info"},
            selection.SelectKBest(lambda X, y: information(X, y, random_state=0), k=n_kept),
        ),
        ("L1", {"select": "model"}, l1),
        ("extra trees", {"select": "model", "select_model": "extra_trees"}, selection.SelectFromModel(trees)),
        (f"forward, {n_kept}", {"select": "sequential"} | n, forward),
        ("pca, 95 %", {"reduce": "pca"}, PCA(0.95, svd_solver="full")),
        (f"pca, {n_kept}", {"reduce": "pca", "reduce_components": n_kept}, PCA(n_kept)),
    ):
        yield title, options, [columns_of(X, *median), step]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=GAPS)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    for name in [arguments.only] if arguments.only else GAPS:
        table = load(name, 6_000)
        X, y, is_class = with_gaps(table.X, GAPS[name]), table.y, table.is_class
        folds, scoring, n_kept = table.folds, table.scoring, 15 if X.shape[1] > 20 else 5
        estimator, learner = (GroundupClassifier, "logistic") if is_class else (GroundupRegressor, "ridge")
        peer = LogisticRegression(max_iter=2_000) if is_class else Ridge()
        settings = {"C": 1.0} if is_class else {"alpha": 1.0}
        print(f"\n{name}: {X.shape[0]} rows, {X.shape[1]} columns, {scoring} on 5 folds, {learner}")
        for title, options, steps in cases(X, n_kept, is_class=is_class):
            start = time.process_time()
            model = estimator(learner, settings, preparation={"indicator": False, **options})
            ours = cross_val_score(model, X, y, cv=folds, scoring=scoring)
            middle = time.process_time()
            theirs = cross_val_score(make_pipeline(*steps, peer), X, y, cv=folds, scoring=scoring)
            gap, cpu = ours - theirs, (middle - start, time.process_time() - middle)
            print(
                f"  {title:<20} ours {ours.mean():.4f}   scikit-learn {theirs.mean():.4f}   difference "
                f"{gap.mean():+.4f} ± {gap.std(ddof=1) / 5**0.5:.4f}   CPU {cpu[0]:.2f} s / {cpu[1]:.2f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
