"""Cross-validated scores of every learner against a scikit-learn pipeline written by hand.

Both sides get the same rows, folds, metric and hyperparameters: scikit-learn's defaults, and 200 rounds
without early stopping for boosting. What groundup adds by default and scikit-learn does not have
(smoothed probabilities, a chosen temperature, sharpness or pruning, a column "was missing") is switched
off. They are equal where the difference of the mean scores is at most one standard error, that of the
score over the folds; beside it stands the deviation of the difference between folds.

Run ``python benchmarks/learner_scores.py`` (some 10 minutes; ``--only titanic``, ``--learners knn svm``,
``--rows 3000``). Six tables from GROUNDUP_TEST_DATA. Ends with 1 where a score is not equal.
"""

import argparse
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from real_tables import SOURCES, Table, codes, columns_of, load, numbers_of  # noqa: I001  (one thread)

import catboost
import lightgbm
import numpy as np
import pandas as pd
import xgboost
from sklearn import dummy, ensemble, linear_model, naive_bayes, neighbors, svm, tree
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.impute import SimpleImputer
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from groundup.models.catalogue import LEARNERS, make_learner
from groundup.sklearn import GroundupClassifier, GroundupRegressor

ROUNDS = 200
TREE = {"name": "decision_tree", "ccp_alpha": 0.0, "smoothing": 0.0}
FOREST = {"name": "random_forest", "n_estimators": 30, "smoothing": 0.0}


def scaled(X: pd.DataFrame) -> Any:
    """Prepare for linear models: nothing missing, numbers scaled, categories one-hot."""
    return columns_of(X, SimpleImputer(strategy="median"), StandardScaler())


def filled(X: pd.DataFrame) -> Any:
    """Prepare for trees that cannot have missing values."""
    return columns_of(X, SimpleImputer(strategy="median"))


def coded(X: pd.DataFrame) -> Any:
    """Prepare for trees that ask about categories: the codes stand behind the numbers."""
    return columns_of(X, levels=codes())


def categories_of(X: pd.DataFrame) -> list[str]:
    """Return the names of the columns that hold no numbers."""
    return [name for name in X.columns if name not in numbers_of(X)]


def named(X: pd.DataFrame) -> Any:
    """Prepare for CatBoost: categories as text."""
    others = categories_of(X)
    return FunctionTransformer(lambda part: part.assign(**part[others].fillna("missing").astype(str)))


