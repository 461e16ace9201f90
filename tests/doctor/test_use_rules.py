"""New rows are compared with what training leads to expect, beyond chance."""

import pytest

from groundup.doctor.contract import NotApplicable
from groundup.doctor.data_rules import MAX_FINDINGS
from groundup.doctor.signals import UseSignals
from groundup.doctor.use_rules import unlike_training


@pytest.mark.parametrize(
    ("n", "hits", "expected", "speaks"),
    [
        (500, 400, 0.02, True),
        (500, 15, 0.02, False),
        (500, 60, 0.1, False),
        (4, 4, 0.001, True),
        (2, 1, 0.1, False),
    ],
)
def test_only_what_chance_does_not_explain_is_told(n: int, hits: int, expected: float, speaks: bool) -> None:
    signals = UseSignals(n, ({"name": "age", "n": n, "missing": (hits, expected)},))
    assert bool(unlike_training(signals)) is speaks


def test_the_worst_column_comes_first_and_many_share_a_last_finding() -> None:
    columns = tuple({"name": f"c{i}", "n": 100, "unseen": (50 + i, 0.01)} for i in range(30))
    answer = unlike_training(UseSignals(100, columns))
    assert not isinstance(answer, NotApplicable)
    findings = list(answer)
    assert len(findings) == MAX_FINDINGS + 1
    assert findings[0].column == "c29"
    assert "has a level that training never saw in 79 of 100" in findings[0].message
    assert "20 more columns" in findings[-1].message


def test_no_rows_are_like_any() -> None:
    assert isinstance(
        unlike_training(UseSignals(0, ({"name": "a", "n": 0, "missing": (0, 0.1)},))), NotApplicable
    )
