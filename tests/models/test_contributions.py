"""What learners say each input adds, against definitions and other implementations."""

import numpy as np
import pytest

from groundup.core.errors import NotExplainedError
from groundup.core.inputs import FloatArray, Inputs
from groundup.models.boosted_trees import AdaBoost
from groundup.models.contract import FitContext
from groundup.models.contributions import explain, of_classes
from groundup.models.ensembles import Stacking, Voting
from groundup.models.linear import Logistic, Ridge
from groundup.models.naive_bayes import NaiveBayes
from groundup.models.neighbors import KNN
from groundup.models.svm import SVM, LinearSVM
from groundup.models.trees import DecisionTree


def context(n_classes: int = 0) -> FitContext:
    task = "classification" if n_classes else "regression"
    return FitContext(task, n_classes, 0, 1, None, lambda: False)  # type: ignore[arg-type]


def rows(n_classes: int = 0, n_samples: int = 200) -> Inputs:
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=(n_samples, 3)), rng.integers(0, 2, n_samples)])
    signal = X[:, 0] + 0.5 * X[:, 1] + X[:, 3] + 0.3 * rng.normal(size=n_samples)
    y = np.digitize(signal, [0.0, 1.0][: n_classes - 1]) if n_classes else signal
    return Inputs({"X": X, "y": y})


def replaced(X: FloatArray, column: int, other: FloatArray) -> FloatArray:
    changed = np.repeat(X[:1], len(other), axis=0)
    changed[:, column] = other[:, column]
    return changed


@pytest.mark.parametrize("learner", [Ridge(), LinearSVM()])
def test_a_linear_model_counts_from_the_mean_of_the_training_rows(learner: Ridge | LinearSVM) -> None:
    train = rows()
    fitted = learner.fit(train, None, context())
    values = fitted.contributions(train).values[..., 0]
    np.testing.assert_allclose(values[:, -1], fitted.predict(train).values.mean(), atol=1e-12)
    for column in range(4):
        # The interventional definition: what the prediction loses when the column is drawn anew.
        drawn = fitted.predict(Inputs({"X": replaced(train.X, column, train.X)})).values
        expected = fitted.predict(train).values[0] - drawn.mean()
        np.testing.assert_allclose(values[0, column], expected, atol=1e-12)


def test_naive_bayes_counts_from_the_mean_over_the_training_rows() -> None:
    train = rows(2)
    fitted = NaiveBayes().fit(train, None, context(2))
    values = fitted.contributions(train).values[..., 0]

    def log_odds(X: FloatArray) -> FloatArray:
        probabilities = fitted.predict(Inputs({"X": X})).probabilities
        assert probabilities is not None
        return np.log(probabilities[:, 1] / probabilities[:, 0])

    for column in range(4):
        expected = log_odds(train.X)[0] - log_odds(replaced(train.X, column, train.X)).mean()
        np.testing.assert_allclose(values[0, column], expected, atol=1e-9)


def test_a_linear_last_word_weighs_what_the_members_add() -> None:
    train = rows()
    members = ({"name": "decision_tree", "max_depth": 3}, "ridge")
    fitted = Stacking(members=members, final="linear").fit(train, None, context())
    assert fitted.final is not None
    weights = fitted.final.fitted.coef_[0]
    parts = [explain(member.fitted, train).values for member in fitted.members]
    expected = sum(weight * part[:, :-1] for weight, part in zip(weights, parts, strict=True))
    np.testing.assert_allclose(fitted.contributions(train).values[:, :-1], expected, atol=1e-12)


@pytest.mark.parametrize(
    ("fitted", "why"),
    [
        (lambda: KNN().fit(rows(), None, context()), "nearest neighbors.* no sum over the columns"),
        (lambda: SVM().fit(rows(), None, context()), "sum over similar training rows"),
        (lambda: AdaBoost().fit(rows(), None, context()), "median over the trees"),
        (
            lambda: Voting(members=("logistic", "decision_tree")).fit(rows(2), None, context(2)),
            "member `logistic regression` .* log-odds",
        ),
        (
            lambda: Stacking(members=("ridge",), final="decision_tree").fit(rows(), None, context()),
            "`decision tree` has the last word",
        ),
        (lambda: Voting(members=("ridge", "knn")).fit(rows(), None, context()), "nearest neighbors"),
    ],
)
def test_who_cannot_explain_itself_says_why_and_what_says_more(fitted: object, why: str) -> None:
    with pytest.raises(NotExplainedError, match=why) as error:
        explain(fitted(), rows())  # type: ignore[operator]
    assert "ermutation importance" in str(error.value)


@pytest.mark.parametrize(
    ("learner", "file", "array"),
    [
        (Logistic(), "weights.safetensors", "mean"),
        (LinearSVM(), "weights.safetensors", "mean"),
        (NaiveBayes(), "weights.safetensors", "mean_terms"),
        (DecisionTree(), "trees.safetensors", "covers"),
    ],
)
def test_models_of_earlier_versions_still_predict_and_ask_to_be_trained_again(
    learner: Logistic, file: str, array: str, tmp_path
) -> None:
    from safetensors.numpy import load, save

    train = rows(2)
    fitted = learner.fit(train, None, context(2))
    fitted.save(tmp_path)
    content = load((tmp_path / file).read_bytes())
    del content[array]
    (tmp_path / file).write_bytes(save(content))
    earlier = type(fitted).load(tmp_path)
    np.testing.assert_array_equal(earlier.predict(train).probabilities, fitted.predict(train).probabilities)
    with pytest.raises(NotExplainedError, match="Train it again"):
        explain(earlier, train)


def test_classes_that_training_did_not_have_get_nothing() -> None:
    values = np.ones((1, 3, 2))
    found = of_classes(values, scale="score", present=[0, 2], n_classes=3).values
    assert found[0, :, 1].tolist() == [0, 0, -np.inf]
    found = of_classes(values, scale="probability", present=[0, 2], n_classes=3).values
    assert found[0, :, 1].tolist() == [0, 0, 0]
