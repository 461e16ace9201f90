"""Event files are what TensorBoard reads: framed, checked, and with what charts need."""

import struct
from pathlib import Path
from typing import Any

import pytest

from groundup.core.events import Event
from groundup.core.tensorboard import TensorBoardWriter, masked_crc32c

Message = dict[int, list[Any]]


def parse(content: bytes) -> Message:
    """Return the fields of a message, by number."""
    fields: Message = {}
    place = 0

    def varint() -> int:
        nonlocal place
        value = shift = 0
        while True:
            byte = content[place]
            place += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while place < len(content):
        key = varint()
        kind, size = key & 7, {1: 8, 5: 4}.get(key & 7, 0)
        if kind == 0:
            value: Any = varint()
        else:
            size = varint() if kind == 2 else size
            value = content[place : place + size]
            place += size
            value = struct.unpack("<d", value)[0] if kind == 1 else value
            value = struct.unpack("<f", value)[0] if kind == 5 else value
        fields.setdefault(key >> 3, []).append(value)
    return fields


def records(folder: Path) -> list[Message]:
    """Return the events of a file whose every checksum is right."""
    (path,) = folder.glob("events.out.tfevents.*")
    content, found = path.read_bytes(), []
    while content:
        (length,) = struct.unpack("<Q", content[:8])
        record = content[12 : 12 + length]
        assert struct.unpack("<I", content[8:12])[0] == masked_crc32c(content[:8])
        assert struct.unpack("<I", content[12 + length : 16 + length])[0] == masked_crc32c(record)
        found.append(parse(record))
        content = content[16 + length :]
    return found


def emit(writer: TensorBoardWriter, kind: str, **data: Any) -> None:
    writer.on_event(Event(kind, 0, 0.0, {"learner": "mlp", "fold": None, **data}))


def values(message: Message) -> list[Message]:
    return [parse(value) for value in parse(message[5][0])[1]]


def test_the_checksum_is_crc32c() -> None:
    crc = 0xE3069283  # of "123456789", the check value of CRC-32C
    assert masked_crc32c(b"123456789") == ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def test_scalars_texts_and_histograms(tmp_path: Path) -> None:
    writer = TensorBoardWriter(tmp_path)
    emit(writer, "steps", step=300, n_steps=900, metrics={"loss": 0.25})
    emit(writer, "round", round=300, n_rounds=900, metrics={"validation": 0.5})
    emit(writer, "samples", step=300, samples=["a cat: 98 %", "a dog: 51 %"])
    emit(writer, "weights", step=300, histograms={"layer": {"edges": [-1.0, 0.0, 1.0], "counts": [3, 5]}})
    writer.flush()
    version, restart, scalar, round_, text, histogram = records(tmp_path)
    assert version[3] == [b"brain.Event:2"]
    assert parse(restart[7][0])[1] == [1]
    assert scalar[2] == [300]
    assert values(scalar)[0][1] == [b"mlp/final/loss"]
    assert values(scalar)[0][2] == [0.25]
    assert values(round_)[0][2] == [0.5]
    assert parse(values(text)[0][8][0])[8] == [b"a cat: 98 %\n\na dog: 51 %"]
    body = parse(values(histogram)[0][5][0])
    assert body[3] == [8.0]
    assert struct.unpack("<2d", body[7][0]) == (3.0, 5.0)


def test_a_fit_that_starts_at_its_beginning_is_no_restart(tmp_path: Path) -> None:
    writer = TensorBoardWriter(tmp_path)
    emit(writer, "round", round=0, n_rounds=9, metrics={"validation": 1.0})
    writer.on_event(Event("run_finished", 0, 0.0, {}))
    assert len(records(tmp_path)) == 2


def test_a_run_without_rounds_leaves_no_file(tmp_path: Path) -> None:
    writer = TensorBoardWriter(tmp_path)
    writer.on_event(Event("fit_finished", 0, 0.0, {}))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("n_events", [99, 100])
def test_a_hundred_events_are_written_at_once(tmp_path: Path, n_events: int) -> None:
    writer = TensorBoardWriter(tmp_path)
    for step in range(n_events):
        emit(writer, "steps", step=step, n_steps=n_events, metrics={"loss": 1.0})
    assert bool(list(tmp_path.iterdir())) == (n_events == 100)
