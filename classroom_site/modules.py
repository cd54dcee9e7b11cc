"""Which ES module imports which, read from the sources."""

import re
from pathlib import Path

_COMMENT = re.compile(r"/\*.*?\*/|^\s*//[^\n]*", re.DOTALL | re.MULTILINE)
_STATIC = re.compile(r"""^\s*(?:import|export)\b(?:[^'"`;]*?\bfrom\b)?\s*["'](\.{1,2}/[^"']+)["']""", re.MULTILINE)
_DYNAMIC = re.compile(r"""\bimport\(\s*["'`](\.{1,2}/[^"'`]+)["'`]""")


def imports(module: Path) -> list[Path]:
    """Return the files that `module` imports as it loads, in order. Types named in comments are no imports."""
    return _targets(module, _STATIC)


def lazy_imports(module: Path) -> list[Path]:
    """Return the files that `module` may import later, by `import("./name.js")`."""
    return _targets(module, _DYNAMIC)


def loads(entry: Path) -> list[Path]:
    """Return every file that loading `entry` loads, itself first, each once."""
    found = {entry: None}
    queue = [entry]
    while queue:
        for target in imports(queue.pop(0)):
            if target not in found:
                found[target] = None
                queue.append(target)
    return list(found)


def _targets(module: Path, pattern: re.Pattern[str]) -> list[Path]:
    source = _COMMENT.sub("", module.read_text(encoding="utf-8"))
    return [(module.parent / target).resolve() for target in pattern.findall(source)]
