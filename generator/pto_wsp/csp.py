"""Channels and processes. The names are here; this version refuses to build with them."""
from __future__ import annotations

from pto_wsp.errors import unsupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

__all__ = ["Channel", "process", "send", "try_send", "consume", "connect", "replicate"]

_INSTEAD = "order tasks by the tiles they touch, or by sequential loops"


class Channel:
    """A queue of tokens between processes: `Channel("ab", depth=2)`. Not supported yet."""

    def __init__(self, name: str, depth: int = 1) -> None:
        unsupported(f"channel '{name}'", _INSTEAD)


def process(name: str) -> NoReturn:
    """A sequence of tasks beside others. Not supported yet."""
    unsupported(f"process '{name}'", _INSTEAD)


def send(channel: Any, workload: Any = None) -> NoReturn:
    """A token into a channel, after a task. Not supported yet."""
    unsupported("send", _INSTEAD)


def try_send(channel: Any, workload: Any = None) -> NoReturn:
    """A token into a channel that has room. Not supported yet."""
    unsupported("try_send", _INSTEAD)


def consume(channel: Any, fn: Any) -> NoReturn:
    """A body for each token of a channel. Not supported yet."""
    unsupported("consume", _INSTEAD)


def connect(processes: Any, channels: Any) -> NoReturn:
    """Processes and channels, as a workload. Not supported yet."""
    unsupported("connect", _INSTEAD)


def replicate(count: int, process: Any) -> NoReturn:
    """A process several times. Not supported yet."""
    unsupported("replicate", _INSTEAD)
