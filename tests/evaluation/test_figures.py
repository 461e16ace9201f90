"""A figure is drawn where there are numbers for it, and only there."""

from groundup.evaluation.figures import draw_figures, loss_title


def test_nothing_is_drawn_from_nothing() -> None:
    assert draw_figures({}) == {}
    assert draw_figures({"curves": None, "data": {"columns": None}, "fit": {}, "leaderboard": []}) == {}


def test_a_regression_has_no_class_balance() -> None:
    column = {"name": "y", "top": [[1, 2], [2, 1]]}
    report = {"problem": {"target": "y", "task": "regression"}, "data": {"columns": [column]}}
    assert draw_figures(report) == {}
    report["problem"]["task"] = "classification"  # type: ignore[index]
    assert list(draw_figures(report)) == ["class_balance"]


def test_many_classes_get_the_full_width_and_say_what_is_left_out() -> None:
    n = 12
    curves = [{"label": i, "auc": 0.5, "points": [[0, 0], [1, 1]]} for i in range(n)]
    confusion = {"labels": list(range(n)), "counts": [[1] * n] * n}
    figures = draw_figures({"curves": {"roc": curves, "confusion": confusion}})
    assert figures["confusion"].is_wide
    assert not figures["roc"].is_wide
    assert "8 of 12 classes are drawn" in figures["roc"].note


def test_importance_without_effect_is_not_drawn() -> None:
    rows = [{"column": "a", "importance": 0.0, "low": 0.0, "high": 0.0}]
    assert draw_figures({"importance": rows}) == {}
    figures = draw_figures({"importance": [*rows, {"column": "b", "importance": 0.3}]})
    assert figures["importance"].note.startswith("1 of 2 columns")


def test_losses_have_words() -> None:
    assert loss_title({"training": {"loss": "binary_logloss"}}) == "log loss"
    assert loss_title({"training": {"loss": "huber"}}) == "huber"
    assert loss_title({}) is None
