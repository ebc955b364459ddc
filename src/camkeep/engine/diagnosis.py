"""What a probe's values mean for the person, and what to do about each. Pure."""

from __future__ import annotations

from camkeep.cameras.trouble import Trouble
from camkeep.engine.probe import Report
from camkeep.model import Codec

_BY_CODE = {trouble.code: trouble for trouble in Trouble}


def diagnose(report: Report) -> list[str]:
    """One sentence or two for each trouble; empty where all is well."""
    found = [
        _rate(report),
        _waits(report),
        _gop(report),
        _codec(report),
        _size(report),
        _clock(report),
        _breaks(report),
    ]
    found += [
        f"{_BY_CODE[code].counted(count)}. {_BY_CODE[code].advice}"
        for code, count in report.trouble.items()
    ]
    return [words for words in found if words]


def _rate(report: Report) -> str | None:
    promised, measured = report.promised_fps, report.measured_fps
    if not promised or not measured or report.frames < 10:
        return None
    if abs(measured / promised - 1) <= 0.1:
        return None
    return (
        f"It promises {promised:g} frames a second and delivers {measured:.1f}. Recordings have "
        "the true times all the same; in the dark, cameras expose longer, and a busy network or "
        "a second viewer slows small ones down."
    )


def _waits(report: Report) -> str | None:
    if not report.measured_fps or not report.longest_wait_s:
        return None
    usual = 1 / report.measured_fps
    if report.longest_wait_s < max(5 * usual, 0.5):
        return None
    return (
        f"It once sent nothing for {report.longest_wait_s:.1f} s. If that goes on, try a cable "
        "instead of Wi-Fi, or a lower rate or size."
    )


def _gop(report: Report) -> str | None:
    if report.measured_fps is None or report.video is None or report.video.codec is Codec.JPEG:
        return None
    if report.gop is None:
        if report.seconds < 5:
            return None
        return (
            f"No second key frame came within {report.seconds:.0f} s. Recordings can begin and "
            "seek only at key frames: set the key frame (I-frame) interval to 1 to 2 s."
        )
    seconds = report.gop[1] / report.measured_fps
    if seconds <= 4.5:
        return None
    return (
        f"Key frames are {seconds:.0f} s apart. Recordings can begin and seek only there: set "
        "the key frame (I-frame) interval to 1 to 2 s."
    )


def _codec(report: Report) -> str | None:
    if report.video is not None and report.video.codec is Codec.H265:
        return (
            "It sends H.265, which many browsers cannot play. The recording is whole and plays "
            "in VLC, mpv and ffplay; set the camera to H.264 where it must play everywhere."
        )
    return None


def _size(report: Report) -> str | None:
    """JPEG is many times as large as H.264 at the same quality."""
    if report.bits_per_s is None or report.video is None or report.bits_per_s < 8e6:
        return None
    per_day = report.bits_per_s * 86_400 / 8 / 1e9
    if report.video.codec is not Codec.JPEG:
        return None
    return (
        f"At this rate a day takes {per_day:.0f} GB, because every picture stands alone. Lower "
        "its rate or size, or use its H.264 stream if it has one."
    )


def _clock(report: Report) -> str | None:
    offset = report.clock_offset_s
    if offset is None or abs(offset) < 2:
        return None
    amount = f"{abs(offset):.0f} s" if abs(offset) < 7200 else f"{abs(offset) / 3600:.0f} h"
    direction = "ahead of" if offset > 0 else "behind"
    return (
        f"Its clock is {amount} {direction} this machine's. Recordings carry this machine's "
        "time; what the camera prints into the picture is wrong: let it use NTP."
    )


def _breaks(report: Report) -> str | None:
    if not report.breaks:
        return None
    times = "once" if report.breaks == 1 else f"{report.breaks} times"
    return f"Its stream was interrupted {times} by a loss or a jump of its clock."
