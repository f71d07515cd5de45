# SPDX-License-Identifier: MIT
"""Every misuse of ptowsp_add_workload() is an error that names the function, the workload and the argument."""

import pytest
from project import Project, run, workload

W = "ptowsp_add_workload(w)"
NAME = "ptowsp_add_workload()"

CASES = {
    "no name": ("ptowsp_add_workload()", f"{NAME}: the first argument must be the workload's name"),
    "keyword for a name": (
        "ptowsp_add_workload(SOURCE w.json)",
        f"{NAME}: the first argument must be the workload's name",
    ),
    "no source": ("ptowsp_add_workload(w)", f"{W}: SOURCE is missing; it names the workload file (.json or .py)"),
    "source without value": ("ptowsp_add_workload(w SOURCE)", f"{W}: SOURCE needs a value"),
    "absent source": (
        "ptowsp_add_workload(w SOURCE nowhere.json)",
        f"{W}: SOURCE 'nowhere.json': there is no such file; looked for {{folder}}/nowhere.json",
    ),
    "folder for a source": (
        "ptowsp_add_workload(w SOURCE sub.json)",
        f"{W}: SOURCE 'sub.json': there is no such file; looked for {{folder}}/sub.json",
    ),
    "absent python source": (
        "ptowsp_add_workload(w SOURCE nowhere.py)",
        f"{W}: SOURCE 'nowhere.py': there is no such file; looked for {{folder}}/nowhere.py",
    ),
    "other source": (
        "ptowsp_add_workload(w SOURCE w.yaml)",
        f"{W}: SOURCE 'w.yaml': expected a workload file that ends in .json or .py",
    ),
    "unknown keyword": (
        "ptowsp_add_workload(w SOURCE w.json FASTER)",
        f"{W}: unknown argument 'FASTER'; the keywords are NO_TEST NO_DATA EXCLUDE_FROM_ALL SOURCE WORKLOAD "
        "BLOCK_DIM AICPU_THREADS DEPENDENCIES RACES SEED RTOL ATOL TIMEOUT OUTPUT_DIRECTORY PARAMETERS "
        "PLATFORMS INPUTS EXPECTED LABELS",
    ),
    "data and none": (
        "ptowsp_add_workload(w SOURCE w.json NO_DATA SEED 1)",
        f"{W}: SEED and NO_DATA contradict each other; remove one of them",
    ),
    "keyword twice": (
        "ptowsp_add_workload(w SOURCE w.json SEED 1 SEED 2)",
        f"{W}: SEED is given 2 times",
    ),
    "workload function": (
        "ptowsp_add_workload(w SOURCE w.json WORKLOAD f)",
        f"{W}: WORKLOAD belongs to Python workloads, and SOURCE 'w.json' is none; remove it",
    ),
    "parameters": (
        "ptowsp_add_workload(w SOURCE w.json PARAMETERS rows=4)",
        f"{W}: PARAMETERS belongs to Python workloads, and SOURCE 'w.json' is none; remove it",
    ),
    "workload form": (
        "ptowsp_add_workload(w SOURCE w.py WORKLOAD soft-max)",
        f"{W}: WORKLOAD is 'soft-max', expected the name of a Python function",
    ),
    "parameters form": (
        "ptowsp_add_workload(w SOURCE w.py PARAMETERS rows 4)",
        f"{W}: PARAMETERS 'rows', expected <name>=<value>",
    ),
    "parameter without value": (
        "ptowsp_add_workload(w SOURCE w.py PARAMETERS rows=)",
        f"{W}: PARAMETERS 'rows=', expected <name>=<value>",
    ),
    "parameter name": (
        "ptowsp_add_workload(w SOURCE w.py PARAMETERS 2x=4)",
        f"{W}: PARAMETERS '2x=4', expected <name>=<value>",
    ),
    "parameter twice": (
        "ptowsp_add_workload(w SOURCE w.py PARAMETERS rows=4 rows=5)",
        f"{W}: PARAMETERS names 'rows' twice",
    ),
    "parameter with a list": (
        'ptowsp_add_workload(w SOURCE w.py PARAMETERS "rows=4\\;5")',
        f"{W}: PARAMETERS 'rows=4;5': a value has neither semicolons nor line breaks",
    ),
    "parameter of the configuration": (
        "ptowsp_add_workload(w SOURCE w.py PARAMETERS kind=$<CONFIG>)",
        f"{W}: PARAMETERS 'kind=$<CONFIG>': a value is needed at configure, where generator expressions have "
        "none",
    ),
    "unknown platform": (
        "ptowsp_add_workload(w SOURCE w.json PLATFORMS a5)",
        f"{W}: PLATFORMS 'a5' is unknown; the platforms are a2a3sim and a2a3",
    ),
    "dependencies": (
        "ptowsp_add_workload(w SOURCE w.json DEPENDENCIES none)",
        f"{W}: DEPENDENCIES is 'none', expected dataflow or program_order or explicit",
    ),
    "races": (
        "ptowsp_add_workload(w SOURCE w.json RACES ignore)",
        f"{W}: RACES is 'ignore', expected error or allow",
    ),
    "seed": (
        "ptowsp_add_workload(w SOURCE w.json SEED -1)",
        f"{W}: SEED is '-1', expected an integer of 0 or more",
    ),
    "large seed": (
        "ptowsp_add_workload(w SOURCE w.json SEED 18446744073709551616)",
        f"{W}: SEED is '18446744073709551616', expected an integer below 2^64",
    ),
    "block_dim": (
        "ptowsp_add_workload(w SOURCE w.json BLOCK_DIM 0)",
        f"{W}: BLOCK_DIM is '0', expected an integer of 1 or more",
    ),
    "large block_dim": (
        "ptowsp_add_workload(w SOURCE w.json BLOCK_DIM 1048577)",
        f"{W}: BLOCK_DIM is '1048577', expected 1048576 at most",
    ),
    "aicpu_threads": (
        "ptowsp_add_workload(w SOURCE w.json AICPU_THREADS 65)",
        f"{W}: AICPU_THREADS is '65', expected an integer from 1 to 64",
    ),
    "threads that do not divide": (
        "ptowsp_add_workload(w SOURCE w.json BLOCK_DIM 3 AICPU_THREADS 2)",
        f"{W}: AICPU_THREADS 2 does not divide BLOCK_DIM 3; every scheduler thread needs the same "
        "number of blocks",
    ),
    "rtol": (
        "ptowsp_add_workload(w SOURCE w.json RTOL small)",
        f"{W}: RTOL is 'small', expected a number of 0 or more, like 0.001 or 1e-3",
    ),
    "atol": (
        "ptowsp_add_workload(w SOURCE w.json ATOL -1)",
        f"{W}: ATOL is '-1', expected a number of 0 or more, like 0.001 or 1e-3",
    ),
    "timeout": (
        "ptowsp_add_workload(w SOURCE w.json TIMEOUT 0)",
        f"{W}: TIMEOUT is '0', expected a whole number of seconds, 1 or more",
    ),
    "inputs form": (
        "ptowsp_add_workload(w SOURCE w.json INPUTS x.npy)",
        f"{W}: INPUTS 'x.npy', expected <tensor>=<file>.npy",
    ),
    "inputs twice": (
        "ptowsp_add_workload(w SOURCE w.json INPUTS x=w.json x=w.json)",
        f"{W}: INPUTS names the tensor 'x' twice",
    ),
    "absent input": (
        "ptowsp_add_workload(w SOURCE w.json INPUTS x=x.npy)",
        f"{W}: INPUTS 'x=x.npy': there is no such file, and no add_custom_command() above this call makes it",
    ),
    "absent expected": (
        "ptowsp_add_workload(w SOURCE w.json EXPECTED y=y.npy)",
        f"{W}: EXPECTED 'y=y.npy': there is no such file, and no add_custom_command() above this call "
        "makes it",
    ),
    "shared output directory": (
        "ptowsp_add_workload(v SOURCE w.json OUTPUT_DIRECTORY out)\n"
        "ptowsp_add_workload(w SOURCE w.json OUTPUT_DIRECTORY ./out/)",
        f"{W}: OUTPUT_DIRECTORY '{{build}}/out' is the one of workload 'v' already",
    ),
    "target exists": (
        "add_custom_target(w)\nptowsp_add_workload(w SOURCE w.json)",
        f"{W}: a target named 'w' exists already",
    ),
    "same name twice": (
        "ptowsp_add_workload(w SOURCE w.json)\nptowsp_add_workload(w SOURCE w.json)",
        f"{W}: a target named 'w' exists already",
    ),
    "kernel level": (
        "set(PTOWSP_KERNEL_ARCH native)\nptowsp_add_workload(w SOURCE w.json)",
        f"{W}: PTOWSP_KERNEL_ARCH is 'native', expected {{levels}} or multi",
    ),
}
RULE = (
    "a workload's name is a C identifier: letters, digits and single underscores, a letter first, at most 128"
)
for name, reason in {
    "3d": f"'3d' cannot be the name; {RULE}",
    "soft-max": f"'soft-max' cannot be the name; {RULE}",
    "soft.max": f"'soft.max' cannot be the name; {RULE}",
    "_x": f"'_x' cannot be the name; {RULE}",
    "a__b": f"'a__b' cannot be the name; {RULE}",
    "größe": f"'größe' cannot be the name; {RULE}",
    "a" * 129: f"'{'a' * 129}' cannot be the name; {RULE}",
    "double": "'double' cannot be the name; it is a C++ keyword",
    "xor": "'xor' cannot be the name; it is a C++ keyword",
    "test": "'test' cannot be the name; CMake reserves it for a target of its own",
    "clean": "'clean' cannot be the name; CMake reserves it for a target of its own",
    "exp": "'exp' cannot be the name; it is a name or a header of the C library",
    "sqrtf": "'sqrtf' cannot be the name; it is a name or a header of the C library",
    "memcpy": "'memcpy' cannot be the name; it is a name or a header of the C library",
    "index": "'index' cannot be the name; it is a name or a header of the C library",
    "math": "'math' cannot be the name; it is a name or a header of the C library",
    "main": "'main' cannot be the name; main, std and ptowsp... have a meaning already",
    "ptowsp_x": "'ptowsp_x' cannot be the name; main, std and ptowsp... have a meaning already",
}.items():
    CASES[f"name {name}"] = (
        f"ptowsp_add_workload({name} SOURCE w.json)",
        f"ptowsp_add_workload({name}): {reason}",
    )