class MixedNaiveBayes(ClassifierMixin, BaseEstimator):
    """scikit-learn's naive Bayes for numbers and for codes behind them, multiplied.

    Numbers are standardised; those of two values count as categories.
    """

    def __init__(self, n_numbers: int) -> None:
        self.n_numbers = n_numbers

    def _parts(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        levels = np.nan_to_num(X, nan=-1) + 1
        levels[:, : self.n_numbers] = X[:, : self.n_numbers] > 0
        return X[:, ~self.is_level_], levels[:, self.is_level_].astype(np.int64)

    def fit(self, X: np.ndarray, y: np.ndarray) -> "MixedNaiveBayes":
        """Fit both."""
        is_flag = [len(np.unique(column)) == 2 for column in X.T]
        self.is_level_ = (np.arange(X.shape[1]) >= self.n_numbers) | is_flag
        numbers, levels = self._parts(X)
        self.numbers_, self.levels_ = naive_bayes.GaussianNB().fit(numbers, y), None
        if levels.shape[1]:
            n_levels = levels.max(axis=0) + 1 + (levels.max(axis=0) > 1)  # some may be missing in a fold
            self.levels_ = naive_bayes.CategoricalNB(min_categories=n_levels).fit(levels, y)
        self.classes_ = self.numbers_.classes_
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return the probabilities of the classes."""
        numbers, levels = self._parts(X)
        logs = self.numbers_.predict_joint_log_proba(numbers)
        if self.levels_ is not None:
            logs = logs + self.levels_.predict_joint_log_proba(levels) - np.log(self.numbers_.class_prior_)
        likely = np.exp(logs - logs.max(axis=1, keepdims=True))
        return likely / likely.sum(axis=1, keepdims=True)


@dataclass(frozen=True)
class Peer:
    """What a user of scikit-learn writes: the preparation, and the estimator for a table."""

    prepare: Callable[[pd.DataFrame], Any]
    estimator: Callable[[Table], Any]
    ours: dict[str, Any] = field(default_factory=dict)
    """The same hyperparameters on our side, where they are not our defaults."""


def pick(classes: Any, values: Any, **settings: Any) -> Callable[[Table], Any]:
    """Return what makes the classifier or the regressor."""
    return lambda table: (classes if table.is_class else values)(**settings)


def margins(classes: Any, values: Any, **settings: Any) -> Callable[[Table], Any]:
    """Return a support vector machine with probabilities from three folds, or for a standardised target."""
    folds = StratifiedKFold(3, shuffle=True, random_state=0)

    def make(table: Table) -> Any:
        if table.is_class:
            return CalibratedClassifierCV(classes(**settings), method="sigmoid", cv=folds, ensemble=False)
        return TransformedTargetRegressor(values(**settings), transformer=StandardScaler())

    return make


def n_codes(table: Table) -> tuple[int, list[int]]:
    """Return how many numbers there are, and where the codes stand behind them."""
    n_numbers = len(numbers_of(table.X))
    return n_numbers, list(range(n_numbers, table.X.shape[1]))


def hist_boosting(table: Table) -> Any:
    kinds = ensemble.HistGradientBoostingClassifier, ensemble.HistGradientBoostingRegressor
    settings = {"max_iter": ROUNDS, "early_stopping": False, "random_state": 0}
    return kinds[not table.is_class](categorical_features=n_codes(table)[1] or None, **settings)


def lightgbm_of(table: Table) -> Any:
    kind, levels = lightgbm.LGBMClassifier if table.is_class else lightgbm.LGBMRegressor, n_codes(table)[1]
    return kind(
        n_estimators=ROUNDS,
        learning_rate=0.05,
        subsample=0.8,
        subsample_freq=1,
        colsample_bytree=0.8,
        **({"categorical_feature": levels} if levels else {}),
        n_jobs=1,
        verbosity=-1,
        random_state=0,
    )


def xgboost_of(table: Table) -> Any:
    n_numbers, levels = n_codes(table)
    kind = xgboost.XGBClassifier if table.is_class else xgboost.XGBRegressor
    return kind(
        n_estimators=ROUNDS,
        learning_rate=0.05,
        subsample=0.8,
        colsample_bytree=0.8,
        feature_types=["q"] * n_numbers + ["c"] * len(levels),
        enable_categorical=True,
        n_jobs=1,
        random_state=0,
    )


def catboost_of(table: Table) -> Any:
    kind = catboost.CatBoostClassifier if table.is_class else catboost.CatBoostRegressor
    return kind(
        iterations=ROUNDS,
        learning_rate=0.05,
        bootstrap_type="MVS",
        subsample=0.8,
        one_hot_max_size=2,
        allow_writing_files=False,
        thread_count=1,
        verbose=False,
        random_seed=0,
    )


def members(table: Table) -> list[tuple[str, Any]]:
    """Return who votes: a linear model and a forest."""
    if table.is_class:
        forest = ensemble.RandomForestClassifier(30, random_state=0)
        return [("linear", linear_model.LogisticRegression(max_iter=1_000)), ("forest", forest)]
    return [("linear", linear_model.Ridge()), ("forest", ensemble.RandomForestRegressor(30, random_state=0))]


def voting(table: Table) -> Any:
    if table.is_class:
        return ensemble.VotingClassifier(members(table), voting="soft")
    return ensemble.VotingRegressor(members(table))


def stacking(table: Table) -> Any:
    if table.is_class:
        final = linear_model.LogisticRegression(max_iter=1_000)
        return ensemble.StackingClassifier(members(table), final, cv=5)
    folds = KFold(5, shuffle=True, random_state=0)
    return ensemble.StackingRegressor(members(table), linear_model.LinearRegression(), cv=folds)


def bagging(table: Table) -> Any:
    if table.is_class:
        inner = tree.DecisionTreeClassifier(min_samples_leaf=5)
        return ensemble.BaggingClassifier(inner, 20, random_state=0)
    return ensemble.BaggingRegressor(tree.DecisionTreeRegressor(min_samples_leaf=5), 20, random_state=0)


def adaboost(table: Table) -> Any:
    if table.is_class:
        return ensemble.AdaBoostClassifier(tree.DecisionTreeClassifier(max_depth=1), random_state=0)
    return ensemble.AdaBoostRegressor(tree.DecisionTreeRegressor(max_depth=3), random_state=0)


def elastic(l1_ratio: float) -> Callable[[Table], Any]:
    folds = KFold(5, shuffle=True, random_state=0)
    return lambda _: linear_model.ElasticNetCV(l1_ratio=l1_ratio, alphas=50, cv=folds, max_iter=10_000)


logistic = linear_model.LogisticRegression
PLAIN, ROUNDED = {"smoothing": 0.0}, {"n_estimators": ROUNDS}
PEERS: dict[str, Peer] = {
    "baseline": Peer(filled, pick(dummy.DummyClassifier, dummy.DummyRegressor)),
    "linear": Peer(
        scaled, lambda t: logistic(max_iter=1_000) if t.is_class else linear_model.LinearRegression()
    ),
    "ridge": Peer(scaled, lambda _: linear_model.RidgeCV(alphas=10.0 ** np.arange(-3, 5.5, 0.5))),
    "lasso": Peer(scaled, elastic(1.0)),
    "elastic_net": Peer(scaled, elastic(0.5)),
    "quantile_regression": Peer(scaled, lambda _: linear_model.QuantileRegressor(alpha=0.0)),
    "logistic": Peer(scaled, lambda _: logistic(max_iter=1_000)),
    "knn": Peer(scaled, pick(neighbors.KNeighborsClassifier, neighbors.KNeighborsRegressor), PLAIN),
    "linear_svm": Peer(
        scaled,
        lambda t: (
            margins(svm.LinearSVC, svm.LinearSVR, dual="auto", max_iter=10_000, random_state=0)(t)
            if t.is_class
            else margins(
                None, svm.LinearSVR, loss="squared_epsilon_insensitive", dual="auto", max_iter=10_000
            )(t)
        ),
    ),
    "svm": Peer(scaled, margins(svm.SVC, svm.SVR)),
    "naive_bayes": Peer(
        # scikit-learn adds a share of the largest variance of all inputs; once scaled, of each one's own.
        lambda X: columns_of(X, SimpleImputer(strategy="median"), StandardScaler(), levels=codes()),
        lambda t: MixedNaiveBayes(n_codes(t)[0]),
        {"temperature": 1.0},
    ),
    "lightgbm": Peer(coded, lightgbm_of, ROUNDED),
    "decision_tree": Peer(
        columns_of,
        pick(tree.DecisionTreeClassifier, tree.DecisionTreeRegressor, min_samples_leaf=5, random_state=0),
        {"ccp_alpha": 0.0, "smoothing": 0.0},
    ),
    "random_forest": Peer(
        columns_of,
        pick(ensemble.RandomForestClassifier, ensemble.RandomForestRegressor, random_state=0),
        PLAIN,
    ),
    "extra_trees": Peer(
        columns_of, pick(ensemble.ExtraTreesClassifier, ensemble.ExtraTreesRegressor, random_state=0), PLAIN
    ),
    "hist_gradient_boosting": Peer(coded, hist_boosting, ROUNDED),
    "adaboost": Peer(filled, adaboost, {"sharpness": 1.0}),
    "bagging": Peer(columns_of, bagging, {"learner": TREE}),
    "voting": Peer(scaled, voting),
    "stacking": Peer(scaled, stacking),
    "xgboost": Peer(coded, xgboost_of, ROUNDED),
    "catboost": Peer(named, catboost_of, ROUNDED),
}


def our_settings(name: str, table: Table) -> dict[str, Any]:
    """Return the hyperparameters of our side."""
    if name in ("voting", "stacking"):
        linear = "logistic" if table.is_class else {"name": "ridge", "alpha": 1.0}
        return {"members": [linear, FOREST]}
    return PEERS[name].ours


def our_estimator(name: str, table: Table) -> Any:
    """Return the learner with scikit-learn's interface; no rows are held out."""
    settings = our_settings(name, table)
    options: dict[str, Any] = {"preparation": {"indicator": False}, "validation_fraction": 0.0}
    if table.is_class:
        return GroundupClassifier(name, settings, **options)
    loss = {"loss": "absolute_error"} if name == "quantile_regression" else {}
    return GroundupRegressor(name, settings, **options, **loss)


def compare(name: str, table: Table) -> bool:
    """Print one row of the table and return whether the scores are equal."""
    peer, start = PEERS[name], time.process_time()
    target = np.unique(table.y, return_inverse=True)[1] if table.is_class else table.y
    pipeline = make_pipeline(peer.prepare(table.X), peer.estimator(table))
    last = pipeline.steps[-1][0]
    # scikit-learn cannot copy a CatBoost that knows its categories before it is fitted.
    params = {f"{last}__cat_features": categories_of(table.X)} if name == "catboost" else None
    how = {"cv": table.folds, "scoring": table.scoring, "error_score": "raise"}
    scores = [
        cross_val_score(our_estimator(name, table), table.X, target, **how),
        cross_val_score(pipeline, table.X, target, params=params, **how),
    ]
    gap, error = scores[0] - scores[1], float(scores[1].std(ddof=1)) / len(scores[1]) ** 0.5
    is_equal = bool(abs(gap.mean()) <= error)
    verdict = "equal" if is_equal else "higher" if gap.mean() > 0 else "lower"
    print(
        f"  {name:<22} {scores[0].mean():8.4f} {scores[1].mean():14.4f} {gap.mean():+12.4f} "
        f"{gap.std(ddof=1):16.4f} {error:16.4f}   {verdict:<8} {time.process_time() - start:5.0f} s",
        flush=True,
    )
    return is_equal


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=SOURCES, nargs="+")
    parser.add_argument("--learners", choices=PEERS, nargs="+")
    parser.add_argument("--rows", type=int, default=2_000)
    arguments = parser.parse_args()
    assert set(PEERS) == set(LEARNERS), set(PEERS) ^ set(LEARNERS)
    warnings.simplefilter("ignore")
    unequal, n_cells = [], 0
    for name in arguments.only or SOURCES:
        table = load(name, arguments.rows)
        task = "classification" if table.is_class else "regression"
        print(f"\n{name}: {len(table.X)} rows, {table.X.shape[1]} columns, {table.scoring} on 5 folds")
        print(
            f"  {'learner':<22} {'groundup':>8} {'scikit-learn':>14} {'difference':>12} "
            f"{'± between folds':>16} {'standard error':>16}   verdict    CPU"
        )
        for learner in arguments.learners or PEERS:
            if task in make_learner(learner).tasks:
                n_cells += 1
                if not compare(learner, table):
                    unequal.append(f"{learner} on {name}")
    print(f"\n{n_cells - len(unequal)} of {n_cells} scores are equal within one standard error.")
    if unequal:
        sys.exit("Not equal: " + ", ".join(unequal))


if __name__ == "__main__":
    main()
