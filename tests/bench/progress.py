# SPDX-License-Identifier: MIT
"""Long steps: a line with the time on a terminal as long as one takes, and one line in a log when it is over."""

import os
import sys
import threading
import time
from contextlib import contextmanager

STEPS = 5
_begun = 0


@contextmanager
def step(text: str):
    global _begun
    _begun += 1
    head, began, over = f"[{_begun}/{STEPS}] {text}", time.monotonic(), threading.Event()
    live = sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"

    def tell() -> None:
        while not over.wait(0.5):
            print(f"\r\033[K{head}, {time.monotonic() - began:.0f} s", end="", file=sys.stderr, flush=True)

    thread = threading.Thread(target=tell, daemon=True)
    if live:
        thread.start()
    try:
        yield
    finally:
        over.set()
        if live:
            thread.join()
            print("\r\033[K", end="", file=sys.stderr, flush=True)
    print(f"{head}: {time.monotonic() - began:.0f} s", flush=True)
