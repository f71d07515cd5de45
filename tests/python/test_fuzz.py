# SPDX-License-Identifier: MIT
"""No input crashes ptowsp-gen: exit status 0 or 1, in time, with a message that names the place."""

import json
import random
import re
import subprocess
import tempfile

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from conftest import count
from random_workload import generate
from seed import NIGHTLY, SEED
from toolchain import generator
from workloads import loop, negation, task

SECONDS = 10.0
COMMANDS = (["check"], ["print"], ["graph", "--format", "json"], ["list"])


def expect_no_crash(folder, data: bytes, command):
    path = folder / "fuzz.json"
    path.write_bytes(data)
    arguments = [*command, path]
    if command == ["eval"] or command == ["emit"]:
        arguments += ["-o", folder / "out"] + (["--name", "w"] if command == ["emit"] else [])
    try:
        done = generator(*arguments, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        keep(data, f"{command}: no end within {SECONDS} s")
    if done.returncode not in (0, 1) or "internal error" in done.stderr:
        keep(data, f"{command}: exit {done.returncode}\n{done.stderr[-2000:]}")
    if done.returncode == 1 and not re.search(r"error: .+", done.stderr):
        keep(data, f"{command}: exit 1 without a message\n{done.stderr[-2000:]}")


def keep(data, message):
    with tempfile.NamedTemporaryFile(prefix="ptowsp_fuzz_", suffix=".json", delete=False) as file:
        file.write(data)
    pytest.fail(f"{message}\ninput: {file.name}", pytrace=False)


def any_command(rng):
    return rng.choice([*COMMANDS, ["eval"], ["emit"]])


def test_mutated_bytes(cases):
    rng = random.Random(f"{SEED}/bytes")
    bases = [json.dumps(generate(seed, cases.folder, max_tasks=30))
             for seed in cases.seeds(count(15, 200))]
    for _ in range(count(150, 4000)):
        text = bytearray(rng.choice(bases).encode())
        for _ in range(rng.choice((1, 1, 2, 5, 20))):
            at = rng.randrange(len(text))
            kind = rng.choice(("change", "delete", "insert", "cut", "repeat"))
            if kind == "change":
                text[at] = rng.choice((rng.randrange(256), *b'0919-{}[]",:.eE\\'))
            elif kind == "delete":
                del text[at : at + rng.choice((1, 3, 40))]
            elif kind == "insert":
                text[at:at] = rng.choice((b"0", b"9999999999999999999", b"-", b"1e999", b"null",
                                          b"\xff\xfe", b"\\ud800",
                                          b'"', b"[" * 50, b"\0", b"//", "ü".encode()))
            elif kind == "cut":
                del text[at:]
            else:
                text[at:at] = text[at : at + 30]
            if not text:
                text = bytearray(b" ")
        expect_no_crash(cases.folder, bytes(text), any_command(rng))


def places(tree):
    """Every (container, key) of a JSON tree."""
    items = ()
    if isinstance(tree, dict):
        items = tree.items()
    elif isinstance(tree, list):
        items = enumerate(tree)
    for key, value in items:
        yield tree, key
        yield from places(value)


HOSTILE = [
    None, True, False, 0, -1, 1, 2**31, 2**62, 2**63 - 1, -(2**63), 2**63, 2**200, 0.5, 1e308,
    -1e-320,
    "", " ", "x" * 10000, "x[", "x[i", "x[9223372036854775807*i:9223372036854775808]", "x[i*i]",
    "x[:][:][:][:][:][:][:]", "x[((((((i))))))]", "é", "\u0000", "class", "int", "/program",
    "%s%n",
    "../../../etc/passwd", [], {}, [[]], {"": ""}, [1, 2, 3], {"npy": "missing.npy"}, {"npy": "/"},
    {"uniform": [1, 0]}, {"constant": 1e39}, "f16", "i32", "combine", "parallel", [0, 0],
    [2**31, 2**31], [2**40, 2**40], [1] * 9]
MISNAMED = ("nmae", "extra", "for", "task", "combine", "send", "name")


def test_mutated_trees(cases):
    rng = random.Random(f"{SEED}/trees")
    bases = [json.dumps(generate(seed, cases.folder, max_tasks=30))
             for seed in cases.seeds(count(15, 200))]
    for _ in range(count(300, 8000)):
        workload = json.loads(rng.choice(bases))
        for _ in range(rng.choice((1, 1, 2, 4))):
            found = list(places(workload))
            if not found:
                break
            container, key = rng.choice(found)
            kind = rng.choice(("delete", "replace", "replace", "copy", "rename", "wrap"))
            if kind == "delete":
                del container[key]
            elif kind == "replace":
                container[key] = rng.choice(HOSTILE)
            elif kind == "copy":
                other, other_key = rng.choice(found)
                container[key] = json.loads(json.dumps(other[other_key]))
            elif kind == "rename" and isinstance(container, dict):
                container[rng.choice(MISNAMED)] = container.pop(key)
            else:
                container[key] = [container[key], container[key]]
        expect_no_crash(cases.folder, json.dumps(workload).encode(), any_command(rng))


def loops(depth, extent):
    node = task("negate", x="x")
    for d in range(depth):
        node = loop(extent, "sequential", node, variable=f"i{d}")
    return [node]


def small(program, shape=(1, 1)):
    return json.dumps(negation(shape, shape, program)).encode()


HUGE = {
    "tasks beyond 32 bits": small(loops(4, 100000)),
    "tasks beyond 64 bits": small(loops(40, 1000)),
    "an extent near 64 bits": small(loops(1, 2**62)),
    "2^64 tasks": small(loops(64, 2)),
    "elements beyond 32 bits": small(loops(1, 1), (2**31, 2**31)),
    "a terabyte": small(loops(1, 1), (2**20, 2**20)),
    "elements beyond 64 bits": small(loops(1, 1), (2**62, 4)),
    "deep loops": small(loops(300, 1)),
    "deep lists": small([])[:-2] + b'{"sequential": [' * 3000 + b"]}" * 3000 + b"]}",
    "deep parentheses": small([task("negate", x="x[" + "(" * 5000 + "0" + ")" * 5000 + "]")]),
    "nothing to do": small([]),
    "empty loops": small(loops(1, 0) * 2000),
    "open arrays": b"[" * 100000,
    "open objects": b'{"a":' * 100000,
    "no byte": b"",
    "byte order mark": b"\xef\xbb\xbf{}",
    "object": b"{}",
    "array": b"[]",
    "number": b"0",
    "open string": b'"',
    "zeros": b"\x00" * 100,
    "long number": b"1" * 100000,
    "long space": b'{"ptowsp":1' + b" " * 1000000,
    "long string": b'"' + b"\\u0041" * 100000,
}


@pytest.mark.parametrize("name", HUGE)
def test_huge_but_small_to_write(cases, name):
    """Counts that overflow or could never be held are refused, not tried."""
    for command in (*COMMANDS, ["eval"], ["emit"], ["graph", "--format", "dot"]):
        expect_no_crash(cases.folder, HUGE[name], command)


KEYS = ("ptowsp", "name", "tensors", "kernels", "program", "for", "task", "args", "body", "tile",
        "shape", "schedule")
LEAVES = (st.none() | st.booleans() | st.integers() | st.text(max_size=12)
          | st.floats(allow_nan=False, allow_infinity=False))
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
    st.sampled_from(KEYS) | st.text(max_size=5), inner, max_size=5), max_leaves=20)


@seed(SEED)
@settings(max_examples=2000 if NIGHTLY else 80, deadline=None, database=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.binary(max_size=200) | JSON.map(lambda v: json.dumps(v).encode())
       | st.text(alphabet='{}[]",:0123456789.eE-tfn\\ u', max_size=80).map(str.encode))
def test_anything(tmp_path, data):
    expect_no_crash(tmp_path, data, ["check"])


@seed(SEED)
@settings(max_examples=1000 if NIGHTLY else 60, deadline=None, database=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(view=st.text(alphabet="xy[]:,ij0123456789+-*() /%", max_size=40))
def test_any_view(tmp_path, view):
    workload = negation([4, 4], (1, 1), [loop(2, "sequential", task("negate", x=view))])
    expect_no_crash(tmp_path, json.dumps(workload).encode(), ["check"])
