"""What the page is made of: how much it weighs, that nothing of it is left over, that it says
everything in both languages, and that what checks it finds what it is for."""

from __future__ import annotations

import json
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from camkeep.server.web.pages import PAGE, packed, pages

ROOT = Path(__file__).parents[3]
UI = ROOT / "src" / "camkeep" / "server" / "ui"
TOOLS = ROOT / "tools" / "page"
LANGUAGES = ("de", "en")
MOST_BYTES = 150_000
"""The whole page in all languages, as it is sent: packed."""
MOST_UNPACKED = 340_000
FIRST_BYTES, FIRST_UNPACKED = 68_000, 150_000
"""What is fetched before the first picture is seen, in one language."""
DRAWN = ("icons.svg", "mark.svg")
"""Fetched, too, though the page does not name them first."""


@cache
def served() -> dict[str, str]:
    """Each file as a browser gets it."""
    whole = {PAGE: pages().page, **pages().files}
    return {name: data.decode() for name, data in whole.items() if not name.endswith(".png")}


@cache
def modules() -> dict[str, str]:
    """The scripts as they were written, without comments."""
    return {path.name: uncommented(path.read_text()) for path in UI.glob("*.js")}


def uncommented(text: str) -> str:
    return re.sub(r"/\*.*?\*/|(?<![:\"'])//[^\n]*", "", text, flags=re.S)


def pages_of() -> str:
    """All pages: the one, and that of `camkeep record --preview`."""
    return "".join(path.read_text() for path in UI.glob("*.html"))


def imports(text: str, *, later: bool) -> set[str]:
    """The modules that one asks for: at once, and those that it asks for `later`."""
    at_once = set(re.findall(r'(?:\bfrom|^import) "\./([\w.-]+)"', text, re.M))
    return at_once | (set(re.findall(r'\bimport\("\./([\w.-]+)"\)', text)) if later else set())


def reached(first: str, *, later: bool) -> set[str]:
    """All modules that come with one."""
    found: set[str] = set()
    waiting = {first}
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= imports(modules()[name], later=later) - found
    return found


def test_the_page_is_light() -> None:
    files = {PAGE: pages().page, **pages().files}
    sizes = {name: len(packed(data)) for name, data in files.items()}
    whole = sum(sizes.values())
    assert whole < MOST_BYTES, f"{whole:,} bytes: tools/page/weigh says of what"
    assert sum(map(len, files.values())) < MOST_UNPACKED
    named = {PAGE, *DRAWN, *re.findall(r'="/ui/\w+/([\w.-]+)"', pages().page.decode())}
    named -= {"mark-full.png"}  # only put among the apps of a phone
    first = sum(sizes[name] for name in named)
    assert first < FIRST_BYTES, f"{first:,} bytes before the first picture"
    unpacked = sum(len(files[name]) for name in named)
    assert unpacked < FIRST_UNPACKED, f"{unpacked:,} bytes before the first picture"


def test_the_page_names_no_other_place() -> None:
    for name, text in served().items():
        places = set(re.findall(r"(?:https?|wss?):/{2}[\w.-]+", text))
        assert places <= {"http://www.w3.org"}, f"{name}: {places}"
        assert not re.search(r"""(?:src|href|url)\s*[=(:]\s*["']?//""", text), name
        assert "@import" not in text, name


def test_every_module_is_asked_for_and_every_file_is_named() -> None:
    preview = reached("preview.js", later=True)
    assert reached("app.js", later=True) | preview == set(modules())
    texts = served()
    for name in {PAGE, *pages().files} - set(modules()) - {PAGE}:
        assert any(name in text for other, text in texts.items() if other != name), name


def test_nothing_is_exported_for_nobody() -> None:
    """Who wants it names it in an import, or its type; what a module needs itself stands there
    twice."""
    texts = modules()
    types = set(re.findall(r'import\("\./[\w.-]+"\)\.(\w+)', _everything()))
    for name, text in texts.items():
        others = " ".join(other for key, other in texts.items() if key != name)
        exported = re.findall(r"^export (?:async )?(?:function|class|const|let) (\w+)", text, re.M)
        for group in re.findall(r"^export \{([^}]*)\}", text, re.M):
            exported += [each.split()[-1] for each in group.split(",") if each.strip()]
        for word in exported:
            used = len(re.findall(rf"\b{word}\b", text)) + len(re.findall(rf"\b{word}\b", others))
            assert used > 1 or word in types, f"{name}: nobody uses {word}"


def _everything() -> str:
    return "".join(path.read_text() for path in UI.glob("*.js"))


def test_every_drawing_is_used_and_there() -> None:
    drawn = set(re.findall(r'<symbol[^>]* id="([\w-]+)"', (UI / "icons.svg").read_text()))
    assert drawn
    code = " ".join(modules().values())
    for name in drawn:
        assert re.search(rf'["`]{name}["`]|\b{name}:', code), f"nobody shows {name}"
    for name in re.findall(r'\bicon\("([\w-]+)"\)', code):
        assert name in drawn, f"there is no drawing {name}"


def test_every_colour_and_length_of_the_styles_is_used_and_there() -> None:
    styles = "\n".join(uncommented(path.read_text()) for path in UI.glob("*.css"))
    code = "\n".join(modules().values())
    made = set(re.findall(r"(--[\w-]+)\s*:", styles)) | set(re.findall(r'"(--[\w-]+)"', code))
    used = set(re.findall(r"var\((--[\w-]+)", styles + code))
    assert used - made == set(), "not there"
    if "getPropertyValue(`--${" in code:  # what draws asks for them by their names
        used |= {f"--{name}" for name in re.findall(r'"([\w-]+)"', code)}
    assert made - used == set(), "not used"


