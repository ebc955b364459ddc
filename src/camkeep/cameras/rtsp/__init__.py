"""RTSP cameras (RFC 2326): a client in pure Python, from the connection to samples."""

from camkeep.cameras.rtsp.source import RtspSource

__all__ = ["RtspSource"]
