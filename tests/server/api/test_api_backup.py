"""A copy of the settings, taken along by whoever may all."""

from __future__ import annotations

from pathlib import Path

from camkeep.archive.root import make_root
from camkeep.server.access import Role
from camkeep.server.backup import read_backup, restore
from camkeep.server.database import DATABASE, KEY
from support.accounts import opened
from support.server import API, serving

BACKUP = f"{API}/backup"


async def test_it_is_what_restore_takes_and_the_key_is_not_in_it(tmp_path: Path) -> None:
    made = tmp_path / "made.tar"
    async with serving(tmp_path / "a") as site:
        await site.user("anna")
        async with await site.login("anna") as anna:
            answer = await anna.post(BACKUP, headers={"origin": site.url})
        assert answer.headers["content-type"] == "application/x-tar"
        day = answer.headers["content-disposition"].partition("camkeep-")[2]
        assert day.endswith('.tar"')
        made.write_bytes(answer.content)
        (entry,) = await site.accounts.audit.page()
        assert (entry.action, entry.who) == ("backup.make", "anna")
    parts = read_backup(made)
    assert set(parts) == {DATABASE}
    there = make_root(tmp_path / "b", new=True).path
    parts[KEY] = (tmp_path / "a" / KEY).read_bytes()
    restore(parts, there, overwrite=False)
    database = opened(there)
    names = database.run_now(lambda db: db.execute("SELECT name FROM users").fetchall(), reads=True)
    database.close()
    assert names == [("anna",)]


async def test_this_machine_may_take_it_before_there_is_an_account(tmp_path: Path) -> None:
    async with serving(tmp_path / "a") as site:
        assert (await site.client.post(BACKUP)).status_code == 200


async def test_neither_tokens_nor_lesser_roles_get_it(tmp_path: Path) -> None:
    async with serving(tmp_path / "a") as site:
        await site.user("anna")
        await site.user("otto", Role.OPERATOR)
        async with site.fresh(token=await site.token("anna")) as program:
            answer = await program.post(BACKUP)
            assert (answer.status_code, "no token" in answer.text) == (403, True)
        async with await site.login("otto") as otto:
            headers = {"origin": site.url}
            assert (await otto.post(BACKUP, headers=headers)).status_code == 403
        assert await site.accounts.audit.page() == []
