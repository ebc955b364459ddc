"""For all tests."""

import signal

from hypothesis import settings

# How long an example takes says how busy the machine is, not whether camkeep is right.
settings.register_profile("camkeep", deadline=None)
settings.load_profile("camkeep")

# A test run that was started in the background or by nohup ignores signals, and so would all
# that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
