"""Lean scripts and style sheets: nothing but gaps changes, whatever the source looks like."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classroom_site import lean

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = sorted((ROOT / "static" / "js").rglob("*.js"))
STYLES = sorted((ROOT / "static" / "css").rglob("*.css"))

# Statements whose insides look like gaps, texts or templates and are none.
STATEMENTS = st.sampled_from(
    [
        'const url = "https://a // b";', "const star = '/* no */';", r'const quote = "\"//";', "x = a / b / c;",
        "const path = /\\/\\*[/*\"'`]/gu;", "return /^ \\/\\//.test(a) / 2", "f(/[\\]/]/y, a.of / b / c)",
        "`a  // ${b}  /* c */\n\n   d`", "`${`  ${ {a: {}}.a / 2 }  `}  `", "`\\`  \\${  // `", "$ = `$  $$  {`;",
        "i++ / 2", "a[0] / b / (c) / d", "({}) / 1", "const f = (a) => /  x/.test(a);", "class A { #b = /  /; }",
        "label: case_ / of_ / 1", "typeof /  a/", "x = y ? /  a/ : /  b/", "日本 / 語 / 1",
    ]
)  # fmt: skip
ONE_LINE = st.sampled_from([" ", "   ", "\t", "/* a */", " /* ` ' \" // */ ", "/**/", "/* ${ */"])
LINE_ENDS = st.sampled_from(
    ["\n", "\r\n   ", "// a ` ' \"\n", "/* a\n b */", "\n\n // c */ ${\n\t", "/* http://a\n */", "\u2028"]
)


@given(st.lists(st.tuples(STATEMENTS, LINE_ENDS | ONE_LINE, LINE_ENDS), min_size=1, max_size=8))
def test_gaps_become_one_blank_or_one_line_end_and_statements_stay(parts: list[tuple[str, str, str]]) -> None:
    source = "".join(f"{statement}{gap};{end}" for statement, gap, end in parts)
    wanted = "".join(f"{statement}{lean_gap(gap)};\n" for statement, gap, _ in parts)
    assert lean.script(source) == wanted


def lean_gap(gap: str) -> str:
    return "\n" if any(end in gap for end in "\n\r\u2028") else " "


@pytest.mark.parametrize("broken", ["`a ${b", "`a", "'a\n'", "x = /a\n/", "`${ { }`"])
def test_what_cannot_be_read_is_an_error_and_not_half_a_script(broken: str) -> None:
    with pytest.raises(ValueError, match=r"cannot be read|not closed"):
        lean.script(broken)


@pytest.mark.parametrize("path", [*SCRIPTS, *STYLES], ids=lambda path: path.name)
def test_a_lean_file_is_lean(path: Path) -> None:
    spare = lean.script if path.suffix == ".js" else lean.style
    source = path.read_text(encoding="utf-8")
    once = spare(source)
    assert spare(once) == once
    assert len(once) <= len(source)


@pytest.mark.node
@pytest.mark.npm
def test_the_compiler_reads_every_script_of_ours_as_before(tmp_path: Path) -> None:
    tsc = ROOT / "node_modules" / ".bin" / "tsc"
    for path in SCRIPTS:
        copy = tmp_path / "lean" / path.relative_to(ROOT / "static" / "js")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(lean.script(path.read_text(encoding="utf-8")), encoding="utf-8")
    before = emit(tsc, ROOT / "static" / "js", tmp_path / "before")
    after = emit(tsc, tmp_path / "lean", tmp_path / "after")
    assert len(before) == len(SCRIPTS)
    assert after == before


def emit(tsc: Path, root: Path, out: Path) -> dict[str, str]:
    """Return {file: what the compiler writes for it, without comments}."""
    settings = ["--allowJs", "--checkJs", "false", "--noCheck", "--target", "esnext", "--module", "esnext"]
    files = [str(path) for path in sorted(root.rglob("*.js"))]
    subprocess.run(
        [tsc, "--ignoreConfig", "--removeComments", *settings, "--rootDir", root, "--outDir", out, *files], check=True
    )
    return {path.relative_to(out).as_posix(): path.read_text(encoding="utf-8") for path in out.rglob("*.js")}


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("a  {\n  color : red; /* x */\n}\n", "a {\ncolor : red;\n}\n"),
        ("a/* x */b, c /* x */ d {}", "a/**/b, c d {}\n"),
        ('a::before { content: "/*  */  "; }', 'a::before { content: "/*  */  "; }\n'),
        ("a { background: url(data:image/svg+xml,/*  */); }", "a { background: url(data:image/svg+xml,/*  */); }\n"),
        ("a { width: calc(1px  +  2px); }", "a { width: calc(1px + 2px); }\n"),
        (".a\\/\\*b  c {}", ".a\\/\\*b c {}\n"),
    ],
)
def test_a_style_sheet_loses_comments_and_indentation_only(source: str, wanted: str) -> None:
    assert lean.style(source) == wanted
