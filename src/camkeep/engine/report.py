"""A probe's report as JSON values, with what it means: for commands and pages alike. Pure."""

from __future__ import annotations

from typing import Any

from camkeep.engine.diagnosis import diagnose
from camkeep.engine.probe import Report


def report_values(report: Report) -> dict[str, Any]:
    """The report as JSON values; docs/commands.md names the fields."""
    video, audio = report.video, report.audio
    return {
        "address": report.address,
        "seconds": round(report.seconds, 3),
        "product": report.product,
        "login": report.login,
        "transport": report.transport,
        "video": video
        and {
            "codec": video.codec.value,
            "codec_string": video.codec_string,
            "width": video.width,
            "height": video.height,
            "reordered": report.reordered,
        },
        "audio": audio
        and {
            "codec": audio.codec.value,
            "sample_rate": audio.sample_rate,
            "channels": audio.channels,
            "samples": report.audio_samples,
        },
        "frames": report.frames,
        "promised_fps": report.promised_fps,
        "measured_fps": report.measured_fps,
        "jitter_s": report.jitter_s,
        "longest_wait_s": report.longest_wait_s,
        "gop": report.gop and list(report.gop),
        "bits_per_s": report.bits_per_s,
        "first_frame_s": report.first_frame_s,
        "clock_offset_s": report.clock_offset_s,
        "breaks": report.breaks,
        "trouble": report.trouble,
        "advice": diagnose(report),
    }
