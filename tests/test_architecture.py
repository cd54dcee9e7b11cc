"""What prose asks for and only a test keeps: import directions, one writer of events, no markup from strings, sizes."""

import ast
import graphlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from classroom_site import modules

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("classroom_site", "classrooms", "whiteboard")

# design.md section 5: a module imports from its own row and the rows below. A new module needs a place here.
ROWS = {
    "wiring": {"classroom_site"},
    "doors": {
        "classrooms.consumers", "classrooms.lane", "classrooms.fallback", "classrooms.observing", "classrooms.origins",
        "classrooms.rest", "classrooms.api", "classrooms.api_decks", "classrooms.views", "classrooms.accounts",
        "classrooms.admin", "classrooms.management",
    },
    "verbs": {"classrooms.actions", "classrooms.decks", "classrooms.late_pages"},
    "hub": {
        "classrooms.hub", "classrooms.room", "classrooms.cursors", "classrooms.connection", "classrooms.layer",
        "classrooms.metrics", "classrooms.presence", "classrooms.readiness", "classrooms.shards",
        "classrooms.signals",
        "classrooms.socket_writer", "classrooms.states", "classrooms.waiting",
    },
    "keepers": {
        "classrooms.access", "classrooms.attendance", "classrooms.log", "classrooms.replica", "classrooms.retention",
        "classrooms.roster", "classrooms.writers",
        "whiteboard.slides", "whiteboard.conversion", "whiteboard.images", "whiteboard.rasterize",
    },
    "models": {"classrooms.models", "whiteboard.models"},
    "pure": {
        "classrooms.messages", "classrooms.kinds", "classrooms.lesson", "classrooms.lesson_state", "classrooms.roles",
        "classrooms.refusals", "classrooms.budget", "classrooms.closes", "classrooms.load", "classrooms.ring",
        "classrooms.meter", "classrooms.counters", "classrooms.guesses", "classrooms.seeds", "classrooms.class_list",
        "whiteboard.board", "whiteboard.items", "whiteboard.points",
    },
}  # fmt: skip
ORDER = list(ROWS)
IMPURE = {"asyncio", "datetime", "io", "logging", "os", "pathlib", "random", "secrets", "socket", "threading", "time"}

JS_LAYERS = [
    "pages",
    "panels tools render",
    "dom i18n",
    "session",
    "transport link sender catchup snapshots states tickets signals store views display overlay outbox partitions",
    "codes lesson lesson_state kinds board items points protocol predict ops undo bucket",
    "clock roster surroundings pulse",
]

