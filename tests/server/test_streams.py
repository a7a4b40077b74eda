"""The streams by themselves: order, the window, and descriptors of every kind."""

import asyncio
import os
import threading

import pytest

from mimir_py.server.streams import LineReader, LineWriter

_LONGEST = 100


@pytest.fixture(params=["pipe", "file"])
def source(request, tmp_path):
    """A function that gives a descriptor on which some bytes, and then the end, can be read."""
    opened = []

    def hold(data: bytes) -> int:
        if request.param == "file":
            (tmp_path / "input").write_bytes(data)
            handle = os.open(tmp_path / "input", os.O_RDONLY)
        else:
            handle, end = os.pipe()
            os.write(end, data)
            os.close(end)
        opened.append(handle)
        return handle

    yield hold
    for handle in opened:
        os.close(handle)


async def _read(handle: int, window: int) -> list[bytes | None]:
    """All lines, each given back one turn of the loop after it came."""
    lines, ended, held, most = [], asyncio.Event(), 0, 0

    def give_back() -> None:
        nonlocal held
        held -= 1
        reader.release()

    def on_line(line: bytes | None) -> None:
        nonlocal held, most
        held, most = held + 1, max(most, held + 1)
        lines.append(line)
        asyncio.get_running_loop().call_soon(give_back)

    reader = LineReader(handle, _LONGEST, window, on_line, ended.set)
    reader.start()
    await asyncio.wait_for(ended.wait(), 5)
    assert most <= window
    return lines


@pytest.mark.parametrize("window", [1, 3, 1_000])
async def test_lines_come_whole_and_in_order_however_few_may_be_held(source, window):
    numbers = [b"%d" % number for number in range(500)]

    lines = await _read(source(b"\n".join(numbers)), window)

    assert lines == numbers


async def test_a_blank_line_is_left_out_and_an_overlong_one_is_none(source):
    text = b"a\n\n  \n" + b"x" * (_LONGEST + 1) + b"\n" + b"y" * _LONGEST + b"\nlast"

    assert await _read(source(text), 64) == [b"a", None, b"y" * _LONGEST, b"last"]


async def test_a_line_split_over_many_reads_is_one_line():
    handle, end = os.pipe()
    lines, ended = [], asyncio.Event()
    reader = LineReader(handle, _LONGEST, 64, lines.append, ended.set)
    reader.start()

    for part in (b"on", b"e\ntw", b"o", b"\n"):
        os.write(end, part)
        await asyncio.sleep(0.01)
    os.close(end)
    await asyncio.wait_for(ended.wait(), 5)

    os.close(handle)
    assert lines == [b"one", b"two"]


async def test_short_and_long_lines_are_written_in_order_to_a_reader_who_comes_late():
    handle, end = os.pipe()
    lines = [b"%d " % number + b"x" * (number % 7) * 4_000 for number in range(60)]
    writer = LineWriter(end, lambda: None)

    for line in lines:  # more than a pipe holds: these must not wait for a reader
        writer.write(line)
    read: list[bytes] = []

    def read_all() -> None:
        with os.fdopen(handle, "rb") as file:
            read.extend(file)

    reading = threading.Thread(target=read_all)
    reading.start()
    writer.close(5)
    os.close(end)
    reading.join(5)

    assert read == [line + b"\n" for line in lines]


async def test_the_writer_says_when_nobody_reads_any_more():
    handle, end = os.pipe()
    broken = asyncio.Event()
    writer = LineWriter(end, broken.set)
    os.close(handle)

    writer.write(b"anybody?")

    await asyncio.wait_for(broken.wait(), 5)
    os.close(end)
