import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.training.resampling import resample

CODES = st.lists(st.integers(0, 3), min_size=1, max_size=60).map(np.array)


@settings(deadline=None, max_examples=50)
@given(CODES, st.sampled_from(["over", "under"]), st.integers(0, 5))
def test_every_class_is_as_frequent(y: np.ndarray, method: str, seed: int) -> None:
    rows = resample(y, method, seed=seed)  # type: ignore[arg-type]
    counts = np.unique(y, return_counts=True)[1]
    wanted = counts.max() if method == "over" else counts.min()
    assert np.unique(y[rows], return_counts=True)[1].tolist() == [wanted] * len(counts)
    assert (np.diff(rows) >= 0).all()
    if method == "over":
        assert set(rows) == set(range(len(y)))
    else:
        assert len(set(rows)) == len(rows)
    np.testing.assert_array_equal(rows, resample(y, method, seed=seed))  # type: ignore[arg-type]
