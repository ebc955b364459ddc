"""EasyN, Foscam and their clones: MJPEG and controls over HTTP CGI, in two dialects.

`codes` holds every table, `replies` reads answers, `session` finds dialect and login, `control`
moves and sets, `source` is the stream, `discovery` finds cameras in the local network.
"""

from camkeep.cameras.easyn.control import EasynControl, StreamChoice
from camkeep.cameras.easyn.discovery import Found, discover
from camkeep.cameras.easyn.session import Probe
from camkeep.cameras.easyn.source import EasynSource

__all__ = ["EasynControl", "EasynSource", "Found", "Probe", "StreamChoice", "discover"]
