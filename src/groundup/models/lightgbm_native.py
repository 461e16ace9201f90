"""Fitted boosted trees, predicted by LightGBM's C library without importing its Python package.

``import lightgbm`` costs a second because it imports scikit-learn; the library alone, a few
milliseconds. Its single-row call costs a fifth of ``Booster.predict``.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import json
import struct
import sys
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from groundup.core.errors import PackageError
from groundup.core.files import write_bytes, write_json
from groundup.core.inputs import Contributions, FloatArray, Inputs, Predictions
from groundup.models.facts import facts_to_save
from groundup.models.lightgbm_text import check_text

_MODEL, _STATE = "model.txt", "learner.json"
# C_API_DTYPE_FLOAT64, C_API_PREDICT_NORMAL, C_API_PREDICT_CONTRIB, is_row_major
_FLOAT64, _NORMAL, _CONTRIBUTIONS, _ROW_MAJOR = 1, 0, 3, 1
# One thread: for a row more are harmful, and for a batch the caller knows how busy the machine is.
_PARAMETERS: Final = b"num_threads=1 verbosity=-1"
_LIBRARY_NAMES: Final = {"win32": "lib_lightgbm.dll", "darwin": "lib_lightgbm.dylib"}


class FittedLightGBM:
    """Boosted trees in LightGBM's text format.

    Predictions are equal bit for bit between `predict` and `predict_row`; both may be called from
    several threads at once.

    Parameters
    ----------
    text : bytes
        The model, as LightGBM has just written it or `check_text` has found it to be in order.
    is_classifier : bool
        Whether outputs are probabilities.
    offset : float
        What is added to every output of a regression.
    facts : mapping
        What `facts` returns.

    Raises
    ------
    PackageError
        If LightGBM refuses `text`.
    """

    def __init__(
        self, text: bytes, *, is_classifier: bool, offset: float = 0.0, facts: Mapping[str, Any]
    ) -> None:
        self.is_classifier, self.offset = is_classifier, offset
        self._text, self._facts = text, dict(facts)
        self._booster = _Booster(text)
        self.n_features, self.n_outputs = self._booster.n_features, self._booster.n_outputs
        self._rows = threading.local()

    def predict(self, inputs: Inputs) -> Predictions:
        """Return predictions for every row of `inputs`."""
        outputs = self._booster.predict(self._checked(inputs.X), self.n_outputs)
        if not self.is_classifier:
            return Predictions(outputs[:, 0] + self.offset)
        probabilities = (
            np.column_stack([1.0 - outputs[:, 0], outputs[:, 0]]) if self.n_outputs == 1 else outputs
        )
        return Predictions(np.argmax(probabilities, axis=1).astype(np.int64), probabilities)

    def predict_row(self, values: Sequence[float]) -> float | list[float]:
        """Return one row's value or class probabilities, equal to those of `predict`."""
        try:
            call = self._rows.call
        except AttributeError:
            call = self._rows.call = _row_call(self._booster, self.n_features, self.n_outputs)
        outputs: list[float] = call(values)
        if not self.is_classifier:
            return outputs[0] + self.offset
        return [1.0 - outputs[0], outputs[0]] if self.n_outputs == 1 else outputs

    def contributions(self, inputs: Inputs) -> Contributions:
        """Return what each input adds to value, log-odds or scores, by LightGBM's own TreeSHAP."""
        X = self._checked(inputs.X)
        flat = self._booster.predict(X, self.n_outputs * (self.n_features + 1), _CONTRIBUTIONS)
        by_output = flat.reshape(len(X), self.n_outputs, self.n_features + 1)
        values = np.ascontiguousarray(by_output.transpose(0, 2, 1))
        if not self.is_classifier:
            values[:, -1] += self.offset
            return Contributions(values, "value")
        return Contributions(values, "log_odds" if self.n_outputs == 1 else "score")

    def facts(self) -> dict[str, Any]:
        """Return rounds, learning curve and importances."""
        return dict(self._facts)

    def save(self, folder: Path) -> None:
        """Write ``model.txt`` (LightGBM's own format) and ``learner.json``."""
        write_bytes(folder / _MODEL, self._text)
        state = {"is_classifier": self.is_classifier, "offset": self.offset}
        write_json(folder / _STATE, {**state, "facts": facts_to_save(self._facts)})

    @classmethod
    def load(cls, folder: Path) -> FittedLightGBM:
        """Return what `save` wrote.

        Raises
        ------
        PackageError
            If the files are not what `save` writes; they are checked before LightGBM sees them.
        """
        try:
            text = (folder / _MODEL).read_bytes()
            state = json.loads((folder / _STATE).read_text(encoding="utf-8"))
            is_classifier, offset = bool(state["is_classifier"]), float(state["offset"])
            facts = dict(state["facts"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise PackageError(f"`{folder}` does not hold a LightGBM model: {error!r}.") from error
        check_text(text)
        return cls(text, is_classifier=is_classifier, offset=offset, facts=facts)

    def _checked(self, X: FloatArray) -> FloatArray:
        assert X.ndim == 2, X.shape
        assert X.shape[1] == self.n_features, (X.shape, self.n_features)
        return np.ascontiguousarray(X, dtype=np.float64)


class _Booster:
    """A model inside the C library; freed with the last reference to it."""

    def __init__(self, text: bytes) -> None:
        library = _library()
        self.handle = ctypes.c_void_p()
        n_iterations = ctypes.c_int()
        status = library.LGBM_BoosterLoadModelFromString(
            text, ctypes.byref(n_iterations), ctypes.byref(self.handle)
        )
        _require(status, "cannot load this model")
        weakref.finalize(self, library.LGBM_BoosterFree, self.handle)
        self.n_features = self._count(library.LGBM_BoosterGetNumFeature)
        self.n_outputs = self._count(library.LGBM_BoosterGetNumClasses)

    def _count(self, function: Callable[..., int]) -> int:
        number = ctypes.c_int()
        _require(function(self.handle, ctypes.byref(number)), "cannot describe this model")
        return number.value

    def predict(self, X: FloatArray, n_outputs: int, what: int = _NORMAL) -> FloatArray:
        """Return the outputs of every row, shape (n_samples, n_outputs); other threads may run meanwhile."""
        outputs = np.empty((len(X), n_outputs))
        if len(X) == 0:
            return outputs
        n_written = ctypes.c_int64()
        status = _library().LGBM_BoosterPredictForMat(
            self.handle,
            ctypes.c_void_p(X.ctypes.data),
            ctypes.c_int(_FLOAT64),
            ctypes.c_int32(X.shape[0]),
            ctypes.c_int32(X.shape[1]),
            ctypes.c_int(_ROW_MAJOR),
            ctypes.c_int(what),
            ctypes.c_int(0),
            ctypes.c_int(-1),
            _PARAMETERS,
            ctypes.byref(n_written),
            ctypes.c_void_p(outputs.ctypes.data),
        )
        _require(status, "cannot predict")
        assert n_written.value == outputs.size, (n_written.value, outputs.shape)
        return outputs


def _row_call(booster: _Booster, n_features: int, n_outputs: int) -> Callable[[Sequence[float]], list[float]]:
    """Return a function from one row to its outputs that reuses its buffers, so it serves one thread."""
    library = _library()
    config = ctypes.c_void_p()
    status = library.LGBM_BoosterPredictForMatSingleRowFastInit(
        booster.handle,
        ctypes.c_int(_NORMAL),
        ctypes.c_int(0),
        ctypes.c_int(-1),
        ctypes.c_int(_FLOAT64),
        ctypes.c_int32(n_features),
        _PARAMETERS,
        ctypes.byref(config),
    )
    _require(status, "cannot predict")
    row, outputs, n_written = (
        (ctypes.c_double * n_features)(),
        (ctypes.c_double * n_outputs)(),
        ctypes.c_int64(),
    )
    pack = struct.Struct(f"={n_features}d").pack_into
    predict = functools.partial(
        # PyDLL keeps the interpreter lock: giving it up and waiting for it costs more than the call.
        _library(keep_lock=True).LGBM_BoosterPredictForMatSingleRowFast,
        config,
        ctypes.byref(row),
        ctypes.byref(n_written),
        ctypes.byref(outputs),
    )

    def call(values: Sequence[float]) -> list[float]:
        pack(row, 0, *values)
        if predict():
            _require(-1, "cannot predict")
        return outputs[:]

    # The booster must outlive its configurations, so this one is freed first and holds it until then.
    weakref.finalize(call, lambda held: library.LGBM_FastConfigFree(config), booster)  # noqa: ARG005
    return call


@functools.cache
def _library(*, keep_lock: bool = False) -> ctypes.CDLL:
    """Return LightGBM's C library, found beside its Python package without importing that."""
    spec = importlib.util.find_spec("lightgbm")
    if spec is None or spec.origin is None:
        raise PackageError(
            "This model needs the package `lightgbm`, which is not installed. Run: pip install lightgbm"
        )
    name = _LIBRARY_NAMES.get(sys.platform, "lib_lightgbm.so")
    folder = Path(spec.origin).parent
    for path in (folder / "lib" / name, folder / "bin" / name, folder.parent / name):
        if path.is_file():
            library = (ctypes.PyDLL if keep_lock else ctypes.CDLL)(str(path))
            library.LGBM_GetLastError.restype = ctypes.c_char_p
            return library
    raise PackageError(f"The package `lightgbm` in `{folder}` has no `{name}`. Install it again.")


def _require(status: int, complaint: str) -> None:
    if status != 0:
        reason = _library().LGBM_GetLastError().decode("utf-8", "replace")
        raise PackageError(f"LightGBM {complaint}: {reason}")
