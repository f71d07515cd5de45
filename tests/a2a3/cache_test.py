# SPDX-License-Identifier: MIT
"""What kernels for the device do for a scalar cache that knows nothing of other cores: the emitted header itself,
with PTO-ISA's instructions for it replaced by some that tell when they are called, and what memory holds then."""
import subprocess

from conftest import HERE, lay_out

SUPPORT = HERE.parents[1] / "generator/emit/support/ptowsp_pto.h"
TELLING = """#include <stdint.h>
#include <stdio.h>
inline int64_t* memory;
inline void tell(const char* what, int64_t at) { printf("%s %d: %d\\n", what, int(at), int(*memory)); }
"""
CALLS = {"void pipe_barrier(pipe_t) {}": 'void pipe_barrier(pipe_t pipe) { tell("barrier", pipe == PIPE_ALL); }',
         "void dcci(const volatile void*, int) {}":
         'void dcci(const volatile void* at, int) { tell("dcci", (const volatile int64_t*)at - memory); }',
         "void dsb(int) {}": 'void dsb(int what) { tell("dsb", what == DSB_DDR); }'}


def told(folder, calls):
    """What a program with these calls tells, line by line."""
    header = lay_out(folder / "stand_in") / "pto_isa/include/pto/pto-inst.hpp"
    text = header.read_text()
    for instruction, telling in CALLS.items():
        assert text.count(instruction) == 1
        text = text.replace(instruction, telling)
    header.write_text(text.replace("#pragma once\n", "#pragma once\n" + TELLING))
    (folder / "program.cpp").write_text(f'#include "{SUPPORT}"\nint main() {{ {calls} }}\n')
    subprocess.run(["g++", "-std=c++17", "-w", f"-I{header.parents[1]}", "-o", folder / "program", folder / "program.cpp"],
                   check=True)
    return subprocess.run([folder / "program"], check=True, capture_output=True, text=True).stdout.splitlines()


def test_a_stamp_is_cleaned_out_of_the_cache(tmp_path):
    """All pipes are done; what the cache held of the slot goes; the stamp is added, written back, and there."""
    lines = told(tmp_path, "int64_t slot = 5; memory = &slot; ptowsp::complete((int64_t)&slot, 3);")
    assert lines == ["barrier 1: 5", "dcci 0: 5", "dcci 0: 8", "dsb 1: 8"]


def test_without_a_ledger_pipes_are_waited_for(tmp_path):
    lines = told(tmp_path, "int64_t other = 5; memory = &other; ptowsp::complete(0, 3);")
    assert lines == ["barrier 1: 5"]


def test_arguments_beyond_the_15th_are_read_from_memory(tmp_path):
    """Each line of 8 of them, however they lie in lines: the last one, too."""
    lines = told(tmp_path, "int64_t block[20] = {}; memory = block; ptowsp::block<20>((int64_t)block);")
    assert lines == ["dcci 0: 0", "dcci 8: 0", "dcci 16: 0", "dcci 19: 0"]
