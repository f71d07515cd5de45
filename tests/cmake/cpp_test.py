# SPDX-License-Identifier: MIT
"""Workloads in C++ and C programs: what a program that links a workload's target has."""

import shutil

from project import run, workload

CALL = "ptowsp_add_workload(w SOURCE w.json)\n"
PROGRAM = CALL + "add_executable(app app.cpp)\ntarget_link_libraries(app PRIVATE w)\nadd_test(NAME app COMMAND app)\n"
DOUBLES = """
#include <w.h>
#include <cstdio>
#include <vector>
int main(int argc, char** argv) {
  ptowsp::Device device;
  std::vector<float> x(256, 1.5f), y(256);
#ifdef __cpp_exceptions
  try {
#endif
    w::Workload twice(device, argc > 1 ? argv[1] : "");
    const ptowsp::Statistics run = twice(x, y);
    if (run.tasks != 2) return 2;
#ifdef __cpp_exceptions
  } catch (const ptowsp::Error& error) {
    std::puts(error.what());
    return 3;
  }
#endif
  for (float value : y) if (value != 3.0f) return 1;
  return 0;
}
"""
# Twice the input, then three times that, which never comes to the host in between.
HANDS_OVER = """
#include <twice.h>
#include <thrice.h>
#include <vector>
int main() {
  ptowsp::Device device;
  twice::Workload twice(device);
  thrice::Workload thrice(device);
  std::vector<float> x(256), y(256);
  for (int i = 0; i < 256; ++i) x[i] = i;
  ptowsp::DeviceTensor<float, 16, 16> between(device);
  twice(x, between);
  ptowsp::Call last = thrice.start(between, y);
  last.get();
  for (int i = 0; i < 256; ++i) if (y[i] != 6.0f * i) return 1;
  return 0;
}
"""
C_PROGRAM = """
#include <stdio.h>
#include <string.h>
#include <ptowsp/glue_c.h>

static int fail(const char* what) {
  ptowsp_error_info error;
  memset(&error, 0, sizeof error);
  error.size = sizeof error;
  ptowsp_last_error(&error);
  printf("%s: outcome %d, place %s\\n%s\\n", what, (int)error.outcome, error.place, error.text);
  return 1;
}

int main(int argc, char** argv) {
  static float x[256], y[256], z[256];
  ptowsp_device* device = NULL;
  ptowsp_program* program = NULL;
  ptowsp_tensor* tensor = NULL;
  ptowsp_call* call = NULL;
  ptowsp_program_options options;
  ptowsp_program_stats stats;
  ptowsp_argument arguments[2];
  int i;
  if (argc < 2 || ptowsp_glue_abi() != PTOWSP_GLUE_ABI) return 2;
  for (i = 0; i < 256; ++i) x[i] = (float)i;
  memset(&options, 0, sizeof options);
  memset(&stats, 0, sizeof stats);
  memset(arguments, 0, sizeof arguments);
  if (ptowsp_device_open(NULL, &device) != PTOWSP_OK) return fail("device");
  options.size = sizeof options;
  options.device = device;
  if (ptowsp_program_open(argv[1], &options, &program) != PTOWSP_OK) return fail("program");
  if (ptowsp_tensor_create(device, sizeof y, &tensor) != PTOWSP_OK) return fail("tensor");
  arguments[0].data = x;
  arguments[0].bytes = sizeof x;
  arguments[1].tensor = tensor;
  stats.size = sizeof stats;
  if (ptowsp_program_call(program, arguments, 2, &stats) != PTOWSP_OK) return fail("call");
  if (stats.tasks != 2 || stats.call_ns < stats.wall_ns) return 3;
  if (ptowsp_tensor_download(tensor, y, sizeof y) != PTOWSP_OK) return fail("download");
  arguments[0].data = NULL;
  arguments[0].tensor = tensor;
  arguments[1].tensor = NULL;
  arguments[1].data = z;
  arguments[1].bytes = sizeof z;
  if (ptowsp_program_start(program, arguments, 2, &call) != PTOWSP_OK) return fail("start");
  ptowsp_tensor_release(tensor);
  ptowsp_program_close(program);
  ptowsp_device_close(device);
  if (ptowsp_call_wait(call, -1, &stats) != PTOWSP_OK) return fail("wait");
  ptowsp_call_release(call);
  for (i = 0; i < 256; ++i)
    if (y[i] != 2 * x[i] || z[i] != 4 * x[i]) return 4;
  if (ptowsp_program_open("/nowhere", NULL, &program) == PTOWSP_OK) return 5;
  fail("expected");
  ptowsp_program_close(program);
  return 0;
}
"""


