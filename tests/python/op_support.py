# SPDX-License-Identifier: MIT
"""What the tests take from the op table: dtypes, those with simulated kernels, promised accuracy."""

import json
from pathlib import Path

_TABLE = json.loads((Path(__file__).resolve().parents[2] / "generator/ops/ops.json").read_text())
DTYPES = {op["name"]: set(op["dtypes"]) for op in _TABLE["ops"]}
SIM_DTYPES = {op["name"]: set(op["sim_dtypes"]) for op in _TABLE["ops"]}
MAX_ULP = {op["name"]: op["max_ulp"] for op in _TABLE["ops"]}
