"""Webcams on the kernel's own drivers: tests/vm runs inside a virtual machine, started once here.

Each test in there is one here, too, so that a failure is named and nothing is passed over.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from camkeep.media.jpeg import examine
from support.encoded import annexb, byte_streams, ffmpeg

ROOT = Path(__file__).parents[2]
INSIDE = ROOT / "tests" / "vm"
FILES = sorted(INSIDE.glob("inside_*.py"))
NAMES = [
    f"{path.stem}::{node.name}"
    for path in FILES
    for node in ast.parse(path.read_text()).body
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
]
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-keyint_min", "10", "-bf", "0")

pytestmark = pytest.mark.timeout(400)


def write_clips(folder: Path) -> None:
    """What the webcams inside send: ffmpeg would take long in there."""
    (folder / "mjpg").mkdir(parents=True)
    (folder / "h264").mkdir()
    source = ("-f", "lavfi", "-i", "testsrc2=s=640x480:r=25", "-frames:v", "24")
    ffmpeg(*source, "-c:v", "mjpeg", "-q:v", "8", str(folder / "mjpg" / "%03d.jpg"))
    for path in (folder / "mjpg").iterdir():
        if examine(path.read_bytes()).nulls_before_end:
            path.unlink()  # true picture data, but it looks like a malformation
    units = byte_streams("h264", annexb("h264", "320x240", 40, *H264))
    for number, unit in enumerate(units):
        (folder / "h264" / f"{number:03d}").write_bytes(unit)


@pytest.fixture(scope="session")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What came of each test inside: messages of its failures, none where it passed."""
    out = tmp_path_factory.mktemp("webcam-vm")
    write_clips(out / "clips")
    report = "/run/webcam-vm-out/report.xml"
    command = [
        str(ROOT / "tools" / "webcam-vm"), sys.executable, "-m", "pytest", "-q", "-p",
        "no:cacheprovider", "-o", "python_files=inside_*.py", f"--junitxml={report}", str(INSIDE),
    ]  # fmt: skip
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "WEBCAM_VM_OUT": str(out)},
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout[-6000:] + done.stderr[-2000:]
    assert done.returncode in (0, 1), said
    found: dict[str, list[str]] = {}
    for case in ElementTree.parse(out / "report.xml").iter("testcase"):
        file, name = case.attrib["classname"].rpartition(".")[2], case.attrib["name"]
        faults = found.setdefault(f"{file}::{name.partition('[')[0]}", [])
        faults += [f"{name}: {child.text}" for child in case if child.tag != "system-out"]
    return found


@pytest.mark.parametrize("name", NAMES)
def test_inside_the_virtual_machine(name: str, outcomes: dict[str, list[str]]) -> None:
    assert name in outcomes, "it did not run"
    assert not outcomes[name], "\n".join(outcomes[name])
