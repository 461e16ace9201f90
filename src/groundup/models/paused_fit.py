"""A fit with a loop of its own, run a round at a time: it waits in a thread until the next is asked for."""

from __future__ import annotations

from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
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
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, daemon=True)

    def __enter__(self) -> PausedFit[Round]:
        self._thread.start()
        return self

    def next(self) -> Round | None:
        """Return the next round's result, None after the last one.

        Raises
        ------
        BaseException
            What the fit raised.
        """
        self._should_end.put(False)
        result = self._results.get()
        if self._error is not None:
            raise self._error
        return result

    def __exit__(self, *_: object) -> None:
        self._should_end.put(True)
        self._thread.join()

    def _run(self) -> None:
        if self._should_end.get():
            return
        try:
            self._fit(self._pause)
        except BaseException as error:
            self._error = error
        self._results.put(None)

    def _pause(self, result: Round) -> bool:
        self._results.put(result)
        return self._should_end.get()
