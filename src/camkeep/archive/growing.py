"""Segments as they are at this moment: the index knows of one that grows only when it began."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from camkeep.archive.adopt import segment_of_file
from camkeep.errors import MediaError
from camkeep.model import Segment, SegmentState

Growing = Callable[[Segment], Segment]
"""Gives a segment with its length so far, where it grows."""


def at_this_moment(root: Path, segment: Segment) -> Segment:
    """`segment`, with its length so far where it grows. Blocks for as long as reading its tables
    takes; a file that is gone meanwhile leaves it as it was."""
    if segment.state is SegmentState.OPEN:
        with suppress(OSError, MediaError):
            found = segment_of_file(root, segment.path, segment.camera)
            return replace(
                segment,
                duration_us=found.duration_us,
                size=found.size,
                frames=found.frames,
            )
    return segment
