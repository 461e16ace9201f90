"""Compare two ways of doing the same thing: alternating pairs, process CPU time, a bootstrap interval.

Import this module before NumPy, Polars or scikit-learn: it keeps every library to one thread.
"""

import os

for _name in ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import ctypes  # noqa: E402
import gc  # noqa: E402
import random  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402
from dataclasses import dataclass  # noqa: E402
from statistics import median  # noqa: E402


def keep_memory() -> None:
    """Let this process keep freed memory (glibc), so that no side pays for pages that the other gave back.

    A page fault costs microseconds on a virtual machine: without this, the side that happens to run
    after a large array was freed looks up to a third slower.
    """
    m_trim_threshold, m_mmap_threshold = -1, -3
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(m_mmap_threshold, 4 * 2**20)
        mallopt(m_trim_threshold, 2**30)


@dataclass(frozen=True)
class Comparison:
    """CPU seconds of one call of each side, one entry a pair.

    Parameters
    ----------
    a, b : tuple of float
        Seconds, in the order they were measured: a[0], b[0], a[1], …
    """

    a: tuple[float, ...]
    b: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """Median of `b` over median of `a`: how many times faster `a` is."""
        return median(self.b) / median(self.a)

    def interval(self, *, resamples: int = 2_000, confidence: float = 0.95) -> tuple[float, float]:
        """Return the bootstrap percentile interval of `ratio`; pairs are drawn together."""
        draw = random.Random(0)
        pairs = list(zip(self.a, self.b, strict=True))
        ratios = []
        for _ in range(resamples):
            a, b = zip(*draw.choices(pairs, k=len(pairs)), strict=True)
            ratios.append(median(b) / median(a))
        ratios.sort()
        tail = (1 - confidence) / 2
        return ratios[int(tail * resamples)], ratios[int((1 - tail) * resamples) - 1]


def cpu_seconds(call: Callable[[], object], n_calls: int = 1) -> float:
    """Return the process CPU time of one call, seconds, as the mean of `n_calls`."""
    start = time.process_time()
    for _ in range(n_calls):
        call()
    return (time.process_time() - start) / n_calls


def compare(
    a: Callable[[], object], b: Callable[[], object], *, n_pairs: int = 30, n_calls: tuple[int, int] = (1, 1)
) -> Comparison:
    """Measure `a` and `b` in alternation after one call of each to warm up.

    Parameters
    ----------
    a, b : callable
        The two sides; results are thrown away.
    n_pairs : int, default=30
        Measurements of each.
    n_calls : tuple of int, default=(1, 1)
        Calls per measurement of `a` and of `b`, for calls shorter than a millisecond.

    Returns
    -------
    Comparison
    """
    keep_memory()
    a(), b()
    times: tuple[list[float], list[float]] = ([], [])
    gc.collect()
    gc.disable()
    try:
        for _ in range(n_pairs):
            times[0].append(cpu_seconds(a, n_calls[0]))
            times[1].append(cpu_seconds(b, n_calls[1]))
    finally:
        gc.enable()
    return Comparison(tuple(times[0]), tuple(times[1]))


def show(title: str, name_a: str, name_b: str, comparison: Comparison) -> None:
    """Print one comparison as a small table."""
    low, high = comparison.interval()
    print(f"\n{title}  ({len(comparison.a)} alternating pairs, process CPU time, one thread)")
    for name, times in ((name_a, comparison.a), (name_b, comparison.b)):
        ordered = sorted(times)
        tenth = len(ordered) // 10
        spread = f"80 % in {readable(ordered[tenth])} … {readable(ordered[-1 - tenth])}"
        print(f"  {name:<20} {readable(median(times)):>12}   ({spread})")
    print(f"  {name_b} / {name_a}: {comparison.ratio:.2f}   (95 % interval {low:.2f} … {high:.2f})")


def readable(seconds: float) -> str:
    """Return seconds with a fitting unit.

    Examples
    --------
    >>> readable(0.0024), readable(2.4e-6), readable(3.0)
    ('2.400 ms', '2.400 µs', '3.000 s')
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3f} {unit}"
    return f"{seconds * 1e9:.0f} ns"
