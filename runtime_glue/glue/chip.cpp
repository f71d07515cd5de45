// SPDX-License-Identifier: MIT
#include "runtime_glue/glue/chip.h"

namespace ptowsp::glue {

Status Chip::open(const RuntimeLibrary& runtime) {
  library = &runtime;
  const SimApi* sim = runtime.sim();
  if (!sim) return {};
  sim_device = sim->device_create();
  if (!sim_device) return Status::runFailure("device", "found no memory for a device");
  // Errors are for callers, not for stderr, before a program's options hold as well.
  ptowsp_sim_options options = {};
  options.size = sizeof options;
  options.flags = PTOWSP_SIM_QUIET;
  const ChipScope scope(*this);
  select();
  return sim->set_options(&options) == 0 ? Status()
                                         : Status::runFailure("device", "the runtime refused its options");
}

void Chip::select() {
  if (const SimApi* sim = library->sim()) sim->device_use(sim_device);
}

void Chip::leave() {
  if (const SimApi* sim = library->sim()) sim->device_use(nullptr);
}

Status Chip::use() {
  const SimApi* sim = library->sim();
  if (!sim) return {};
  select();
  if (!dead) return {};
  if (sim->device_reset() != 0)
    return Status::runFailure("device", "cannot be used again after a run that failed");
  dead = false;
  ++life;
  kernels_of = 0;
  return {};
}

Chip::~Chip() {
  // Of a run that failed, too: no launch returns before its kernels have ended or been made to.
  if (sim_device) library->sim()->device_destroy(sim_device);
}

}  // namespace ptowsp::glue
