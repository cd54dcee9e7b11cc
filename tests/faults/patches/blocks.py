"""A process whose event loop stands still for 3 s at every SIGUSR1, as under a page that computes too long."""

import signal
import time

BLOCKED = 3.0  # s

signal.signal(signal.SIGUSR1, lambda *_: time.sleep(BLOCKED))
