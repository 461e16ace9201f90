"""Checkpoints of a fit under way: written by a thread of their own, pruned, read back newest first."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Thread
from typing import Any, Final

from numpy.typing import NDArray

from groundup.core.checkpoints import Checkpoint, CheckpointStore
from groundup.core.errors import RunError, StorageError

_STEP_DIGITS: Final = 10


@dataclass(frozen=True)
class Snapshot:
    """A fit at one step, copied out of the network's memory.

    Parameters
    ----------
    step : int
        Updates made so far.
    facts : mapping
        JSON values.
    arrays : mapping of str to ndarray
        Weights, optimizer, generators.
    """

    step: int
    facts: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]


class CheckpointKeeper:
    """Keeps the last checkpoints of one fit.

    Training goes on while a checkpoint is written; a second one waits for the first. A full disk costs a
    note, not the training: what was written before stays.

    Parameters
    ----------
    store : CheckpointStore
        Where they are written.
    name : str
        Of the fit, unique in its run; letters, digits, ``-``, ``_``, ``.``.
    identity : str
        What the fit depends on (recipe, data); a checkpoint of another identity is refused.
    tell : callable
        Takes a sentence about what went wrong without ending the training.
    n_kept : int, default=2
        Checkpoints that stay; older ones are removed once a newer one is safe.
    """

    def __init__(
        self,
        store: CheckpointStore,
        name: str,
        identity: str,
        tell: Callable[[str], None],
        *,
        n_kept: int = 2,
    ) -> None:
        self._store, self._name, self._identity, self._tell = store, name, identity, tell
        self._n_kept = n_kept
        self._writer: Thread | None = None
        self._failure: StorageError | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a checkpoint is being written."""
        return self._writer is not None and self._writer.is_alive()

    def save(self, snapshot: Snapshot) -> None:
        """Begin to write a checkpoint; return once the one before is safe."""
        self.wait()
        self._writer = Thread(target=self._write, args=(snapshot,), name="groundup-checkpoint", daemon=True)
        self._writer.start()

    def wait(self) -> None:
        """Return once what was begun is written; tell it if that failed."""
        if self._writer is not None:
            self._writer.join()
            self._writer = None
        if self._failure is not None:
            failure, self._failure = self._failure, None
            self._tell(f"No checkpoint could be written; training goes on without it. {failure}")

    def latest(self) -> Snapshot | None:
        """Return the newest checkpoint that is whole; None where there is none.

        Raises
        ------
        RunError
            If it belongs to another recipe or other data.
        """
        for key in reversed(self._keys()):
            checkpoint = self._store.load(key)
            if checkpoint is None:
                self._tell(f"The checkpoint `{key}` is damaged; the one before it is used.")
                continue
            facts = dict(checkpoint.facts)
            if facts.pop("identity") != self._identity:
                raise RunError(
                    f"The checkpoint `{key}` was written with another recipe or other data, so training "
                    "cannot go on from it. Train a new run; `--from` starts it from this one's weights."
                )
            return Snapshot(facts.pop("step"), facts, checkpoint.arrays)
        return None

    def clear(self) -> None:
        """Remove all checkpoints of the fit: it has ended."""
        self.wait()
        for key in self._keys():
            self._store.remove(key)

    def _write(self, snapshot: Snapshot) -> None:
        facts = {**snapshot.facts, "step": snapshot.step, "identity": self._identity}
        try:
            self._store.save(
                f"{self._name}-step-{snapshot.step:0{_STEP_DIGITS}}", Checkpoint(facts, snapshot.arrays)
            )
            for key in self._keys()[: -self._n_kept]:
                self._store.remove(key)
        except StorageError as error:
            self._failure = error

    def _keys(self) -> list[str]:
        """Return the keys of this fit's checkpoints, oldest first."""
        pattern = re.compile(re.escape(self._name) + r"-step-\d+")
        return sorted(key for key in self._store.keys() if pattern.fullmatch(key))  # noqa: SIM118
