# SPDX-License-Identifier: MIT
"""Processes and channels: sequences of tasks beside one another, ordered by tokens.

    ab, bc = Channel("ab", depth=2), Channel("bc", depth=2)
    loader = process("loader").produces(ab).body(
        for_each(tiles, lambda t: send(ab, task(load, [t], {"src": X[t], "dst": A[t]}))))
    square = process("square").consumes(ab).produces(bc).body(
        consume(ab, lambda t: send(bc, task(sq, [t], {"src": A[t], "dst": B[t]}))))
    storer = process("storer").consumes(bc).body(
        consume(bc, lambda t: task(store, [t], {"src": B[t], "dst": Y[t]})))
    program = connect([loader, square, storer], [ab, bc]).compile(target="pto_runtime_a2a3sim")

Channels order tasks; data live in tensors. docs/ir.md says what happens before what.
"""
from __future__ import annotations

from pto_wsp._affine import Affine
from pto_wsp._nodes import Connect, Consume, ProcessNode, Send, collect
from pto_wsp.builder import Workload, make_workload, nodes_of
from pto_wsp.errors import fail, here, unsupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, NoReturn, Sequence

__all__ = ["Channel", "Process", "ProcessBuilder", "process", "send", "try_send", "consume",
           "connect", "replicate"]


# The symbol of every workload with channels that is the latency of those for which none is given.
LATENCY_SYMBOL = "__pto_wsp_channel_latency_cycles"


class Channel:
    """Joins two processes: `Channel("ab", depth=2)`.

    depth: how many tokens have room, from send to the end of the body that consumes them; 0 is a
    rendezvous, whose sender goes on when its token is received. latency: cycles from send to when
    the token is there, for `total_cycles`; not given: that of the program, 0 unless
    `program.set_symbol_u64(LATENCY_SYMBOL, cycles)` says another.
    """

    def __init__(self, name: str, depth: int = 1, latency: int | None = None) -> None:
        if not isinstance(name, str) or not name:
            fail("bad-name", f"a channel's name is a string, found {name!r}",
                 'write Channel("ab", depth=2)')
        for what, number in (("depth", depth), ("latency", 0 if latency is None else latency)):
            if isinstance(number, bool) or not isinstance(number, int) or number < 0:
                fail("bad-channel", f"the {what} of channel '{name}' is an integer of at least 0, "
                     f"found {number!r}")
        self.name = name
        self.depth = depth
        self.latency = latency
        self.site = here()

    def __class_getitem__(cls, item: Any) -> type[Channel]:
        """Channel[Tensor], as PTO-WSP has it: what tokens stand for needs no type here."""
        return cls

    def __repr__(self) -> str:
        return f"Channel({self.name!r}, depth={self.depth})"


class Process:
    """A process with its body, for connect()."""

    def __init__(self, node: ProcessNode) -> None:
        self.node = node
        self.name = node.name

    def __repr__(self) -> str:
        return f"<process {self.name}>"


class ProcessBuilder:
    """What process(name) gives: name the channels, then give the body."""

    def __init__(self, name: str) -> None:
        if not isinstance(name, str) or not name:
            fail("bad-name", f"a process's name is a string, found {name!r}",
                 'write process("loader")')
        self._node = ProcessNode(name, here())

    def consumes(self, *channels: Channel) -> ProcessBuilder:
        """The channels that the process consumes."""
        return self._with("consumes", channels)

    def produces(self, *channels: Channel) -> ProcessBuilder:
        """The channels that the process sends to."""
        return self._with("produces", channels)

    def _with(self, what: str, channels: Sequence[Any]) -> ProcessBuilder:
        for item in channels:
            _check_channel(item, f"process '{self._node.name}' {what}")
        other = ProcessBuilder(self._node.name)
        other._node = self._node.copy()
        getattr(other._node, what).extend(channels)
        return other

    def body(self, *workloads: Any) -> Process:
        """What the process does, in order: workloads, or a function that calls kernels."""
        node = self._node.copy()
        if len(workloads) == 1 and not isinstance(workloads[0], Workload) and \
                hasattr(workloads[0], "__code__"):
            node.body = collect(workloads[0], ())
        else:
            node.body = nodes_of(workloads, f"the body of process '{node.name}'")
        if not node.body:
            fail("empty-body", f"process '{node.name}' has no task", "give task(...) to body()")
        return Process(node)

    def __repr__(self) -> str:
        return f"<process {self._node.name}, without a body>"


def process(name: str) -> ProcessBuilder:
    """A process: `process("square").consumes(ab).produces(bc).body(consume(ab, ...))`."""
    return ProcessBuilder(name)


