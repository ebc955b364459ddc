"""What is to be kept, written down for others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camkeep.archive.files import SystemFiles
from camkeep.archive.layout import POLICY_FILE
from camkeep.archive.policyfile import read_policy, write_policy
from camkeep.archive.retention import Limits, Policy
from camkeep.model import CameraId
from support.disks import QuickFiles

FULL = Policy(
    Limits(500_000_000_000, 30 * 86400.0),
    20_000_000_000,
    {CameraId("abcdefghijkm"): Limits(None, 3600.0), CameraId("abcdefghijkn"): Limits(5, None)},
)


@pytest.mark.parametrize("policy", [Policy(), FULL])
def test_what_was_written_is_read(tmp_path: Path, policy: Policy) -> None:
    write_policy(tmp_path, SystemFiles(), policy)
    assert read_policy(tmp_path) == policy
    assert [path.name for path in tmp_path.iterdir()] == [POLICY_FILE]


def test_nothing_written_is_no_limit(tmp_path: Path) -> None:
    assert read_policy(tmp_path) == Policy()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        "\\ud800",
        '{"overall": null, "keep_free_bytes": 0, "cameras": {}}',
        '{"overall": {"max_bytes": "many", "max_age_s": 1}, "keep_free_bytes": 0, "cameras": {}}',
        '{"overall": {"max_bytes": -1, "max_age_s": 1}, "keep_free_bytes": 0, "cameras": {}}',
        '{"overall": {"max_bytes": 1, "max_age_s": 1}, "keep_free_bytes": 1e999, "cameras": {}}',
        '{"overall": {"max_bytes": 1, "max_age_s": 1}, "keep_free_bytes": 0, "cameras": []}',
        "[" * 100_000,
    ],
)
def test_what_does_not_read_is_no_limit(tmp_path: Path, text: str) -> None:
    (tmp_path / POLICY_FILE).write_text(text)
    assert read_policy(tmp_path) == Policy()


@given(data=st.data())
def test_any_file_reads_or_is_no_limit(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("policy")
    write_policy(folder, QuickFiles(), FULL)
    value = json.loads((folder / POLICY_FILE).read_bytes())
    anything = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inside: (
            st.lists(inside, max_size=2) | st.dictionaries(st.text(), inside, max_size=2)
        ),
        max_leaves=4,
    )
    holder, name = data.draw(
        st.sampled_from(
            [
                *((value, name) for name in value),
                *((value["overall"], name) for name in value["overall"]),
                *((value["cameras"], name) for name in value["cameras"]),
            ]
        )
    )
    holder[name] = data.draw(anything)
    (folder / POLICY_FILE).write_text(json.dumps(value))
    assert isinstance(read_policy(folder), Policy)
