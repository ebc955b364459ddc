"""Cameras by the API, over real connections, applied to a running service."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from camkeep.cameras.easyn.discovery import discover
from camkeep.cameras.simulate import Simulator, SimulatorOptions
from camkeep.engine.schedule import Mode
from camkeep.server.access import Role
from camkeep.server.api import offers
from camkeep.server.camerabook import CameraBook
from camkeep.server.caretaker import Caretaker
from camkeep.server.glimpse import Glimpses
from camkeep.server.logs import LogForm, Logging
from camkeep.server.urlpolicy import UrlPolicy
from support.livecams import card_camera
from support.server import Site, serving

CAMERAS = "/api/v1/cameras"
SECRET = "Planted-Pass-7"
CARD = {"name": "Yard", "address": "testcard:/?size=160x128&fps=10", "mode": "asked"}


@asynccontextmanager
async def looked_after(folder: Path) -> AsyncIterator[Site]:
    """A service that does what is set up; cameras may be on this machine."""
    async with serving(folder) as site:
        desk = site.desk
        desk.cameras = CameraBook(desk.database, desk.clock, UrlPolicy(loopback=True))
        caretaker = Caretaker(desk.service, desk.cameras, desk.database)
        desk.sync, desk.failed = caretaker.sync, caretaker.failed
        yield site


async def made(client: httpx.AsyncClient, **values: Any) -> dict[str, Any]:
    answer = await client.post(CAMERAS, json={**CARD, **values})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"{CAMERAS}/{found['id']}"
    return found


async def test_a_camera_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    async with looked_after(tmp_path / "a") as site:
        client = site.client
        assert (await client.get(CAMERAS)).json() == {"cameras": []}
        made_one = await made(client)
        camera = made_one["id"]
        assert made_one["watched"]
        assert made_one["settings"]["mode"] == "asked"
        assert made_one["settings"]["password_set"] is False
        assert (await client.get(f"{CAMERAS}/{camera}")).json()["name"] == "Yard"
        source = site.desk.service.cameras[camera].main.source
        changed = await client.patch(f"{CAMERAS}/{camera}", json={"name": "Front", "pre_roll_s": 9})
        assert changed.json()["name"] == "Front"
        assert changed.json()["settings"]["pre_roll_s"] == 9
        assert site.desk.service.cameras[camera].main.source is source  # it was left alone
        other = (await made(client, name="Back"))["id"]
        order = {"cameras": [other, camera]}
        listed = (await client.put(f"{CAMERAS}/order", json=order)).json()["cameras"]
        assert [each["id"] for each in listed] == [other, camera]
        assert (await client.delete(f"{CAMERAS}/{camera}")).status_code == 204
        assert [c["id"] for c in (await client.get(CAMERAS)).json()["cameras"]] == [other]
        assert list(site.desk.service.cameras) == [other]
        for method in (client.get, client.delete):
            assert (await method(f"{CAMERAS}/{camera}")).status_code == 404
        assert (await client.patch(f"{CAMERAS}/{camera}", json={})).status_code == 404
        actions = [entry.action for entry in await site.accounts.audit.page()]
        assert actions == [
            "camera.remove",
            "camera.order",
            "camera.add",
            "camera.change",
            "camera.add",
        ]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"address": None}, "address: a camera needs one"),
        ({"name": ""}, "name: a camera needs one"),
        ({"address": "file:///etc/passwd"}, "a camera's address is"),
        ({"address": "http://169.254.169.254/"}, "is where a cloud keeps the secrets"),
        ({"mode": "sometimes"}, "mode"),
        ({"mode": "schedule"}, "schedule: name at least one interval"),
        ({"pre_roll_s": 1e9}, "pre_roll_s"),
        ({"name": "\u202eevil"}, "name"),
        ({"colour": "red"}, "colour"),
        ({"max_bytes": 10**30}, "max_bytes"),
    ],
)
async def test_what_cannot_be_is_told_in_a_sentence(
    tmp_path: Path, values: dict[str, Any], told: str
) -> None:
    async with looked_after(tmp_path / "a") as site:
        answer = await site.client.post(CAMERAS, json={**CARD, **values})
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert told in answer.json()["detail"]
        assert not site.desk.service.cameras


async def test_no_secret_comes_back_anywhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The password in all places that it may be given in; looked for in answers, events, figures,
    the log, and the files."""
    with Logging(LogForm.JSON, "debug") as log:
        async with looked_after(tmp_path / "a") as site:
            site.desk.monitor.log = log.ring
            client = site.client
            address = "http://127.0.0.1:9/stream.cgi"
            texts = []
            for number, values in enumerate(
                [
                    {"address": address, "user": "admin", "password": SECRET},
                    {"address": f"http://admin:{SECRET}@127.0.0.1:9/x"},
                    {"address": f"{address}?user=admin&pwd={SECRET}"},
                    {
                        "address": address,
                        "sub_address": address,
                        "sub_user": "b",
                        "sub_password": SECRET,
                    },
                ]
            ):
                answer = await client.post(CAMERAS, json={"name": f"cam {number}", **values})
                assert answer.status_code == 201, answer.text
                texts.append(answer.text)
                tested = await client.post(f"{CAMERAS}/test", json=values)
                assert tested.json()["ok"] is False
                texts.append(tested.text)
                again = await client.post(f"{CAMERAS}/test", json={"id": answer.json()["id"]})
                texts.append(again.text)
            wrong = {"name": "x", "address": address, "user": 5, "password": [SECRET]}
            texts.append((await client.post(CAMERAS, json=wrong)).text)
            wrong = {"name": "x", "address": f"http://a:{SECRET}@[::/", "password": SECRET}
            texts.append((await client.post(CAMERAS, json=wrong)).text)
            async with asyncio.timeout(20):
                while any(
                    c.health().word == "connecting" for c in site.desk.service.cameras.values()
                ):
                    await asyncio.sleep(0.02)
            for path in ("cameras", "events", "health", "logs", "system", "audit", "openapi.json"):
                answer = await client.get(f"/api/v1/{path}")
                assert answer.status_code == 200, path
                texts.append(answer.text)
            texts.append((await client.get("/metrics")).text)
            first = (await client.get(CAMERAS)).json()["cameras"][0]
            assert first["settings"]["password_set"] is True
            assert not any(SECRET in text for text in texts)
            assert SECRET not in json.dumps(texts)
    assert SECRET not in repr(log.ring.newest(5000))
    for path in (tmp_path / "a").rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path


