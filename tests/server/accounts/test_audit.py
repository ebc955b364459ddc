"""The audit log: what is noted, in which order it is read, and what is never in it."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from camkeep.clock import FakeClock
from camkeep.server.access import How, Principal, Role
from camkeep.server.accounts.audit import PAGE, Audit
from camkeep.server.database import Database
from support.accounts import opened

ANNA = Principal("anna", Role.ADMIN, None, How.SESSION, "id", "login")


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return opened(tmp_path)


async def test_newest_first_and_page_by_page(database: Database) -> None:
    clock = FakeClock()
    audit = Audit(database, clock)
    await audit.note(ANNA, "camera.remove", "garage", "192.0.2.1", recordings=True, size=1.5)
    noted = clock.wall()
    for n in range(4):
        clock.advance(1)
        await audit.note("camkeep user", "user.add", f"user{n}")
    pages = [await audit.page(limit=3)]
    pages.append(await audit.page(pages[-1][-1].id, limit=3))
    assert [[each.object for each in page] for page in pages] == [
        ["user3", "user2", "user1"],
        ["user0", "garage"],
    ]
    first = pages[1][1]
    assert first.detail == {"recordings": True, "size": 1.5}
    assert (first.wall, first.who, first.how) == (noted, "anna", "session")
    assert (first.address, first.action) == ("192.0.2.1", "camera.remove")
    assert await audit.page(first.id) == []
    assert await audit.page(limit=-5) == []
    assert len(await audit.page(limit=10 * PAGE)) == 5
    database.close()


async def test_what_sounds_like_a_secret_is_left_out(database: Database) -> None:
    audit = Audit(database, FakeClock())
    await audit.note(ANNA, "x", new_password="p", Token="t", api_key="k", secret_url="s", name="n")
    assert [each.detail for each in await audit.page()] == [{"name": "n"}]
    database.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(
    st.text(max_size=400),
    st.text(max_size=400),
    st.text(max_size=400),
    st.dictionaries(
        st.text(max_size=30).filter(
            lambda name: name not in ("who", "action", "object", "address")
        ),
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5000)),
        max_size=40,
    ),
)
async def test_whatever_is_noted_is_kept_and_bounded(
    tmp_path_factory: pytest.TempPathFactory,
    who: str,
    action: str,
    what: str,
    detail: dict[str, str],
) -> None:
    database = opened(tmp_path_factory.mktemp("audit"))
    audit = Audit(database, FakeClock())
    await audit.note(who, action, what, what, **detail)
    (entry,) = await audit.page()
    assert len(entry.object) <= 200
    assert len(entry.detail) <= 16
    database.close()


async def test_what_others_say_is_kept_as_it_can_be_shown(database: Database) -> None:
    audit = Audit(database, FakeClock())
    await audit.note("\0anna\x1b[2J", "\0", "\ud800", "\n", name="\x07" * 200)
    (entry,) = await audit.page()
    assert (entry.who, entry.action, entry.object) == ("?anna?[2J", "?", "?")
    assert (entry.address, entry.detail) == ("?", {"name": "?" * 100})
    database.close()


async def test_where_the_disk_takes_no_entry_the_log_says_so(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    database.close()
    with caplog.at_level(logging.ERROR, "camkeep.audit"):
        await Audit(database, FakeClock()).note(ANNA, "camera.remove", "garage")
    assert "camera.remove by anna" in caplog.text
