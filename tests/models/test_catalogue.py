from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from groundup.core.errors import PackageError, RecipeError, UnknownKeyError, UnknownNameError
from groundup.models import catalogue
from groundup.models.baseline import Baseline, FittedBaseline
from groundup.models.catalogue import (
    FITTED,
    LEARNERS,
    check_task,
    default_candidates,
    learner_class,
    learner_names,
    load_fitted,
    make_learner,
)
from groundup.models.contract import Learner
from groundup.models.linear import Ridge


class Foreign(Baseline):
    """A learner of another distribution."""

    title = "foreign"
    fitted = "test_catalogue_foreign:FittedForeign"


class FittedForeign(FittedBaseline):
    """What it fits."""


@pytest.fixture
def _foreign(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretend that a distribution with the learner `foreign` is installed."""
    import sys
    import types

    module = types.ModuleType("test_catalogue_foreign")
    module.Foreign, module.FittedForeign = Foreign, FittedForeign  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    entry = EntryPoint("foreign", f"{module.__name__}:Foreign", catalogue.ENTRY_POINTS)
    monkeypatch.setattr(catalogue, "entry_points", lambda *, group: [entry])


@pytest.mark.parametrize("name", LEARNERS)
def test_every_entry_loads(name: str) -> None:
    chosen = learner_class(name)
    assert issubclass(chosen, Learner)
    assert chosen.fitted in FITTED
    assert make_learner(name) == chosen()


def test_every_fitted_class_belongs_to_a_learner() -> None:
    assert {learner_class(name).fitted for name in LEARNERS} == FITTED


def test_an_unknown_learner_is_refused_with_a_hint() -> None:
    with pytest.raises(UnknownNameError, match=r"There is no learner `lightgmb`\. Did you mean `lightgbm`\?"):
        learner_class("lightgmb")


def test_an_unknown_hyperparameter_is_refused_with_a_hint() -> None:
    with pytest.raises(UnknownKeyError, match=r"`lightgbm`.*`num_leafs`\. Did you mean `num_leaves`\?"):
        make_learner("lightgbm", {"num_leafs": 3})


@pytest.mark.parametrize(
    ("name", "key", "value", "message"),
    [
        ("ridge", "alpha", -1, r"model `ridge`: `alpha` must be a number above 0, or `auto`; it is `-1`\."),
        ("ridge", "alpha", "strong", "it is `strong`"),
        ("lightgbm", "learning_rate", 2, "a number above 0 and at most 1; it is `2`"),
        ("lightgbm", "max_depth", "deep", "a whole number at least 1, or null; it is `deep`"),
        ("lightgbm", "n_estimators", 0, "a whole number at least 1 and at most 100000; it is `0`"),
        ("lightgbm", "min_child_samples", 0, "a whole number at least 1, or `auto`; it is `0`"),
        ("logistic", "C", float("nan"), "`C` must be a number above 0; it is `nan`"),
        ("elastic_net", "l1_ratio", None, "it is `None`"),
    ],
)
def test_a_bad_value_names_learner_field_range_and_value(
    name: str, key: str, value: object, message: str
) -> None:
    with pytest.raises(RecipeError, match=message) as caught:
        make_learner(name, {key: value})
    assert f"`{name}`" in str(caught.value)
    assert "What it does:" in str(caught.value)


def test_text_from_a_command_line_becomes_numbers() -> None:
    assert make_learner("ridge", {"alpha": "10"}) == Ridge(alpha=10.0)


def test_a_learner_for_another_task_is_refused_with_those_that_fit() -> None:
    with pytest.raises(RecipeError, match=r"`ridge` does not do classification\. These do: .*`logistic`"):
        check_task("ridge", "classification")


def test_default_candidates_are_a_linear_model_and_trees() -> None:
    assert default_candidates("classification") == ("logistic", "lightgbm")
    assert default_candidates("regression") == ("ridge", "lightgbm")


@pytest.mark.parametrize(
    "reference", ["os:system", "groundup.models.linear:Ridge", "subprocess:Popen", "", "nothing"]
)
def test_a_package_never_decides_what_is_imported(
    reference: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "import_module", lambda name: pytest.fail(f"imported {name}"))
    with pytest.raises(PackageError, match="neither a model class of this version"):
        load_fitted(reference, tmp_path)


@pytest.mark.usefixtures("_foreign")
def test_other_distributions_add_learners(tmp_path: Path) -> None:
    assert learner_names() == (*LEARNERS, "foreign")
    assert isinstance(make_learner("foreign"), Foreign)
    FittedBaseline((0.5,), is_classifier=False).save(tmp_path)
    assert isinstance(load_fitted(Foreign.fitted, tmp_path), FittedForeign)
    with pytest.raises(PackageError):
        load_fitted("test_catalogue_foreign:Other", tmp_path)
