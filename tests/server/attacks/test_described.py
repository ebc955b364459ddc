"""Schemathesis asks a real process for everything that its description has, with what it takes and
with what it does not: no answer is an error of the server, and each is as it is described.

What it tries is the same in each run. Operations that change or delete come after those that look.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS

from support.attacked import served

API = "/api/v1"
PASSWORD = "correct horse battery"
SETTINGS = '[server]\nlog_level = "warning"\n'
ORDER = ("get", "post", "put", "patch", "delete")
EXAMPLES = {GenerationMode.POSITIVE: 8, GenerationMode.NEGATIVE: 6}
TIMEOUT_S = 20.0
AWAY = {502, 503, 504, 507}
"""What a camera or a disk that does not do its part comes to."""
OFF = {"network": "false"}
"""Parameters that would have it ask machines that are not part of the test."""
WANTED = (
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "status_code_conformance",
)

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning"),
]


class Asker:
    """Somebody who may all, and asks with the ids of what there is."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        self.ids: dict[str, str] = {}
        self.secret = ""
        """Of the session."""
        self.body: dict[str, Any] = {}
        """What is said in place of what was made up, by its name."""
        self.start_us = self.end_us = 0
        """When there is footage."""
        self.count = 0
        self.statuses: dict[str, set[int]] = {}
        """What came, by operation."""

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """What it answers, which is a success."""
        url = f"{self.url}{API}{path}"
        answer = self.session.request(method, url, json=body, timeout=TIMEOUT_S)
        assert answer.status_code < 300, (path, answer.text)
        return answer.json() if answer.content else None

    def furnish(self) -> None:
        """Make one of each kind, to be asked for, changed and deleted."""
        self.ask("POST", "/setup", {"name": "boss", "password": PASSWORD})
        self.secret = self.session.cookies["camkeep"]
        user = {"name": "vera", "password": PASSWORD, "cameras": None}
        camera = self.ask("GET", "/cameras")["cameras"][0]["id"]
        press = f"/cameras/{camera}/recording"
        clip = self.ask("POST", press, {"record": True})["clip"]["id"]
        self.ask("POST", press, {"record": False})
        told = self.ask("GET", f"/clips/{clip}")
        self.start_us, self.end_us = told["start_us"], told["end_us"]
        until = self.end_us + 3_600_000_000
        share = self.ask("POST", "/shares", {"clip": clip, "expires": until})
        self.ids = {
            "user_id": self.ask("POST", "/users", user)["id"],
            "camera_id": camera,
            "clip_id": clip,
            "share_id": share["id"],
            "secret": share["secret"],
            "token_id": self.ask("POST", "/tokens", {"name": "t"})["id"],
            "stream": "main",
        }
        self.body = {
            "password": PASSWORD,
            "cameras": [camera],
            "from": self.start_us,
            "to": self.end_us,
            "clip": clip,
            "expires": until,
        }

    def check(self, case: Any, *, real: bool) -> None:
        """Ask once; what comes is as described."""
        for name in set(self.ids) & set(case.path_parameters or {}) if real else ():
            case.path_parameters[name] = self.ids[name]
        if real and "from" in case.query:
            case.query = {"from": self.start_us}
        elif real and "at" in case.query:
            case.query["at"] = self.end_us
        if real and isinstance(case.body, dict):
            case.body.update({name: self.body[name] for name in self.body.keys() & case.body})
        leaving = case.operation.path.endswith("/logout")  # whoever asks is to stay logged in
        self.session.cookies.clear()
        case.cookies = {"camkeep": "x" if leaving else self.secret}
        case.headers = {
            name: value
            for name, value in (case.headers or {}).items()
            if name.lower() != "authorization"
        }
        case.query = {**(case.query or {}), **{n: v for n, v in OFF.items() if n in case.query}}
        answer = case.call(base_url=self.url, session=self.session, timeout=TIMEOUT_S)
        self.count += 1
        named = f"{case.method} {case.operation.path}"
        self.statuses.setdefault(named, set()).add(answer.status_code)
        if answer.status_code >= 500:
            kind = answer.headers.get("content-type", [""])[0]
            assert answer.status_code in AWAY, (answer.status_code, answer.text)
            assert kind == "application/problem+json"
        case.validate_response(answer, checks=CHECKS.get_by_names(WANTED))


def attack(url: str) -> Asker:
    """All operations. Blocks."""
    asker = Asker(url)
    asker.furnish()
    described: Mapping[str, Any] = asker.ask("GET", "/openapi.json")
    schema = schemathesis.openapi.from_dict(dict(described))
    operations = [each.ok() for each in schema.get_all_operations()]
    found: list[BaseException] = []
    for operation in sorted(operations, key=lambda each: ORDER.index(each.method.lower())):
        if operation.definition.raw.get("x-lasting"):
            continue
        for mode, examples in EXAMPLES.items():

            @settings(
                max_examples=examples,
                derandomize=True,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy(generation_mode=mode), real=st.booleans())
            def run(case: Any, *, real: bool) -> None:
                asker.check(case, real=real)

            try:
                run()
            except Unsatisfiable:  # it takes nothing that could be wrong
                assert mode is GenerationMode.NEGATIVE, operation.path
            except BaseException as error:
                error.add_note(f"of {operation.method.upper()} {operation.path}, {mode.value}")
                found.append(error)
    if found:
        raise BaseExceptionGroup(f"{len(found)} operations are not as described", found)
    return asker


async def test_everything_is_as_it_is_described(tmp_path: Path) -> None:
    async with served(tmp_path / "data", "--demo", settings=SETTINGS) as serve:
        url = await serve.url()
        asker = await asyncio.to_thread(attack, url)
    assert asker.count > 300
    succeeded = [each for each, statuses in asker.statuses.items() if min(statuses) < 300]
    assert len(succeeded) > 0.75 * len(asker.statuses), asker.statuses
    assert not any(
        401 in statuses for each, statuses in asker.statuses.items() if "log" not in each
    )
    assert "unforeseen" not in serve.said
    assert "Traceback" not in serve.said
