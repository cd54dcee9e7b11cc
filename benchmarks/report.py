"""What the rows have shown, as text: a line for each run, a table for each row, and RESULTS.md."""

import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypedDict

from benchmarks.rows import Row
from benchmarks.scenarios import Figures

RIVALS = ("socketio", "socketio-10ms", "channels-core", "channels-pubsub", "bare-daphne", "polling", "lectern-pg")

HEAD = """\
Written by `make bench-scale` (`python -m benchmarks.scale`). Figures are medians of the runs, with the least and the
most. The server's process has one core, the load and the services (Redis, PostgreSQL) the other; CPU is a share of one
core. Whatever is said of Lectern was reconciled: sent = committed = applied by every client. Rivals store nothing. A
run in which the load used 80 % of its core or more is void. Lag is how late an event loop was; the load beside a
date is the machine's over the minute before, and where it is not near 0 other programs disturbed the row.
"""


class Told(TypedDict):
    """A row as results.json keeps it: the figures of each run by system, and what is to be known about them."""

    title: str
    target: str
    when: str
    load: float  # of the machine over the minute before: what is not near 0 was disturbed
    command: str
    size: str
    runs: dict[str, list[dict[str, float]]]
    names: dict[str, str]
    reconciled: dict[str, list[str]]
    notes: dict[str, list[str]]
    failed: list[str]
    compared: list[str]


def number(value: float) -> str:
    """Return a figure as a reader wants it."""
    if value != value or value in (float("inf"), float("-inf")):
        return "–"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def line(system: str, run: int, figures: Figures) -> str:
    """Return what one run of one system has shown."""
    shown = "  ".join(f"{name} {number(value)}" for name, value in figures.numbers.items())
    notes = "".join(f"\n    {note}" for note in figures.notes)
    return f"  {system}, run {run}: {figures.reconciled}\n    {shown}{notes}"


def median(runs: Sequence[dict[str, float]], name: str) -> float:
    """Return the median of a figure over runs."""
    found = [run[name] for run in runs if name in run]
    return statistics.median(found) if found else float("nan")


def cell(runs: Sequence[dict[str, float]], name: str) -> str:
    """Return a figure's median and its spread."""
    found = [run[name] for run in runs if name in run]
    if not found:
        return ""
    if len(found) == 1 or min(found) == max(found):
        return number(statistics.median(found))
    return f"{number(statistics.median(found))} ({number(min(found))}–{number(max(found))})"


def ratios(row: Row, runs: dict[str, list[dict[str, float]]]) -> list[str]:
    """Return how each system of ours compares with each rival: above 1 is better."""
    found = []
    for ours in runs:
        if not ours.startswith("lectern"):
            continue
        for rival in RIVALS:
            if rival == ours or rival not in runs or (rival == "lectern-pg" and ours != "lectern-pg-2"):
                continue
            parts = []
            for name in (*row.more, *row.less):
                one, other = median(runs[ours], name), median(runs[rival], name)
                if one and other and one == one and other == other:
                    parts.append(f"{name} {number(one / other if name in row.more else other / one)}×")
            if parts:
                found.append(f"{ours} against {rival}: {', '.join(parts)}")
    return found


def table(told: Told) -> str:
    """Return a row as Markdown."""
    columns: list[str] = []
    for runs in told["runs"].values():
        columns += [name for run in runs for name in run if name not in columns]
    lines = [
        f"## {told['title']}",
        "",
        f"Target: {told['target']}. {told['size']}, {told['when']}, load {told['load']:.1f}: `{told['command']}`",
        "",
    ]
    lines += [f"| | {' | '.join(columns)} |", f"|---|{'---:|' * len(columns)}"]
    for system, runs in told["runs"].items():
        cells = " | ".join(cell(runs, name) for name in columns)
        lines.append(f"| {told['names'][system]} ({len(runs)} runs) | {cells} |")
    lines += ["", *(f"- {one}" for one in told["compared"])]
    lines += [
        f"- {told['names'][system]}: {'; '.join(dict.fromkeys(said))}" for system, said in told["reconciled"].items()
    ]
    lines += [f"- **{failure}**" for failure in told["failed"]]
    notes = [f"  - {note}" for notes in told["notes"].values() for note in notes]
    if notes:
        lines += ["", "<details><summary>last run, step by step</summary>", ""]
        for system, said in told["notes"].items():
            lines += [f"- {told['names'][system]}", *(f"  - {note}" for note in said)]
        lines += ["", "</details>"]
    return "\n".join(lines) + "\n"


def write(results: Path, kept: Path, rows: dict[str, Told], order: Sequence[str], heading: dict[str, Any]) -> None:
    """Write what was measured now into what is kept, and all of it into RESULTS.md."""
    known: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {"rows": {}}
    known["rows"] |= rows
    known["heading"] = heading
    kept.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n")
    parts = [
        "# What the benchmarks have shown\n",
        HEAD,
        *(f"- {name}: {value}" for name, value in heading.items()),
        "",
        *(table(known["rows"][name]) for name in order if name in known["rows"]),
    ]
    results.write_text("\n".join(parts))
