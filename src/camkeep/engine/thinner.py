"""Fewer frames than the camera sends: which to keep. Pure."""

from __future__ import annotations

from camkeep.model import Codec, Sample


class Thinner:
    """Keeps at most `fps` frames a second. Frames are left out, never invented or re-timed.

    A frame may come up to half a camera's frame early and still count, so that jitter does not
    make the kept frames uneven. Pictures that need each other cannot be left out one by one, so
    of H.264 and H.265 only key frames are kept.
    """

    def __init__(self, fps: float) -> None:
        self._spacing_us = 1e6 / fps
        self._due_us = 0.0
        self._last_us: int | None = None

    def keeps(self, sample: Sample, elapsed_us: int) -> bool:
        """Whether to keep the frame that was taken `elapsed_us` after the first one."""
        last, self._last_us = self._last_us, elapsed_us
        if sample.params.codec is not Codec.JPEG and not sample.key:
            return False
        frame_us = max(0, elapsed_us - last) if last is not None else 0
        if elapsed_us < self._due_us - min(frame_us, self._spacing_us) / 2:
            return False
        self._due_us += self._spacing_us
        if self._due_us <= elapsed_us:  # it fell behind: do not catch up with a burst
            self._due_us = elapsed_us + self._spacing_us
        return True
