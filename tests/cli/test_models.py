"""`groundup models`: what exists."""

from collections.abc import Callable

import pytest

from groundup.models.catalogue import LEARNERS

Main = Callable[..., tuple[int, str, str]]


def test_every_learner_is_listed(groundup_main: Main) -> None:
    code, out, err = groundup_main("models")
    assert (code, err) == (0, "")
    assert all(f"  {name} " in out for name in LEARNERS)


@pytest.mark.parametrize("name", LEARNERS)
def test_a_learner_in_detail(groundup_main: Main, name: str) -> None:
    code, out, err = groundup_main("models", name)
    assert (code, err) == (0, "")
    assert out.startswith(f"{name} — ")
    assert "Reference: " in out


def test_search_space_and_defaults(groundup_main: Main) -> None:
    _, out, _ = groundup_main("models", "lightgbm")
    assert "0.01 to 0.3 (log)" in out
    assert "--set model.n_estimators=" in out


def test_an_unknown_learner_names_the_nearest(groundup_main: Main) -> None:
    code, _, err = groundup_main("models", "lightbgm")
    assert code == 2
    assert "Did you mean `lightgbm`?" in err
