"""The rooms of the project: imports only go downwards, and the core stands alone."""

from __future__ import annotations

import ast
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "camkeep"

FLOORS = [
    {"errors", "clock", "model"},
    {"media"},
    {"cameras", "archive", "pixels"},
    {"engine"},
    {"server"},
    {"cli"},
]
"""From the ground up. Rooms of one floor above the ground do not know each other."""
EXTRAS = {"pixels", "server"}
"""Rooms that need more than the standard library."""
DOORS = {"__init__": len(FLOORS), "__main__": len(FLOORS)}
"""The package's own face, above all floors."""


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else "__init__"


def floor_of(room: str) -> int:
    if room in DOORS:
        return DOORS[room]
    return next(n for n, rooms in enumerate(FLOORS) if room in rooms)


def imports(path: Path) -> set[str]:
    """Absolute names of all modules that `path` imports, inside functions, too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            found.add(module)
            if module == "camkeep":
                found |= {f"camkeep.{alias.name}" for alias in node.names}
    return found


SOURCES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_only_go_downwards(path: Path) -> None:
    inside = path.relative_to(PACKAGE)
    room = inside.parts[0].removesuffix(".py")
    for module in imports(path):
        if not module.startswith("camkeep."):
            continue
        other = room_of(module)
        if other == room or other == "__version__":
            continue
        below = floor_of(other) < floor_of(room)
        ground = floor_of(room) == 0 == floor_of(other)
        assert below or ground, f"{room} may not import {module}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_the_core_imports_nothing_but_the_standard_library(path: Path) -> None:
    if path.relative_to(PACKAGE).parts[0] in EXTRAS:
        return
    foreign = {m.split(".")[0] for m in imports(path)} - {"camkeep"}
    assert foreign <= set(sys.stdlib_module_names)


def test_a_bare_installation_is_one_package_and_every_module_of_it_imports(
    tmp_path: Path,
) -> None:
    venv.create(tmp_path / "bare", with_pip=True)
    python = tmp_path / "bare" / "bin" / "python"
    pip = [python, "-m", "pip", "--disable-pip-version-check"]

    def packages() -> set[str]:
        listed = subprocess.run(
            [*pip, "list", "--format=freeze"], check=True, capture_output=True, text=True
        )
        return {line.split("==")[0] for line in listed.stdout.splitlines() if "==" in line}

    before = packages()
    subprocess.run([*pip, "install", "--quiet", str(ROOT)], check=True, capture_output=True)
    assert {name.split(" ")[0] for name in packages() - before} == {"camkeep"}
    names = [
        ".".join(("camkeep", *p.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(
            ".__init__"
        )
        for p in SOURCES
        if p.name != "__main__.py" and p.relative_to(PACKAGE).parts[0] not in EXTRAS
    ]
    program = f"import importlib\nfor n in {names!r}: importlib.import_module(n)"
    subprocess.run([python, "-I", "-W", "error", "-c", program], check=True, cwd=tmp_path)
    subprocess.run([tmp_path / "bare" / "bin" / "camkeep", "--help"], check=True, cwd=tmp_path)
