"""whiteboard.conversion: the child is limited, and nothing that it answers, or fails to answer, harms its parent."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.support import pdfs
from tests.support.processes import children, memory
from tests.support.waiting import until
from whiteboard import conversion
from whiteboard.conversion import BadFile, Child, Limits

PAGES = "sys.stdout.write('{\"pages\": 1}\\n'); "
DONE = '{"done": true}\n'
PAGE = '{"number": 1, "width": 1600, "height": 900, "text": "", "sizes": [9, 9, 9]}'


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "sys.exit(1)",
        "os.kill(os.getpid(), 11)",
        "time.sleep(600)",
        "[sys.stdout.write('x' * 65536) for _ in iter(int, 1)]",
        "print('hello')",
        "print('[1]')",
        "print('{\"pages\": 999999}')",
        "print('{\"pages\": -1}')",
        PAGES + "print('{\"done\": true}')",
        PAGES + f"print({PAGE.replace('900', '900000')!r})",
        PAGES + f"print({PAGE.replace('[9, 9, 9]', '[9, 9]')!r})",
        PAGES + f"print({PAGE.replace('[9, 9, 9]', '[9, 9, 999999999]')!r})",
        PAGES + f"print({PAGE.replace('1,', '2,', 1)!r}); print('x' * 27)",
        PAGES + f"print({PAGE!r}); print('<script>;' * 3 + {DONE!r}, end='')",
    ],
)
def test_it_believes_nothing_that_the_child_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    script = tmp_path / "child.py"
    script.write_text(f"import os, sys, time; {answer}")
    monkeypatch.setattr(conversion, "SCRIPT", script)
    pdf = tmp_path / "any.pdf"
    pdf.write_bytes(b"")
    before, children_before = memory(), children()

    with pytest.raises(BadFile) as refusal, Child(pdf, Limits(max_pages=9, page_seconds=1)) as child:
        list(child.parts())

    assert refusal.value.code == "bad_file"
    assert children() == children_before
    assert memory() - before < 16_000_000


BARE = """
import os

def is_open(descriptor):
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True

environment = os.environ.keys() - {"LC_CTYPE"}  # Python itself sets that one
bare = not environment and os.getcwd() == "/" and not any(map(is_open, range(3, 2000)))
print('{"error": "file_encrypted"}' if bare else '{"error": "bad_file"}')
"""


def test_the_child_inherits_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "child.py"
    script.write_text(BARE)
    monkeypatch.setattr(conversion, "SCRIPT", script)
    monkeypatch.setenv("SECRET_KEY", "secret")

    with script.open() as held:
        os.set_inheritable(held.fileno(), True)
        with pytest.raises(BadFile) as refusal, Child(script, Limits(max_pages=9)) as child:
            list(child.parts())

    assert refusal.value.code == "file_encrypted"  # what this child says when it has nothing


CONFINED = """
import importlib.util, os, resource, sys
spec = importlib.util.spec_from_file_location("rasterize", sys.argv[1])
child = importlib.util.module_from_spec(spec)
spec.loader.exec_module(child)
child.confine(200_000_000, 1)
"""


@pytest.mark.parametrize(
    ("harm", "outcome"),
    [
        ("open(sys.argv[2], 'w').write('x' * 9_000_000)", "File too large"),
        ("bytearray(300_000_000)", "MemoryError"),
        ("[open('/dev/null') for _ in range(99)].append(0)", "Too many open files"),
        ("\nwhile True: pass", -signal.SIGKILL),
        ("sys.exit(len(os.environ.keys() - {'LC_CTYPE'}) + 40)", 40),
        ("sys.exit(resource.getrlimit(resource.RLIMIT_CORE)[1] + 40)", 40),
    ],
)
def test_the_child_can_do_no_harm(tmp_path: Path, harm: str, outcome: str | int) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-B", "-c", CONFINED + harm, str(conversion.SCRIPT), str(tmp_path / "file")],
        env={}, capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip

    if isinstance(outcome, int):
        assert done.returncode == outcome
    else:
        assert outcome in done.stderr
    assert not (tmp_path / "file").exists() or (tmp_path / "file").stat().st_size == 0


PARENT = """
import sys
from pathlib import Path
from whiteboard.conversion import Child, Limits
with Child(Path(sys.argv[1]), Limits(max_pages=9)) as child:
    parts = child.parts()
    next(parts)
    print(child._process.pid, flush=True)
    next(parts)
"""


def test_the_child_dies_with_its_parent(tmp_path: Path) -> None:
    pdf = tmp_path / "endless.pdf"
    pdf.write_bytes(pdfs.endless())
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(pdf)], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert Path(f"/proc/{child}").exists()

    parent.kill()
    parent.wait()
    parent.stdout.close()

    until(lambda: not Path(f"/proc/{child}").exists(), saying="the child is gone")


def test_a_conversion_works_in_a_thread_of_a_server_with_many_descriptors(tmp_path: Path) -> None:
    pdf = tmp_path / "good.pdf"
    pdf.write_bytes(pdfs.good(1))
    parts: list[object] = []

    def work() -> None:
        with Child(pdf, Limits(max_pages=9)) as child:
            parts.extend(child.parts())

    held = [os.open("/dev/null", os.O_RDONLY) for _ in range(1_100)]
    try:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    finally:
        for descriptor in held:
            os.close(descriptor)

    assert len(parts) == 2
