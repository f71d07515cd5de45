# SPDX-License-Identifier: MIT
"""What a build for a2a3 does, on a stand-in for the toolchain."""
import json
import re
import subprocess
import time

import pytest
from conftest import TOOLCHAIN, multiply
from project import workload

CALL = "ptowsp_add_workload(one SOURCE one.json PLATFORMS a2a3sim a2a3)"


@pytest.fixture
def built(project):
    project.put("one.json", workload(a=2.0, b=3.0))
    project.write(CALL)
    configured = project.configure()
    assert f"kernels for a2a3 are compiled by {TOOLCHAIN} in {project.stand_in}/toolkit" in configured.words()
    project.first = project.build()
    return project


def edit(project, name, content):
    if not project.ninja:
        time.sleep(0.02)
    project.put(name, content)


def test_first_build_tests_and_increments(built):
    """One test, since a build costs most: what it makes, no-op, an edit, a header, a deleted file."""
    assert built.device_compiles(built.first) == ["one.a", "one.b", "one.ptowsp_relay"]
    folder = built.artifact("one") / "a2a3"
    assert sorted(path.name for path in folder.iterdir() if path.suffix in (".o", ".bin")) == [
        "kernel_a.bin", "kernel_a.o", "kernel_b.bin", "kernel_b.o"]
    ready = json.loads((built.binaries("one") / "ready.a2a3").read_text())
    assert (ready["platform"], ready["toolchain"], ready["kernel_arch"]) == ("a2a3", TOOLCHAIN, ["dav-c220"])
    assert sorted(ready["kernels"]) == ["a", "b"] and list(ready["orchestrations"]) == ["pto-runtime"]
    assert built.nothing_to_do()
    tests = built.tests()
    assert set(tests) >= {"one.a2a3sim", "one.a2a3sim.builtin", "one.a2a3"}
    assert tests["one.a2a3"]["LABELS"] == ["a2a3"] and tests["one.a2a3"]["SKIP_RETURN_CODE"] == 77
    assert tests["one.a2a3"]["RESOURCE_LOCK"] == ["ptowsp.device.0"]
    passed = built.ctest("-L", "^a2a3$")
    assert "one.a2a3" in passed.text and "Skipped" not in passed.text

    edit(built, "one.json", workload(a=2.0, b=7.0))
    result = built.build()
    assert built.device_compiles(result) == ["one.b"]
    assert built.nothing_to_do()
    assert built.ctest("-L", "^a2a3$").failed_tests == []

    time.sleep(0.02)
    (built.stand_in / "pto_isa/include/pto/pto-inst.hpp").touch()
    result = built.build()
    assert (built.device_compiles(result), result.compiled) == (["one.a", "one.b"], [])
    assert built.nothing_to_do()

    for deleted, compiled in (("aiv/kernel_a.cpp", ["one.a"]), ("aiv_sim/kernel_a.cpp", [])):
        (built.artifact("one") / "kernels" / deleted).unlink()
        assert built.device_compiles(built.build()) == compiled
        assert built.nothing_to_do()


def test_kernels_of_every_core(ninja_project):
    """Cube alone, then split by core, then a vector kernel: what is stale goes."""
    project = ninja_project
    project.put("one.json", multiply())
    project.write(CALL)
    project.configure()
    project.build()
    folder = project.artifact("one")

    def seen():
        return ((folder / "kernel_list").read_text(),
                sorted(path.stem for path in (folder / "a2a3").glob("*.bin")),
                sorted(str(path.relative_to(folder / "kernels")) for path in folder.glob("kernels/ai[cv]/*.cpp")))

    assert seen() == ("aic:square\n", ["kernel_square"], ["aic/kernel_square.cpp"])
    assert project.ctest("-L", "^a2a3$").failed_tests == []
    project.put("one.json", multiply("mul"))
    project.build()
    assert seen() == ("mix:square\n", ["kernel_square_s0", "kernel_square_s1"],
                      ["aic/kernel_square_s0.cpp", "aiv/kernel_square_s1.cpp"])
    assert project.nothing_to_do()
    assert project.ctest("-L", "^a2a3$").failed_tests == []
    # An emitted source whose name no rule knows.
    (folder / "kernels/aic/kernel_square_s0.cpp").unlink()
    text = project.build(succeed=False).text
    assert (f"square for a2a3: error: the emitted source {folder}/kernels/aic/kernel_square_s0.cpp is not there "
            f"any more\n  fix: remove {folder}/emit.stamp and build again\n") in text
    (folder / "emit.stamp").unlink()
    project.build()
    project.put("one.json", workload(a=2.0))
    project.build()
    assert seen() == ("aiv:a\n", ["kernel_a"], ["aiv/kernel_a.cpp"])
    assert not (folder / "a2a3/square.stamp").exists()
    assert project.ctest("-L", "a2a3").failed_tests == []


def test_code_is_the_text_section(ninja_project, tmp_path):
    project = ninja_project
    project.put("one.json", multiply("mul"))
    project.write(CALL)
    project.configure()
    project.build()
    for code in sorted(project.artifact("one").glob("a2a3/*.bin")):
        copied = tmp_path / "text"
        subprocess.run(["objcopy", "-O", "binary", "-j", ".text", code.with_suffix(".o"), copied], check=True)
        assert code.read_bytes() == copied.read_bytes() != b""
        listed = subprocess.run(["readelf", "-SW", code.with_suffix(".o")], check=True, capture_output=True,
                                text=True).stdout
        section = next(line.split("]")[1].split() for line in listed.splitlines() if " .text " in line)
        assert section[:2] == [".text", "PROGBITS"] and int(section[4], 16) == code.stat().st_size


