# SPDX-License-Identifier: MIT
"""A model of a core's pipes and buffers, for the lines that model/pto/pto-inst.hpp prints.

A pipe works through its instructions in order. That one is done is known to another pipe by a flag that was set
behind it and waited for, and to the same pipe by pipe_barrier. The products of the cube pipe that are added up in
one place need a barrier, too, where the sum has fewer than ten fractals of 16 x 16; larger ones take long enough
for the one before (CANN's matrix templates, which put it there, give that number).
"""

FRACTAL = 16 * 16 * 4
FRACTALS_IN_FLIGHT = 10


class Pipes:
    def __init__(self):
        self.issued, self.known, self.flags, self.tiles = {}, {}, {}, {}
        self.accesses = []  # (buffer, first byte, end, pipe, number, whether it writes, tile)
        self.problems = []

    def knows(self, pipe):
        return self.known.setdefault(pipe, {})

    def merge(self, pipe, facts):
        mine = self.knows(pipe)
        for other, number in facts.items():
            mine[other] = max(mine.get(other, 0), number)

    def place(self, operand):
        if operand.startswith("m"):
            return "memory", int(operand[1:]), int(operand[1:]) + 1
        return self.tiles.get(operand)

    def touch(self, pipe, instruction, operand, number):
        """One operand of an instruction: `r` or `w`, then the tile."""
        writes, tile = operand[0] == "w", operand[1:]
        if (place := self.place(tile)) is None:
            self.problems.append(f"{instruction} uses a tile without memory")
            return None
        buffer, first, end = place
        writer = None
        for where, low, high, of, earlier, written, name in self.accesses:
            if where != buffer or low >= end or first >= high:
                continue
            if written:
                writer = name
            if (written or writes) and self.knows(pipe).get(of, 0) < earlier:
                self.problems.append(f"{instruction} on {pipe} touches {buffer} {first} before {of} is done with it")
        if not writes and buffer != "memory" and writer != tile:
            self.problems.append(f"{instruction} reads {buffer} {first} where another tile is, or none")
        return buffer, first, end, pipe, number, writes, tile

    def instruction(self, pipe, name, operands):
        number = self.issued[pipe] = self.issued.get(pipe, 0) + 1
        if pipe == "M":
            _, first, end = self.place(operands[0][1:]) or ("", 0, 0)
            if end - first >= FRACTALS_IN_FLIGHT * FRACTAL:
                self.merge(pipe, {pipe: number - 1})
        touched = [self.touch(pipe, name, operand, number) for operand in operands]
        self.accesses += [access for access in touched if access]

    def set_flag(self, flag):
        if flag in self.flags:
            self.problems.append(f"flag {flag} is set twice")
        self.flags[flag] = {**self.knows(flag[0]), flag[0]: self.issued.get(flag[0], 0)}

    def wait_flag(self, flag):
        if flag not in self.flags:
            self.problems.append(f"flag {flag} is waited for and never set")
        self.merge(flag[1], self.flags.pop(flag, {}))

    def line(self, text):
        kind, *words = text.split()
        if kind == "tile":
            self.tiles[words[0]] = (words[1], int(words[2]), int(words[2]) + int(words[3]))
        elif kind == "do":
            self.instruction(words[0], words[1], words[2:])
        elif kind == "set":
            self.set_flag(tuple(words))
        elif kind == "wait":
            self.wait_flag(tuple(words))
        elif kind == "barrier":
            for pipe in self.issued if words[0] == "ALL" else words:
                self.merge(pipe, self.issued if words[0] == "ALL" else {pipe: self.issued.get(pipe, 0)})
        else:
            raise ValueError(text)


def problems_of(trace):
    """What is wrong with the order of one kernel's instructions."""
    pipes = Pipes()
    for line in trace:
        pipes.line(line)
    if pipes.flags:
        pipes.problems.append(f"flags never waited for: {sorted(pipes.flags)}")
    assert any(line.split()[2] == "TSTORE" for line in trace if line.startswith("do")), "no store was seen"
    return pipes.problems
