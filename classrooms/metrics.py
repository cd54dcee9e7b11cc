"""What a process tells a scraper of itself: its counts and how full things are, in Prometheus's text format.

Reading is the only cost of this page: nothing is kept for it. Call it on the event loop of the hub.
"""

import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from classrooms import hub as hubs
from classrooms import log
from classrooms.counters import SECONDS, Histogram, tally
from classrooms.hub import Hub

TYPE = b"text/plain; version=0.0.4; charset=utf-8"

Sample = tuple[str, float]  # labels as they are written, and the value


def page() -> bytes:
    """Return every metric of this process."""
    hub = hubs.running()
    return "".join([*_road(), *_clients(), *_hub(hub), *_times(), *_process(hub)]).encode()


def _road() -> Iterable[str]:
    yield _one("deliveries_total", "Events handed to connections, each once for each of them.", tally.deliveries)
    yield _one("event_frames_total", "Frames of events handed to connections.", tally.frames)
    yield _by("ops_total", "outcome", "Ops of clients by what became of them.", tally.ops)
    yield _one("events_committed_total", "Events that this process committed.", tally.committed)
    signals = {"admitted": tally.signals, "delivered": tally.signals_delivered}
    yield _by("signals_total", "what", "Signals that clients sent, and frames of signals handed on.", signals)


def _clients() -> Iterable[str]:
    yield _by("joins_total", "mode", "Clients let in.", {"resume": tally.resumes, "snapshot": tally.starts})
    yield _one("unreadable_frames_total", "Frames of clients that nobody can read.", tally.unreadable)
    yield _by(
        "closes_total", "code", "Sockets that the server closed.", {str(int(c)): n for c, n in tally.closes.items()}
    )
    yield _by("cut_off_total", "reason", "Connections that the server reset.", tally.cut_off)


def _hub(hub: Hub | None) -> Iterable[str]:
    rooms = list(hub.rooms.values()) if hub is not None else []
    counts: Mapping[str, int] = hub.counts if hub is not None else {}
    drops = {name: counts.get(name, 0) for name in ("publishes_dropped", "publishes_failed", "signals_stale")}
    drops |= {"signals_refused": tally.signals_refused, "signals_skipped": tally.signals_skipped}
    yield _by("drops_total", "reason", "What was dropped instead of being kept waiting.", drops)
    gaps = {"order": tally.holes, "heads": counts.get("gaps", 0)}
    yield _by("gaps_total", "found", "Events missing, seen by the next event or by comparing heads.", gaps)
    yield _one("log_reads_total", "Reads of the log for rooms.", counts.get("reads", 0))
    yield _one("snapshots_total", "Snapshots stored.", counts.get("snapshots", 0))
    yield _one("histories_lost_total", "Lessons whose database lost events.", counts.get("histories_lost", 0))
    notes = {"noted": counts.get("attendance_notes", 0), "failed": counts.get("attendance_failures", 0)}
    yield _by("attendance_total", "what", "Spans of attendance noted, and batches that failed.", notes)
    doors = {"socket": tally.sockets, "waiting": len(hub.waiting) if hub is not None else 0}
    yield _by("connections", "door", "Connections open now.", doors, "gauge")
    yield _one("seated", "Clients in rooms now.", sum(len(room.connections) for room in rooms), "gauge")
    buffered = {"writers": sum(one.writer.buffered for room in rooms for one in room.connections)}
    buffered["transports"] = tally.unread
    yield _by("buffered_bytes", "where", "Bytes that wait for connections.", buffered, "gauge")
    yield _one("rooms", "Lessons held in memory.", len(rooms), "gauge")
    yield _one("ring_bytes", "Bytes of events held ready.", sum(room.ring.size for room in rooms), "gauge")
    queues = {
        "writer": log.waiting(),
        "readers": hubs.reads_waiting(),
        "publish": hub.layer.waiting if hub is not None else 0,
    }
    yield _by("queue", "of", "What waits: units, reads, messages.", queues, "gauge")
    yield _one("layer_up", "Whether the channel layer answers.", int(hub is None or hub.layer.up), "gauge")


def _times() -> Iterable[str]:
    yield _histogram(
        "commit_seconds", "From handing ops to the log to their commit, each client's batch.", tally.commit
    )
    yield _histogram("transaction_seconds", "Transactions of the log.", tally.transaction)
    yield _histogram("relay_seconds", "From another process's commit to hearing of it, by wall clocks.", tally.relay)
    yield _histogram("delivery_seconds", "From commit or hearing to the writers, each live delivery.", tally.delivery)
    yield _histogram("loop_lag_seconds", "How late the event loop came to a timer.", tally.lag)


def _process(hub: Hub | None) -> Iterable[str]:
    name = hub.process if hub is not None else ""
    yield _family("process_info", "gauge", "The process that this page is of.", [(f'{{process="{name}"}}', 1)])
    yield _family("process_cpu_seconds_total", "counter", "CPU time.", [("", time.process_time())], prefix="")
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return  # no Linux
    resident = [("", float(pages * os.sysconf("SC_PAGE_SIZE")))]
    yield _family("process_resident_memory_bytes", "gauge", "Memory in use.", resident, prefix="")


def _one(name: str, told: str, value: float, kind: str = "counter") -> str:
    return _family(name, kind, told, [("", value)])


def _by(name: str, label: str, told: str, values: Mapping[str, int], kind: str = "counter") -> str:
    """Return a family with one label, whose values are words of ours."""
    return _family(name, kind, told, [(f'{{{label}="{key}"}}', value) for key, value in sorted(values.items())])


def _histogram(name: str, told: str, histogram: Histogram) -> str:
    seen = 0
    samples: list[Sample] = []
    for most, count in zip([*map(_number, SECONDS), "+Inf"], tuple(histogram.counts), strict=True):
        seen += count
        samples.append((f'_bucket{{le="{most}"}}', seen))
    return _family(name, "histogram", told, [*samples, ("_sum", histogram.sum), ("_count", seen)])


def _family(name: str, kind: str, told: str, samples: Iterable[Sample], prefix: str = "lectern_") -> str:
    name = f"{prefix}{name}"
    lines = [f"# HELP {name} {told}", f"# TYPE {name} {kind}"]
    lines += [f"{name}{labels} {_number(value)}" for labels, value in samples]
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    return repr(value)