def test_a_program_that_links_a_workload(project):
    """Installed and moved, with every generator; built again when the workload changes, and refused when it was not."""
    project.put("w.json", workload(a=2.0))
    project.put("app.cpp", DOUBLES)
    project.write(PROGRAM)
    project.configure("-DCMAKE_CXX_STANDARD=17")
    project.build()
    project.ctest("-R", "^app$")
    assert project.nothing_to_do()
    kept = project.folder / "kept"
    shutil.copytree(project.artifact("w"), kept)
    project.put("w.json", workload(a=3.0))
    project.build()
    assert project.ctest("-R", "^app$", succeed=False).failed_tests == ["app"], "the header did not change with it"
    old = kept / ("Release" if project.multi_config else "")
    found = run(project.build_folder / ("Release" if project.multi_config else "") / "app", old, succeed=False)
    assert found.code == 3
    assert ", that of the header that this program was compiled with" in found.text
    assert "fix: build this program again with this artifact, or give it the one that it was built with" in found.text


def test_two_workloads_hand_a_tensor_over(ninja_project):
    project = ninja_project
    project.put("twice.json", workload(a=2.0))
    project.put("thrice.json", workload(a=3.0))
    project.put("app.cpp", HANDS_OVER)
    project.write("ptowsp_add_workload(twice SOURCE twice.json)\nptowsp_add_workload(thrice SOURCE thrice.json)\n"
                  "add_executable(app app.cpp)\ntarget_link_libraries(app PRIVATE twice thrice)\n"
                  "add_test(NAME app COMMAND app)\n")
    project.configure()
    project.build()
    project.ctest("-R", "^app$")


def test_without_exceptions(ninja_project):
    project = ninja_project
    project.put("w.json", workload(a=2.0))
    project.put("app.cpp", DOUBLES)
    project.write(PROGRAM + "target_compile_options(app PRIVATE -fno-exceptions)\n")
    project.configure("-DCMAKE_CXX_STANDARD=17")
    project.build()
    app = project.build_folder / "app"
    run(app)
    found = run(app, "/nowhere", succeed=False)
    assert found.code == -6, "it aborts"
    assert found.text == ("/nowhere: found no such artifact, expected a folder made by ptowsp_add_workload(), or the "
                          "`ready` file in it\n  fix: build the workload's target\n")


def test_an_installed_program_finds_its_artifact(ninja_project, tmp_path):
    """Where packages put it, and beside itself, when the build tree is gone."""
    project = ninja_project
    project.put("w.json", workload(a=2.0))
    project.put("app.cpp", DOUBLES)
    project.write(PROGRAM)
    project.configure("-DCMAKE_CXX_STANDARD=17")
    project.build()
    prefix = tmp_path / "préfix [1]"
    (prefix / "bin").mkdir(parents=True)
    app = shutil.copy(project.build_folder / "app", prefix / "bin")
    artifact = project.artifact("w").rename(tmp_path / "kept")
    assert "looked in " + str(prefix / "lib/ptowsp/w.ptowsp") in run(app, succeed=False).text
    for place in ("lib/ptowsp", "lib64/ptowsp", "lib/x86_64-linux-gnu/ptowsp", "bin"):
        target = prefix / place / "w.ptowsp"
        target.parent.mkdir(parents=True, exist_ok=True)
        artifact = artifact.rename(target)
        run(app)
    artifact = artifact.rename(tmp_path / "w.ptowsp")
    run(app, succeed=False)
    run(app, env={"PTOWSP_ARTIFACT_PATH": f"/nowhere:{tmp_path}"})


def test_a_c_program(ninja_project):
    project = ninja_project
    project.put("w.json", workload(a=2.0))
    project.put("app.c", C_PROGRAM)
    project.write(CALL + "set(CMAKE_C_STANDARD 99)\nset(CMAKE_C_EXTENSIONS OFF)\nadd_executable(app app.c)\n"
                  "target_compile_options(app PRIVATE -Wall -Wextra -Werror)\n"
                  "target_link_libraries(app PRIVATE PtoWsp::glue)\nadd_dependencies(app w)\n", languages="C CXX")
    project.configure()
    project.build()
    found = run(project.build_folder / "app", project.artifact("w"))
    assert found.text == ("expected: outcome 2, place /nowhere\n/nowhere: found no such artifact, expected a folder made "
                          "by ptowsp_add_workload(), or the `ready` file in it\n  fix: build the workload's target\n")
