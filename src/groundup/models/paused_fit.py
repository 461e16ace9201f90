"""A fit with a loop of its own, run a round at a time: it waits in a thread until the next is asked for."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Generic, TypeVar

Round = TypeVar("Round")


class PausedFit(Generic[Round]):
    """Turns a function that calls back after every round into rounds that are asked for.

    Only one of the two threads runs at a time, so nothing is shared that needs a lock.

    Parameters
    ----------
    fit : callable
        Receives a function that it must call with each round's result; it ends when that returns True.

    Examples
    --------
    >>> def count(pause):
    ...     for number in (1, 2, 3):
    ...         if pause(number):
    ...             return
    >>> with PausedFit(count) as rounds:
    ...     rounds.next(), rounds.next()
    (1, 2)
    """

    def __init__(self, fit: Callable[[Callable[[Round], bool]], object]) -> None:
        self._fit = fit
        self._results: SimpleQueue[Round | None] = SimpleQueue()
        self._should_end: SimpleQueue[bool] = SimpleQueue()
        self._executor = ThreadPoolExecutor(max_workers=1)
        self._end: Future[None] | None = None

    def __enter__(self) -> PausedFit[Round]:
        self._end = self._executor.submit(self._run)
        return self

    def next(self) -> Round | None:
        """Return the next round's result, None after the last one.

        Whatever the fit raises, this raises.
        """
        self._should_end.put(False)
        result = self._results.get()
        if result is None and self._end is not None:
            self._end.result()  # raises what the fit raised
        return result

    def __exit__(self, *_: object) -> None:
        self._should_end.put(True)
        self._executor.shutdown()

    def _run(self) -> None:
        if self._should_end.get():
            return
        try:
            self._fit(self._pause)
        finally:
            self._results.put(None)

    def _pause(self, result: Round) -> bool:
        self._results.put(result)
        return self._should_end.get()
