"""Scripts and styles as they are sent: all that a browser needs of them, and no more.

Comments, indentation and spaces go, and names that only their own class can see (`#like`) become
short. What is left is the same program, token for token: `tests/server/ui/test_ui_lean.py` holds
the two beside each other. It knows JavaScript as far as this page is written in it, and leaves a
line break wherever one could mean something. Pure.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import count, product
from string import ascii_letters

_TOKEN = re.compile(
    r"""
    (?P<gap>\s+ | //[^\n]* | /\*.*?\*/)
  | (?P<text>"(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*')
  | (?P<private>\#[\w$]+)
  | (?P<word>[\w$]+)
  | (?P<sign>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_TEMPLATE = re.compile(r"(?:\\.|\$(?!\{)|[^`\\$])*(?:`|\$\{)", re.DOTALL)
_REGEX = re.compile(r"/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\[\n])+/[a-z]*")
_BEFORE_REGEX = frozenset(
    [
        "return",
        "typeof",
        "case",
        "in",
        "of",
        "delete",
        "void",
        "throw",
        "new",
        "else",
        "do",
        "await",
    ]
)
"""Words behind which a slash begins a regular expression, and divides nothing."""
_NO_BREAK_AFTER = frozenset("{([,;:?=|&<>!")
_NO_BREAK_BEFORE = frozenset(")]},;:?=|&.")

_CSS = re.compile(r"""/\*.*?\*/ | (?P<text>"[^"]*"|'[^']*')""", re.VERBOSE | re.DOTALL)
_AROUND = re.compile(r"\s*([{};,>])\s*|(:)\s+")


def lean_script(text: str) -> str:
    """A module."""
    tokens = list(_tokens(text))
    short = _short_names(token for kind, token in tokens if kind == "private")
    made: list[str] = []
    last = "\n"
    gap = ""
    for kind, token in tokens:
        if kind == "gap":
            gap = "\n" if "\n" in token or gap == "\n" else " "
            continue
        said = short[token] if kind == "private" else token
        if (last == ";" and said == "}") or (last == "," and said in (")", "]", "}")):
            made.pop()
        elif gap and made:
            made.append(_kept_gap(gap, last, said[0]))
        made.append(said)
        last, gap = said[-1], ""
    return "".join([*made, "\n"])


def _kept_gap(gap: str, before: str, after: str) -> str:
    """What must stand between two signs where a gap was."""
    if gap == "\n" and before not in _NO_BREAK_AFTER and after not in _NO_BREAK_BEFORE:
        return "\n"
    words = _in_word(before) and _in_word(after)
    return " " if words or (before == after and before in "+-/") else ""


def _in_word(sign: str) -> bool:
    return sign.isalnum() or sign in "_$#"


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """The kind and the text of each token; a template is several, with its code between."""
    at = 0
    depths: list[int] = []  # of braces, in each template that is open
    last = ""
    while at < len(text):
        found = _next(text, at, last, bool(depths) and depths[-1] == 0)
        kind, token = found
        if kind == "template":
            if token[0] == "}":
                depths.pop()
            if token.endswith("${"):
                depths.append(0)
        elif depths and token in ("{", "}"):
            depths[-1] += 1 if token == "{" else -1
        at += len(token)
        if kind != "gap":
            last = token
        yield found


def _next(text: str, at: int, last: str, in_template: bool) -> tuple[str, str]:
    """The token at `at`, behind one that was `last`; `in_template`: a brace ends its code."""
    if text[at] == "`" or (text[at] == "}" and in_template):
        template = _TEMPLATE.match(text, at + 1)
        assert template is not None, "a template without an end"
        return "template", text[at : template.end()]
    if text[at] == "/" and text[at + 1] not in "/*":
        value = last and (_in_word(last[-1]) or last[-1] in ")]}\"'`")
        expression = _REGEX.match(text, at)
        if expression is not None and (not value or last in _BEFORE_REGEX):
            return "text", expression[0]
    token = _TOKEN.match(text, at)
    assert token is not None
    assert token.lastgroup is not None
    return token.lastgroup, token[0]


def _short_names(names: Iterator[str]) -> dict[str, str]:
    """The shortest for those that are named most."""
    letters = (
        "".join(each) for length in count(1) for each in product(ascii_letters, repeat=length)
    )
    return {name: f"#{next(letters)}" for name, _ in Counter(names).most_common()}


def lean_style(text: str) -> str:
    """A style sheet."""
    made = []
    at = 0
    for found in _CSS.finditer(text):
        made += [_lean_rules(text[at : found.start()]), found["text"] or ""]
        at = found.end()
    return "".join([*made, _lean_rules(text[at:])]).replace(";}", "}").strip() + "\n"


def _lean_rules(text: str) -> str:
    return re.sub(r"\s+", " ", _AROUND.sub(r"\1\2", text))
