"""How much is kept, and how much may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from camkeep.archive.policyfile import read_policy as policy_of_archive
from camkeep.clock import FakeClock
from camkeep.server.access import Role
from camkeep.server.keeppolicy import read_policy
from support.kept import GATE, Footage, clip, footage, recorder
from support.segments import NOON, SECOND
from support.server import API, serving

STORAGE = f"{API}/storage"
POLICY = f"{STORAGE}/policy"


@pytest.fixture
def kept(tmp_path: Path) -> Footage:
    """6 s of the garage; the first 3 s, so two files, are held."""
    recorded = recorder(tmp_path / "archive")
    for _ in range(3):
        recorded.record("h264")
    made = footage(recorded)
    made.save_clip(clip())
    return made


def clock(after_s: float = 120) -> FakeClock:
    return FakeClock(wall=NOON + round(after_s * SECOND))


async def test_what_is_kept_and_for_how_long(kept: Footage) -> None:
    sizes = [segment.size for segment in kept.segments]
    async with serving(kept.root, clock=clock()) as site:
        found = (await site.client.get(STORAGE)).json()
    garage, gate = found["cameras"]
    assert (garage["name"], gate["name"]) == ("Garage", "Gate")
    assert garage["bytes"] == found["bytes"] == sum(sizes)
    assert garage["held_bytes"] == found["held_bytes"] == sum(sizes[:2])
    assert garage["segments"] == 3
    assert (garage["start_us"], garage["end_us"]) == (NOON, NOON + 6 * SECOND)
    assert (gate["bytes"], gate["start_us"]) == (0, None)
    assert garage["forecast"]["bytes_per_s"] == pytest.approx(sum(sizes) / 120)
    assert garage["forecast"]["told"].startswith("The disk is full in ")
    assert found["disk"]["total_bytes"] >= found["disk"]["free_bytes"] > 0
    assert found["policy"] == {"max_bytes": None, "max_age_s": None, "keep_free_bytes": 0}


async def test_a_viewer_sees_what_was_granted(kept: Footage) -> None:
    async with serving(kept.root, clock=clock()) as site:
        await site.user("boss")
        await site.user("anna", Role.VIEWER, [GATE])
        async with await site.login("anna") as anna:
            found = (await anna.get(STORAGE)).json()
            assert [camera["camera"] for camera in found["cameras"]] == [GATE]
            assert (found["bytes"], found["disk"], found["policy"]) == (0, None, None)
            headers = {"origin": site.url}
            answer = await anna.put(POLICY, json={"max_bytes": 1}, headers=headers)
            assert answer.status_code == 403


async def test_a_policy_is_written_down_and_acted_upon(kept: Footage) -> None:
    sizes = [segment.size for segment in kept.segments]
    wanted = {"max_bytes": sum(sizes) - 1, "max_age_s": 86400.0, "keep_free_bytes": 1000}
    async with serving(kept.root, clock=clock()) as site:
        answer = await site.client.put(POLICY, json=wanted)
        assert answer.json() == wanted
        await site.desk.service.janitor.look()
        found = (await site.client.get(STORAGE)).json()
        assert found["policy"] == wanted
        assert found["cameras"][0]["segments"] == 2  # those that are held stay
        decided = await site.desk.database.run(read_policy, reads=True)
        assert decided is not None
        assert decided.overall.max_bytes == wanted["max_bytes"]
        (entry,) = await site.accounts.audit.page()
        assert (entry.action, entry.detail["keep_free_bytes"]) == ("storage.policy", 1000)
    assert policy_of_archive(kept.root).overall.max_age_s == 86400.0


@pytest.mark.parametrize(
    "body",
    [{"max_bytes": 0}, {"max_age_s": -1}, {"keep_free_bytes": -1}, {"max_bytes": 1e300},
     {"more": 1}, {"max_age_s": "NaN"}, [], None],
)  # fmt: skip
async def test_no_policy_at_all_is_refused(kept: Footage, body: object) -> None:
    async with serving(kept.root, clock=clock()) as site:
        assert (await site.client.put(POLICY, json=body)).status_code == 422
        assert site.desk.service.policy.overall.max_bytes is None


async def test_the_policy_in_the_settings_is_forgiven_what_it_is(kept: Footage) -> None:
    async with serving(kept.root, clock=clock()) as site:
        for value in ("[]", "1", '{"max_bytes": "x"}', '{"max_bytes": -4}', "null"):
            await site.desk.database.run(
                lambda db, value=value: (
                    db.execute("INSERT OR REPLACE INTO settings VALUES ('policy', ?)", (value,))
                    and None
                )
            )
            assert await site.desk.database.run(read_policy, reads=True) is None
