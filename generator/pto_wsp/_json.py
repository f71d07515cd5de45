# SPDX-License-Identifier: MIT
"""JSON as workload files have it: small things on one line, the same bytes every time.

`import json` costs more time than tracing does; reading is json's.
"""
from __future__ import annotations

try:
    from _json import encode_basestring_ascii as quoted
except ImportError:  # an interpreter without json's accelerator
    from json.encoder import encode_basestring_ascii as quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_WIDTH = 100


def line(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, str):
        return quoted(value)
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return float.__repr__(value)  # numpy's own is "np.float64(0.5)"
    if hasattr(value, "item"):
        return line(value.item())
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(key)}: {line(item)}" for key, item in value.items()) + "}"
    return "[" + ", ".join(map(line, value)) + "]"


def text(value: Any, indent: int = 0) -> str:
    """A value over as many lines as it needs: what fits into one stays on one."""
    if not isinstance(value, (dict, list, tuple)) or not value:
        return line(value)
    if _small(value):
        short = line(value)
        if len(short) + indent < _WIDTH:
            return short
    inner = indent + 2
    pad = " " * inner
    if isinstance(value, dict):
        items = [f"{quoted(key)}: {text(item, inner)}" for key, item in value.items()]
        left, right = "{", "}"
    else:
        items = [text(item, inner) for item in value]
        left, right = "[", "]"
    return f"{left}\n{pad}" + f",\n{pad}".join(items) + f"\n{' ' * indent}{right}"


def _small(value: Any) -> bool:
    # Whether it is worth trying one line: what holds a list of objects never is.
    items = value.values() if isinstance(value, dict) else value
    if any(isinstance(item, dict) for item in items) and not isinstance(value, dict):
        return False
    return len(value) <= 24 and all(_small(item) for item in items
                                    if isinstance(item, (dict, list, tuple)))
