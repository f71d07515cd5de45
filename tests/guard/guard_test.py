# SPDX-License-Identifier: MIT
"""Instruction counts of fixed work against stored ones: a change that makes the generator, the inference of
dependences, the graph or the scheduler do 5 % more work fails here, however busy the machine is.

usage: guard_test.py GUARD_WORK BUILD_KEY COUNTS.json CASE

Counts hold for one compiler and its flags (BUILD_KEY). Where none are stored for it, the test is skipped (77).
PTOWSP_UPDATE_COUNTS=1 stores what was counted.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

MARGIN = 0.05
SKIPPED = 77


def count_instructions(program: str, case: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", program, case],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        # The first dump is what the program asked for; a second, at its end, holds the rest.
        dump = Path(folder) / "out.1"
        counted = re.search(r"^totals: (\d+)", dump.read_text(), re.MULTILINE) if dump.exists() else None
    if done.returncode != 0 or not counted:
        sys.exit(f"guard: {case} was not counted (exit code {done.returncode}):\n{done.stdout}")
    return int(counted[1])


def main() -> int:
    program, key, file, case = sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4]
    stored = json.loads(file.read_text())
    update = os.environ.get("PTOWSP_UPDATE_COUNTS") == "1"
    expected = stored.get(key, {}).get(case)
    if expected is None and not update:
        print(f"skipped: no counts are stored for this build ({key}); PTOWSP_UPDATE_COUNTS=1 stores them")
        return SKIPPED
    found = count_instructions(program, case)
    if update:
        stored.setdefault(key, {})[case] = found
        file.write_text(json.dumps(stored, indent=1, sort_keys=True) + "\n")
        print(f"{case}: {found:,} instructions stored")
        return 0
    change = found / expected - 1
    print(f"{case}: {found:,} instructions, {change:+.2%} against the stored {expected:,}")
    if change > MARGIN:
        print(f"That is more than {MARGIN:.0%} slower. Fix: find what became slower (valgrind --tool=callgrind "
              f"{program} {case}, then callgrind_annotate); if it is meant, PTOWSP_UPDATE_COUNTS=1 and commit {file.name}.")
        return 1
    if change < -MARGIN:
        print(f"That is more than {MARGIN:.0%} faster: PTOWSP_UPDATE_COUNTS=1 and commit {file.name}, so that it stays so.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
