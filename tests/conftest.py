"""For all tests."""

import signal

# A test run that was started in the background or by nohup ignores signals, and so would all
# that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
