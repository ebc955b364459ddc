"""What the last recorder was asked to keep, written down in the archive's folder, so that others
can tell for how long there is room."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from camkeep.archive.files import Files, replace_file
from camkeep.archive.layout import POLICY_FILE
from camkeep.archive.retention import Limits, Policy
from camkeep.errors import UsageError
from camkeep.model import CameraId


def write_policy(root: Path, files: Files, policy: Policy) -> None:
    """Write `policy` down, whole or not at all. Blocks; raises OSError."""
    value = {
        "keep_free_bytes": policy.keep_free_bytes,
        "overall": _limits(policy.overall),
        "cameras": {camera: _limits(limits) for camera, limits in policy.cameras.items()},
    }
    replace_file(files, root / POLICY_FILE, json.dumps(value, indent=1).encode() + b"\n")


def read_policy(root: Path) -> Policy:
    """What was written down; no limits where nothing was, or it does not read. Blocks."""
    try:
        value = json.loads((root / POLICY_FILE).read_bytes())
        return Policy(
            _read(value["overall"]),
            int(value["keep_free_bytes"]),
            {CameraId(str(camera)): _read(limits) for camera, limits in value["cameras"].items()},
        )
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        OverflowError,
        RecursionError,
        UsageError,
    ):
        return Policy()


def _limits(limits: Limits) -> dict[str, float | None]:
    return {"max_bytes": limits.max_bytes, "max_age_s": limits.max_age_s}


def _read(value: Any) -> Limits:
    size, age_s = value["max_bytes"], value["max_age_s"]
    return Limits(None if size is None else int(size), None if age_s is None else float(age_s))
