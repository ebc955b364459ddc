"""Clips over HTTP: made, seen, changed, deleted and brought back."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from camkeep.archive.clips import read_clips
from camkeep.clock import FakeClock
from camkeep.engine.wanted import Wanted
from camkeep.server.access import Role
from support.kept import GARAGE, GATE, Footage, clip, footage, recorder
from support.segments import NOON, SECOND
from support.server import API, serving
from support.staged import Staged, stream

CLIPS = f"{API}/clips"
INTERVAL = {"from": NOON, "to": NOON + 3 * SECOND}


@pytest.fixture
def kept(tmp_path: Path) -> Footage:
    recorded = recorder(tmp_path)
    recorded.record("h264")
    recorded.record("h264")
    return footage(recorded)


def clock() -> FakeClock:
    return FakeClock(wall=NOON + 60 * SECOND)


async def test_a_clip_is_made_listed_and_written_down(kept: Footage) -> None:
    async with serving(kept.root, clock=clock()) as site:
        body = {"cameras": [GARAGE, GATE], "name": "  a <b>cat</b>  ", **INTERVAL}
        answer = await site.client.post(CLIPS, json=body)
        assert answer.status_code == 201
        made = answer.json()
        assert made["name"] == "a <b>cat</b>"
        assert made["cameras"] == [GARAGE, GATE]
        assert (made["start_us"], made["end_us"]) == (NOON, NOON + 3 * SECOND)
        assert made["held"]
        assert (await site.client.get(CLIPS)).json() == {"clips": [made], "left_out": 0}
        assert (await site.client.get(f"{CLIPS}/{made['id']}")).json() == made
    (written,), _ = read_clips(kept.root)
    assert written.id == made["id"]


async def test_a_clip_without_a_name_gets_one(kept: Footage) -> None:
    async with serving(kept.root, clock=clock()) as site:
        made = (await site.client.post(CLIPS, json={"cameras": [GARAGE], **INTERVAL})).json()
    assert made["name"].startswith("Garage 2026-11-21 ")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"cameras": [], **INTERVAL}, 422),
        ({"cameras": ["nothere"], **INTERVAL}, 404),
        ({"cameras": ["../../etc"], **INTERVAL}, 404),
        ({"cameras": [GARAGE], "from": NOON, "to": NOON}, 422),
        ({"cameras": [GARAGE], "from": NOON}, 422),
        ({"cameras": [GARAGE], "name": "x" * 201, **INTERVAL}, 422),
        ({"cameras": [GARAGE], "name": "a\nb", **INTERVAL}, 422),
        ({"cameras": [GARAGE], "id": "abcdefghijkmnpqr", **INTERVAL}, 422),
        ({"cameras": [GARAGE] * 65, **INTERVAL}, 422),
    ],
)
async def test_what_is_no_clip_is_refused(kept: Footage, body: object, status: int) -> None:
    async with serving(kept.root, clock=clock()) as site:
        assert (await site.client.post(CLIPS, json=body)).status_code == status
    assert read_clips(kept.root) == ([], [])


async def test_a_clip_is_changed_and_what_is_not_told_stays(kept: Footage) -> None:
    made = kept.save_clip(clip())
    where = f"{CLIPS}/{made.id}"
    async with serving(kept.root, clock=clock()) as site:
        renamed = (await site.client.patch(where, json={"name": "two cats"})).json()
        assert (renamed["name"], renamed["held"]) == ("two cats", True)
        assert (await site.client.patch(where, json={"held": False})).json()["held"] is False
        moved = await site.client.patch(where, json={"from": "2026-11-21T12:00:01Z"})
        assert moved.json()["start_us"] == 1_795_262_401_000_000
        early = await site.client.patch(where, json={"to": NOON - SECOND})
        assert early.status_code == 422
        asked = [site.client.patch(where, json=one) for one in ({"name": "both"}, {"held": True})]
        await asyncio.gather(*asked)
    (written,), _ = read_clips(kept.root)
    assert (written.name, written.held, written.end) == ("both", True, made.end)


async def test_a_deleted_clip_can_be_brought_back_for_an_hour(kept: Footage) -> None:
    made = kept.save_clip(clip())
    now = clock()
    async with serving(kept.root, clock=now) as site:
        where = f"{CLIPS}/{made.id}"
        assert (await site.client.delete(where)).json()["name"] == "a cat"
        assert (await site.client.get(where)).status_code == 404
        assert (await site.client.delete(where)).status_code == 404
        assert (await site.client.get(CLIPS)).json()["clips"] == []
        assert (await site.client.post(f"{where}/restore")).status_code == 200
        assert (await site.client.get(where)).status_code == 200
        await site.client.delete(where)
        now.advance(3601)
        assert (await site.client.post(f"{where}/restore")).status_code == 404


async def test_who_sees_and_changes_what(kept: Footage) -> None:
    """A2: of a clip one sees the cameras that were granted; without any it does not exist."""
    both = kept.save_clip(clip(cameras=(GARAGE, GATE)))
    hidden = kept.save_clip(clip(clip_id="hiddenhiddenhidd"))
    async with serving(kept.root, clock=clock()) as site:
        await site.user("boss")
        await site.user("anna", Role.OPERATOR, [GATE])
        await site.user("vera", Role.VIEWER, [GATE, GARAGE])
        async with await site.login("anna") as anna, await site.login("vera") as vera:
            (seen,) = (await anna.get(CLIPS)).json()["clips"]
            assert (seen["id"], seen["cameras"]) == (both.id, [GATE])
            assert (await anna.get(CLIPS, params={"camera": GARAGE})).json()["clips"] == []
            header = {"origin": site.url}
            for method, path in (
                ("GET", f"{CLIPS}/{hidden.id}"),
                ("PATCH", f"{CLIPS}/{hidden.id}"),
                ("DELETE", f"{CLIPS}/{hidden.id}"),
                ("GET", f"{CLIPS}/{hidden.id}/video.mp4"),
                ("GET", f"{CLIPS}/{hidden.id}/video.mp4/parts"),
                ("GET", f"{CLIPS}/{both.id}/video.mp4?camera={GARAGE}"),
                ("GET", f"{CLIPS}/{both.id}/video.mp4/parts?camera={GARAGE}"),
            ):
                body = {} if method == "PATCH" else None
                answer = await anna.request(method, path, json=body, headers=header)
                assert answer.status_code == 404, path
            for method, path in (("PATCH", both.id), ("DELETE", both.id)):
                body = {} if method == "PATCH" else None
                where = f"{CLIPS}/{path}"
                answer = await anna.request(method, where, json=body, headers=header)
                assert answer.status_code == 403
                answer = await vera.request(method, where, json=body, headers=header)
                assert answer.status_code == 403
            made = await anna.post(CLIPS, json={"cameras": [GARAGE], **INTERVAL}, headers=header)
            assert made.status_code == 404
            made = await vera.post(CLIPS, json={"cameras": [GARAGE], **INTERVAL}, headers=header)
            assert made.status_code == 403


async def test_a_clip_that_is_being_recorded(tmp_path: Path) -> None:
    source = Staged(stream(50))
    async with serving(tmp_path / "a", wanted=[Wanted("desk", source)]) as site:
        camera = site.cameras[0]
        recording = await site.desk.service.cameras[camera].record("now")
        where = f"{CLIPS}/{recording.id}"
        assert (await site.client.get(where)).json()["end_us"] is None
        assert (await site.client.delete(where)).status_code == 409
        assert (await site.client.patch(where, json={"to": NOON})).status_code == 409
        renamed = await site.client.patch(where, json={"name": "later", "held": False})
        assert renamed.status_code == 200
        await site.desk.service.cameras[camera].stop()
        told = (await site.client.get(where)).json()
        assert (told["name"], told["held"]) == ("later", False)
        assert told["end_us"] is not None
        assert (await site.client.delete(where)).status_code == 200


async def test_pages_of_clips(kept: Footage) -> None:
    for n in range(5):
        kept.save_clip(clip(start=NOON + n * SECOND, end=NOON + 9 * SECOND, clip_id=f"clip{n}"))
    async with serving(kept.root, clock=clock()) as site:
        first = (await site.client.get(CLIPS, params={"limit": 2})).json()
        assert [c["id"] for c in first["clips"]] == ["clip4", "clip3"]
        assert first["left_out"] == 3
        more = {"limit": 2, "before": first["clips"][-1]["start_us"]}
        second = (await site.client.get(CLIPS, params=more)).json()
        assert [c["id"] for c in second["clips"]] == ["clip2", "clip1"]
