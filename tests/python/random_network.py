# SPDX-License-Identifier: MIT
"""Random workloads with processes and channels: chains, fans, feedback, tokens in nested loops and in
the bodies of other tokens, depths from 0, tensors shared in all ways. Many are right, and many
race or deadlock; who asks finds out with the interpreter.
"""

from __future__ import annotations

import random

from interpreter import Interpreter
from network import UnknownTokens, children, token_counts
from random_view import ViewMaker
from workloads import kernel, loop, task, tensor, tile, workload

SHAPES = ((2, 3), (4, 4), (1, 6), (3, 2))


def all_kernels():
    """Name -> kernel. Results stay small, and depend on the order of writes."""
    kernels = []
    for r, c in SHAPES:
        y, s = tile("y", r, c, "out"), tile("s", r, c, "in")
        size = f"{r}x{c}"
        kernels += [
            kernel(f"copy_{size}", [s, y], "a = mul s 0.5", "b = add a 0.25", "store y b"),
            kernel(f"mix_{size}", [s, tile("y", r, c, "inout")], "a = mul y 0.5", "b = mul s 0.25",
                   "d = add a b", "store y d"),
            kernel(f"halo_{size}", [s, tile("h", r, c + 2, "in"), y], "m = rowmax h", "a = add s m",
                   "b = mul a 0.5", "store y b"),
            kernel(f"bump_{size}", [tile("y", r, c, "inout")], "a = mul y 0.75", "b = add a 0.5",
                   "store y b")]
    # On two cores, so that it becomes several tasks.
    kernels.append(kernel("cube_4x4", [tile("s", 4, 4, "in"), tile("y", 4, 4, "inout")],
                          "a = mul y 0.125", "b = matmul a s", "d = mul y 0.25", "e = add b d",
                          "store y e"))
    return {k["name"]: k for k in kernels}


KERNELS = all_kernels()


