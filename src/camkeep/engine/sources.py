"""From an address to the source that serves it: the only list of all kinds of cameras."""

from __future__ import annotations

from camkeep.cameras.address import Address
from camkeep.cameras.source import Source, SourceOptions
from camkeep.errors import UsageError


def make_source(address: Address, options: SourceOptions) -> Source:
    """The source for `address`. Opens nothing yet.

    Raises UsageError where the address or its options make no sense. Each kind is imported
    only when it is wanted, which keeps start-up short on small boards.
    """
    match address.scheme:
        case "easyn" | "easyns":
            from camkeep.cameras.easyn import EasynSource

            return EasynSource(address, options)
        case "http" | "https":
            from camkeep.cameras.mjpeg import HttpSource

            return HttpSource(address, options)
        case "rtsp" | "rtsps":
            from camkeep.cameras.rtsp import RtspSource

            return RtspSource(address, options)
        case "v4l2":
            from camkeep.cameras.v4l2 import V4l2Source

            return V4l2Source(address, options)
        case "testcard":
            from camkeep.cameras.testcard import TestcardSource

            return TestcardSource(address, options)
        case other:
            raise UsageError(f"no camera answers to {other}:")
