"""How the command behaves where something is mistyped, closed, full or in the way."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from camkeep.cli.main import COMMANDS, main
from support.files import pictures_of

CARD = "testcard:?size=160x128"


def camkeep(*arguments: str, cwd: Path, **streams: object) -> subprocess.CompletedProcess[str]:
    """The command with its streams going where `streams` says."""
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        [sys.executable, "-m", "camkeep", *arguments],
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams},
        cwd=cwd,
        text=True,
        check=False,
        timeout=60,
    )


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What the command says of arguments that make no sense."""
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    assert ended.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("record", CARD, "a.mp4", "--durration", "3"), "did you mean --duration?"),
        (("record", CARD, "a.mp4", "--pass", "x"), "did you mean --password-file?"),
        (("probe", CARD, "--qqq"), "there is no option --qqq\n"),
        (("probe", CARD, "b"), "one argument too many: b"),
        (("record", CARD), "required: FILE"),
        (("record", CARD, "a.mp4", "--frames", "many"), "'many' is no whole number above 0"),
        (("record", CARD, "a.mp4", "--fps", "nan"), "'nan' is no rate"),
        (("record", CARD, "a.mp4", "--duration=-5s"), "'-5s' is no length of time"),
        (("recrod",), "invalid choice: 'recrod'"),
        ((), "required: COMMAND"),
    ],
)
def test_a_slip_is_answered_with_a_sentence(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    told = said(capsys, *arguments)
    assert words in told
    assert len(told.splitlines()) == 2  # no page of usage in front of it


def test_no_slip_brings_a_password_to_light(capsys: pytest.CaptureFixture[str]) -> None:
    url = "rtsp://admin:hunter2@192.0.2.9/main?token=hunter2"
    for arguments in ((url, "a.mp4"), ("probe", CARD, url), ("record", url)):
        assert "hunter2" not in said(capsys, *arguments)


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_fits_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"] if command else ["--help"])
    assert ended.value.code == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


def test_a_recording_goes_on_when_nobody_reads_its_progress(tmp_path: Path) -> None:
    for name in ("stdout", "stderr"):
        with subprocess.Popen(["true"], stdin=subprocess.PIPE) as gone:
            gone.wait()
            done = camkeep(
                "record", CARD, f"{name}.mp4", "--frames", "40", cwd=tmp_path, **{name: gone.stdin}
            )
        assert done.returncode == 0, done.stderr
        assert len(pictures_of(tmp_path / f"{name}.mp4")) == 40


def test_a_full_disk_behind_the_output_is_one_sentence(tmp_path: Path) -> None:
    for arguments in (("snapshot", CARD, "-"), ("cameras",)):
        with Path("/dev/full").open("w") as full:
            done = camkeep(*arguments, cwd=tmp_path, stdout=full)
        assert done.returncode == 7
        assert "No space left on device" in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_a_snapshot_is_a_jpeg_by_name_too(tmp_path: Path) -> None:
    done = camkeep("snapshot", CARD, "now.png", cwd=tmp_path)
    assert (done.returncode, "now.jpg" in done.stderr) == (2, True)
    (tmp_path / "folder.jpg").mkdir()
    done = camkeep("snapshot", CARD, "folder.jpg", "--overwrite", cwd=tmp_path)
    assert (done.returncode, "is a folder" in done.stderr) == (7, True)
    done = camkeep("snapshot", CARD, "no/now.jpg", cwd=tmp_path)
    assert (done.returncode, "there is no folder no" in done.stderr) == (7, True)
    done = camkeep("snapshot", CARD, "now.jpg", cwd=tmp_path)
    assert (done.returncode, done.stdout.split()[:2]) == (0, ["now.jpg", "160x128"])


def test_a_name_that_no_terminal_can_show(tmp_path: Path) -> None:
    name = b"b\xff.mp4".decode("utf-8", "surrogateescape")
    done = camkeep("record", CARD, name, "--frames", "2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("b?.mp4  ")


def test_ctrl_c_while_it_loads_is_calm(tmp_path: Path) -> None:
    slow = tmp_path / "camkeep_slow.py"  # interrupts as soon as the command is being loaded
    slow.write_text(
        "import signal, sys\n"
        "class Interrupt:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'camkeep.cli.main':\n"
        "            signal.raise_signal(signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupt())\n"
        "from camkeep.__main__ import main\n"
        "sys.exit(main())\n"
    )
    done = subprocess.run(
        [sys.executable, slow], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@pytest.mark.parametrize("command", ["record", "snapshot"])
def test_a_file_that_cannot_even_be_looked_at(tmp_path: Path, command: str) -> None:
    for name in ("x" * 300, f"{'x' * 300}/y"):
        suffix = ".mp4" if command == "record" else ".jpg"
        done = camkeep(command, CARD, name + suffix, cwd=tmp_path)
        assert done.returncode == 7, done.stderr
        assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
