"""Stages of the preparation: what they cost for one row and in a fit, against scikit-learn's own.

One row: `transform_row` of each stage against scikit-learn's `transform` of a one-row array, fitted on the
same rows. A fit: `select: sequential` against SequentialFeatureSelector with Ridge on the same folds; both
keep the same inputs. Run ``python benchmarks/stages.py`` (``--pairs 30``).
"""

import argparse
import functools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from pairs import compare, show  # noqa: I001  (sets one thread before NumPy loads)

import numpy as np
from sklearn.decomposition import PCA
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.feature_selection import SelectKBest, SequentialFeatureSelector, f_regression
from sklearn.impute import IterativeImputer, KNNImputer
from sklearn.linear_model import Ridge

from groundup.core.inputs import FloatArray, Supervision
from groundup.preparation.options import PreparationOptions
from groundup.preparation.stages.chained_equations import fit_chained_equations
from groundup.preparation.stages.contract import StageContext
from groundup.preparation.stages.nearest_rows import fit_nearest_rows
from groundup.preparation.stages.one_scale import EVERYTHING, OneScale
from groundup.preparation.stages.pca import fit_pca
from groundup.preparation.stages.selection import fit_selection
from groundup.preparation.stages.sequential import N_PARTS, search
from groundup.preparation.target_encoding import make_parts

N_ROWS, N_COLUMNS = 4_000, 20


def table() -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return standardised correlated numbers, the same with a tenth missing, and a target."""
    random = np.random.default_rng(0)
    X = random.normal(size=(N_ROWS, N_COLUMNS)) + random.normal(size=(N_ROWS, 1))
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    y = X @ random.normal(size=N_COLUMNS) + random.normal(size=N_ROWS)
    return X, np.where(random.random(X.shape) < 0.1, np.nan, X), y


def one_row(X: FloatArray, holes: FloatArray, y: FloatArray) -> Iterator[tuple[str, Callable[[], Any], Any]]:
    """Yield a title, our side and scikit-learn's side for each stage; the row misses two numbers."""
    names = tuple(f"x{place}" for place in range(N_COLUMNS))
    options = PreparationOptions(
        select="univariate", select_features=10, reduce="pca", reduce_components=10, scale="standard"
    )
    known = Supervision(y, 0)
    context = StageContext(names, ("number",) * N_COLUMNS, {}, (), options, known)
    row = X[0].copy()
    row[[3, 7]] = np.nan
    knn = fit_nearest_rows(holes, context, range(N_COLUMNS))
    iterative = fit_chained_equations(holes, context, range(N_COLUMNS))
    peers = KNNImputer().fit(holes), IterativeImputer(random_state=0).fit(holes)
    for title, stage, peer, values in (
        (f"knn, {N_ROWS} stored rows", knn, peers[0], row),
        ("iterative", iterative, peers[1], row),
        ("select, 10 of 20", fit_selection(X, context), SelectKBest(f_regression, k=10).fit(X, y), X[0]),
        ("pca, 10 components", fit_pca(X, context), PCA(10).fit(X), X[0]),
    ):
        listed, array = values.tolist(), values[None]
        np.testing.assert_allclose(stage.transform_row(list(listed)), peer.transform(array)[0], atol=0.02)
        # A copy, because a stage may change the row it is given; scikit-learn's row is an array already.
        yield (
            title,
            lambda stage=stage, listed=listed: stage.transform_row(list(listed)),
            functools.partial(peer.transform, array),
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=30)
    arguments = parser.parse_args()
    X, holes, y = table()
    for title, ours, theirs in one_row(X, holes, y):
        comparison = compare(ours, theirs, n_pairs=arguments.pairs, n_calls=(50, 10))
        show(f"One row, {title}", "transform_row", "scikit-learn", comparison)
    known, scale = Supervision(y, 0), OneScale.fit(X, ["number"] * N_COLUMNS, {}, EVERYTHING)
    parts = make_parts(known, N_PARTS)
    folds = [(np.flatnonzero(parts != part), np.flatnonzero(parts == part)) for part in range(N_PARTS)]
    peer = SequentialFeatureSelector(
        Ridge(), n_features_to_select=5, scoring="neg_mean_squared_error", cv=folds
    )
    kept = search(X, scale, known, direction="forward", n_kept=5).kept
    assert kept == np.flatnonzero(peer.fit(X, y).get_support()).tolist()
    comparison = compare(
        lambda: search(X, scale, known, direction="forward", n_kept=5),
        lambda: peer.fit(X, y),
        n_pairs=arguments.pairs,
    )
    show(f"Forward search, 5 of {N_COLUMNS} inputs, {N_ROWS} rows", "search", "scikit-learn", comparison)


if __name__ == "__main__":
    main()
