"""Checkpoints: what was finished is kept, each in one file that appears whole and carries its digest."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundup.core.files import write_bytes

_MAGIC = b"groundup checkpoint 1\n"
_DIGEST_LENGTH = 64
_SUFFIX = ".checkpoint"


@dataclass(frozen=True)
class Checkpoint:
    """What was finished: plain facts and named arrays."""

    facts: Mapping[str, Any]
    arrays: Mapping[str, NDArray[np.generic]]


class CheckpointStore:
    """Checkpoints by key in one folder.

    Parameters
    ----------
    folder : Path
        Where they are; made with the first one.

    Examples
    --------
    >>> import tempfile
    >>> store = CheckpointStore(Path(tempfile.mkdtemp()))
    >>> store.save("fold-1", Checkpoint({"score": 0.5}, {"p": np.zeros(2)}))
    >>> store.load("fold-1").facts["score"]
    0.5
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.damaged: list[str] = []

    def _path(self, key: str) -> Path:
        assert re.fullmatch(r"[\w.\-]+", key), key
        return self.folder / f"{key}{_SUFFIX}"

    def save(self, key: str, checkpoint: Checkpoint) -> None:
        """Write a checkpoint: a digest, then facts and arrays.

        Raises
        ------
        StorageError
            If it cannot be written; an earlier one under the same key stays.
        """
        from safetensors.numpy import save

        arrays = {name: np.asarray(array, order="C") for name, array in checkpoint.arrays.items()}
        facts = json.dumps(checkpoint.facts, allow_nan=False)
        content = save(arrays, metadata={"facts": facts})
        digest = hashlib.sha256(content).hexdigest().encode()
        write_bytes(self._path(key), _MAGIC + digest + content)

    def load(self, key: str) -> Checkpoint | None:
        """Return the checkpoint, or None when there is none or its digest is wrong (listed in `damaged`)."""
        from safetensors.numpy import load

        try:
            stored = self._path(key).read_bytes()
        except FileNotFoundError:
            return None
        start = len(_MAGIC) + _DIGEST_LENGTH
        digest, content = stored[len(_MAGIC) : start], stored[start:]
        if not stored.startswith(_MAGIC) or hashlib.sha256(content).hexdigest().encode() != digest:
            self.damaged.append(key)
            return None
        header_length = int.from_bytes(content[:8], "little")
        header = json.loads(content[8 : 8 + header_length])
        return Checkpoint(json.loads(header["__metadata__"]["facts"]), load(content))

    def keys(self) -> list[str]:
        """Return the keys of all checkpoints, sorted."""
        return sorted(path.name.removesuffix(_SUFFIX) for path in self.folder.glob(f"*{_SUFFIX}"))

    def remove(self, key: str) -> None:
        """Remove a checkpoint, if it is there."""
        self._path(key).unlink(missing_ok=True)
