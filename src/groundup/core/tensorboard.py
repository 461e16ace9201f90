"""The observer that lets TensorBoard watch: it writes event files itself, without TensorFlow or protobuf.

An event file is a row of records, each framed by its length and two checksums (TFRecord); a record is one
`Event` message of TensorFlow's `event.proto`, of which only the few fields that are needed are written.
"""

import struct
import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from groundup.core.errors import StorageError
from groundup.core.events import Event, Request

_POLYNOMIAL: Final = 0x82F63B78  # CRC-32C (Castagnoli), reflected
_VARINT, _DOUBLE, _BYTES, _FLOAT = 0, 1, 2, 5  # how a field of a message is stored
_STRING_TYPE: Final = 7  # DT_STRING
_RESTART: Final = 1  # SessionLog.START: what an interrupted run wrote from this step on no longer counts


def _make_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ (_POLYNOMIAL if crc & 1 else 0)
        table.append(crc)
    return tuple(table)


_TABLE: Final = _make_table()


def masked_crc32c(content: bytes) -> int:
    """Return the checksum of a TFRecord: CRC-32C, turned and shifted so that it can be part of its own data.

    Examples
    --------
    >>> hex(masked_crc32c(b""))
    '0xa282ead8'
    """
    crc = 0xFFFFFFFF
    for byte in content:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def _varint(value: int) -> bytes:
    value &= 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _field(number: int, value: float | bytes | str, kind: int) -> bytes:
    """Return one field of a message: its number and kind, then its value."""
    key = _varint(number << 3 | kind)
    if kind == _VARINT:
        return key + _varint(int(value))
    if kind == _DOUBLE:
        return key + struct.pack("<d", value)
    if kind == _FLOAT:
        return key + struct.pack("<f", value)
    content = value.encode() if isinstance(value, str) else bytes(value)  # type: ignore[arg-type]
    return key + _varint(len(content)) + content


def _scalar(tag: str, value: float) -> bytes:
    return _field(1, _field(1, tag, _BYTES) + _field(2, value, _FLOAT), _BYTES)


def _text(tag: str, text: str) -> bytes:
    plugin = _field(1, _field(1, "text", _BYTES), _BYTES)
    shape = _field(2, _field(2, _field(1, 1, _VARINT), _BYTES), _BYTES)
    tensor = _field(1, _STRING_TYPE, _VARINT) + shape + _field(8, text, _BYTES)
    return _field(1, _field(1, tag, _BYTES) + _field(9, plugin, _BYTES) + _field(8, tensor, _BYTES), _BYTES)


def _histogram(tag: str, edges: Sequence[float], counts: Sequence[float]) -> bytes:
    middles = [(low + high) / 2 for low, high in pairwise(edges)]
    facts = (
        edges[0],
        edges[-1],
        sum(counts),
        sum(m * n for m, n in zip(middles, counts, strict=True)),
        sum(m * m * n for m, n in zip(middles, counts, strict=True)),
    )
    body = b"".join(_field(number, value, _DOUBLE) for number, value in enumerate(facts, 1))
    body += _field(6, struct.pack(f"<{len(counts)}d", *edges[1:]), _BYTES)
    body += _field(7, struct.pack(f"<{len(counts)}d", *counts), _BYTES)
    return _field(1, _field(1, tag, _BYTES) + _field(5, body, _BYTES), _BYTES)


_FLUSHED: Final = ("checkpoint", "fit_finished", "run_finished", "run_stopped")


class TensorBoardWriter:
    """Writes losses, learning rates, histograms of weights and answers of a run as TensorBoard reads them.

    Parameters
    ----------
    folder : Path
        The run's folder; `tensorboard --logdir runs` finds the file in it.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"events.out.tfevents.{int(time.time()):010d}.groundup"
        self._waiting: list[bytes] = []
        self._started: set[str] = set()

    def on_event(self, event: Event) -> Request | None:
        """Take what a chart can show; write it when a fit ends, or a hundred events wait."""
        data = event.data
        if event.kind in ("steps", "round", "samples", "weights"):
            name = f"{data['learner']}/{'final' if data['fold'] is None else data['fold'] + 1}"
            self._add(name, data.get("step", data.get("round")), self._values(event.kind, name, data))
        if len(self._waiting) >= 100 or event.kind in _FLUSHED:
            self.flush()
        return None

    def _values(self, kind: str, name: str, data: Mapping[str, Any]) -> Iterable[bytes]:
        if kind == "samples":
            lines = "\n\n".join(str(sample) for sample in data["samples"])
            return [_text(f"{name}/answers", lines)]
        if kind == "weights":
            return [
                _histogram(f"{name}/{layer}", found["edges"], found["counts"])
                for layer, found in data["histograms"].items()
            ]
        # Charts of one tag compare parts: training and validation loss share one.
        return [_scalar(f"{name}/{metric}", value) for metric, value in data["metrics"].items()]

    def _add(self, name: str, step: int, values: Iterable[bytes]) -> None:
        if name not in self._started:
            self._started.add(name)
            if step:  # the rest of a fit that was interrupted
                self._waiting.append(_event(step, _field(7, _field(1, _RESTART, _VARINT), _BYTES)))
        self._waiting.append(_event(step, _field(5, b"".join(values), _BYTES)))

    def flush(self) -> None:
        """Write what is waiting.

        Raises
        ------
        StorageError
            If the file cannot be written.
        """
        if not self._waiting:
            return
        records = self._waiting
        if not self._path.exists():
            records = [_event(0, _field(3, "brain.Event:2", _BYTES)), *records]
        try:
            with self._path.open("ab") as file:
                file.write(b"".join(_framed(record) for record in records))
        except OSError as error:
            raise StorageError(f"Cannot write `{self._path}`: {error.strerror}.") from error
        self._waiting = []

    def state_dict(self) -> dict[str, Any]:
        """Write what is waiting; return nothing."""
        self.flush()
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up nothing."""


def _event(step: int, what: bytes) -> bytes:
    return _field(1, time.time(), _DOUBLE) + _field(2, step, _VARINT) + what


def _framed(record: bytes) -> bytes:
    length = struct.pack("<Q", len(record))
    return (
        length + struct.pack("<I", masked_crc32c(length)) + record + struct.pack("<I", masked_crc32c(record))
    )