async def test_viewers_see_what_was_granted_and_no_settings(tmp_path: Path) -> None:
    async with looked_after(tmp_path / "a") as site:
        mine, other = (await made(site.client))["id"], (await made(site.client, name="B"))["id"]
        await site.user("root")
        await site.user("anna", Role.OPERATOR, [mine])
        async with await site.login("anna") as anna:
            listed = (await anna.get(CAMERAS)).json()["cameras"]
            assert [each["id"] for each in listed] == [mine]
            assert listed[0]["settings"] is None
            for path in ("", "/recording", "/controls"):
                assert (await anna.get(f"{CAMERAS}/{other}{path}")).status_code == 404
            press = {"json": {"record": True}}
            assert (await anna.post(f"{CAMERAS}/{other}/recording", **press)).status_code == 404
            mode = {"json": {"mode": "off"}}
            assert (await anna.put(f"{CAMERAS}/{other}/mode", **mode)).status_code == 404
            for method, path in (
                ("POST", CAMERAS),
                ("PATCH", f"{CAMERAS}/{mine}"),
                ("DELETE", f"{CAMERAS}/{mine}"),
                ("POST", f"{CAMERAS}/test"),
                ("PUT", f"{CAMERAS}/order"),
                ("GET", f"{CAMERAS}/offered"),
                ("POST", "/api/v1/demo"),
                ("GET", "/api/v1/logs"),
                ("GET", "/api/v1/system"),
                ("GET", "/metrics"),
            ):
                assert (await anna.request(method, path)).status_code == 403, path
            health = (await anna.get("/api/v1/health")).json()
            assert [each["camera"] for each in health["cameras"]] == [mine]
            assert health["service"] is None


async def test_the_record_button_says_what_it_did(tmp_path: Path) -> None:
    async with looked_after(tmp_path / "a") as site:
        camera = (await made(site.client))["id"]
        path = f"{CAMERAS}/{camera}/recording"
        reader = site.desk.service.cameras[camera].main.watch()
        await reader.take()

        async def press(record: bool, **more: Any) -> dict[str, Any]:
            answer = await site.client.post(path, json={"record": record, **more})
            assert answer.status_code == 200, answer.text
            told: dict[str, Any] = answer.json()
            return told

        assert (await press(False))["did"] == "was not recording"
        started = await press(True, name="A <b>thief</b>")
        assert started["did"] == "started"
        assert started["recording"]
        assert started["clip"]["name"] == "A <b>thief</b>"
        again = await press(True, name="another")
        assert (again["did"], again["clip"]["id"]) == ("already recording", started["clip"]["id"])
        assert (await site.client.get(path)).json()["clip"]["id"] == started["clip"]["id"]
        kept = site.desk.service.cameras[camera].keeper
        async with asyncio.timeout(30):
            while kept.frames < 5:
                assert await reader.take()  # the live picture goes on
        stopped = await press(False)
        assert (stopped["did"], stopped["recording"]) == ("stopped", False)
        assert stopped["clip"]["end_us"] > stopped["clip"]["start_us"]
        movie = await site.client.get(stopped["download"])
        assert movie.status_code == 200
        assert movie.content[4:8] == b"ftyp"
        assert await reader.take()
        reader.close()
        assert (await press(False))["did"] == "was not recording"


