"""No input crashes ptowsp-gen: exit status 0 or 1, in time, with a message that names the place."""

import json
import random
import re
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import NIGHTLY, SEED, count
from random_workload import generate
from toolchain import generator

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
    import tempfile
    with tempfile.NamedTemporaryFile(prefix="ptowsp_fuzz_", suffix=".json", delete=False) as file:
        file.write(data)
    pytest.fail(f"{message}\ninput: {file.name}", pytrace=False)


def any_command(rng):
    return rng.choice([*COMMANDS, ["eval"], ["emit"]])


def test_mutated_bytes(cases):
    rng = random.Random(f"{SEED}/bytes")
    bases = [json.dumps(generate(seed, cases.folder, max_tasks=30)) for seed in cases.seeds(count(15, 200))]
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
                text[at:at] = rng.choice((b"0", b"9999999999999999999", b"-", b"1e999", b"null", b"\xff\xfe", b"\\ud800",
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
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        yield tree, key
        yield from places(value)


HOSTILE = [None, True, False, 0, -1, 1, 2**31, 2**62, 2**63 - 1, -(2**63), 2**63, 2**200, 0.5, 1e308, -1e-320, "", " ",
           "x" * 10000, "x[", "x[i", "x[9223372036854775807*i:9223372036854775808]", "x[i*i]", "x[:][:][:][:][:][:][:]",
           "x[((((((i))))))]", "é", "\u0000", "class", "int", "/program", "%s%n", "../../../etc/passwd", [], {}, [[]],
           {"": ""}, [1, 2, 3], {"npy": "missing.npy"}, {"npy": "/"}, {"uniform": [1, 0]}, {"constant": 1e39}, "f16", "i32",
           "combine", "parallel", [0, 0], [2**31, 2**31], [2**40, 2**40], [1] * 9]


def test_mutated_trees(cases):
    rng = random.Random(f"{SEED}/trees")
    bases = [json.dumps(generate(seed, cases.folder, max_tasks=30)) for seed in cases.seeds(count(15, 200))]
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
                container[key] = json.loads(json.dumps(other[other_key])) if other_key in other or isinstance(
                    other, list) and other_key < len(other) else None
            elif kind == "rename" and isinstance(container, dict):
                container[rng.choice(("nmae", "extra", "for", "task", "combine", "send", "name"))] = container.pop(key)
            else:
                container[key] = [container[key], container[key]]
        expect_no_crash(cases.folder, json.dumps(workload).encode(), any_command(rng))


def test_huge_but_small_to_write(cases):
    """Counts that overflow or could never be held must be refused, not tried."""
    def loops(depth, extent, task=True):
        node = {"task": "k", "args": {"x": "x"}}
        for d in range(depth):
            node = {"for": f"i{d}", "extent": extent, "mode": "sequential", "body": [node]}
        return node
    def program(body, shape=(1, 1), tile=(1, 1)):
        return {"ptowsp": 1, "name": "w", "tensors": [{"name": "x", "dtype": "f32", "shape": list(shape), "role": "inout"}],
                "kernels": [{"name": "k", "params": [{"name": "x", "tile": list(tile), "dtype": "f32", "access": "inout"}],
                             "body": [{"op": "neg", "args": ["x"], "result": "y"}, {"op": "store", "args": ["x", "y"]}]}],
                "program": body}
    nested_text = json.dumps(program([]))[:-2] + '{"sequential": [' * 3000 + "]}" * 3000 + "]}"
    deep_view = program([{"task": "k", "args": {"x": "x[" + "(" * 5000 + "0" + ")" * 5000 + "]"}}])
    for workload in (program([loops(4, 100000)]), program([loops(40, 1000)]), program([loops(1, 2**62)]),
                     program([loops(64, 2)]), program([loops(1, 1)], (2**31, 2**31), (2**31, 2**31)),
                     program([loops(1, 1)], (2**20, 2**20), (2**20, 2**20)), program([loops(300, 1)]),
                     nested_text, deep_view, program([]), program([loops(0, 1)] * 2000),
                     program([loops(1, 1)], (2**62, 4), (2**62, 4))):
        data = (workload if isinstance(workload, str) else json.dumps(workload)).encode()
        for command in (["check"], ["print"], ["list"], ["eval"], ["emit"], ["graph", "--format", "dot"]):
            expect_no_crash(cases.folder, data, command)
    for data in (b"[" * 100000, b'{"a":' * 100000, b"", b"\xef\xbb\xbf{}", b"{}", b"[]", b"0", b'"', b"\x00" * 100,
                 b"1" * 100000, b'{"ptowsp":1' + b" " * 1000000, b'"' + b"\\u0041" * 100000):
        for command in (["check"], ["print"], ["list"]):
            expect_no_crash(cases.folder, data, command)


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
                    | st.text(max_size=12), lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
                        st.sampled_from(["ptowsp", "name", "tensors", "kernels", "program", "for", "task", "args", "body",
                                         "tile", "shape", "schedule"]) | st.text(max_size=5), inner, max_size=5),
                    max_leaves=20)


@settings(max_examples=2000 if NIGHTLY else 80, deadline=None, database=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.binary(max_size=200) | JSON.map(lambda v: json.dumps(v).encode())
       | st.text(alphabet='{}[]",:0123456789.eE-tfn\\ u', max_size=80).map(str.encode))
def test_anything(tmp_path, data):
    expect_no_crash(tmp_path, data, ["check"])


@settings(max_examples=1000 if NIGHTLY else 60, deadline=None, database=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(view=st.text(alphabet="xy[]:,ij0123456789+-*() /%", max_size=40))
def test_any_view(tmp_path, view):
    workload = {"ptowsp": 1, "name": "w", "tensors": [{"name": "x", "dtype": "f32", "shape": [4, 4], "role": "inout"}],
                "kernels": [{"name": "k", "params": [{"name": "x", "tile": [1, 1], "dtype": "f32", "access": "inout"}],
                             "body": [{"op": "neg", "args": ["x"], "result": "y"}, {"op": "store", "args": ["x", "y"]}]}],
                "program": [{"for": "i", "extent": 2, "mode": "sequential", "body": [{"task": "k", "args": {"x": view}}]}]}
    expect_no_crash(tmp_path, json.dumps(workload).encode(), ["check"])
