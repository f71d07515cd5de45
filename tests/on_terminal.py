# SPDX-License-Identifier: MIT
"""For tests of what programs do on a terminal only."""

import os
import pty


def on_a_terminal(*command, **variables):
    """What a command writes to a terminal, and its exit code."""
    environment = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TERM")}
    pid, descriptor = pty.fork()
    if pid == 0:
        os.execve(command[0], [str(part) for part in command], {**environment, "TERM": "xterm", **variables})
    written = b""
    try:
        while part := os.read(descriptor, 4096):
            written += part
    except OSError:  # the other side has closed it
        pass
    os.close(descriptor)
    return written.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
