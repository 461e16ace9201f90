"""Fitted boosted trees, predicted by XGBoost's C library without importing its Python package.

``import xgboost`` costs a second because it imports scikit-learn and pandas; the library alone, some
milliseconds. Its prediction of one row costs a tenth of ``Booster.inplace_predict``.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import json
import math
import struct
import sys
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from groundup.core.errors import MissingExtraError, PackageError
from groundup.core.files import write_bytes, write_json
from groundup.core.inputs import Contributions, FloatArray, Inputs, Predictions
from groundup.models.contributions import of_classes
from groundup.models.facts import facts_to_save
from groundup.models.xgboost_ubj import check_model

_MODEL, _STATE = "model.ubj", "learner.json"
_LARGEST: Final = 1e38  # larger inputs are not numbers of 32 bits
_COMMON: Final = {"training": False, "iteration_begin": 0, "iteration_end": 0, "strict_shape": True}
# Type 1: sums of leaves, before sigmoid or softmax, which are done in 64 bits; type 2: contributions.
_CONFIGURATION: Final = json.dumps({"type": 1, "missing": math.nan, "cache_id": 0, **_COMMON}).encode()
_DIVIDED: Final = json.dumps({"type": 2, **_COMMON}).encode()
_LIBRARY_NAMES: Final = {"win32": "xgboost.dll", "darwin": "libxgboost.dylib"}


class FittedXGBoost:
    """Boosted trees in XGBoost's binary format (UBJSON); predicting needs the package `xgboost` installed.

    `predict` and `predict_row` may be called from several threads at once.

    Parameters
    ----------
    text : bytes
        The model as XGBoost has just written it; what comes from elsewhere is checked by `load` first.
    start : ndarray of shape (n_outputs,)
        What is added to the trees' outputs.
    n_classes : int
        Number of classes; 0 for regression.
    n_features : int
        Columns of the inputs.
    facts : mapping
        What `facts` returns.

    Raises
    ------
    MissingExtraError
        If XGBoost is not installed.
    PackageError
        If XGBoost refuses `text`.
    """

    def __init__(
        self, text: bytes, *, start: FloatArray, n_classes: int, n_features: int, facts: Mapping[str, Any]
    ) -> None:
        self.start, self.n_classes, self.n_features = start, n_classes, n_features
        self._text, self._facts = text, dict(facts)
        self._booster = _Booster(text, n_features)
        self._row_start: list[float] = start.tolist()
        self._rows = threading.local()

    def predict(self, inputs: Inputs) -> Predictions:
        """Return predictions for every row of `inputs`."""
        X = as_float32(inputs.X)
        assert X.shape[1:] == (self.n_features,), (X.shape, self.n_features)
        outputs = self._booster.predict(X, len(self.start)) + self.start
        if not self.n_classes:
            return Predictions(outputs[:, 0])
        if len(self.start) == 1:
            outputs = np.column_stack([np.zeros(len(outputs)), outputs])
        exponentials = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        probabilities = exponentials / np.einsum("ij->i", exponentials)[:, None]
        return Predictions(np.argmax(probabilities, axis=1).astype(np.int64), probabilities)

    def predict_row(self, values: Sequence[float]) -> float | list[float]:
        """Return one row's value or class probabilities; within 1e-12 of `predict`."""
        try:
            call = self._rows.call
        except AttributeError:
            call = self._rows.call = self._booster.row_call(len(self.start))
        outputs: list[float] = [
            each + start for each, start in zip(call(values), self._row_start, strict=True)
        ]
        if not self.n_classes:
            return outputs[0]
        if len(outputs) == 1:
            outputs.insert(0, 0.0)
        largest = max(outputs)
        exponentials = [math.exp(each - largest) for each in outputs]
        total = sum(exponentials)
        return [each / total for each in exponentials]

    def contributions(self, inputs: Inputs) -> Contributions:
        """Return what each input adds to value, log-odds or scores, by XGBoost's own TreeSHAP.

        XGBoost adds up in 32 bits; what that loses is spread over the inputs, so that the sums are exact.
        """
        X, n_outputs = as_float32(inputs.X), len(self.start)
        assert X.shape[1:] == (self.n_features,), (X.shape, self.n_features)
        by_output = self._booster.contributions(X, n_outputs)
        values = np.ascontiguousarray(by_output.transpose(0, 2, 1))
        lost = self._booster.predict(X, n_outputs) - values.sum(axis=1)
        weights = np.abs(values)
        weights[:, -1] = weights[:, :-1].sum(axis=1) == 0
        values += lost[:, None] * weights / weights.sum(axis=1, keepdims=True)
        values[:, -1] += self.start
        if not self.n_classes:
            return Contributions(values, "value")
        if self.n_classes == 2:
            return Contributions(values, "log_odds")
        return of_classes(values, scale="score", present=range(self.n_classes), n_classes=self.n_classes)

    def facts(self) -> dict[str, Any]:
        """Return rounds, learning curve and importances."""
        return dict(self._facts)

    def save(self, folder: Path) -> None:
        """Write ``model.ubj`` (XGBoost's own format) and ``learner.json``."""
        write_bytes(folder / _MODEL, self._text)
        facts = facts_to_save(self._facts)
        write_json(
            folder / _STATE, {"start": self.start.tolist(), "n_classes": self.n_classes, "facts": facts}
        )

    @classmethod
    def load(cls, folder: Path) -> FittedXGBoost:
        """Return what `save` wrote.

        Raises
        ------
        MissingExtraError
            If XGBoost is not installed.
        PackageError
            If the files are not what `save` writes.
        """
        try:
            text = (folder / _MODEL).read_bytes()
            state = json.loads((folder / _STATE).read_text(encoding="utf-8"))
            start, n_classes = np.array(state["start"], dtype=np.float64), int(state["n_classes"])
            facts = dict(state["facts"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise PackageError(f"`{folder}` does not hold an XGBoost model: {error!r}.") from error
        if start.shape != ((n_classes,) if n_classes > 2 else (1,)) or not np.isfinite(start).all():
            raise PackageError(f"`{folder / _STATE}` does not describe an XGBoost model. Train it again.")
        summary = check_model(text)
        if summary.n_outputs != len(start):
            raise PackageError(
                f"The XGBoost model gives `{summary.n_outputs}` outputs instead of {len(start)}. "
                "Train the model again."
            )
        return cls(text, start=start, n_classes=n_classes, n_features=summary.n_features, facts=facts)


class _Booster:
    """A model inside the C library; freed with the last reference to it."""

    def __init__(self, text: bytes, n_features: int) -> None:
        library = _library()
        self.handle = ctypes.c_void_p()
        _require(library.XGBoosterCreate(None, ctypes.c_uint64(0), ctypes.byref(self.handle)))
        weakref.finalize(self, library.XGBoosterFree, self.handle)
        _require(library.XGBoosterLoadModelFromBuffer(self.handle, text, ctypes.c_uint64(len(text))))
        # One thread: for a row more are harmful, and for a batch the caller knows how busy the machine is.
        _require(library.XGBoosterSetParam(self.handle, b"nthread", b"1"))
        self.n_features = n_features

    def predict(self, X: NDArray[np.float32], n_outputs: int) -> FloatArray:
        """Return the trees' outputs of every row, shape (n_samples, n_outputs)."""
        if len(X) == 0:
            return np.zeros((0, n_outputs))
        read = _reader(self.handle, X.ctypes.data, len(X), self.n_features, n_outputs)
        return np.array(read(), dtype=np.float64).reshape(len(X), n_outputs)

    def contributions(self, X: NDArray[np.float32], n_outputs: int) -> FloatArray:
        """Return what each input adds, the base value last, shape (n_samples, n_outputs, n_features + 1)."""
        shape = (len(X), n_outputs, self.n_features + 1)
        if len(X) == 0:
            return np.zeros(shape)
        library, matrix = _library(), ctypes.c_void_p()
        settings = json.dumps({"missing": math.nan, "nthread": 1}).encode()
        described = _described(X.ctypes.data, len(X), self.n_features)
        _require(library.XGDMatrixCreateFromDense(described, settings, ctypes.byref(matrix)))
        try:
            outputs, n_found = _call(library.XGBoosterPredictFromDMatrix, self.handle, matrix, _DIVIDED)()
            if n_found != math.prod(shape):
                raise PackageError(f"XGBoost gives `{n_found}` contributions instead of {math.prod(shape)}.")
            return np.array(np.ctypeslib.as_array(outputs, (n_found,)), dtype=np.float64).reshape(shape)
        finally:
            library.XGDMatrixFree(matrix)

    def row_call(self, n_outputs: int) -> Callable[[Sequence[float]], list[float]]:
        """Return a function from one row to its outputs that reuses its buffer, so it serves one thread."""
        row = (ctypes.c_float * self.n_features)()
        pack = struct.Struct(f"={self.n_features}f").pack_into
        read = _reader(self.handle, ctypes.addressof(row), 1, self.n_features, n_outputs)

        def call(values: Sequence[float], booster: _Booster = self) -> list[float]:  # noqa: ARG001 - kept alive
            try:
                pack(row, 0, *values)
            except OverflowError:
                pack(
                    row,
                    0,
                    *(min(max(each, -_LARGEST), _LARGEST) if each == each else each for each in values),
                )
            outputs: list[float] = read()[:]
            return outputs

        return call


def _reader(
    handle: ctypes.c_void_p, address: int, n_rows: int, n_features: int, n_outputs: int
) -> Callable[[], Any]:
    """Return a function that predicts the 32-bit numbers at `address` and returns all outputs."""
    described = _described(address, n_rows, n_features)
    predict = _call(_library().XGBoosterPredictFromDense, handle, described, _CONFIGURATION, None)

    def read() -> Any:
        outputs, size = predict()
        if size != n_rows * n_outputs:
            raise PackageError(f"The XGBoost model gives `{size // n_rows}` outputs instead of {n_outputs}.")
        return outputs[:size] if n_rows == 1 else np.ctypeslib.as_array(outputs, (size,))

    return read


def _described(address: int, n_rows: int, n_features: int) -> bytes:
    """Return a matrix of 32-bit numbers in memory as XGBoost wants it described."""
    return json.dumps(
        {"data": [address, True], "shape": [n_rows, n_features], "typestr": "<f4", "version": 3}
    ).encode()


def _call(function: Any, *arguments: Any) -> Callable[[], tuple[Any, int]]:
    """Return a function that calls one of XGBoost's and returns the numbers it made, and how many."""
    shape, n_axes = ctypes.POINTER(ctypes.c_uint64)(), ctypes.c_uint64()
    outputs = ctypes.POINTER(ctypes.c_float)()
    bound = functools.partial(
        function, *arguments, ctypes.byref(shape), ctypes.byref(n_axes), ctypes.byref(outputs)
    )

    def call() -> tuple[Any, int]:
        _require(bound())
        return outputs, math.prod(shape[: n_axes.value])

    return call


def as_float32(X: FloatArray) -> NDArray[np.float32]:
    """Return the inputs as XGBoost compares them, shape (n_samples, n_features)."""
    with np.errstate(over="ignore"):
        rounded = np.ascontiguousarray(X, dtype=np.float32)
    return np.clip(rounded, -_LARGEST, _LARGEST, out=rounded)


@functools.cache
def _library() -> ctypes.CDLL:
    """Return XGBoost's C library, found beside its Python package without importing that."""
    spec = importlib.util.find_spec("xgboost")
    if spec is None or spec.origin is None:
        raise MissingExtraError("xgboost", "xgboost", purpose="This model")
    path = Path(spec.origin).parent / "lib" / _LIBRARY_NAMES.get(sys.platform, "libxgboost.so")
    if not path.is_file():
        raise PackageError(f"The package `xgboost` has no `{path}`. Install it again.")
    library = ctypes.CDLL(str(path))
    library.XGBGetLastError.restype = ctypes.c_char_p
    return library


def _require(status: int) -> None:
    if status != 0:
        reason = _library().XGBGetLastError().decode("utf-8", "replace").strip().splitlines()
        raise PackageError(f"XGBoost cannot use this model: {reason[0] if reason else 'no reason given'}")