@pytest.fixture(scope="module")
def once_configured(tmp_path_factory, package):
    """One build tree for all cases: the compiler is looked at once."""
    project = Project(tmp_path_factory.mktemp("misuse") / "pröject", package)
    project.put("w.json", workload(a=2.0))
    project.put("w.py", "")
    project.put("w.yaml", "")
    (project.folder / "sub.json").mkdir()
    project.write("ptowsp_add_workload(fine SOURCE w.json)")
    project.configure()
    return project


@pytest.mark.parametrize("case", CASES)
def test_misuse(once_configured, case):
    calls, expected = CASES[case]
    machine = run("uname", "-m").text.strip()
    expected = expected.format(
        folder=once_configured.folder,
        build=once_configured.build_folder,
        levels="aarch64" if machine == "aarch64" else "x86-64-v2, x86-64-v3, x86-64-v4",
    )
    once_configured.write(calls)
    result = once_configured.configure(succeed=False)
    # A message ends where CMake says who called.
    message = result.words().split("(message): ", 1)[1].split(" Call Stack", 1)[0]
    # CMake breaks long words (paths) nowhere, but a line may end inside a message.
    assert message == " ".join(expected.split())


def test_names_that_only_look_reserved(once_configured):
    names = ["softmax", "strided", "scale", "Exp", "test1", "logits", "memory_copy", "x"]
    once_configured.write("\n".join(f"ptowsp_add_workload({n} SOURCE w.json)" for n in names))
    once_configured.configure()


