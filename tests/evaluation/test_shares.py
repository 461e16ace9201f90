"""Wilson's interval agrees with SciPy's and stays between zero and one."""

import pytest
from scipy.stats import binomtest

from groundup.evaluation.shares import wilson


@pytest.mark.parametrize(("n_hits", "n"), [(0, 10), (3, 10), (10, 10), (97, 100)])
def test_it_agrees_with_scipy(n_hits: int, n: int) -> None:
    expected = binomtest(n_hits, n).proportion_ci(method="wilson")
    assert wilson(n_hits, n) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_intervals_stay_between_zero_and_one() -> None:
    assert wilson(0, 10)[0] == 0
    assert wilson(10, 10)[1] == 1
