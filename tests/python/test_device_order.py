# SPDX-License-Identifier: MIT
"""Kernels for the device on a model of its pipes, which PTO-ISA's CPU simulator has not: every access to
the unified buffer is ordered after those it must not overtake, and reads what was meant for it.

A pipe works through its instructions in order; that one is done is known to the same pipe by
pipe_barrier, and to another by a flag that was set behind it and waited for.
"""

import re

import pytest

from random_workload import generate
from toolchain import expect_success, generator

SIZES = {"float": 4, "half": 2, "bfloat16_t": 2, "int32_t": 4}
# The third operand is space to work in.
WITH_WORK = {"TROWSUM", "TROWMAX", "TROWMIN", "columnSums"}
STATEMENT = re.compile(r"^  (?:(?:pto|ptowsp)::)?(\w+)(?:<.*>)?\((.*)\);$")
TILE = re.compile(r"^  ptowsp::VectorTile<(\w+), (\d+), (\d+)> (\w+);$")


class Pipes:
    def __init__(self):
        self.issued, self.known, self.flags = {}, {}, {}
        self.accesses = []  # of the unified buffer: (first byte, end, pipe, number, writes, tile)
        self.tiles, self.addresses = {}, {}
        self.problems = []

    def knows(self, pipe):
        return self.known.setdefault(pipe, {})

    def merge(self, pipe, facts):
        mine = self.knows(pipe)
        for other, number in facts.items():
            mine[other] = max(mine.get(other, 0), number)

    def instruction(self, pipe, reads, writes):
        number = self.issued[pipe] = self.issued.get(pipe, 0) + 1
        new = []
        for tile, is_write in [(t, False) for t in reads] + [(t, True) for t in writes]:
            if tile not in self.addresses:
                self.problems.append(f"{tile} has no address")
                continue
            first = self.addresses[tile]
            end = first + self.tiles[tile]
            last_writer = None
            for low, high, of, earlier, written, name in self.accesses:
                if low >= end or first >= high:
                    continue
                if written:
                    last_writer = name
                if (written or is_write) and self.knows(pipe).get(of, 0) < earlier:
                    self.problems.append(f"{pipe} touches {tile} before {of} is done with {name}")
            if not is_write and last_writer != tile:
                self.problems.append(f"{pipe} reads {tile} where {last_writer} is")
            new.append((first, end, pipe, number, is_write, tile))
        self.accesses += new

    def line(self, text):
        tile = TILE.match(text)
        if tile:
            row = -(-int(tile[3]) * SIZES[tile[1]] // 32) * 32
            self.tiles[tile[4]] = int(tile[2]) * row
            return
        match = STATEMENT.match(text)
        if not match:
            return
        name, operands = match[1], [o.strip() for o in match[2].split(",")]
        if name == "TASSIGN":
            self.addresses[operands[0]] = int(operands[1], 0)
        elif name == "set_flag":
            if tuple(operands) in self.flags:
                self.problems.append(f"flag {operands} is set twice")
            of = operands[0]
            self.flags[tuple(operands)] = {**self.knows(of), of: self.issued.get(of, 0)}
        elif name == "wait_flag":
            if tuple(operands) not in self.flags:
                self.problems.append(f"flag {operands} is never set")
            self.merge(operands[1], self.flags.pop(tuple(operands), {}))
        elif name == "pipe_barrier":
            self.merge(operands[0], {operands[0]: self.issued.get(operands[0], 0)})
        elif name == "TLOAD":
            self.instruction("PIPE_MTE2", [], operands[:1])
        elif name == "TSTORE":
            self.instruction("PIPE_MTE3", operands[1:], [])
        elif name.startswith("T") or name in WITH_WORK:
            tiles = [o for o in operands if o in self.tiles]
            work = tiles[2:] if name in WITH_WORK else []
            self.instruction("PIPE_V", [t for t in tiles[1:] if t not in work], tiles[:1] + work)


def problems_of(text):
    pipes = Pipes()
    for line in text.splitlines():
        pipes.line(line)
    if pipes.flags:
        pipes.problems.append(f"flags never waited for: {sorted(pipes.flags)}")
    assert pipes.issued.get("PIPE_MTE3"), "no store was seen"
    return pipes.problems


def kernels(cases, number):
    texts = []
    for seed in cases.seeds(number):
        folder = cases.folder / str(seed)
        folder.mkdir()
        file = cases.write(generate(seed, cases.folder, max_tasks=8))
        expect_success(generator("emit", file, "-o", folder, "--name", "w", "--platform", "a2a3"))
        texts += [source.read_text() for source in sorted(folder.glob("kernels/aiv/*.cpp"))]
    return texts


def test_pipes_are_ordered(cases):
    texts = kernels(cases, 60)
    assert len(texts) > 60
    for text in texts:
        assert problems_of(text) == [], text


@pytest.mark.parametrize("left_out", ["pipe_barrier(PIPE_V)", "wait_flag(PIPE_MTE2, PIPE_V",
                                      "set_flag(PIPE_V, PIPE_MTE3", "wait_flag(PIPE_MTE3, PIPE_V",
                                      "wait_flag(PIPE_V, PIPE_MTE2"])
def test_a_missing_flag_is_noticed(cases, left_out):
    found = missed = 0
    for text in kernels(cases, 40):
        lines = text.splitlines()
        for i, line in enumerate(lines):
            if left_out in line:
                found += 1
                missed += not problems_of("\n".join(lines[:i] + lines[i + 1:]))
    assert found > 0
    # Some barriers are between instructions that have nothing to do with each other.
    assert missed == 0 or (left_out.startswith("pipe_barrier") and missed < found)
