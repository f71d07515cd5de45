"""docs/workload.schema.json agrees with the reader: it accepts every good workload of this
repository and every one that breaks a rule of meaning only, and rejects errors of form."""
import json
import pathlib
import re

import jsonschema
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "tests" / "error"
SCHEMA = json.loads((ROOT / "docs" / "workload.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
GOOD = sorted({*ROOT.glob("examples/*/*.json"), *ROOT.glob("tests/golden/cases/*.json")})
# Form that JSON Schema cannot see or this one leaves to the reader: text that is not JSON or has a
# key twice, the syntax inside a view, relations between numbers, integers beyond 64 bits.
BEYOND_SCHEMA = re.compile(r"malformed|duplicate|bad_view|bad_schedule_(expression|remainder)|bad_init_order|wrong_type_integer_range")
# Rules of meaning that the schema knows as well.
IN_SCHEMA = {"empty_extent", "empty_program", "empty_body", "bad_name", "bad_name_channel"}


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def is_workload(path):
    return not path.name.endswith(".locations.json") and "ptowsp" in path.read_text(encoding="utf-8")


def cases(folder):
    return sorted(p for p in (HERE / folder).glob("*.json") if not p.name.endswith(".locations.json"))


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_there_are_files():
    assert GOOD and cases("form") and cases("rules")


@pytest.mark.parametrize("path", [p for p in GOOD if is_workload(p)], ids=str)
def test_accepts_good_workloads(path):
    VALIDATOR.validate(read(path))


@pytest.mark.parametrize("path", [p for p in cases("form") if not BEYOND_SCHEMA.match(p.stem)],
                         ids=lambda p: p.stem)
def test_rejects_errors_of_form(path):
    assert not VALIDATOR.is_valid(read(path))


@pytest.mark.parametrize("path", cases("rules") + cases("graph"), ids=lambda p: p.stem)
def test_leaves_meaning_to_verify(path):
    assert VALIDATOR.is_valid(read(path)) == (path.stem not in IN_SCHEMA)


def test_locations():
    validator = jsonschema.Draft202012Validator(
        {"$schema": SCHEMA["$schema"], "$defs": SCHEMA["$defs"], "$ref": "#/$defs/locations"})
    assert validator.is_valid(read(HERE / "rules" / "python_location.locations.json"))
    assert not validator.is_valid({"ptowsp_locations": 2, "files": [], "nodes": {}})
    assert not validator.is_valid({"ptowsp_locations": 1, "files": ["a.py"], "nodes": {"/a": [0]}})
