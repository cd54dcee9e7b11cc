"""Scripts and style sheets without comments and indentation: what is served says the same in fewer bytes.

A gap (blanks, line ends and comments between two tokens) becomes one line end where it held one, else one space. Both
languages read a comment so themselves, therefore no statement, selector or value changes; names stay as written, and
what an error's trace says is still found in the source.
"""

import re

_JS_TOKEN = re.compile(
    r"""
    (?P<gap> (?: \s | \ufeff | //[^\n\r\u2028\u2029]* | /\*.*?\*/ )+ )
  | (?P<text> "(?:[^"\\\n\r]|\\.)*" | '(?:[^'\\\n\r]|\\.)*' )
  | (?P<tick> ` )
  | (?P<word> [\w$#\u200c\u200d]+ | \\u )
  | (?P<sign> \+\+ | -- | => | [^\s\w"'`] )
    """,
    re.VERBOSE | re.DOTALL,
)
_JS_TEMPLATE = re.compile(r"(?:[^`\\$]|\\.|\$(?!\{))*(?:`|\$\{)", re.DOTALL)
_JS_REGEX = re.compile(r"/(?:[^/\\\[\n\r]|\\[^\n\r]|\[(?:[^\]\\\n\r]|\\[^\n\r])*\])+/\w*")
_LINE_END = re.compile(r"[\n\r\u2028\u2029]")
# A slash after one of these words or signs begins a regular expression; after a value it divides.
_BEFORE_VALUE = {
    "await", "case", "default", "delete", "do", "else", "extends", "in", "instanceof", "new", "of", "return", "throw",
    "typeof", "void", "yield",
}  # fmt: skip
VALUE = "0"
_ENDS_VALUE = frozenset([VALUE, ")", "]", "}", "++", "--"])

_CSS_TOKEN = re.compile(
    r"""
    (?P<gap> (?: \s | /\*.*?\*/ )+ )
  | (?P<text> "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' | url\(\s*[^"'\s)][^)]*\) | \\. )
  | (?P<sign> . )
    """,
    re.VERBOSE | re.DOTALL,
)


def script(source: str) -> str:
    """Return an ES module or a script without comments and indentation. ValueError where it cannot be read.

    One thing has to be told from what follows, and is not: a slash right after `)` or `}` divides here. A regular
    expression as a statement's first word would have to be written in brackets.
    """
    kept: list[str] = []
    braces = [0]  # how many are open, in the script itself and in each `${` around
    last = ""  # the token before; VALUE for texts and names that no slash after them can mistake
    at = 0
    while at < len(source):
        slash = source[at] == "/" and not source.startswith(("//", "/*"), at)
        found = _found((_JS_REGEX if slash and not _is_value(last) else _JS_TOKEN).match(source, at), source, at)
        said, kind, at = found[0], found.lastgroup or "text", found.end()
        if kind == "gap":
            kept.append(_gap(said))
            continue
        closes = said == "}" and braces[-1] == 0 and len(braces) > 1
        if kind == "tick" or closes:  # into a template, or back into it after `${…}`
            if closes:
                braces.pop()
            rest = _found(_JS_TEMPLATE.match(source, at), source, at)
            said, at = said + rest[0], rest.end()
            kind = "text"
            if said.endswith("${"):
                braces.append(0)
                kind = "sign"
        elif said in ("{", "}"):
            braces[-1] += 1 if said == "{" else -1
        kept.append(said)
        last = VALUE if kind == "text" or (kind == "word" and last == ".") else said
    if braces != [0]:
        raise ValueError("a brace or a template is not closed")
    return "".join(kept).strip() + "\n"


def style(source: str) -> str:
    """Return a style sheet without comments and indentation."""
    kept = []
    for found in _CSS_TOKEN.finditer(source):
        if found.lastgroup != "gap":
            kept.append(found[0])
        elif re.search(r"\s", re.sub(r"/\*.*?\*/", "", found[0], flags=re.DOTALL)):
            kept.append("\n" if "\n" in found[0] else " ")
        else:
            kept.append("/**/")  # `a/**/b` is two words and no descendant: a space would be one
    return "".join(kept).strip() + "\n"


def _gap(text: str) -> str:
    return "\n" if _LINE_END.search(re.sub(r"//[^\n\r\u2028\u2029]*", "", text)) else " "


def _is_value(last: str) -> bool:
    """Whether the token before a slash ends a value, which the slash then divides."""
    if last in _ENDS_VALUE:
        return True
    return (last[-1:].isalnum() or last[-1:] in ("_", "$")) and last not in _BEFORE_VALUE


def _found(match: re.Match[str] | None, source: str, at: int) -> re.Match[str]:
    if match is None:
        raise ValueError(f"line {source.count(chr(10), 0, at) + 1} cannot be read: {source[at : at + 40]!r}")
    return match
