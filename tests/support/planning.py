"""Plans of what to delete, for segments in memory."""

from __future__ import annotations

from camkeep.archive.holds import Holds
from camkeep.archive.retention import CameraUsage, Policy, Usage, plan_deletions
from camkeep.clock import WallUs
from camkeep.model import CameraId, Segment, SegmentState
from support.footage import DAY, SECOND, WALL0, segment

A, B = CameraId("a"), CameraId("b")
NOW = WallUs(WALL0 + 100 * DAY)
NOTHING = Holds({})

Line = dict[CameraId, list[Segment]]


def minutes(camera: str, count: int, start: int = WALL0, size: int = 100) -> list[Segment]:
    return [
        segment(camera, n + 1, start + n * 60 * SECOND, 60 * SECOND, size) for n in range(count)
    ]


def usage_of(lines: Line, free: int | None = None) -> Usage:
    def total(segments: list[Segment], *states: SegmentState) -> int:
        return sum(each.size for each in segments if each.state in states)

    return Usage(
        {
            camera: CameraUsage(
                total(segments, SegmentState.CLOSED, SegmentState.DAMAGED),
                total(segments, SegmentState.OPEN),
            )
            for camera, segments in lines.items()
        },
        free,
    )


def planned(
    lines: Line,
    policy: Policy,
    holds: Holds = NOTHING,
    *,
    free: int | None = None,
    now: WallUs = NOW,
    most: int = 1000,
) -> list[Segment]:
    oldest = {camera: iter(segments) for camera, segments in lines.items()}
    return plan_deletions(oldest, policy, usage_of(lines, free), holds, now, most=most)


def numbers(segments: list[Segment]) -> list[tuple[str, int]]:
    return [(each.camera, each.sequence) for each in segments]
