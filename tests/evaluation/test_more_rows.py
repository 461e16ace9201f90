"""Whether more rows would help is told where it can be, holds what comes, and is not told elsewhere."""

from dataclasses import replace

import numpy as np
import pytest

from groundup.evaluation.intervals import BootstrapOptions
from groundup.evaluation.more_rows import Growth, Outlook, look_ahead

N_TRAIN = 1000
SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1)


def growth(
    seed: int,
    *,
    level: float = 0.3,
    fall: float = 0.1,
    exponent: float = 0.5,
    noise: float = 0.2,
    n: int = 800,
    n_sizes: int = 5,
) -> Growth:
    """Losses whose means follow level + fall (n / n_train)^-exponent; what makes rows hard stays the same."""
    rng = np.random.default_rng(seed)
    sizes = 0.8 * N_TRAIN * np.array(SHARES[-n_sizes:])
    means = level + fall * (sizes / N_TRAIN) ** -exponent
    hard = rng.exponential(1.0, n)
    fold = np.arange(n) % 5
    luck = 0.1 * noise * rng.normal(size=(n_sizes, 5))[:, fold]
    losses = means[:, None] * hard + noise * means[:, None] * rng.normal(size=(n_sizes, n)) + luck
    own = means[:, None] * np.linspace(0.5, 0.6, 5)
    own[-1] = np.nan
    return Growth(sizes, losses, fold, own, 0.69, N_TRAIN)


def gain_of(fall: float, exponent: float) -> float:
    return fall * (1 - 2**-exponent)


def test_the_band_holds_what_twice_the_rows_are_worth() -> None:
    rng, n_held, n_told = np.random.default_rng(0), 0, 0
    for seed in range(80):
        fall, exponent = rng.uniform(0.02, 0.2), rng.uniform(0.2, 1.0)
        outlook = look_ahead(growth(seed, fall=fall, exponent=exponent))
        assert outlook.gain is not None
        n_held += outlook.gain.low <= gain_of(fall, exponent) <= outlook.gain.high
        n_told += outlook.outcome in ("helps", "little")
    assert n_held >= 0.93 * 80
    assert n_told >= 0.6 * 80


def test_a_clear_gain_is_told_with_its_numbers() -> None:
    outlook = look_ahead(growth(0, fall=0.2), loss="log loss")
    assert outlook.outcome == "helps"
    assert outlook.sentence.startswith("Twice the rows would lower the log loss by about 0.0")
    assert outlook.gain.value == pytest.approx(gain_of(0.2, 0.5), rel=0.3)
    assert outlook.doubling.low < 0.2 * (0.4**-0.5 - 0.8**-0.5) < outlook.doubling.high
    assert [each["n"] for each in outlook.forecast][::5] == [800, 2000]
    assert outlook.forecast[-1]["value"] < outlook.forecast[0]["value"]


def test_a_sure_but_small_gain_is_little() -> None:
    outlook = look_ahead(growth(0, fall=0.02, noise=0.02, n=8000))
    assert outlook.outcome == "little"
    assert "only by about" in outlook.sentence


def test_a_flat_curve_of_a_model_that_has_learned_is_enough() -> None:
    outlook = look_ahead(growth(0, level=0.3, fall=0.0, noise=0.02, n=4000))
    assert outlook.outcome == "enough"
    assert outlook.sentence.startswith("No more data needed: twice the rows would lower the loss")


def test_a_flat_curve_of_a_model_that_has_not_begun_says_nothing() -> None:
    outlook = look_ahead(growth(0, level=0.68, fall=0.0, noise=0.01, n=4000))
    assert outlook.outcome == "unclear"
    assert "hardly begun to learn" in outlook.sentence


def test_noise_is_not_told_as_a_gain() -> None:
    outcomes = [look_ahead(growth(seed, fall=0.0, noise=0.5, n=200)).outcome for seed in range(60)]
    assert outcomes.count("helps") + outcomes.count("little") <= 3
    assert "cannot be told" in look_ahead(growth(1, fall=0.0, noise=0.5, n=200)).sentence


def test_three_sizes_are_no_curve() -> None:
    outlook = look_ahead(growth(0, fall=0.2, n_sizes=3))
    assert (outlook.outcome, outlook.gain, outlook.forecast) == ("unclear", None, [])
    assert "too few for a curve" in outlook.sentence
    assert len(outlook.points) == 3
    one = look_ahead(growth(0, n_sizes=1))
    assert one.doubling is None


def test_in_time_only_what_was_measured_is_told() -> None:
    outlook = look_ahead(replace(growth(0, fall=0.2), is_in_time=True))
    assert (outlook.outcome, outlook.gain, outlook.forecast) == ("unclear", None, [])
    assert "a history twice as long lowered the loss by" in outlook.sentence
    flat = look_ahead(replace(growth(0, fall=0.0), is_in_time=True))
    assert "no clear difference" in flat.sentence
    worse = look_ahead(replace(growth(0, level=0.6, fall=-0.2, noise=0.05), is_in_time=True))
    assert "raised the loss by" in worse.sentence


def test_a_gain_is_never_more_than_the_loss_there_is() -> None:
    outlook = look_ahead(growth(0, level=0.0, fall=0.001, exponent=1.5, noise=1.0))
    now = outlook.points[-1]["held_out"]
    assert outlook.gain.high <= now
    assert outlook.outcome == "enough"


def test_rows_of_one_group_count_as_one() -> None:
    rows = growth(0, n=600)
    groups = np.repeat(np.arange(100), 6)
    twins = replace(
        rows, losses=rows.losses[:, groups], fold=rows.fold[groups], options=BootstrapOptions(groups=groups)
    )
    alone = replace(
        rows,
        sizes=rows.sizes / 6,
        losses=rows.losses[:, :100],
        fold=rows.fold[:100],
    )

    def width(outlook: Outlook) -> float:
        return outlook.points[0]["high"] - outlook.points[0]["low"]

    assert width(look_ahead(twins)) == pytest.approx(width(look_ahead(alone)), rel=0.1)


def test_points_have_bands_of_both_lines() -> None:
    first, *_, last = look_ahead(growth(0)).points
    assert first["low"] < first["held_out"] < first["high"]
    assert first["train_low"] < first["train"] < first["train_high"]
    assert last["train"] is None
    assert (first["share"], first["n"], last["n"]) == (0.05, 50, 800)
