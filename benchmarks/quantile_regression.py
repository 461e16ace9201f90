"""Linear quantile regression through the dual linear program against scikit-learn's, the same solution.

Run ``python benchmarks/quantile_regression.py`` (``--rows 4000``, ``--pairs 30``). Both call HiGHS; ours
gives it as many constraints as there are features, scikit-learn's as many as there are rows.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from pairs import compare, show  # noqa: I001  (sets one thread before NumPy loads)

import numpy as np
from sklearn.linear_model import QuantileRegressor

from groundup.core.inputs import Inputs
from groundup.core.losses import Loss
from groundup.models.contract import FitContext
from groundup.models.quantile_regression import QuantileRegression

N_FEATURES, QUANTILE = 13, 0.9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=4_000)
    parser.add_argument("--pairs", type=int, default=30)
    arguments = parser.parse_args()
    random = np.random.default_rng(0)
    X = random.normal(size=(arguments.rows, N_FEATURES))
    y = X @ random.normal(size=N_FEATURES) + random.standard_t(3, size=arguments.rows)
    inputs = Inputs({"X": X, "y": y})
    context = FitContext(
        "regression",
        0,
        0,
        1,
        None,
        lambda: False,
        Loss("quantile", QUANTILE),  # type: ignore[arg-type]
    )
    peer = QuantileRegressor(quantile=QUANTILE, alpha=0.0)
    ours = QuantileRegression().fit(inputs, None, context)
    np.testing.assert_allclose(ours.coef_[0], peer.fit(X, y).coef_, atol=1e-8)
    result = compare(
        lambda: QuantileRegression().fit(inputs, None, context),
        lambda: peer.fit(X, y),
        n_pairs=arguments.pairs,
    )
    title = f"The {100 * QUANTILE:g} % quantile, {arguments.rows} × {N_FEATURES}"
    show(title, "groundup", "scikit-learn", result)


if __name__ == "__main__":
    main()
