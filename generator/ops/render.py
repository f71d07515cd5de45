# SPDX-License-Identifier: MIT
"""Renders the op table: render.py OPS_JSON TEMPLATE OUTPUT [--check].

Writes OUTPUT only when its bytes change. With --check it writes nothing and fails when OUTPUT is
not what would be written.
"""
import json
import pathlib
import sys

import jinja2

KEYS = {"name", "form", "arity", "optional", "isa", "isa_dtypes", "doc", "reference", "max_ulp",
        "accuracy", "sim", "python", "dtypes", "sim_dtypes", "cycles", "core"}
FOLD = {1: {"fold", "identity", "finish"}}
# Besides, `integer` says what to do for i32 where that is another expression.
REFERENCE = {"elementwise": {1: {"unary"}, 2: {"binary"}}, "row_reduction": FOLD,
             "col_reduction": FOLD, "matmul": {2: set()}, "cast": {1: set()}, "constant": {0: set()},
             "store": {2: set()}}
# Besides, `cycles_number` is what a binary op costs with a number as an operand.
OPTIONAL = {"cycles_number"}
DTYPES = ["f32", "f16", "bf16", "i32"]


def checked(table):
    """The table, after the checks that a template cannot make."""
    names = set()
    for op in table["ops"]:
        where = f"ops.json: op {op.get('name')!r}"
        if set(op) - OPTIONAL != KEYS:
            sys.exit(f"{where}: keys missing or unknown: {sorted(set(op) - OPTIONAL ^ KEYS)}")
        for key in {"cycles", "cycles_number"} & set(op):
            if len(op[key]) != 3:
                sys.exit(f"{where}: {key} are of a start, a repeat and a row")
        if set(op["reference"]) - {"integer"} != REFERENCE.get(op["form"], {}).get(op["arity"]):
            sys.exit(f"{where}: reference does not fit form {op['form']!r}, arity {op['arity']}")
        for key, known in (("dtypes", DTYPES), ("sim_dtypes", op["dtypes"]),
                           ("isa_dtypes", op["dtypes"])):
            if op[key] != [name for name in known if name in op[key]]:
                sys.exit(f"{where}: {key} are of {known}, in that order")
        if op["name"] in names:
            sys.exit(f"{where}: listed twice")
        names.add(op["name"])
    return table


def main():
    arguments = [a for a in sys.argv[1:] if a != "--check"]
    check = len(arguments) != len(sys.argv) - 1
    if len(arguments) != 3:
        sys.exit(__doc__)
    source, template, output = map(pathlib.Path, arguments)
    environment = jinja2.Environment(
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
        undefined=jinja2.ChainableUndefined, loader=jinja2.FileSystemLoader(template.parent))
    environment.filters["quoted"] = json.dumps
    environment.filters["cell"] = lambda text: text.replace("*", "\\*").replace("|", "\\|")
    text = environment.get_template(template.name).render(
        table=checked(json.loads(source.read_text(encoding="utf-8"))),
        # What tests/python/test_accuracy.py measured, by op and dtype.
        accuracy=json.loads(source.with_name("accuracy.json").read_text(encoding="utf-8")),
        generated=f"Generated from {source.name} by {template.name}. Do not edit.")
    current = output.read_text(encoding="utf-8") if output.exists() else None
    if check and current != text:
        sys.exit(f"{output} is not what {source.name} and {template.name} say; "
                 "rewrite it with: cmake --build . --target ptowsp_update_docs")
    if not check and current != text:
        output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
