# SPDX-License-Identifier: MIT
"""The processes of a connect node, run as docs/ir.md says and independent of the generator: their
order, what happens before what, and the edges of channels. Everything is read off a list of events,
in which each token and each task has events of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field


class Deadlock(Exception):
    """No process can go on."""


class UnknownTokens(Exception):
    """How many tokens go through a channel follows from itself."""


def sends(nodes, channel, tokens_of):
    """How often `send` nodes of `channel` are reached in `nodes`."""
    total = 0
    for node in nodes:
        times = 1
        if "for" in node:
            times = node["extent"]
        elif "consume" in node:
            # What is consumed counts only where something is sent in there.
            inside = sends(node["body"], channel, tokens_of)
            total += inside and inside * tokens_of(node["consume"])
            continue
        total += times * sends(children(node), channel, tokens_of) + (node.get("send") == channel)
    return total


def children(node):
    for key in ("body", "sequential", "combine", "connect"):
        if key in node:
            return node[key]
    return []


def token_counts(workload):
    """Channel -> tokens in one run of its connect node."""
    known, asked = {}, []

    def tokens_of(channel):
        if channel in known:
            return known[channel]
        if channel in asked:
            raise UnknownTokens
        asked.append(channel)
        process = _sender(workload["program"], channel)
        known[channel] = sends(process["body"], channel, tokens_of)
        asked.pop()
        return known[channel]

    return {c["name"]: tokens_of(c["name"]) for c in workload.get("channels", [])}


def _sender(nodes, channel):
    for node in nodes:
        if channel in node.get("produces", []):
            return node
        found = _sender(children(node), channel)
        if found:
            return found
    return None


@dataclass
class Event:
    process: int
    kind: str  # task, room, send, taken, receive, release
    what: object  # the task's number, or the channel
    after: list = field(default_factory=list)  # events of other processes that come before


class Network:
    """One run. `depths`: channel -> depth. add_task(step) gives a task's number."""

    def __init__(self, depths, add_task):
        self.depths, self.add_task = depths, add_task
        self.events = []
        self.of = {channel: {kind: [] for kind in ("room", "send", "receive", "release")}
                   for channel in depths}

    def count(self, channel, kind):
        return len(self.of[channel][kind])

    def possible(self, kind, channel):
        if kind == "room":
            held = self.count(channel, "room") - self.count(channel, "release")
            return held < max(self.depths[channel], 1)
        if kind == "taken":
            return (self.depths[channel] > 0
                    or self.count(channel, "receive") == self.count(channel, "send"))
        if kind == "receive":
            return self.count(channel, "receive") < self.count(channel, "send")
        return True

    def run(self, processes):
        """`processes`: for each an iterator over steps, (kind, channel or what add_task takes)."""
        stopped = {number: next(steps, None) for number, steps in enumerate(processes)}
        while stopped:
            before = len(self.events)
            ended = []
            for number in list(stopped):
                self.turn(number, processes[number], stopped)
                if stopped[number] is None:
                    ended.append(number)
            for number in ended:
                del stopped[number]
            if len(self.events) == before and not ended:
                raise Deadlock

    def turn(self, number, steps, stopped):
        ran = False
        while stopped[number] is not None:
            kind, what = stopped[number]
            if (kind == "task" and ran) or (kind != "task" and not self.possible(kind, what)):
                return
            ran = ran or kind == "task"
            self.happen(number, kind, what)
            stopped[number] = next(steps, None)

    def happen(self, number, kind, what):
        event = Event(number, kind, self.add_task(what) if kind == "task" else what)
        token = None
        if kind in ("room", "send", "receive", "release"):
            token = self.count(what, kind)
            self.of[what][kind].append(len(self.events))
        if kind == "receive":
            event.after.append(self.of[what]["send"][token])
        if kind == "room" and token >= max(self.depths[what], 1):
            event.after.append(self.of[what]["release"][token - max(self.depths[what], 1)])
        self.events.append(event)

    def predecessors(self):
        """For each task the set, as bits, of tasks that happen before it."""
        last, before, found = {}, [], {}
        for number, event in enumerate(self.events):
            bits = 0
            own = [last[event.process]] if event.process in last else []
            for earlier in event.after + own:
                bits |= before[earlier]
                if self.events[earlier].kind == "task":
                    bits |= 1 << self.events[earlier].what
            before.append(bits)
            last[event.process] = number
            if event.kind == "task":
                found[event.what] = bits
        return found

    def edges(self):
        """Pairs of tasks that channels order."""
        return {(self.nearest_task(earlier, -1), self.nearest_task(number, 1))
                for number, event in enumerate(self.events) for earlier in event.after}

    def nearest_task(self, number, step):
        process = self.events[number].process
        while self.events[number].process != process or self.events[number].kind != "task":
            number += step
        return self.events[number].what
