// SPDX-License-Identifier: MIT
// Calls: runs by which a program's time counts. The graph is built once and stays on the device, and so
// does the memory of its tensors; a call copies what is given on the host, runs the tasks, and checks
// the run as execute() does, but for the order of the tasks' times, which would take a trace.
#include <algorithm>
#include <atomic>
#include <cstring>

#include "runtime_glue/glue/clock.h"
#include "runtime_glue/glue/compare.h"
#include "runtime_glue/glue/process_guard.h"
#include "runtime_glue/glue/run.h"
#include "runtime_glue/glue/text.h"

namespace ptowsp::glue {
namespace {

// Each Run of the process has another number.
uint64_t nextNumber() {
  static std::atomic<uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace

Run::~Run() {
  Chip& chip = device_.chip();
  if (!resident_.hasMemory(chip) || chip.dead) return;
  const ChipScope scope(chip);
  chip.select();
  if (resident_.isBuilt(chip)) device_.library().contract().finalize_runtime(runtime_.get());
  resident_.release(chip);
}

Status Run::call(const std::vector<Operand>& operands) {
  beginStats();
  failed_tasks_.clear();
  changed_tensor_.reset();
  code_ = 0;
  if (!device_.library().sim()) return callThroughHost(operands);
  const ChipScope scope(device_.chip());
  return callOnDevice(operands);
}

// Where the device has memory of its own that nobody sees from here, every run copies.
Status Run::callThroughHost(const std::vector<Operand>& operands) {
  pointers_.clear();
  size_t index = 0;
  for (const Operand& operand : operands) {
    const TensorInfo& tensor = givenTensor(index++);
    if (operand.resident) {
      if (tensor.isGiven() && !operand.resident->isWritten()) return noContents(tensor);
      if (Status status = operand.resident->makeRoom(); !status.ok()) return status;
    }
    pointers_.push_back(operand.resident ? operand.resident->data() : operand.host);
  }
  Status status = execute(pointers_);
  index = 0;
  for (const Operand& operand : operands) {
    if (givenTensor(index++).isResult() && operand.resident && status.ok())
      operand.resident->markWritten();
  }
  return status;
}

const TensorInfo& Run::givenTensor(size_t index) const { return manifest_.tensors[given_[index]]; }

Status Run::noContents(const TensorInfo& tensor) {
  return Status::badArtifact("tensor " + tensor.name, kNoContents, kNoContentsFix);
}

Status Run::buildOnDevice() {
  Chip& chip = device_.chip();
  if (resident_.isBuilt(chip)) return {};
  if (number_ == 0) number_ = nextNumber();
  enterPhase("building the task graph (orchestration)");
  if (Status status = makeRuntime(); !status.ok()) return status;
  if (Status status = resident_.prepare(chip); !status.ok()) return status;
  args_.clear();
  for (const size_t tensor : given_) {
    // Not host memory, but nobody copies from there.
    args_.push_back(resident_.own()[tensor]);
    args_.push_back(manifest_.tensors[tensor].bytes);
  }
  launch_ = 0;
  ledger_.assign(static_cast<size_t>(manifest_.graph.tasks), 0);
  launches_.appendArgs(launch_, ledger_.data(), &args_);
  Inspection::Request request;
  request.manifest = &manifest_;
  request.tensors = &resident_.own();
  if ((code_ = build(request)) != 0) {
    device_.markDead();
    return buildFailure(code_);
  }
  ptowsp_sim_stats stats = {};
  stats.size = sizeof stats;
  device_.library().sim()->get_stats(&stats);
  resident_.built(stats.build_ns, const_cast<uint64_t*>(deviceLedger()));
  return {};
}

// Points the tasks to the tensors of this call, and copies inputs that are on the host.
Status Run::giveOperands(const std::vector<Operand>& operands) {
  const Chip& chip = device_.chip();
  for (size_t i = 0; i < operands.size(); ++i) {
    const TensorInfo& tensor = givenTensor(i);
    DeviceTensor* const other = operands[i].resident;
    if (other) {
      if (tensor.isGiven() && !other->isWritten()) return noContents(tensor);
      if (Status status = other->makeRoom(); !status.ok()) return status;
      if (tensor.role == TensorRole::input) other->remember();
    }
    if (Status status = resident_.bind(
            chip, given_[i], other ? reinterpret_cast<uint64_t>(other->data()) : 0, inspection_,
            runtime_.get());
        !status.ok())
      return status;
    if (!other && tensor.isGiven())
      std::memcpy(resident_.data(given_[i]), operands[i].host, tensor.bytes);
  }
  return {};
}

Status Run::checkOperands(const std::vector<Operand>& operands) {
  for (size_t i = 0; i < operands.size(); ++i) {
    const TensorInfo& tensor = givenTensor(i);
    if (tensor.role != TensorRole::input) continue;
    const DeviceTensor* const other = operands[i].resident;
    const void* const device = resident_.data(given_[i]);
    if (other ? other->isAsRemembered()
              : std::memcmp(device, operands[i].host, tensor.bytes) == 0)
      continue;
    if (!other) return inputChanged(tensor, device, operands[i].host);
    return Status::runFailure(manifest_.name, "input " + tensor.name + " was changed on the device",
                              kInputFix);
  }
  return {};
}

Status Run::callOnDevice(const std::vector<Operand>& operands) {
  enterPhase("preparing the device");
  if (Status status = device_.select(0); !status.ok()) return status;
  if (Status status = buildOnDevice(); !status.ok()) return status;
  if (device_.chip().kernels_of != number_) {
    if (Status status = device_.registerKernels(manifest_, executable_); !status.ok()) return status;
    device_.chip().kernels_of = number_;
  }
  if (Status status = giveOperands(operands); !status.ok()) return status;
  resident_.trim(device_.chip());
  std::memset(resident_.ledger(), 0, sizeof(uint64_t) * ledger_.size());

  enterPhase("running the tasks");
  const uint64_t start = nowNs();
  code_ = device_.library().contract().launch_runtime(
      runtime_.get(), device_.aicpuThreads(), device_.blockDim(), device_.options().device_id,
      nullptr, 0, nullptr, 0);
  collectStats(nowNs() - start);
  stats_.build_ns = resident_.buildNs();
  Status status;
  if (code_ != 0) {
    device_.markDead();
    status = launchFailure(code_);
  }
  enterPhase("checking the run");
  if (status.ok()) status = checkOperands(operands);
  if (status.ok()) status = checkLedger(resident_.ledger(), 0, manifest_.graph.tasks);
  if (!status.ok()) {
    device_.markDead();
    return explainCall(operands, std::move(status));
  }
  enterPhase("bringing the results back from the device");
  for (size_t i = 0; i < operands.size(); ++i) {
    const TensorInfo& tensor = givenTensor(i);
    if (!tensor.isResult()) continue;
    if (operands[i].resident)
      operands[i].resident->markWritten();
    else
      std::memcpy(operands[i].host, resident_.data(given_[i]), tensor.bytes);
  }
  return {};
}

// What a second run, or the graph, can tell about a run that failed. Both begin with a new device, so
// inputs have to be on the host.
Status Run::explainCall(const std::vector<Operand>& operands, Status status) {
  pointers_.clear();
  for (const Operand& operand : operands) pointers_.push_back(operand.host);
  const bool on_host = std::find(pointers_.begin(), pointers_.end(), nullptr) == pointers_.end();
  const int code = code_;
  if (on_host) {
    status = explain(pointers_, std::move(status));
  } else if (code == PTOWSP_SIM_ERROR_GUARD) {
    if (const std::string seen = damageText(); !seen.empty()) status.message = seen;
    status.notes = {"a run with arrays on the host alone, or ptowsp-run, names the task"};
    status.fix = kGuardFix;
  }
  code_ = code;
  device_.markDead();
  return status;
}

}  // namespace ptowsp::glue
