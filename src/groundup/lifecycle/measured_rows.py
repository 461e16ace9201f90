"""What a model said of each test row, kept so that runs can be compared without opening the test part again.

Of the rows themselves only hashes are kept, with what was observed and predicted.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundup.core.errors import RunError
from groundup.core.files import write_bytes
from groundup.core.inputs import FloatArray, IntArray, Predictions
from groundup.core.runs import RunFolder
from groundup.evaluation.intervals import BootstrapOptions


@dataclass(frozen=True, eq=False)
class MeasuredRows:
    """The test rows of a run, without their content.

    Parameters
    ----------
    positions : ndarray of shape (n_samples,)
        Where each row stands among those that have a target.
    keys : ndarray of shape (n_samples,)
        Hash of each row's content (`groundup.data.fingerprint.row_keys`).
    y_true : ndarray of shape (n_samples,)
        Class codes, or values.
    predictions : Predictions
        Of the run's model.
    losses : ndarray of shape (n_samples,)
        Loss of each row: log loss, or by the metric squared, absolute or pinball.
    groups, times : ndarray of shape (n_samples,) or None
        By what rows depend on each other, as codes.
    """

    positions: IntArray
    keys: NDArray[np.uint64]
    y_true: NDArray[np.generic]
    predictions: Predictions
    losses: FloatArray
    groups: IntArray | None = None
    times: IntArray | None = None

    @property
    def n_rows(self) -> int:
        """How many rows."""
        return len(self.positions)

    def take(self, rows: IntArray) -> "MeasuredRows":
        """Return the given rows in the given order."""
        return MeasuredRows(
            self.positions[rows],
            self.keys[rows],
            self.y_true[rows],
            self.predictions.take(rows),
            self.losses[rows],
            None if self.groups is None else self.groups[rows],
            None if self.times is None else self.times[rows],
        )

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return everything as named arrays; what is None is left out."""
        named: dict[str, NDArray[Any] | None] = {
            "positions": self.positions,
            "keys": self.keys,
            "y_true": self.y_true,
            "values": self.predictions.values,
            "probabilities": self.predictions.probabilities,
            "losses": self.losses,
            "groups": self.groups,
            "times": self.times,
        }
        return {name: array for name, array in named.items() if array is not None}


def keep_measured(
    folder: RunFolder, rows: MeasuredRows, options: BootstrapOptions, positive: int
) -> dict[str, Any]:
    """Write ``predictions.safetensors`` and return what `report.json` says of it, its digest above all."""
    from safetensors.numpy import save

    arrays = {name: np.ascontiguousarray(array) for name, array in rows.arrays().items()}
    facts = {"positive": positive, "resamples": options.resamples, "seed": options.seed}
    content = save(arrays, metadata={"groundup": json.dumps(facts)})
    return {
        "file": folder.predictions.name,
        "sha256": write_bytes(folder.predictions, content),
        "n_rows": rows.n_rows,
        "size_bytes": len(content),
        **facts,
    }


def read_measured(folder: RunFolder, report: Mapping[str, Any]) -> MeasuredRows:
    """Return what `keep_measured` wrote.

    Raises
    ------
    RunError
        If the file is gone, or is not the one that the run wrote.
    """
    from safetensors.numpy import load

    stated = (report.get("predictions") or {}).get("sha256")
    if stated is None:
        raise RunError(
            f"The run `{folder.path}` kept no predictions of its test rows, because an earlier version wrote "
            f"it. Make it again: groundup reproduce {folder.path}"
        )
    try:
        content = folder.predictions.read_bytes()
    except OSError as error:
        raise RunError(
            f"`{folder.predictions}` is gone, so its rows cannot be compared. Make the run again: "
            f"groundup reproduce {folder.path}"
        ) from error
    if hashlib.sha256(content).hexdigest() != stated:
        raise RunError(
            f"`{folder.predictions}` is damaged or was edited: its digest is not the one in report.json. "
            f"Make the run again: groundup reproduce {folder.path}"
        )
    arrays: dict[str, Any] = load(content)
    predictions = Predictions(arrays.pop("values"), arrays.pop("probabilities", None))
    return MeasuredRows(predictions=predictions, **arrays)


def pair_rows(one: MeasuredRows, other: MeasuredRows, *, is_same_data: bool) -> tuple[IntArray, IntArray]:
    """Return the positions, in each, of the rows that both have, in the same order.

    Parameters
    ----------
    one, other : MeasuredRows
        Of two runs.
    is_same_data : bool
        Both read the same table: rows are known by their place. Otherwise by their content; the n-th of
        several equal rows is paired with the n-th.

    Returns
    -------
    tuple of ndarray of shape (n_common,)
        Positions in `one` and in `other`.
    """
    names = (one.positions, other.positions) if is_same_data else (_numbered(one.keys), _numbered(other.keys))
    _, rows, others = np.intersect1d(names[0], names[1], assume_unique=True, return_indices=True)
    order = np.argsort(rows, kind="stable")
    return rows[order].astype(np.int64), others[order].astype(np.int64)


def _numbered(keys: NDArray[np.uint64]) -> NDArray[np.void]:
    """Return each key with how many equal ones stand before it, as one value."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    lengths = np.diff(np.append(starts, len(keys)))
    nth = np.empty(len(keys), dtype=np.uint64)
    nth[order] = np.arange(len(keys)) - np.repeat(starts, lengths)
    pairs = np.empty(len(keys), dtype=[("key", np.uint64), ("nth", np.uint64)])
    pairs["key"], pairs["nth"] = keys, nth
    return pairs
