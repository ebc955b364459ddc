"""`camkeep archive ...`: what it tells people and programs of real archives."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from camkeep.archive.evidence import examine_file
from camkeep.archive.layout import INDEX, write_instant
from camkeep.archive.view import ArchiveView
from camkeep.cli.main import main
from camkeep.clock import WallUs
from camkeep.engine.keeper import KeepOptions
from camkeep.media.mp4.seal import Seal, seal_box
from camkeep.model import Segment
from support.files import pictures_of
from support.keeping import at, kept
from support.staged import Staged, stream
from support.terminal import Terminal

SEGMENTS = 4
"""Of each camera, 5 s each."""


@cache
def footage() -> Path:
    """The archive that tests take copies of: cam0, and cam1 which came later."""

    async def make(folder: Path) -> None:
        cameras = [Staged(list(stream(5 * 5 * SEGMENTS, fps=5))) for _ in range(2)]
        async with kept(folder, *cameras, options=KeepOptions(segment_s=5)) as keeping:
            for camera in cameras:
                await camera.played.wait()
            await keeping[0].record("the fox")
            await keeping[0].stop()

    folder = Path(mkdtemp(prefix="camkeep-footage-")) / "cams"
    asyncio.run(make(folder))
    return folder


@pytest.fixture
def cams(tmp_path: Path) -> Path:
    """A copy of it."""
    shutil.copytree(footage(), tmp_path / "cams")
    return tmp_path / "cams"


Ask = Callable[..., tuple[int, str]]


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str], cams: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """`camkeep archive ...`: its exit code, and what it says. Nothing is said on standard error
    but where it fails."""
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.chdir(cams.parent)

    def asked(*arguments: object, data: bool = True) -> tuple[int, str]:
        where = ["--data", "cams"] if data else []
        try:
            code = main(["archive", *map(str, arguments), *where])
        except SystemExit as ended:
            code = int(str(ended.code))
        told = capsys.readouterr()
        assert bool(told.err) == (code not in (0, 8)), told.err
        assert "Traceback" not in told.err
        return code, told.out or told.err

    return asked


def parsed(answer: tuple[int, str], code: int = 0) -> Any:
    assert answer[0] == code, answer[1]
    return json.loads(answer[1])


def segments(cams: Path, camera: str = "cam0") -> list[Segment]:
    with ArchiveView(cams) as view:
        return view.segments(camera, at(-100), at(100))


def flip(path: Path, offset: int) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(data)


# what is there


def test_list(ask: Ask, cams: Path) -> None:
    code, told = ask("list")
    assert code == 0
    assert [line for line in told.splitlines() if not line.startswith(" ")] == ["cam0", "cam1"]
    _, told = ask("list", "--camera", "CAM1", "--files")
    assert told.splitlines()[0] == "cam1"
    rows = told.splitlines()[1:]
    assert [row.split()[-1] for row in rows] == [s.path for s in segments(cams, "cam1")]
    assert all("25 frames" in row for row in rows[1:-1])


KEYS = {
    "list": "camera sequence run start end path bytes frames codec width height audio state chain",
    "gaps": "camera start end seconds cause detail",
    "clips": "id name cameras start end held created",
}


@pytest.mark.parametrize("command", KEYS)
def test_lists_for_programs(ask: Ask, command: str) -> None:
    rows = parsed(ask(command, "--json"))
    assert rows
    for row in rows:
        assert list(row) == KEYS[command].split()


def test_json_of_segments_is_what_the_archive_says(ask: Ask, cams: Path) -> None:
    rows = parsed(ask("list", "--camera", "cam0", "--json"))
    found = segments(cams)
    assert [row["path"] for row in rows] == [segment.path for segment in found]
    assert [row["chain"] for row in rows] == [segment.chain.hex() for segment in found]
    assert {row["state"] for row in rows} == {"closed"}
    assert rows[0]["start"].endswith("Z")


def test_usage_for_programs(ask: Ask, cams: Path) -> None:
    used = parsed(ask("usage", "--json"))
    assert list(used) == ["disk", "recording", "forecast", "cameras"]
    assert list(used["disk"]) == ["free", "total"]
    assert used["recording"] is False
    ahead = ["bytes_per_second", "full_in_seconds", "kept_seconds", "bound", "told"]
    assert list(used["forecast"]) == ahead
    for camera in used["cameras"]:
        keys = ["camera", "bytes", "held", "segments", "start", "end", "forecast"]
        assert list(camera) == keys
        assert list(camera["forecast"]) == ahead
        assert camera["bytes"] == sum(s.size for s in segments(cams, camera["camera"]))
    assert used["cameras"][0]["held"] > 0
    assert used["cameras"][1]["held"] == 0
    _, told = ask("usage")
    assert "of it held by clips" in told


def test_gaps_in_words(ask: Ask) -> None:
    code, told = ask("gaps")
    assert code == 0
    assert "cam0: camkeep did not run" in " ".join(told.split())
    assert "so far" in told


def test_clips_in_words(ask: Ask, cams: Path) -> None:
    with ArchiveView(cams) as view:
        (clip,) = view.clips()
    _, told = ask("clips")
    head, row = told.splitlines()
    assert head == "the fox"
    assert row.split()[0] == clip.id
    assert row.endswith("  cam0")
    shutil.rmtree(cams / "clips")
    assert ask("clips")[1].startswith("No clip yet")


def test_nothing_there_is_said(ask: Ask) -> None:
    assert ask("list", "--to", "2020-01-01") == (0, "Nothing is kept of that time.\n")
    assert ask("gaps", "--to", "2020-01-01")[1] == "No gap: nothing was to be recorded yet.\n"
    for command in ("list", "gaps"):
        assert parsed(ask(command, "--to", "2020-01-01", "--json")) == []


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("list", "--camera", "garage"), 2, "called garage: there are cam0, cam1"),
        (("list", "--from", "soon"), 2, "'soon' is no moment"),
        (("list", "--from", "2 days ago", "--to", "3 days ago"), 2, "no length of time"),
        (("list", "--from", "2d ago", "--to", "3d ago"), 2, "--to is not after --from"),
        (("list", "--from", "9999-01-01"), 2, "lies in the future"),
        (("lst",), 2, "invalid choice: 'lst'"),
        (("list", "--fils"), 2, "did you mean --files?"),
        (("export", "garage", "x.mp4"), 2, "called garage"),
        (("export", "cam0", "x.mp4"), 2, "say from when"),
        (("export", "cam0", "x.avi"), 2, "call the file x.mp4"),
        (("export", "cam0", "no/x.mp4", "--from", "2026-09-01"), 7, "there is no folder no"),
        (("export", "cam0", "x.mp4", "--from", "1h ago"), 2, "was not recorded then"),
        (("clip", "garage", "--from", "2026-09-01"), 2, "called garage"),
        (("clip", "cam0"), 2, "required: --from"),
        (("unclip", "../x"), 2, "no clip has the id ../x"),
        (("verify", "--head", "00"), 2, "64 hexadecimal digits"),
        (("verify", "cam0"), 2, "or with --camera"),
        (("verify", "cams"), 7, "cams cannot be read"),
        (("verify", "cams/README.txt"), 6, "no clip of camkeep's"),
    ],
)
def test_slips_are_answered_with_a_sentence(
    ask: Ask, tmp_path: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    before = sorted(path.name for path in tmp_path.iterdir())
    found, told = ask(*arguments)
    assert (found, words in told) == (code, True), told
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_where_there_is_no_archive(ask: Ask, tmp_path: Path, cams: Path) -> None:
    for command in ("list", "gaps", "clips", "usage", "verify", "reindex"):
        assert ask(command, data=False)[0] == 2
        code, told = ask(command, "--data", tmp_path, data=False)
        assert (code, "there is no archive at" in told) == (2, True)
    assert ask("list", "--data", "", data=False)[0] == 2
    (cams / INDEX).unlink()
    code, told = ask("list")
    assert (code, "`camkeep archive reindex` makes it" in told) == (7, True)


def test_the_archive_by_a_variable(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMKEEP_DATA", "cams")
    assert ask("list", data=False)[0] == 0


# clips and exports


def test_a_clip_from_the_shell(ask: Ask, cams: Path) -> None:
    start, end = "2026-09-21T13:33:22Z", "2026-09-21T13:33:32Z"
    with ArchiveView(cams) as view:
        (old,) = view.clips()
    made = parsed(
        ask("clip", "cam0", "CAM1", "--from", start, "--to", end, "--name", "dog", "--json")
    )
    assert list(made) == ["id", "name", "start", "end"]
    assert made["name"] == "dog"
    (clip,) = [row for row in parsed(ask("clips", "--json")) if row["id"] == made["id"]]
    assert (clip["cameras"], clip["held"]) == (["cam0", "cam1"], True)
    assert (clip["start"], clip["end"]) == (made["start"], made["end"])
    assert parsed(ask("unclip", made["id"], "--json")) == {"id": made["id"]}
    assert [row["id"] for row in parsed(ask("clips", "--json"))] == [old.id]
    code, told = ask("clip", "cam0", "--from", start, "--to", end, "--no-hold")
    assert (code, told.splitlines()[0]) == (0, "cam0 2026-09-21 13:33:22")
    assert "(not held)" in ask("clips")[1]
    assert "no clip any more" in ask("unclip", told.split()[3])[1]


def exported(ask: Ask, cams: Path, name: str = "clip.mp4", *options: object) -> Any:
    found = segments(cams)
    begin, end = found[0].start + 1_500_000, found[2].start + 1_500_000
    return parsed(
        ask("export", "cam0", name, "--from", zulu(begin), "--to", zulu(end), "--json", *options)
    )


def zulu(wall: int) -> str:
    return write_instant(WallUs(wall))


def test_an_export_and_what_is_told_of_it(ask: Ask, cams: Path, tmp_path: Path) -> None:
    (one,) = exported(ask, cams)
    assert list(one) == ["camera", "path", "bytes", "seconds", "start", "missing"]
    path = tmp_path / one["path"]
    assert one["bytes"] == path.stat().st_size
    length_s = (segments(cams)[2].start - segments(cams)[0].start) / 1e6
    assert one["seconds"] == pytest.approx(length_s, abs=0.001)
    shown = [picture.seconds for picture in pictures_of(path)]
    assert len(shown) == pytest.approx(length_s * 5, abs=1.5)
    code, told = ask("export", "cam0", "clip.mp4", "--from", "2026-09-21")
    assert (code, "--overwrite" in told) == (7, True)
    code, told = ask("export", "cam0", "clip.mp4", "--from", "2026-09-21", "--overwrite")
    assert (code, told.split()[0]) == (0, "clip.mp4")


def test_a_clip_of_two_cameras_is_two_files(ask: Ask, cams: Path, tmp_path: Path) -> None:
    made = parsed(ask("clip", "cam0", "cam1", "--from", "2026-09-21", "--json"))
    files = parsed(ask("export", made["id"], "x.mp4", "--json"))
    assert [one["path"] for one in files] == ["x-cam0.mp4", "x-cam1.mp4"]
    assert all((tmp_path / one["path"]).exists() for one in files)
    code, told = ask("export", made["id"], "y.mp4", "--from", "1h ago")
    assert (code, "its own interval" in told) == (2, True)
    made = parsed(ask("clip", "cam0", "cam1", "--from", "1h ago", "--json"))
    code, told = ask("export", made["id"], "y.mp4")
    assert (code, "nothing of that clip was recorded" in told) == (2, True)


def test_an_exported_clip_is_verified_away_from_the_archive(
    ask: Ask, cams: Path, tmp_path: Path
) -> None:
    exported(ask, cams)
    heads = {segment.chain.hex() for segment in segments(cams)}
    cams.rename(tmp_path / "elsewhere")
    code, told = ask("verify", "clip.mp4", data=False)
    assert (code, told.splitlines()[0].endswith(": intact")) == (0, True)
    found = parsed(ask("verify", "clip.mp4", "--json", data=False))
    assert (found["intact"], found["unbroken"], found["problems"]) == (True, True, [])
    assert found["head"] in heads
    assert {segment["verdict"] for segment in found["segments"]} == {"intact"}
    assert ask("verify", "clip.mp4", "--head", found["head"], data=False)[0] == 0
    code, told = ask("verify", "clip.mp4", "--head", "ab" * 32, data=False)
    assert (code, "is not part of this clip" in told) == (8, True)

    data = (tmp_path / "clip.mp4").read_bytes()
    flip(tmp_path / "clip.mp4", data.rindex(b"\xff\xd8") + 9)
    code, told = ask("verify", "clip.mp4", data=False)
    assert (code, "1 finding" in told, "  changed  2026-" in told) == (8, True, True)
    found = parsed(ask("verify", "clip.mp4", "--json", data=False), 8)
    verdicts = [segment["verdict"] for segment in found["segments"]]
    assert (found["intact"], verdicts) == (False, ["intact", "intact", "changed"])


def test_a_clip_without_evidence_proves_nothing(ask: Ask, cams: Path) -> None:
    exported(ask, cams, "bare.mp4", "--no-evidence")
    code, told = ask("verify", "bare.mp4", data=False)
    assert (code, "without evidence" in told) == (6, True)
    code, told = ask("verify", cams / segments(cams)[0].path, data=False)
    assert (code, "segment of an archive" in told) == (2, True)


# is all as it was


def findings(ask: Ask) -> list[tuple[str, str]]:
    """What `verify` finds: the kind, and the file or the second at which it begins."""
    found = parsed(ask("verify", "--json"), 8)
    assert found["intact"] is False
    rows = [row for camera in found["cameras"] for row in camera["findings"]]
    for row in rows:
        assert list(row) == ["kind", "path", "start", "end", "told"]
    code, told = ask("verify")
    assert code == 8
    for row in rows:
        assert row["told"] in " ".join(told.split())
    return [(row["kind"], row["path"] or row["start"]) for row in rows]


def test_intact(ask: Ask, cams: Path) -> None:
    found = parsed(ask("verify", "--json"))
    assert list(found) == ["intact", "heads_missing", "cameras"]
    assert (found["intact"], found["heads_missing"]) == (True, [])
    for camera in found["cameras"]:
        keys = "camera intact segments start end open damaged removed head findings"
        assert list(camera) == keys.split()
        assert camera["head"] == segments(cams, camera["camera"])[-1].chain.hex()
        assert ask("verify", "--head", camera["head"])[0] == 0
    assert ask("verify", "--quick")[0] == 0
    code, told = ask("verify", "--head", "ab" * 32)
    assert (code, "is not part of any chain" in told) == (8, True)
    assert parsed(ask("verify", "--json", "--head", "ab" * 32), 8)["heads_missing"] == ["ab" * 32]


def test_a_flipped_byte(ask: Ask, cams: Path) -> None:
    where = segments(cams)[1].path
    flip(cams / where, (cams / where).read_bytes().index(b"\xff\xd8") + 5)
    assert findings(ask) == [("changed", where)]
    assert ask("verify", "--quick")[0] == 0
    assert ask("verify", "--camera", "cam1")[0] == 0


def test_a_missing_file(ask: Ask, cams: Path) -> None:
    gone = segments(cams)[1]
    (cams / gone.path).unlink()
    assert findings(ask) == [("missing", zulu(gone.start))]
    assert ask("reindex")[0] == 0  # now only the chain knows
    assert findings(ask) == [("missing", zulu(gone.start))]


def test_an_inserted_copy(ask: Ask, cams: Path) -> None:
    one = cams / segments(cams)[1].path
    copy = one.with_name("03-00-00Z.mp4")
    shutil.copy(one, copy)
    assert findings(ask) == [("inserted", str(copy.relative_to(cams)))]
    _, told = ask("reindex")
    assert f"{copy.name} is a copy of {segments(cams)[1].path}" in " ".join(told.split())


def test_two_swapped_names(ask: Ask, cams: Path) -> None:
    one, other = (cams / segment.path for segment in segments(cams)[1:3])
    aside = one.with_name("aside")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)
    assert [kind for kind, _ in findings(ask)] == ["moved", "moved"]


def seal_anew(path: Path, change: Callable[[Seal], Seal]) -> None:
    """What somebody could do who has read our sources."""
    old = examine_file(path).seal
    path.write_bytes(path.read_bytes()[: -len(seal_box(old))] + seal_box(change(old)))


def test_a_file_sealed_anew_with_another_one_before(ask: Ask, cams: Path) -> None:
    forged = segments(cams)[1]
    seal_anew(cams / forged.path, lambda seal: replace(seal, previous=bytes(range(32))))
    found = findings(ask)
    assert ("changed", forged.path) in found  # the index knows another seal
    assert ask("reindex")[0] == 0
    following = segments(cams)[2]
    assert findings(ask) == [  # before it, and before the next one
        ("missing", zulu(segments(cams)[0].end)),
        ("missing", zulu(forged.end)),
    ]
    assert following.sequence == forged.sequence + 1


def test_reindex(ask: Ask, cams: Path) -> None:
    before = [parsed(ask(command, "--json")) for command in ("list", "clips")]
    for name in (INDEX, f"{INDEX}-wal", f"{INDEX}-shm"):
        (cams / name).unlink(missing_ok=True)
    made = parsed(ask("reindex", "--json"))
    assert list(made) == ["cameras", "segments", "bytes", "gaps", "clips", "problems"]
    assert (made["cameras"], made["clips"], made["problems"]) == (2, 1, [])
    assert made["segments"] == len(before[0])
    assert made["bytes"] == sum(row["bytes"] for row in before[0])
    assert [parsed(ask(command, "--json")) for command in ("list", "clips")] == before
    code, told = ask("reindex")
    assert (code, told.startswith("2 cameras, ")) == (0, True)


# how it shows that it works


@pytest.mark.parametrize("json", [False, True])
@pytest.mark.parametrize(
    "command", [("verify",), ("reindex",), ("export", "cam0", "x.mp4", "--from", "2026-09-21")]
)
def test_progress_is_for_people_before_a_terminal(
    cams: Path, command: tuple[str, ...], json: bool
) -> None:
    words = {"verify": "verifying", "reindex": "reindexing", "export": "exporting"}[command[0]]
    where = [str(cams.parent / word) if word == "x.mp4" else word for word in command]
    arguments = [*where, "--data", str(cams), *(["--json"] if json else [])]
    with Terminal("-m", "camkeep", "archive", *arguments) as terminal:
        assert terminal.done() == 0
        assert (words in terminal.shown) == (not json)
    (cams.parent / "x.mp4").unlink(missing_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "camkeep", "archive", *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stderr == ""
    assert words not in done.stdout


def test_a_narrow_terminal(cams: Path) -> None:
    with Terminal("-m", "camkeep", "archive", "gaps", "--data", cams, columns=40) as terminal:
        assert terminal.done() == 0
        assert max(map(len, terminal.shown.splitlines())) <= 40