# words


SAID = """
const [folder, language] = process.argv.slice(1);
const [english, other] = await Promise.all(["en", language].map(async (name) => {
  const near = await import(`${folder}/${name}.js`);
  const { more } = await import(`${folder}/${name}-more.js`);
  return { ...near[name], ...more };
}));
const GIVEN = {
  number: (n) => n,
  string: (n, i) => `word${i}`,
  boolean: (n) => n % 2 === 1,
  "string[]": (n, i) => [`word${i}`],
};
const found = {};
const walk = (of, at, english) => {
  if (typeof of === "function") {
    const types = [...english.toString().matchAll(/@type [{](.*?)[}] [*]/g)];
    const kinds = types.map((each) => each[1]);
    const unknown = kinds.length !== english.length || kinds.some((kind) => !GIVEN[kind]);
    const given = (n) => kinds.map((kind, i) => GIVEN[kind](n, i));
    const said = unknown ? [] : [0, 1, 2, 50].map((n) => of(...given(n)));
    found[at] = {kinds, unknown, said};
  } else if (typeof of === "object") {
    const under = at && `${at}.`;
    for (const key in of) walk(of[key], under + key, english?.[key]);
  } else found[at] = of;
};
walk(other, "", english);
console.log(JSON.stringify(found));
"""


@cache
def said(language: str) -> dict[str, Any]:
    """All that is said in a language, by where it stands (`app.undo`, `keys.all.0.1`): texts, and
    for what is said with numbers and names {kinds, unknown, said}. The types stand in en.js and
    en-more.js."""
    run = subprocess.run(
        ["node", "--input-type=module", "-e", SAID, str(UI), language],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def test_both_languages_say_the_same_things() -> None:
    """As many; what is plain, said with something, or empty is so in both."""
    german, english = said("de"), said("en")
    assert set(german) == set(english)
    for at, text in german.items():
        assert isinstance(text, str) == isinstance(english[at], str), at
        assert bool(text) == bool(english[at]), at


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_said_with_numbers_and_names_is_said(language: str) -> None:
    for at, each in said(language).items():
        if isinstance(each, str):
            continue
        assert not each["unknown"], f"{at}: a type is not told, or unknown here: {each['kinds']}"
        for text in each["said"]:
            assert isinstance(text, str), at
            assert text.strip(), at
            assert not re.search(r"undefined|NaN|\[object|null|Infinity", text), f"{at}: {text}"
            for number, kind in enumerate(each["kinds"]):
                assert "string" not in kind or f"word{number}" in text, f"{at}: {text}"


def test_german_is_no_english() -> None:
    german, english = said("de"), said("en")
    for at, text in german.items():
        if isinstance(text, str) and len(re.findall(r"\w{2,}", text)) > 2:
            assert text != english[at], at


def test_all_that_is_said_is_wanted() -> None:
    """What nobody asks for is in nobody's code: not by its name, nor by that of its group."""
    files = {f"{language}.js" for language in LANGUAGES}
    code = " ".join(text for name, text in modules().items() if name not in files)
    left = set()
    for at in said("en"):
        part, key, *_ = at.split(".")
        by_group = re.search(rf"\bsay\.{part}(?![\w.]|\?\.)", code)
        if not by_group and not re.search(rf"\b{key}\b", code):
            left.add(f"{part}.{key}")
    assert left == set()


# the checks


BAD = {
    'make("p", {}, "Hello");': "camkeep/said",
    'make("p", { title: x ? "Hello there" : null });': "camkeep/said",
    "write(x, `${n} cameras`);": "camkeep/said",
    'x.setAttribute("aria-label", "Cameras");': "camkeep/said",
    'x.innerHTML = "";': "no-restricted-properties",
    'x.setAttribute("style", "color: red");': "no-restricted-syntax",
    'setTimeout("x()");': "no-implied-eval",
    'eval("x");': "no-eval",
    "new VideoDecoder(x);": "no-restricted-globals",
    'fetch("https://example.org/");': "no-restricted-syntax",
}


def test_what_checks_the_page_finds_what_it_is_for(tmp_path: Path) -> None:
    """Types and habits: `make check` runs both on the whole page."""
    lint = [TOOLS / "node_modules/.bin/eslint", "-c", "eslint.config.js", "--stdin", "-f", "json"]
    run = subprocess.run(
        [*lint, "--stdin-filename", "x.js"],
        input="\n".join(BAD),
        cwd=TOOLS,
        capture_output=True,
        text=True,
    )
    found = {each["line"]: each["ruleId"] for each in json.loads(run.stdout)[0]["messages"]}
    assert [found.get(line) for line in range(1, len(BAD) + 1)] == list(BAD.values())
    (tmp_path / "x.js").write_text("/** @param {string} x */\nexport const f = (x) => x * 2;\n")
    kept = json.loads((TOOLS / "tsconfig.json").read_text())
    kept["include"] = ["x.js"]
    (tmp_path / "tsconfig.json").write_text(json.dumps(kept))
    types = [TOOLS / "node_modules/.bin/tsc", "-p", tmp_path]
    run = subprocess.run(types, capture_output=True, text=True)
    assert "x.js(2,25): error TS2362" in run.stdout


def test_the_tools_come_from_wherever_npm_is_told() -> None:
    lock = (TOOLS / "package-lock.json").read_text()
    assert "resolved" not in lock
    assert "integrity" in lock
    wanted = json.loads((TOOLS / "package.json").read_text())["devDependencies"]
    assert all(re.fullmatch(r"[\d.]+", version) for version in wanted.values())