class NetworkMaker:
    def __init__(self, seed, most_tasks, two_cores):
        self.rng = random.Random(seed)
        self.most_tasks = most_tasks
        self.forms = ("copy", "mix", "halo", "bump", "cube")
        self.weights = (5, 2, 2, 1, 3 if two_cores else 0)
        self.variables = 0

    def variable(self):
        self.variables += 1
        return f"v{self.variables}"

    # The skeleton: loops, sends and consumes around places for tasks, which are {"fill": writer}.

    def fills(self, writer, channel=None):
        return [{"fill": writer, "channel": channel} for _ in range(self.rng.choice((1, 1, 1, 2)))]

    def send(self, channel):
        """A send node, perhaps in loops, perhaps with tasks before and after."""
        rng = self.rng
        nodes = [{"send": channel["name"], "body": self.work(channel["from"], channel)}]
        for _ in range(rng.choice((0, 1, 1, 2))):
            if rng.random() < 0.2:
                nodes.insert(rng.randint(0, 1), {"fill": channel["from"], "channel": None})
            nodes = [loop(rng.choice((1, 2, 2, 3, 4)), "sequential", *nodes,
                          variable=self.variable())]
        return nodes

    def work(self, writer, channel=None):
        """Tasks, perhaps in something parallel."""
        rng = self.rng
        nodes = self.fills(writer, channel)
        if rng.random() < 0.15:
            return [loop(rng.randint(1, 3), "parallel", *nodes, variable=self.variable())]
        if rng.random() < 0.1:
            return [{"combine": nodes}]
        return nodes

    def process(self, number, channels):
        rng = self.rng
        incoming = [c for c in channels if c["to"] == number]
        outgoing = [c for c in channels if c["from"] == number]
        body, bodies = [], []
        for channel in incoming:
            inside = self.work(number) if rng.random() < 0.8 else []
            # What a token is used for may be read from the tensor that its sender filled.
            for node in inside:
                node.setdefault("from", channel)
            bodies.append(inside)
            body.append({"consume": channel["name"], "as": self.variable(), "body": inside})
        for channel in outgoing:
            for _ in range(rng.choice((1, 1, 1, 1, 2))):
                nodes = self.send(channel)
                own = [b for b, c in zip(bodies, incoming) if c is not channel]
                target = rng.choice(own) if own and rng.random() < 0.7 else body
                at = rng.randint(0, len(target))
                target[at:at] = nodes
        for inside in bodies:
            if not inside:
                inside += self.work(number)
        if rng.random() < 0.3 or not body:
            body.insert(rng.randint(0, len(body)), *self.fills(number)[:1])
        return {"process": f"p{number}", "consumes": [c["name"] for c in incoming],
                "produces": [c["name"] for c in outgoing], "body": body}

    def channels(self, processes):
        rng = self.rng
        pairs = [(p, p + 1) for p in range(processes - 1) if rng.random() < 0.85]
        for _ in range(rng.choice((0, 0, 1, 1, 2))):
            pairs.append(rng.choice([(a, b) for a in range(processes) for b in range(processes)
                                     if a < b or rng.random() < 0.3]))
        rng.shuffle(pairs)
        return [{"name": f"c{i}", "depth": rng.choice((0, 1, 1, 2, 3)), "from": a, "to": b}
                for i, (a, b) in enumerate(pairs)]

    # Tensors and tasks.

    def tensors(self, processes, channels, tokens):
        rng = self.rng
        size = lambda: (rng.randint(4, 9), rng.randint(6, 10))
        made = [tensor("x", (9, 12), "input")]
        made += [tensor(f"own{p}", size(), "inout") for p in range(processes)]
        for channel in channels:
            channel["tensor"] = made_one = tensor(
                f"of_{channel['name']}", (max(tokens[channel["name"]], 1), *size()), "inout")
            made.append(made_one)
        return made

    def task(self, fill, loops):
        """`loops`: (variable, extent, parallel) of those around it."""
        rng = self.rng
        channel = fill.get("channel")
        for _ in range(20):
            rows, cols = rng.choice(SHAPES)
            form = rng.choices(self.forms, self.weights)[0]
            if form == "cube":
                rows = cols = 4
            target = self.by_name[f"own{fill['fill']}"] if fill["fill"] is not None else rng.choice(
                self.made[1:])
            if channel and rng.random() < 0.8:
                target = channel["tensor"]
            elif rng.random() < 0.1:
                target = rng.choice(self.made[1:])
            name = f"{form}_{rows}x{cols}"
            args = {"y": self.view(target, rows, cols, loops, True, channel)}
            for p in KERNELS[name]["params"]:
                if p["name"] not in args:
                    args[p["name"]] = self.view(self.source(fill), *p["tile"], loops, False,
                                                fill.get("from"))
            if None not in args.values() and not self.aliased(args):
                return task(name, **args)
        return task("bump_1x6", y=f"own{fill['fill'] or 0}[0, 0:6]")

    @staticmethod
    def aliased(args):
        """Whether tiles of one task may overlap: those of one tensor."""
        names = [view.split("[")[0] for view in args.values()]
        return names[0] in names[1:]

    def source(self, fill):
        rng = self.rng
        if fill.get("from") and rng.random() < 0.7:
            return fill["from"]["tensor"]
        if rng.random() < 0.75:
            return rng.choice((self.made[0], self.by_name[f"own{fill['fill'] or 0}"]))
        return rng.choice(self.made)

    def view(self, target, rows, cols, loops, disjoint, channel):
        """A tile; of a channel's own tensor mostly in the plane of the current token."""
        streamed = channel and target is channel["tensor"]
        sequential = [(v, n) for v, n, parallel in loops if not parallel]
        if not streamed or self.rng.random() < 0.15 or not sequential:
            maker = ViewMaker(self.rng, target, rows, cols, loops, disjoint)
            return maker.text() if maker.possible else None
        plane = {"name": target["name"], "shape": target["shape"][1:]}
        maker = ViewMaker(self.rng, plane, rows, cols, [l for l in loops if l[2]], disjoint)
        if not maker.possible:
            return None
        maker.rng = random.Random(0)
        index, reach = [], 1
        for variable, extent in reversed(sequential):
            if reach * extent > target["shape"][0]:
                break
            index.append(f"{reach}*{variable}")
            reach *= extent
        inside = [f"{maker.expression(d)}:{maker.expression(d, maker.blocks[d])}" for d in (0, 1)]
        return f"{target['name']}[{', '.join([' + '.join(index) or '0', *inside])}]"

    def filled(self, nodes, loops):
        result = []
        for node in nodes:
            if "fill" in node:
                result.append(self.task(node, loops))
                continue
            node = {key: value for key, value in node.items() if key not in ("from", "channel")}
            inner = list(loops)
            if "for" in node:
                inner.append((node["for"], node["extent"], node["mode"] == "parallel"))
            if "consume" in node:
                inner.append((node["as"], self.tokens[node["consume"]], False))
            for key in ("body", "sequential", "combine", "connect"):
                if key in node:
                    node[key] = self.filled(node[key], inner)
            result.append(node)
        return result

    # The whole.

    def make(self):
        rng = self.rng
        processes = rng.randint(2, 4)
        channels = self.channels(processes)
        skeleton = [{"connect": [self.process(p, channels) for p in range(processes)]}]
        if rng.random() < 0.15:
            mode = rng.choice(("sequential", "sequential", "parallel"))
            skeleton = [loop(2, mode, *skeleton, variable=self.variable())]
        if rng.random() < 0.3:
            skeleton.insert(rng.randint(0, 1), {"fill": None, "channel": None})
        public = [{"name": c["name"], "depth": c["depth"]} for c in channels]
        made = workload([], [], skeleton)
        made["channels"] = public
        try:
            self.tokens = token_counts(made)
        except UnknownTokens:
            self.tokens = dict.fromkeys((c["name"] for c in channels), 1)
        else:
            if self.count(skeleton) > self.most_tasks:
                return None
        self.made = made["tensors"] = self.tensors(processes, channels, self.tokens)
        self.by_name = {t["name"]: t for t in self.made}
        made["program"] = self.filled(skeleton, [])
        self.finish(made)
        return made

    def count(self, nodes):
        return sum(1 if "fill" in n else self.count(children(n)) * (
            n["extent"] if "for" in n else self.tokens[n["consume"]] if "consume" in n else 1)
                   for n in nodes)

    def finish(self, made):
        """Leaves out what nothing uses, and lets some tensors be written before they are read."""
        text = str(made["program"])
        made["kernels"] = [k for name, k in KERNELS.items() if f"'{name}'" in text]
        made["tensors"] = [t for t in made["tensors"] if f"'{t['name']}[" in text
                           or f"'{t['name']}'" in text]
        interpreter = Interpreter(made)
        if interpreter.check().rules():
            return
        for candidate in [t for t in made["tensors"] if t["role"] == "inout"][1:]:
            candidate["role"] = self.rng.choice(("inout", "temporary", "output"))
            if Interpreter(made).check().rules():
                candidate["role"] = "inout"


def generate_network(seed, most_tasks=120, two_cores=False):
    """A workload for `seed`, with `two_cores` also of kernels that are split by core."""
    attempt = 0
    while True:
        made = NetworkMaker(seed + attempt * 1_000_003, most_tasks, two_cores).make()
        if made:
            return made
        attempt += 1