SAFE_MARKUP = {"classroom_site/templatetags/assets.py"}  # JSON of our own file names, escaped there
MARKUP_FROM_STRINGS = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|srcdoc|\beval\(|new Function\("
)
UNESCAPED = re.compile(r"\|\s*safe\b|autoescape\s+off|\bmark_safe\b|\bSafeString\(")


def sources(*suffixes: str) -> Iterator[Path]:
    """Every file of ours with one of the suffixes, but migrations, which Django writes."""
    for top in (*PACKAGES, "templates", "static", "tests", "benchmarks", "demo"):
        for path in sorted((ROOT / top).rglob("*")):
            if path.suffix in suffixes and "migrations" not in path.parts and path.is_file():
                yield path


def product() -> dict[str, Path]:
    """{dotted name: file} of every Python module that ships."""
    found = {}
    for path in sources(".py"):
        relative = path.relative_to(ROOT)
        if relative.parts[0] in PACKAGES:
            found[".".join(relative.with_suffix("").parts).removesuffix(".__init__")] = path
    return found


PRODUCT = product()


def imported(path: Path) -> set[str]:
    """Every absolute name that a file imports, at its top or later, with `from a import b` as both `a` and `a.b`."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def row(module: str) -> int | None:
    """The index of a module's row, found by its name or the name of a package above it."""
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        name = ".".join(parts[:length])
        for index, members in enumerate(ROWS.values()):
            if name in members:
                return index
    return None


def own(names: set[str]) -> set[str]:
    return {name for name in names if name in PRODUCT and name not in ("classrooms", "whiteboard")}


@pytest.mark.parametrize("module", [name for name in PRODUCT if name not in ("classrooms", "whiteboard")])
def test_a_module_imports_only_from_its_row_and_below(module: str) -> None:
    here = row(module)
    assert here is not None, f"{module} has no row in ROWS"
    for target in own(imported(PRODUCT[module])):
        there = row(target)
        assert there is not None, f"{target} has no row in ROWS"
        assert there >= here, f"{module} ({ORDER[here]}) imports {target} ({ORDER[there]})"


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = {name: own(imported(path)) - {name} for name, path in PRODUCT.items()}
    assert list(graphlib.TopologicalSorter(graph).static_order())


def test_every_row_names_only_modules_that_are_there() -> None:
    named = set().union(*ROWS.values())
    assert {name for name in named if name not in PRODUCT} == set()


def test_the_whiteboard_knows_no_classrooms() -> None:
    for name, path in PRODUCT.items():
        if name.startswith("whiteboard"):
            assert not [target for target in imported(path) if target.split(".")[0] == "classrooms"], name


@pytest.mark.parametrize("module", sorted(ROWS["pure"]))
def test_a_pure_module_imports_the_standard_library_and_msgspec_alone(module: str) -> None:
    for target in imported(PRODUCT[module]):
        top = target.split(".")[0]
        assert top in sys.stdlib_module_names or top == "msgspec" or target in ROWS["pure"] or top in PACKAGES, target
        assert top not in IMPURE, f"{module} imports {target}: a fold has no clock, no chance and no files"


def test_only_the_log_writes_events() -> None:
    writes = re.compile(r"\b(Event\.objects|\.events)\.(bulk_)?(create|update|delete|get_or_create)|classrooms_event\b")
    for name, path in PRODUCT.items():
        if name != "classrooms.log":
            shows = name == "classrooms.admin.administration"  # tests/test_administration.py holds it to looking
            assert shows or "classrooms.models.Event" not in imported(path), name
            assert not writes.search(path.read_text(encoding="utf-8")), name


def test_only_the_hub_touches_the_channel_layer() -> None:
    users = {name for name, path in PRODUCT.items() if any(t.startswith("channels.layers") for t in imported(path))}
    assert users == {"classrooms.layer"}


def js_layer(path: Path) -> int | None:
    name = path.relative_to(ROOT / "static" / "js").with_suffix("").parts[0]
    return next((index for index, names in enumerate(JS_LAYERS) if name in names.split()), None)


def js_modules() -> list[Path]:
    return [path for path in sources(".js") if path.is_relative_to(ROOT / "static" / "js")]


@pytest.mark.parametrize("path", js_modules(), ids=lambda path: path.relative_to(ROOT / "static" / "js").as_posix())
def test_a_javascript_module_imports_only_from_its_layer_and_below(path: Path) -> None:
    here = js_layer(path)
    assert here is not None, f"{path.name} has no layer in JS_LAYERS"
    for target in modules.imports(path) + modules.lazy_imports(path):
        there = js_layer(target)
        assert target.exists(), f"{path.name} imports {target}, which is not there"
        assert there is not None, f"{target} has no layer in JS_LAYERS"
        assert there >= here, f"{path.name} ({JS_LAYERS[here]}) imports {target.name} ({JS_LAYERS[there]})"
        assert here or target.parent.name != "pages", f"{path.name} imports another page's entry"


def test_no_javascript_module_imports_itself_by_way_of_others() -> None:
    graph = {path: set(modules.imports(path)) for path in js_modules()}
    assert list(graphlib.TopologicalSorter(graph).static_order())


def test_no_markup_is_made_from_strings() -> None:
    for path in sources(".js", ".html"):
        if path.is_relative_to(ROOT / "static") or path.is_relative_to(ROOT / "templates"):
            found = MARKUP_FROM_STRINGS.search(path.read_text(encoding="utf-8"))
            assert not found, f"{path.relative_to(ROOT)}: {found}"


def test_nothing_escapes_the_escaping() -> None:
    for path in sources(".py", ".html"):
        relative = path.relative_to(ROOT).as_posix()
        if relative not in SAFE_MARKUP and not relative.startswith(("tests/", "benchmarks/")):
            found = UNESCAPED.search(path.read_text(encoding="utf-8"))
            assert not found, f"{relative}: {found}"


def test_no_file_is_longer_than_450_lines() -> None:
    long = {}
    for path in sources(".py", ".js", ".css", ".html"):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > 450:
            long[path.relative_to(ROOT).as_posix()] = lines
    assert long == {}


def test_every_module_opens_with_one_line_that_says_what_lives_there() -> None:
    for path in PRODUCT.values():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert ast.get_docstring(tree) or not tree.body, path.relative_to(ROOT)