@pytest.mark.parametrize("mode", ["always", "asked"])
async def test_the_whole_clip_is_there_the_moment_it_ends(tmp_path: Path, mode: str) -> None:
    wanted = replace(card_camera("garage"), mode=Mode(mode))
    async with serving(tmp_path / "a", wanted=[wanted]) as site:
        camera = next(iter(site.desk.service.cameras.values()))
        path = f"{CAMERAS}/{camera.camera.id}/recording"
        reader = camera.main.watch()
        await reader.take()
        await site.client.post(path, json={"record": True})
        before = camera.keeper.frames
        async with asyncio.timeout(30):
            while camera.keeper.frames < before + 5:
                await reader.take()
        stopped = (await site.client.post(path, json={"record": False})).json()
        at_once = await site.client.get(stopped["download"])
        await reader.take()
        reader.close()
        await camera.keeper.written()
        later = await site.client.get(stopped["download"])
        assert at_once.status_code == later.status_code == 200
        assert len(at_once.content) == len(later.content)


async def test_a_clip_of_the_first_picture_is_there_at_once(tmp_path: Path) -> None:
    """The first pictures of a camera are held until their times are known: Stop waits for them."""
    wanted = replace(card_camera("garage"), mode=Mode.ALWAYS)
    async with serving(tmp_path / "a", wanted=[wanted]) as site:
        camera = next(iter(site.desk.service.cameras.values()))
        path = f"{CAMERAS}/{camera.camera.id}/recording"
        reader = camera.main.watch()
        await reader.take()
        reader.close()
        await site.client.post(path, json={"record": True})
        stopped = (await site.client.post(path, json={"record": False})).json()
        movie = await site.client.get(stopped["download"])
        assert movie.status_code == 200
        assert movie.content[4:8] == b"ftyp"


async def test_the_mode_is_switched_by_operators(tmp_path: Path) -> None:
    async with looked_after(tmp_path / "a") as site:
        camera = (await made(site.client))["id"]
        await site.user("root")
        await site.user("olga", Role.OPERATOR, [camera])
        async with await site.login("olga") as olga:
            for mode in ("off", "always", "asked"):
                answer = await olga.put(f"{CAMERAS}/{camera}/mode", json={"mode": mode})
                assert answer.json()["mode"] == mode
                assert site.desk.service.cameras[camera].wanted.mode == mode
                assert (await site.desk.cameras.get(camera)).mode == mode
            answer = await olga.put(f"{CAMERAS}/{camera}/mode", json={"mode": "schedule"})
            assert answer.status_code == 422
            await olga.put(f"{CAMERAS}/{camera}/mode", json={"mode": "off"})
            pressed = await olga.post(f"{CAMERAS}/{camera}/recording", json={"record": True})
            assert pressed.status_code == 422
            assert "switched off" in pressed.json()["detail"]


async def test_a_test_shows_what_the_camera_is_and_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("camkeep.server.glimpse.WATCH_S", 0.5)
    async with looked_after(tmp_path / "a") as site:
        answer = await site.client.post(f"{CAMERAS}/test", json={"address": CARD["address"]})
        told = answer.json()
        assert told["ok"], told
        assert told["error"] is None
        assert told["report"]["video"]["width"] == 160
        assert isinstance(told["report"]["advice"], list)
        assert told["picture"].startswith("data:image/jpeg;base64,/9j/")
        assert (await site.client.get(CAMERAS)).json() == {"cameras": []}
        refused = await site.client.post(f"{CAMERAS}/test", json={"address": "http://10.0.0.0x1/"})
        assert refused.status_code in (200, 422)


async def test_no_more_than_three_tests_at_once_and_none_for_long(tmp_path: Path) -> None:
    """Cameras that accept a connection and say nothing."""
    accepted = asyncio.Semaphore(0)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.release()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, looked_after(tmp_path / "a") as site:
        site.app.state.glimpses = Glimpses(longest_s=1.5)
        asked = {"address": f"http://127.0.0.1:{port}/", "timeout_s": 60}
        tests = [
            asyncio.create_task(site.client.post(f"{CAMERAS}/test", json=asked)) for _ in range(3)
        ]
        for _ in range(3):
            await accepted.acquire()
        fourth = await site.client.post(f"{CAMERAS}/test", json=asked)
        assert fourth.status_code == 429
        assert fourth.headers["retry-after"] == "5"
        for test in tests:
            told = (await test).json()
            assert told["ok"] is False
            assert told["needs_person"] is False
            assert "no picture came within 1.5 s" in told["error"]
        assert (await site.client.post(f"{CAMERAS}/test", json=asked)).status_code == 200


