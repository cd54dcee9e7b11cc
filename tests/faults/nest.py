"""The warm parent of `WarmServer`: it has imported everything, and forks a process whenever it is asked for one.

`python -m tests.faults.nest PORT` reads a line with a JSON object of environment variables, forks a child that serves
with them, prints `forked PID`, `listening` when it does and `ended N` when it has ended (N as in Popen.returncode), and
reads the next line.
"""

import importlib
import json
import os
import sys

from tests.support import serve


def main() -> None:
    """Be the parent until stdin ends."""
    serve.set_up()
    for module in ("classroom_site.asgi", os.environ["LECTERN_TEST_PATCH"]):
        importlib.import_module(module)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os.environ.update(json.loads(line))
            serve.serve(int(sys.argv[1]))
        say(f"forked {child}")
        say(f"ended {os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}")


def say(text: str) -> None:
    """Write a line to whoever listens."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
