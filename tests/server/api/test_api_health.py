"""Health, figures, the log and the system by the API, over real connections."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from camkeep.archive.layout import MARKER
from camkeep.cameras.address import parse_address
from camkeep.cameras.source import Source, SourceOptions
from camkeep.engine.sources import make_source
from camkeep.server import vitals as vitals_module
from camkeep.server.access import Role
from camkeep.server.logs import LogForm, Logging
from camkeep.server.vitals import vitals_of
from support.server import Site, serving


def card() -> Source:
    address, _ = parse_address("testcard:/?size=160x128&fps=25")
    return make_source(address, SourceOptions())


async def until(fits: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not fits():
            await asyncio.sleep(0.02)


async def kept(site: Site, frames: int = 30) -> None:
    (camera,) = site.desk.service.cameras.values()
    await until(lambda: camera.keeper.frames >= frames and camera.health().fps is not None)


def figures(page: str) -> dict[str, list[tuple[dict[str, str], float]]]:
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


async def test_health_of_a_camera_and_of_the_service(tmp_path: Path) -> None:
    async with serving(tmp_path / "a", card()) as site:
        await kept(site)
        told = (await site.client.get("/api/v1/health")).json()
        (camera,) = told["cameras"]
        assert camera["name"] == "cam0"
        assert (camera["state"], camera["told"], camera["recording"]) == ("live", "", True)
        assert 15 < camera["fps"] < 35
        assert camera["bits_per_s"] > 1000
        assert 0 <= camera["age_s"] < 5
        assert camera["frames"] >= 30
        assert (camera["drops"], camera["reconnects"], camera["viewers"]) == (0, 0, 0)
        assert camera["coverage_day"] is None or 0 <= camera["coverage_day"] <= 1
        service = told["service"]
        assert service["memory_bytes"] > 10_000_000
        assert service["descriptors"] > 5
        assert service["problems"] == []


async def test_figures_are_read_by_prometheus(tmp_path: Path) -> None:
    async with serving(tmp_path / "a", card()) as site:
        site.desk.monitor.lag.start()
        await kept(site)
        reader = next(iter(site.desk.service.cameras.values())).main.watch()
        await site.client.get("/api/v1/cameras/nonsense")
        await site.client.get("/nowhere?token=abc")
        await site.client.request("BREW", "/healthz")
        answer = await site.client.get("/metrics")
        reader.close()
        site.desk.monitor.lag.stop()
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        found = figures(answer.text)
        labels = {"camera": site.cameras[0], "name": "cam0"}
        for name, least in (
            ("up", 1),
            ("recording", 1),
            ("frames_total", 30),
            ("bytes_total", 1000),
            ("dropped_total", 0),
            ("reconnects_total", 0),
            ("last_frame_age_seconds", 0),
            ("viewers", 1),
            ("stored_bytes", 0),
        ):
            ((given, value),) = found[f"camkeep_camera_{name}"]
            assert given == labels
            assert value >= least, name
        states = {given["state"]: value for given, value in found["camkeep_camera_state"]}
        assert states.pop("live") == 1
        assert set(states.values()) == {0}
        assert found["camkeep_loop_lag_seconds_count"][0][1] > 0
        assert found["camkeep_build_info"][0][0]["camkeep"]
        requests = {
            (given["route"], given["method"], given["status"]): value
            for given, value in found["camkeep_http_requests_total"]
        }
        assert requests["/api/v1/cameras/{camera_id}", "GET", "404"] == 1
        assert requests["none", "GET", "404"] == 1
        assert not any("nonsense" in route or "token" in route for route, _, _ in requests)
        assert all(method in ("GET", "other") for _, method, _ in requests)


async def test_refused_logins_are_counted(tmp_path: Path) -> None:
    async with serving(tmp_path / "a") as site:
        await site.user("root")
        answer = await site.client.post("/api/v1/login", json={"name": "root", "password": "wrong"})
        assert answer.status_code == 401
        async with await site.login("root") as root:
            found = figures((await root.get("/metrics")).text)
        assert found["camkeep_login_failures_total"] == [({}, 1)]


async def test_figures_are_for_administrators_and_their_tokens(tmp_path: Path) -> None:
    async with serving(tmp_path / "a") as site:
        assert (await site.client.get("/metrics")).status_code == 200  # nobody has an account yet
        await site.user("root")
        await site.user("anna", Role.VIEWER)
        assert (await site.client.get("/metrics")).status_code == 401
        async with site.fresh(token=await site.token("root")) as prometheus:
            assert (await prometheus.get("/metrics")).status_code == 200
        async with site.fresh(token=await site.token("anna")) as viewer:
            assert (await viewer.get("/metrics")).status_code == 403


async def test_healthz_is_for_all_and_tells_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vitals_module, "ASK_S", 0.01)
    async with serving(tmp_path / "a", card()) as site:
        desk = site.desk
        await site.user("root")
        desk.monitor.vitals = vitals_of(desk.archive, desk.database, desk.clock)
        asking = asyncio.create_task(desk.monitor.vitals.run())
        get = site.client.get
        answer = await get("/healthz")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
        marker = desk.archive.root.path / MARKER
        marker.rename(marker.with_name("away"))
        await until(lambda: bool(desk.monitor.vitals.unwell()))
        answer = await get("/healthz")
        assert answer.status_code == 503
        assert answer.json()["status"] == "failing"
        assert str(tmp_path) not in answer.text
        assert "cam0" not in answer.text
        async with await site.login("root") as root:
            told = (await root.get("/api/v1/health")).json()
            assert str(tmp_path) in told["service"]["problems"][0]
        marker.with_name("away").rename(marker)
        await until(lambda: not desk.monitor.vitals.unwell())
        assert (await get("/healthz")).status_code == 200
        asking.cancel()
        await asyncio.wait([asking])


async def test_a_disk_that_stalls_holds_up_no_health_and_no_figures(tmp_path: Path) -> None:
    """The writer's thread waits; what monitors ask for is answered all the same."""
    async with serving(tmp_path / "a", card()) as site:
        await kept(site)
        begun, release = threading.Event(), threading.Event()
        held = site.desk.archive.volume.submit(lambda: (begun.set(), release.wait(60)))
        try:
            await asyncio.to_thread(begun.wait, 20)
            async with asyncio.timeout(15):
                for path in ("/healthz", "/metrics", "/api/v1/health", "/api/v1/system"):
                    assert (await site.client.get(path)).status_code == 200, path
        finally:
            release.set()
        await asyncio.wrap_future(held)