def test_without_cxx(tmp_path, package):
    project = Project(tmp_path / "c", package)
    project.put("w.json", workload(a=2.0))
    project.write("ptowsp_add_workload(w SOURCE w.json)", languages="C")
    assert (
        f"{W}: the project does not enable C++, which orchestration and kernels are compiled as; write "
        "project(... LANGUAGES CXX)" in project.configure(succeed=False).words()
    )


def test_without_find_package_here(tmp_path, package):
    """Imported targets belong to the folder of find_package(): the message says so."""
    project = Project(tmp_path / "c", package, find="add_subdirectory(finds)")
    project.put("w.json", workload(a=2.0))
    project.put("finds/CMakeLists.txt", "find_package(PtoWsp CONFIG REQUIRED)\n")
    project.write("ptowsp_add_workload(w SOURCE w.json)")
    assert (
        f"{W}: the generator PtoWsp::ptowsp-gen is not known here; call find_package(PtoWsp CONFIG REQUIRED) "
        "in this folder or one above it" in project.configure(succeed=False).words()
    )


@pytest.mark.parametrize("bracket", ["[", "]"])
def test_a_single_bracket_in_the_path(tmp_path, package, bracket):
    project = Project(tmp_path / f"a{bracket}b", package)
    project.put("w.json", workload(a=2.0))
    project.write("ptowsp_add_workload(w SOURCE w.json)")
    assert (
        f"{W}: the path '{project.build_folder}/w.ptowsp' has a bracket without its other one, which CMake's "
        "lists cannot hold; use a folder with another name" in project.configure(succeed=False).words()
    )
