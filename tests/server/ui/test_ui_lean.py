"""What is sent of a script is the same program: compared by a parser that is not ours. And of a
style sheet: compared by a browser."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from camkeep.server.web.lean import lean_script, lean_style
from support.page import chromium

ROOT = Path(__file__).parents[3]
UI = ROOT / "src" / "camkeep" / "server" / "ui"
TOOLS = ROOT / "tools" / "page"

SAME = """
import {createRequire} from "node:module";
import {readFileSync} from "node:fs";
const {parse} = createRequire(`${process.cwd()}/package.json`)("espree");
const tree = (text) => {
  const names = new Map();  // of private members, by the order in which they come
  return JSON.stringify(parse(text, {ecmaVersion: 2022, sourceType: "module"}), (key, value) => {
    if (["start", "end", "range", "loc"].includes(key)) return undefined;
    if (value?.type !== "PrivateIdentifier") return typeof value === "bigint" ? `${value}` : value;
    if (!names.has(value.name)) names.set(value.name, names.size);
    return {type: value.type, name: names.get(value.name)};
  });
};
const told = JSON.parse(readFileSync(0, "utf8")).map(([one, other]) => tree(one) === tree(other));
console.log(JSON.stringify(told));
"""
RULES = """(text) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  // A value with a variable in it is kept as it was written.
  return [...sheet.cssRules].map((rule) => rule.cssText.replaceAll(", ", ","));
}"""

TRICKY = [
    'const a = "/* no comment */ // none"; // one\nconst b = `/* ${"}"} // ${`${a} `} */`;',
    "const c = `several\n  lines`;\nlet d = a\n++b\n",
    "let e = 1 / 2 / 3; const f = /[/\\]]+ \\/ {2}/g.test(e) ? / a/ : e;",
    "const g = (x) =>\n  x\n  && {x}\n;[1, 2,].map(g);",
    "class A { #one = 1; #two; static #x\n get #y() { return #one in this ? this.#two : 0 }}",
    "function h() { return\n}\nlet i = 1 - -1 + +1; i = i-- - i; i = i++ + ++i;",
    "for (;;) { if (a) break; else continue; }",
    'const k = {a, b: "#two", c() { return `#two ${a}` },}; k?.a ?? (k.b ||= 2);',
    "if (a) b()\nelse c()\ndo { d() } while (e)\nlabel: for (const f of []) continue label",
    "let l = a\n/* one */\nlet m = typeof /x/ === void 0; async () => { await /y/.z };",
]


def same(pairs: list[tuple[str, str]]) -> list[bool]:
    """Whether each two are the same program."""
    run = subprocess.run(
        ["node", "--input-type=module", "-e", SAME],
        cwd=TOOLS,
        input=json.dumps(pairs),
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    found: list[bool] = json.loads(run.stdout)
    return found


def test_each_script_of_the_page_stays_the_same_program() -> None:
    texts = {path.name: path.read_text() for path in sorted(UI.glob("*.js"))}
    told = same([(text, lean_script(text)) for text in texts.values()])
    assert [name for name, well in zip(texts, told, strict=True) if not well] == []


def test_it_knows_what_is_code_and_what_is_text() -> None:
    told = same([(text, lean_script(text)) for text in TRICKY])
    assert [text for text, well in zip(TRICKY, told, strict=True) if not well] == []
    assert same([("let a = 1", "let a = 2"), ("a\n++b", "a++\nb")]) == [False, False]


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("// @ts-check\n/** All\n * of it. */\n", "\n"),
        ("function a() {\n  // why\n  return 1; // so\n}\n", "function a(){return 1}\n"),
        ("a();\n\nb(\n  1,\n  2,\n);\n", "a();b(1,2);\n"),
        ("x = /** @type {string} */ (y) / 2 /z/ 1;\n", "x=(y)/2/z/1;\n"),
        (
            "class A { #long = 1; #few; get() { return this.#long + `#long ${this.#long}`; } }",
            "class A{#a=1;#b;get(){return this.#a+`#long ${this.#a}`}}\n",
        ),
        ("if (a) {\n}\nb\n[0]\n", "if(a){}\nb\n[0]\n"),
        ("let ä = ö in ü;", "let ä=ö in ü;\n"),
    ],
)
def test_what_is_left_of_a_script(written: str, sent: str) -> None:
    assert lean_script(written) == sent


async def test_each_style_of_the_page_stays_the_same() -> None:
    texts = {path.name: path.read_text() for path in sorted(UI.glob("*.css"))}
    texts["tricky"] = (
        'a > b , c:hover::after { content: "a  ; } /* b */"; margin: 1px  -1px }\n'
        "/* x\n */ @media (min-width: 1px) and (max-width: 9px) { .a .b :is(p, q) { color: red; } }"
    )
    assert len(lean_style(texts["tricky"])) < len(texts["tricky"]) - 20
    async with chromium() as browser:
        page = await browser.new_page()
        for name, text in texts.items():
            written = await page.evaluate(RULES, text)
            assert written, name
            assert await page.evaluate(RULES, lean_style(text)) == written, name