def test_the_launcher_starts_the_device_compiler(ninja_project, tmp_path):
    launcher = tmp_path / "launcher"
    launcher.write_text(f'#!/bin/sh\necho "$1" >> "{tmp_path}/launched"\nexec "$@"\n')
    launcher.chmod(0o755)
    project = ninja_project
    project.put("one.json", workload(a=2.0, b=3.0))
    project.write(CALL)
    project.configure(f"-DCMAKE_CXX_COMPILER_LAUNCHER={launcher}")
    project.build()
    launched = (tmp_path / "launched").read_text().splitlines()
    assert launched.count(f"{project.stand_in}/toolkit/bin/ccec") == 2
    assert len(launched) == 2 + 2 + 2, "kernels for both platforms, and two orchestrations"
    assert project.ctest("-L", "^a2a3$").failed_tests == []


def test_a_kernel_that_does_not_compile_fails_its_own_test_only(project):
    """That of its workload on a2a3: what is for a2a3sim does not wait for it."""
    project.put("one.json", workload(a=2.0))
    project.put("two.json", workload(c=2.0))
    project.write(CALL + "\nptowsp_add_workload(two SOURCE two.json PLATFORMS a2a3)")
    project.configure()
    header = project.stand_in / "pto_isa/include/pto/pto-inst.hpp"
    header.write_text(header.read_text() + "\n#ifdef __AIV__\nstatic_assert(sizeof(__BASE_FILE__) == 0 || "
                      "!__builtin_strstr(__BASE_FILE__, \"two.ptowsp\"), \"of one project\");\n#endif\n")
    tested = project.ctest("-L", "a2a3", succeed=False)
    assert tested.failed_tests == ["two.a2a3"]
    assert "found no `ready.a2a3` file" in tested.text
    assert {"one.a2a3", "two.a2a3sim"} <= set(re.findall(r"(\S+) \.+ +Passed", tested.text))
    # After a change, too.
    edit(project, "two.json", workload(c=3.0))
    assert project.ctest("-L", "a2a3", succeed=False).failed_tests == ["two.a2a3"]


def missing(project, name, value, *, succeed=True):
    project.put("one.json", workload(a=2.0))
    project.write(CALL)
    return project.configure(f"-D{name}={value}", succeed=succeed).words()


NEEDED = {
    "ASCEND_HOME_PATH": "ASCEND_HOME_PATH names no CANN toolkit, which has ccec and the AICPU compiler",
    "PTO_RUNTIME_PATH": "PTO_RUNTIME_PATH names no pto-runtime, which runs the kernels",
    "PTO_ISA_PATH": "PTO_ISA_PATH names no PTO-ISA, which the kernels include",
}


@pytest.mark.parametrize("name", NEEDED)
def test_without_one_of_them_tests_are_skipped_with_the_reason(name, ninja_project):
    reason = NEEDED[name] + "; set what is missing, in the environment or with cmake -D, and configure again"
    said = missing(ninja_project, name, "OFF")
    assert f"PtoWsp: nothing is built for a2a3, its tests will be skipped: {reason}" in said
    tested = ninja_project.ctest("-L", "^a2a3$", "-V")
    assert f"platform a2a3: skipped: {reason}\n" in tested.text
    assert "one.a2a3 .........................***Skipped" in tested.text
    assert "Passed" not in tested.text, "nothing has to be built to say so"
    required = ninja_project.ctest("-L", "^a2a3$", env={"PTOWSP_REQUIRE": "a2a3"}, succeed=False)
    assert required.failed_tests == ["one.a2a3"]
    assert f"platform a2a3: error: {reason}; and PTOWSP_REQUIRE asks for a2a3\n" in required.text
    ninja_project.build()
    assert (ninja_project.artifact("one") / "kernels/aiv/kernel_a.cpp").exists(), "kernels are emitted all the same"


def test_a_toolkit_that_is_none(ninja_project):
    said = missing(ninja_project, "ASCEND_HOME_PATH", "/nowhere", succeed=False)
    assert ("ptowsp_add_workload(one): ASCEND_HOME_PATH is '/nowhere', and there is no such folder fix: set it to a "
            "CANN toolkit (the folder that its set_env.sh names), or to OFF for none") in said
    said = missing(ninja_project, "PTO_ISA_PATH", "/nowhere", succeed=False)
    assert "PTO_ISA_PATH is '/nowhere', and there is no include/pto/pto-inst.hpp in it" in said


def test_platforms_of_a_whole_project(ninja_project):
    project = ninja_project
    project.put("one.json", workload(a=2.0))
    project.write("ptowsp_add_workload(one SOURCE one.json)\nptowsp_add_workload(two SOURCE one.json PLATFORMS a2a3sim)")
    project.configure("-DPTOWSP_PLATFORMS=a2a3sim;a2a3", "-DASCEND_HOME_PATH=OFF")
    assert {name for name in project.tests() if name.endswith(".a2a3")} == {"one.a2a3"}
    said = project.configure("-DPTOWSP_PLATFORMS=a2a3;a5", succeed=False).words()
    assert "ptowsp_add_workload(one): PTOWSP_PLATFORMS 'a5' is unknown; the platforms are a2a3sim and a2a3" in said


def test_a_bad_device_number(ninja_project):
    said = missing(ninja_project, "PTOWSP_DEVICE", "first", succeed=False)
    assert "ptowsp_add_workload(one): PTOWSP_DEVICE is 'first', expected the number of a device" in said
