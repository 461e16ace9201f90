import copy

import numpy as np
import polars as pl
import pytest
from sklearn import datasets
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from groundup.sklearn import GroundupClassifier, GroundupRegressor


@parametrize_with_checks([GroundupClassifier("decision_tree"), GroundupRegressor("decision_tree")])
@pytest.mark.filterwarnings("ignore")
def test_keeps_scikit_learns_contract(estimator: object, check: object) -> None:
    check(estimator)  # type: ignore[operator]


def table(n_samples: int = 300) -> tuple[pl.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    age, city = rng.normal(40, 10, n_samples), rng.choice(["Bonn", "Rome", "Oslo"], n_samples)
    bought = np.where((age > 40) ^ (city == "Rome"), "yes", "no")
    return pl.DataFrame({"age": age, "city": city}), bought


@pytest.mark.parametrize("learner", ["lightgbm", "decision_tree", "hist_gradient_boosting"])
def test_learns_from_tables_with_categories(learner: str) -> None:
    X, y = table()
    model = GroundupClassifier(learner).fit(X, y)
    assert model.score(X, y) > 0.95
    assert model.classes_.tolist() == ["no", "yes"]
    again = model.predict_proba(X.to_pandas())
    np.testing.assert_array_equal(again, model.predict_proba(X))
    np.testing.assert_array_equal(copy.deepcopy(model).predict_proba(X), again)


def test_works_inside_scikit_learns_tools() -> None:
    X, y = datasets.load_breast_cancer(return_X_y=True)
    model = GroundupClassifier("logistic")
    assert cross_val_score(make_pipeline(StandardScaler(), model), X, y, cv=3).mean() > 0.95
    search = GridSearchCV(model, {"hyperparameters": [{"C": 1e-4}, {"C": 1.0}]}, cv=3).fit(X, y)
    assert search.best_params_ == {"hyperparameters": {"C": 1.0}}
    assert clone(model).get_params() == model.get_params()


@pytest.mark.parametrize(
    "model",
    [
        GroundupClassifier("logistics"),
        GroundupClassifier("ridge"),
        GroundupClassifier("logistic", {"c": 1}),
        GroundupClassifier(preparation={"encode": "hot"}),
    ],
)
def test_what_cannot_be_used_is_a_value_error(model: GroundupClassifier) -> None:
    X, y = table()
    with pytest.raises(ValueError):
        model.fit(X, y)


def test_one_class_is_nothing_to_learn() -> None:
    X, _ = table()
    with pytest.raises(ValueError, match="one class only"):
        GroundupClassifier().fit(X, ["yes"] * len(X))