async def test_the_log_is_read_page_by_page(tmp_path: Path) -> None:
    with Logging(LogForm.TEXT, "debug") as log:
        async with serving(tmp_path / "a") as site:
            site.desk.monitor.log = log.ring
            logging.getLogger("camkeep.x").warning("one")
            logging.getLogger("camkeep.x").info("two, with password=hunter22 in it")
            try:
                raise ValueError("three")
            except ValueError:
                logging.getLogger("camkeep.x").exception("three")

            async def get(**asked: Any) -> dict[str, Any]:
                answer: httpx.Response = await site.client.get("/api/v1/logs", params=asked)
                assert answer.status_code == 200, answer.text
                found: dict[str, Any] = answer.json()
                found["records"] = [r for r in found["records"] if r["logger"] == "camkeep.x"]
                return found

            page = await get()
            assert [r["told"] for r in page["records"]] == [
                "one",
                "two, with password=*** in it",
                "three",
            ]
            assert page["records"][2]["trace"].endswith("ValueError: three")
            assert [r["told"] for r in (await get(level="warning"))["records"]] == ["one", "three"]
            first = page["records"][0]["id"]
            assert [r["told"] for r in (await get(after=first))["records"]] == [
                "two, with password=*** in it",
                "three",
            ]
            assert (await get(after=first, limit=1))["last"] == first + 1
            assert (await get(after=page["last"]))["records"] == []
            assert (await site.client.get("/api/v1/logs", params={"limit": 0})).status_code == 422


async def test_the_system(tmp_path: Path) -> None:
    async with serving(tmp_path / "a") as site:
        told = (await site.client.get("/api/v1/system")).json()
        assert set(told["versions"]) >= {"camkeep", "python", "sqlite", "system"}
        assert told["archive"] == str(tmp_path / "a")
        assert told["service"]["uptime_s"] >= 0


async def test_coverage_of_the_day_is_looked_up_once_in_a_while(tmp_path: Path) -> None:
    async with serving(tmp_path / "a", card()) as site:
        await kept(site, 60)
        async with asyncio.timeout(60):
            while True:
                told = (await site.client.get("/api/v1/health")).json()
                share = told["cameras"][0]["coverage_day"]
                if share:
                    break
                site.app.state.day_shares._known.clear()  # do not wait for 20 s
                await asyncio.sleep(0.1)
        assert 0 < share <= 1
