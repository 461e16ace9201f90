import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import StackingClassifier, StackingRegressor, VotingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from groundup.core.errors import PackageError, RecipeError, UnknownKeyError, UnknownNameError
from groundup.core.inputs import Inputs, Needs
from groundup.models.contract import FitContext
from groundup.models.ensembles import Bagging, Stacking, Voting, _folds
from groundup.models.ensembles_fitted import FittedEnsemble
from groundup.training.rounds import run_rounds

TREE = {"name": "decision_tree", "max_depth": 3, "min_samples_leaf": 20, "smoothing": 0, "ccp_alpha": 0}


def context(n_classes: int, *, stop: bool = False) -> FitContext:
    task = "classification" if n_classes else "regression"
    loop = partial(run_rounds, early_stopping=None, emit=lambda **_: None, should_stop=lambda: stop)
    return FitContext(task, n_classes, 0, 1, loop, lambda: stop)  # type: ignore[arg-type]


def rows(n_samples: int, n_classes: int, seed: int = 0) -> Inputs:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, 4))
    signal = X[:, 0] + X[:, 1] * X[:, 2] + 0.3 * rng.normal(size=n_samples)
    y = np.digitize(signal, [0.0, 1.0][: n_classes - 1]) if n_classes else signal
    return Inputs({"X": X, "y": y})


def test_voting_is_the_mean_of_its_members_as_in_scikit_learn() -> None:
    train, test = rows(300, 3), rows(500, 3, seed=1)
    fitted = Voting(members=("logistic", TREE)).fit(train, None, context(3))
    plain = VotingClassifier(
        [
            ("a", LogisticRegression(max_iter=1000)),
            ("b", DecisionTreeClassifier(max_depth=3, min_samples_leaf=20)),
        ],
        voting="soft",
    ).fit(train.X, train.y)
    np.testing.assert_allclose(fitted.predict(test).probabilities, plain.predict_proba(test.X), atol=1e-6)


@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_stacking_learns_as_scikit_learn_on_the_same_folds(n_classes: int) -> None:
    train, test = rows(300, n_classes), rows(500, n_classes, seed=1)
    fold_of_row = _folds(train.y, 5, np.random.default_rng(0), context(n_classes))
    folds = [(np.flatnonzero(fold_of_row != each), np.flatnonzero(fold_of_row == each)) for each in range(5)]
    fitted = Stacking(members=("linear", TREE)).fit(train, None, context(n_classes))
    if n_classes:
        members = [
            ("a", LogisticRegression(max_iter=1000)),
            ("b", DecisionTreeClassifier(max_depth=3, min_samples_leaf=20)),
        ]
        plain = StackingClassifier(members, LogisticRegression(max_iter=1000), cv=folds)
    else:
        members = [("a", LinearRegression()), ("b", DecisionTreeRegressor(max_depth=3, min_samples_leaf=20))]
        plain = StackingRegressor(members, LinearRegression(), cv=folds)
    plain.fit(train.X, train.y)
    predictions = fitted.predict(test)
    if n_classes:
        # scikit-learn also hands on the first class's probability where there are three classes.
        gap = np.abs(predictions.probabilities - plain.predict_proba(test.X))
        assert gap.mean() < (0.005 if n_classes == 2 else 0.05)
    else:
        np.testing.assert_allclose(predictions.values, plain.predict(test.X), atol=1e-9)


@pytest.mark.parametrize("n_classes", [0, 2])
def test_bagging_averages_fits_that_differ(n_classes: int) -> None:
    train = rows(200, n_classes)
    fitted = Bagging(learner=TREE, n_estimators=5).fit(train, None, context(n_classes))
    each = [member.fitted.predict(train) for member in fitted.members]
    outputs = [one.values if one.probabilities is None else one.probabilities for one in each]
    assert not np.array_equal(outputs[0], outputs[1])
    whole = fitted.predict(train)
    found = whole.values if whole.probabilities is None else whole.probabilities
    np.testing.assert_allclose(found, np.mean(outputs, axis=0))


def test_a_request_to_stop_keeps_the_fits_there_are() -> None:
    fitted = Bagging(n_estimators=5).fit(rows(50, 2), None, context(2, stop=True))
    assert len(fitted.members) == 1


@pytest.mark.parametrize(
    ("members", "needs"),
    [
        (("lightgbm",), Needs(scaled=False, categories="codes", missing=True)),
        (("lightgbm", "hist_gradient_boosting"), Needs(scaled=False, categories="codes", missing=True)),
        (("lightgbm", "decision_tree"), Needs(scaled=False, categories="one_hot", missing=True)),
        (("lightgbm", "linear"), Needs(scaled=True, categories="one_hot", missing=False)),
    ],
)
def test_members_share_what_all_can_work_with(members: tuple[str, ...], needs: Needs) -> None:
    assert Voting(members=members).needs() == needs
    assert Stacking(members=members).needs() == needs


@pytest.mark.parametrize(
    ("learner", "error"),
    [
        ("decision_trees", UnknownNameError),
        ({"name": "decision_tree", "depth": 3}, UnknownKeyError),
        ({"name": "decision_tree", "max_depth": 0}, RecipeError),
        ({"max_depth": 3}, RecipeError),
    ],
)
def test_a_member_that_cannot_be_made_is_an_error_at_once(learner: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        Bagging(learner=learner)  # type: ignore[arg-type]
    with pytest.raises(error):
        Voting(members=("linear", learner))  # type: ignore[arg-type]
    with pytest.raises(error):
        Stacking(final=learner)  # type: ignore[arg-type]


def test_a_member_that_cannot_do_the_task_is_named() -> None:
    with pytest.raises(RecipeError, match="`ridge` does not do classification"):
        Voting(members=("ridge",)).fit(rows(50, 2), None, context(2))


def test_folds_have_equal_shares_of_the_classes() -> None:
    y = np.repeat([0, 1, 2], [50, 30, 20])
    folds = _folds(y, 5, np.random.default_rng(0), context(3))
    for label, n_each in enumerate((10, 6, 4)):
        assert np.bincount(folds[y == label]).tolist() == [n_each] * 5


@pytest.mark.parametrize("change", [{"members": []}, {"members": None}, {"members": ["os:system"]}])
def test_a_damaged_state_is_refused(change: dict[str, object], tmp_path: Path) -> None:
    Voting(members=("linear",)).fit(rows(50, 0), None, context(0)).save(tmp_path)
    path = tmp_path / "learner.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(PackageError):
        FittedEnsemble.load(tmp_path)
