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

STAGES = {"impute_numbers": "knn", "select": "variance"}


# With a least leaf of one row: weights are as good as repeated rows only where nothing counts rows.
@parametrize_with_checks(
    [
        GroundupClassifier("decision_tree", {"min_samples_leaf": 1}),
        GroundupRegressor("decision_tree", {"min_samples_leaf": 1}),
        GroundupClassifier("decision_tree", {"min_samples_leaf": 1}, preparation=STAGES),
    ]
)
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


def test_weights_of_classes_are_weights_of_their_rows() -> None:
    X, y = table()
    weighed = GroundupClassifier("logistic", class_weight={"yes": 5.0}).fit(X, y)
    by_row = GroundupClassifier("logistic").fit(X, y, sample_weight=np.where(y == "yes", 5.0, 1.0))
    np.testing.assert_allclose(weighed.predict_proba(X), by_row.predict_proba(X), rtol=1e-9)
    plain = GroundupClassifier("logistic").fit(X, y)
    assert (weighed.predict(X) == "yes").mean() > (plain.predict(X) == "yes").mean() + 0.1


@pytest.mark.parametrize("learner", ["lightgbm", "logistic", "naive_bayes"])
def test_balanced_classes_weigh_the_same(learner: str) -> None:
    X, _ = table(1000)
    y = X["age"].to_numpy() + 10 * np.random.default_rng(1).normal(size=1000) > 60
    plain = GroundupClassifier(learner).fit(X, y).predict_proba(X)[:, 1].mean()
    balanced = GroundupClassifier(learner, class_weight="balanced").fit(X, y).predict_proba(X)[:, 1].mean()
    assert balanced > plain + 0.05


def test_rows_of_weight_zero_are_as_good_as_not_there() -> None:
    X, y = table()
    weight = np.where(X["city"].to_numpy() == "Oslo", 0.0, 1.0)
    weighed = GroundupClassifier("logistic").fit(X, y, sample_weight=weight)
    rest = GroundupClassifier("logistic").fit(
        X.filter(weight > 0), y[weight > 0], sample_weight=weight[weight > 0]
    )
    np.testing.assert_array_equal(weighed.predict_proba(X), rest.predict_proba(X))
    with pytest.raises(ValueError, match="zero"):
        GroundupClassifier("logistic").fit(X, y, sample_weight=0 * weight)


def test_what_cannot_weigh_says_so() -> None:
    X, y = table()
    with pytest.raises(ValueError, match="`knn` cannot count some rows more"):
        GroundupClassifier("knn", class_weight="balanced").fit(X, y)
    with pytest.raises(ValueError, match="`knn` cannot count some rows more"):
        GroundupClassifier("knn").fit(X, y, sample_weight=np.ones(len(y)))


@pytest.mark.parametrize("learner", ["quantile_regression", "lightgbm"])
def test_a_regressor_predicts_the_quantile_it_is_asked_for(learner: str) -> None:
    X, y = datasets.load_diabetes(return_X_y=True)
    high = GroundupRegressor(learner, loss="quantile", quantile=0.9).fit(X, y).predict(X)
    low = GroundupRegressor(learner, loss="absolute_error").fit(X, y).predict(X)
    assert (y <= high + 1e-9).mean() == pytest.approx(0.9, abs=0.06)
    assert (y <= low + 1e-9).mean() == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"learner": "ridge", "loss": "absolute_error"}, "`ridge` cannot make the absolute error small"),
        ({"learner": "quantile_regression"}, "cannot make the squared error small"),
        ({"loss": "quantile"}, "name one in"),
        ({"loss": "huber"}, "it should be `squared_error`"),
    ],
)
def test_a_loss_that_cannot_be_is_a_value_error(options: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GroundupRegressor(**options).fit(*datasets.load_diabetes(return_X_y=True))


def test_one_class_is_nothing_to_learn() -> None:
    X, _ = table()
    with pytest.raises(ValueError, match="one class only"):
        GroundupClassifier().fit(X, ["yes"] * len(X))