def send(channel: Channel, *workloads: Any) -> Workload:
    """Waits for room in the channel, runs the workloads, then sends a token:
    `send(ab, task(load, [t], {...}))`."""
    _check_channel(channel, "send()")
    body = nodes_of(workloads, "send()")
    if not body:
        fail("empty-body", f"send() into channel '{channel.name}' has no task",
             "a token comes after tasks: write send(channel, task(...))")
    return make_workload([Send(channel, body, here())], "send")


def consume(channel: Channel, fn: Callable[[Any], Any]) -> Workload:
    """The body `fn(t)` for each token of the channel; t is the token's index, 0, 1, 2, …"""
    _check_channel(channel, "consume()")
    if not callable(fn):
        fail("bad-program", f"the body of consume() is a function of the token's index, found "
             f"{type(fn).__name__}", "write lambda t: task(...)")
    code = getattr(fn, "__code__", None)
    hint = code.co_varnames[0] if code and code.co_argcount else "t"
    loop = Consume(channel, hint, here())
    loop.body.extend(collect(fn, [Affine(0, {loop: 1})]))
    return make_workload([loop], "consume")


def connect(processes: Sequence[Process], channels: Sequence[Channel] | None = None) -> Workload:
    """Processes beside one another. channels: all that they use; left out, it is those."""
    nodes = []
    for item in _sequence(processes, "connect() takes a list of processes"):
        if isinstance(item, ProcessBuilder):
            fail("bad-program", f"process '{item._node.name}' has no body",
                 "end it with .body(...)", item._node.site)
        if not isinstance(item, Process):
            fail("bad-program", f"connect() takes processes, found {type(item).__name__}",
                 'write connect([process("a").body(...), ...], [channels])')
        nodes.append(item.node)
    if not nodes:
        fail("empty-body", "connect() has no process", "list the processes")
    used = list(dict.fromkeys(c for node in nodes for c in (*node.consumes, *node.produces)))
    if channels is not None:
        listed = _sequence(channels, "connect() takes a list of channels")
        for item in listed:
            _check_channel(item, "connect()")
        for node in nodes:
            for channel in (*node.consumes, *node.produces):
                if channel not in listed:
                    fail("channel-ends", f"process '{node.name}' uses channel '{channel.name}', which "
                         "connect() does not list", f"write connect([...], [..., {channel.name}])")
        used = list(dict.fromkeys(listed))
    return make_workload([Connect(nodes, used, here())], "connect")


def replicate(process: Process | Callable[[int], Process], count: int) -> list[Process]:
    """Processes 0 to count - 1, a list for connect(): `replicate(lambda i: process(f"w{i}")..., 4)`.

    A channel has one process at each end, so each copy has channels of its own, which the function
    gives it. A process without channels may be given as it is."""
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        fail("bad-program", f"replicate() makes at least 1 process, found {count!r}",
             "write replicate(lambda i: process(...), 4)")
    if isinstance(process, Process):
        node = process.node
        if node.consumes or node.produces:
            name = (node.consumes + node.produces)[0].name
            fail("channel-ends", f"replicate() of process '{node.name}', which uses channel '{name}': "
                 "a channel has one process at each end",
                 "give a function, and each copy channels of its own: replicate(lambda i: "
                 f'process("{node.name}").consumes(channels[i])..., {count})')
        return [process] * count
    if isinstance(process, ProcessBuilder) or not callable(process):
        fail("bad-program", "replicate() takes a process with a body, or a function that gives one, "
             f"found {process!r}", "write replicate(lambda i: process(...).body(...), 4)")
    copies = [process(i) for i in range(count)]
    for copy in copies:
        if not isinstance(copy, Process):
            fail("bad-program", f"the function of replicate() gave {copy!r}",
                 "return process(...).body(...)")
    return copies


def try_send(channel: Any, workload: Any = None) -> NoReturn:
    """A token into a channel that has room at run time: not supported yet."""
    unsupported("try_send", "use send, which waits for room")


def _check_channel(item: Any, what: str) -> None:
    if not isinstance(item, Channel):
        fail("bad-program", f"{what} takes a channel, found {type(item).__name__}",
             'write Channel("ab", depth=2)')


def _sequence(items: Any, what: str) -> list[Any]:
    if not isinstance(items, (list, tuple)):
        fail("bad-program", f"{what}, found {type(items).__name__}",
             "write connect([loader, storer], [ab])")
    flat: list[Any] = []
    for item in items:
        flat += item if isinstance(item, list) else [item]  # what replicate() gave
    return flat
