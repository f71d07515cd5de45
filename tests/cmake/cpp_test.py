# SPDX-License-Identifier: MIT
"""Workloads in C++ programs: what a program that links a workload's target has."""

from project import workload

CALL = "ptowsp_add_workload(w SOURCE w.json)\n"
PROGRAM = CALL + "add_executable(app app.cpp)\ntarget_link_libraries(app PRIVATE w)\nadd_test(NAME app COMMAND app)\n"
DOUBLES = """
#include <w.h>
#include <vector>
int main() {
  ptowsp::Device device;
  w::Workload twice(device);
  std::vector<float> x(256, 1.5f), y(256);
  const ptowsp::Statistics run = twice(x, y);
  for (float value : y) if (value != 3.0f) return 1;
  return run.tasks == 2 ? 0 : 2;
}
"""


def test_a_program_that_links_a_workload(project):
    """Installed and moved, with every generator."""
    project.put("w.json", workload(a=2.0))
    project.put("app.cpp", DOUBLES)
    project.write(PROGRAM)
    project.configure("-DCMAKE_CXX_STANDARD=17")
    project.build()
    project.ctest("-R", "^app$")
    assert project.nothing_to_do()
