from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from camkeep.cameras.testcard import read_number


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "camkeep", "simulate", *map(str, arguments)]


@contextmanager
def simulating(*arguments: str | Path) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """A running camera, and what it said of itself up to the last line."""
    process = subprocess.Popen(
        command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    try:
        lines: list[str] = []
        while not lines or not lines[-1].startswith("Ctrl-C"):
            line = process.stdout.readline()
            assert line, lines
            lines.append(line.rstrip("\n"))
        yield process, lines
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_it_serves_what_it_says_and_ends_with_ctrl_c() -> None:
    with simulating("easyn", "--port", "0", "--size", "320x240") as (process, lines):
        assert lines[0] == "EasyN camera (dialect A), 320x240, 25 fps"
        url = next(line.split()[-1] for line in lines if "snapshot" in line)
        assert url.startswith("http://127.0.0.1:")
        got = subprocess.run(["curl", "-sS", url], capture_output=True, check=True)
        assert read_number(got.stdout) >= 0
        base = url.removeprefix("http").removesuffix("snapshot.cgi")
        assert f"  camkeep record easyn{base} birds.mp4 --duration 10s" in lines
        stream = url.replace("snapshot", "videostream")
        subprocess.run(
            ["ffmpeg", "-v", "quiet", "-i", stream, "-frames:v", "3", "-f", "null", "-"], check=True
        )
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
        assert process.returncode == 0
        assert "viewer 1 (127.0.0.1) came\n" in out
        assert "viewer 1 (127.0.0.1) went after " in out
        assert out.endswith("\nended\n")


def test_faults_rates_and_logins_are_as_asked_for(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("very secret\n")
    arguments = ["mjpeg", "--port", "0", "--user", "admin", "--password-file", tmp_path / "pw"]
    arguments += ["--fault", "truncated:3", "--fault", "chunked", "--jitter", "3-30"]
    with simulating(*arguments) as (_, lines):
        assert lines[0] == "MJPEG camera, 640x480, 3 to 30 fps"
        assert "  fault     pictures cut short, one frame in 3" in lines
        assert "  fault     chunked transfer coding, cut anywhere" in lines
        assert any(line.endswith("--duration 10s --user admin") for line in lines)
        url = next(line.split()[-1] for line in lines if "snapshot" in line)
        ask = ["curl", "-sS", "-o", tmp_path / "jpeg", "-w", "%{http_code}"]
        for login, status in (("admin:very secret", "200"), ("admin:x", "401")):
            got = subprocess.run([*ask, "-u", login, url], capture_output=True, check=True)
            assert got.stdout.decode() == status


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["easyn", "--fault", "nonsense"], "--list-faults"),
        (["easyn", "--size", "640"], "write 640x480"),
        (["easyn", "--size", "10x10"], "choose one from"),
        (["easyn", "--jitter", "30"], "write 3-30"),
        (["easyn", "--jitter", "30-3"], "from the lower rate"),
        (["easyn", "--deliver", "2"], "at most 1"),
        (["easyn", "--fps", "0.01"], "between 0.05 and 240"),
        (["easyn", "--login", "basic"], "needs a user"),
        (["easyn", "--password-file", "/nonexistent"], "needs a --user"),
        (["easyn", "--user", "a", "--password-file", "/nonexistent"], "No such file"),
        (["easyn", "--certificate", "/nonexistent"], "cannot use the certificate"),
        (["easyn", "--port", "70000"], "from 0 to 65535"),
        (["toaster"], "invalid choice"),
    ],
)
def test_what_is_asked_wrongly_is_one_sentence_and_exit_code_2(
    arguments: list[str], says: str
) -> None:
    done = subprocess.run(command(*arguments), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_in_use_is_one_sentence_and_exit_code_2() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            command("mjpeg", "--port", str(port)), capture_output=True, text=True, check=False
        )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        f"camkeep: cannot listen on 127.0.0.1 port {port} (address already in use): "
        "choose another port\n"
    )


def test_the_faults_are_listed() -> None:
    done = subprocess.run(command("easyn", "--list-faults"), capture_output=True, check=True)
    text = done.stdout.decode()
    for name in ("nulls-before-end", "length-huge", "stall", "refuse", "redirect-loop"):
        assert f"  {name} " in text