async def test_what_this_machine_offers(tmp_path: Path) -> None:
    async with looked_after(tmp_path / "a") as site:
        told = (await site.client.get(f"{CAMERAS}/offered")).json()
        assert isinstance(told["webcams"], list)
        assert told["network"] is None


async def test_cameras_of_the_network_are_found_but_those_that_are_set_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The search goes to this machine alone, where a camera answers as those of a network do."""
    options = SimulatorOptions(160, 128, discovery_port=0)
    async with Simulator("easyn", options) as camera, looked_after(tmp_path / "a") as site:
        target = [("127.0.0.1", camera.discovery_port)]
        only_here = partial(discover, targets=target, port=0, host="127.0.0.1")
        monkeypatch.setattr(offers, "discover", only_here)
        monkeypatch.setattr(offers, "SEARCH_S", 0.5)
        asked = {"params": {"network": "true"}}
        searches = [site.client.get(f"{CAMERAS}/offered", **asked) for _ in range(2)]  # type: ignore[arg-type]
        answers = await asyncio.gather(*searches)
        assert sorted(answer.status_code for answer in answers) == [200, 429]
        (told,) = (a.json() for a in answers if a.status_code == 200)
        (found,) = told["network"]
        assert found["address"] == found["url"] == f"easyn://127.0.0.1:{camera.port}/"
        await made(site.client, address=found["address"])
        again = await site.client.get(f"{CAMERAS}/offered", **asked)  # type: ignore[arg-type]
        assert again.json()["network"] == []


async def test_the_demo_is_one_click_and_twice_is_no_error(tmp_path: Path) -> None:
    async with looked_after(tmp_path / "a") as site:
        first, again = [(await site.client.post("/api/v1/demo")).json() for _ in range(2)]
        assert first["id"] == again["id"]
        async with asyncio.timeout(30):
            while {c["state"] for c in (await site.client.get(CAMERAS)).json()["cameras"]} != {
                "live"
            }:
                await asyncio.sleep(0.05)


async def test_a_camera_that_cannot_be_watched_is_listed_and_says_why(tmp_path: Path) -> None:
    async with looked_after(tmp_path / "a") as site:
        settings = await site.desk.cameras.add({**CARD, "address": "http://127.0.0.1:9/"})
        site.desk.cameras.policy = UrlPolicy()  # it was changed in camkeep.toml
        await site.desk.sync()
        (told,) = (await site.client.get(CAMERAS)).json()["cameras"]
        assert (told["id"], told["watched"], told["state"]) == (settings.id, False, "failed")
        assert "this machine itself" in told["told"]


async def test_an_easyn_camera_is_moved(tmp_path: Path) -> None:
    options = SimulatorOptions(user="admin", password=SECRET)
    simulator = Simulator("easyn", options)
    async with simulator, looked_after(tmp_path / "a") as site:
        values = {"address": f"easyn://127.0.0.1:{simulator.port}/", "user": "admin"}
        camera = (await made(site.client, **values, password=SECRET))["id"]
        path = f"{CAMERAS}/{camera}/controls"
        answer = await site.client.get(path)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert told["kind"] == "easyn"
        assert "move" in told["actions"]
        ranges = {each["name"]: each["range"] for each in told["settings"]}
        assert ranges == {"brightness": [0, 255, 1], "contrast": [0, 6, 1]}
        shown = (await site.client.get(f"{CAMERAS}/{camera}")).json()
        assert shown["controls"] == "easyn"
        assert SECRET not in answer.text
        for action in (
            {"action": "move", "direction": "left", "steps": 2},
            {"action": "move", "direction": "up", "seconds": 0.05},
            {"action": "brightness", "value": 100},
            {"action": "set_preset", "number": 3},
            {"action": "go_to_preset", "number": 3},
            {"action": "stop"},
        ):
            done = await site.client.post(path, json=action)
            assert done.status_code == 200, (action, done.text)
            assert done.json() == {"did": action["action"]}
        assert simulator.aim != (0, 0)
        for action in (
            {"action": "move", "direction": "sideways"},
            {"action": "move"},
            {"action": "brightness", "value": "bright"},
            {"action": "explode"},
        ):
            assert (await site.client.post(path, json=action)).status_code == 422, action
        assert (
            await site.client.post(path, json={"action": "set", "name": "x", "value": 1})
        ).status_code == 409
        await site.user("root")
        await site.user("olga", Role.OPERATOR, [camera])
        async with await site.login("olga") as olga:
            assert (await olga.post(path, json={"action": "reboot"})).status_code == 403


async def test_other_cameras_have_no_controls(tmp_path: Path) -> None:
    async with looked_after(tmp_path / "a") as site:
        camera = (await made(site.client))["id"]
        answer = await site.client.get(f"{CAMERAS}/{camera}/controls")
        assert answer.status_code == 409
        assert "Yard" in answer.json()["detail"]
