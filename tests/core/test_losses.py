import pytest

from groundup.core.losses import Loss, loss_of, pinball_name, quantile_of


@pytest.mark.parametrize("quantile", [0.001, 0.05, 0.3, 0.975, 0.999, 1 / 3])
def test_a_quantile_has_one_name(quantile: float) -> None:
    found = quantile_of(pinball_name(quantile))
    assert found == pytest.approx(quantile, abs=1e-12)
    assert found is not None
    assert pinball_name(found) == pinball_name(quantile)
    assert loss_of("regression", pinball_name(quantile)) == Loss("quantile", found)


@pytest.mark.parametrize(
    "name", ["rmse", "pinball_loss", "pinball_loss_0.0", "pinball_loss_0.50", "pinball_loss_1"]
)
def test_other_names_hold_no_quantile(name: str) -> None:
    assert quantile_of(name) is None


@pytest.mark.parametrize(
    ("metric", "loss"), [("rmse", "squared_error"), ("mae", "absolute_error"), ("mape", "absolute_error")]
)
def test_the_loss_follows_the_metric(metric: str, loss: str) -> None:
    assert loss_of("regression", metric).name == loss
    assert loss_of("classification", "accuracy").name == "log_loss"
