"""What the two ends of a live WebSocket say to each other beside the pictures. Pure."""

from __future__ import annotations

import json

ENDS = {
    "off": (1000, "the camera was switched off"),
    "removed": (1000, "the camera is not watched any more"),
    "stopped": (1001, "camkeep is being stopped"),
    "rights": (1008, "you may not see this any more: log in again"),
    "slow": (1013, "nothing was taken for too long"),
    "failed": (1011, "the camera's stream cannot be shown"),
    "words": (1003, 'send {"type":"pause"} or {"type":"resume"}'),
}
"""Why it ends: the close code (RFC 6455 §7.4.1), and a sentence."""


def said(text: object) -> object:
    """What a message says; None for anything that is not understood."""
    if not isinstance(text, str):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found.get("type") if isinstance(found, dict) else None
