"""The benchmark in its short form: it runs, it accounts for every delivery, and one that is lost is found."""

import math
from pathlib import Path

import pytest

from benchmarks.drawing import TASK, busy_frames
from benchmarks.load import wire
from benchmarks.load.accounts import BINS_A_SECOND, Sample, at
from benchmarks.load.speech import Lectern, Read, Seat, SocketIO, slot_of
from benchmarks.long_lesson import long_way, short_way
from benchmarks.report import cell, ratios
from benchmarks.rows import ROWS
from benchmarks.scale import main
from benchmarks.systems import SYSTEMS
from tests.support.server import ROOT

pytestmark = pytest.mark.timeout(150)  # each starts a server of its own, on a machine that may be busy


def bench(*options: str) -> int:
    """Run the benchmark small, once; return its exit code."""
    return main(["--unpinned", "--runs", "1", "--seconds", "0.3", "--clients", "24", *options])


def test_what_is_sent_is_stored_and_applied_by_every_client(capsys: pytest.CaptureFixture[str]) -> None:
    code = bench("--only", "room-400", "--systems", "lectern")
    said = capsys.readouterr().out
    assert code == 0, said
    assert "committed = applied by each of 24" in said


def test_one_frame_lost_on_its_way_to_one_client_fails_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    code = bench("--only", "rooms-20", "--systems", "lectern", "--patch", "tests.support.forgetful")
    said = capsys.readouterr().out
    assert code == 1, said
    assert "FAILED" in said
    assert "was sent" in said


@pytest.mark.npm
@pytest.mark.redis
def test_a_rival_is_accounted_for_in_the_same_way(capsys: pytest.CaptureFixture[str]) -> None:
    code = bench("--only", "room-400", "--systems", "socketio-10ms")
    said = capsys.readouterr().out
    assert code == 0, said
    assert "received by each of 24" in said


def test_frames_are_found_by_their_headers_wherever_a_chunk_ends() -> None:
    texts = [b"a", b"b" * 130, b"c" * 70_000, b""]
    whole = b"".join(unmasked(text) for text in texts)
    for cut in (*range(300), len(whole) - 3, len(whole)):
        found, end = [], 0
        for opcode, start, stop in wire.walk(whole[:cut]):
            assert opcode == wire.TEXT
            found.append(whole[start:stop])
            end = stop
        assert found == texts[: len(found)]
        assert end == sum(len(unmasked(text)) for text in found)


def test_a_latency_is_found_in_its_bin() -> None:
    sample = Sample()
    for late in (1, 1, 1, 1, 1, 1, 1, 1, 1, 80):
        sample.bins[late * BINS_A_SECOND // 1000] += 1
    assert at(sample.bins, 0.9) == pytest.approx(1, abs=0.2)
    assert at(sample.bins, 0.99) == pytest.approx(80, abs=0.2)
    assert math.isnan(at(Sample().bins, 0.5))


def test_samples_of_several_processes_add_up() -> None:
    one, other = Sample(), Sample()
    for sample, now in ((one, 10.0), (other, 10.5)):
        sample.events, sample.bins[3] = 7, 7
        sample.mark(now, 1.0, begin=True)
        sample.mark(now + 2, 1.5, begin=False)
    whole = Sample()
    whole.add(one)
    whole.add(other)
    assert (whole.events, whole.bins[3], whole.shares) == (14, 14, [0.25, 0.25])
    assert whole.seconds == 2.0


def test_both_ways_to_a_board_of_a_long_lesson_lead_to_the_same_values() -> None:
    boards = []
    for way in (long_way, short_way):
        values: dict[str, dict[str, object]] = {}
        for edits in way(503, 50):
            for kind, item, *rest in edits:
                values.setdefault(item, {}).update(rest[-1])
                assert kind in ("add", "set")
        boards.append(values)
    assert len(boards[0]) == 50
    assert boards[0] == boards[1]
    assert sum(1 for _ in long_way(503, 50)) == 503
    assert sum(1 for _ in short_way(503, 50)) == 1


def test_a_task_is_shared_out_to_the_frames_that_it_lay_in() -> None:
    name = {"name": "thread_name", "pid": 1, "tid": 2, "args": {"name": "CrRendererMain"}}
    tasks = [
        {"name": TASK, "pid": 1, "tid": 2, "ts": 16_000.0, "dur": 2_000.0},
        {"name": TASK, "pid": 1, "tid": 3, "ts": 0.0, "dur": 900_000.0},
    ]
    assert busy_frames([name, *tasks]) == pytest.approx([0.667, 1.333], abs=0.01)


def test_ratios_say_how_many_times_better_ours_is() -> None:
    row = next(row for row in ROWS if row.name == "room-8000")
    runs = {"lectern": [{"p50 ms": 20.0}, {"p50 ms": 40.0}, {"p50 ms": 30.0}], "socketio": [{"p50 ms": 60.0}]}
    assert ratios(row, runs) == ["lectern against socketio: p50 ms 2×"]
    assert cell(runs["lectern"], "p50 ms") == "30 (20–40)"


def unmasked(text: bytes) -> bytes:
    """Return a frame as a server writes it."""
    size = len(text)
    if size < 126:
        return bytes((0x81, size)) + text
    return (
        bytes((0x81, 126)) + size.to_bytes(2) + text if size < 65536 else bytes((0x81, 127)) + size.to_bytes(8) + text
    )


def test_a_fragment_is_refused() -> None:
    with pytest.raises(ValueError, match="a fragment"):
        list(wire.walk(b"\x01\x01a"))


def test_events_that_do_not_follow_each_other_are_refused_wherever_they_meet() -> None:
    with pytest.raises(ValueError, match="5 follows 3"):
        Read(frames=1, events=1, first=3, last=3).add(Read(frames=1, events=1, first=5, last=5))
    frame = '{"type":"events","events":[%s]}'
    event = '{"seq":%d,"kind":"hand.raised","by":"u1","at":1,"op":"0000000a:%d","data":{}}'
    with pytest.raises(ValueError, match="2 events from 3 to 5"):
        Lectern().read((frame % ",".join((event % (3, 1), event % (5, 2)))).encode(), {})


def test_an_event_that_comes_in_two_forms_is_refused() -> None:
    digests: dict[int, bytes] = {}
    text = b'{"type":"events","events":[{"seq":3,"kind":"hand.raised","by":"u1","at":1,"op":"0000000a:1","data":{}}]}'
    assert Lectern().read(text, digests).ops == [slot_of("0000000a:1")]
    with pytest.raises(ValueError, match="event 3 came in two forms"):
        Lectern().read(text.replace(b"u1", b"u2"), digests)


def test_a_rival_is_sent_messages_of_the_same_size_and_is_understood() -> None:
    seat = Seat(10, 0)
    sent = SocketIO().op(seat, 7, "move")
    assert len(sent) - len(b'42["event",]') == 150
    assert SocketIO().read(sent, {}) == Read(
        frames=1, events=1, total=slot_of("0000000a:7"), ops=[slot_of("0000000a:7")]
    )


def test_the_rows_name_systems_that_there_are() -> None:
    assert {name for row in ROWS for name in row.systems} <= set(SYSTEMS)
    assert Path(ROOT, "benchmarks", "rivals", "socketio.mjs").exists()
