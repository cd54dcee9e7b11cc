"""The JavaScript twin of the pure modules: one Node process that answers many questions, a line each."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).resolve().parent.parent / "js" / "twin.js"


class Twin:
    """A running Node process."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def ask(self, ask: str, **request: Any) -> Any:
        """Return what JavaScript says to `ask` (see tests/js/twin.js)."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"ask": ask, **request}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, f"Node ended over {request!r}"
        return json.loads(answer)


@contextmanager
def running_twin() -> Iterator[Twin]:
    """Run the twin while the block runs."""
    with subprocess.Popen(
        ["node", str(SCRIPT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        yield Twin(process)
        assert process.stdin is not None
        process.stdin.close()
