// SPDX-License-Identifier: MIT
#include "generator/analyze/analyze.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <new>
#include <stdexcept>

#include "generator/analyze/checks.h"
#include "generator/analyze/dead_writes.h"
#include "generator/analyze/walk.h"

namespace ptowsp {
namespace {

static_assert(static_cast<int>(Access::in) == static_cast<int>(graph::Access::in) &&
              static_cast<int>(Access::out) == static_cast<int>(graph::Access::out) &&
              static_cast<int>(Access::inout) == static_cast<int>(graph::Access::inout));

// The tracker counts in 32 bits. Tensors that no task writes are not tracked and may be larger.
bool checkSizes(const Program& program, Diagnostics& diagnostics) {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  bool fits = true;
  for (const Tensor& tensor : program.tensors) {
    if (!tensor.written || (tensor.planes * tensor.rows <= kMost && tensor.cols <= kMost)) continue;
    diagnostics.error(
        "tensor-too-large", tensor.declaration.place,
        fmt::format(
            "tensor {} is written and has {} rows of {} elements; at most {} of each can be "
            "tracked",
            tensor.declaration.name, tensor.planes * tensor.rows, tensor.cols, kMost),
        "give it a shape with fewer, longer rows or fewer columns");
    fits = false;
  }
  return fits;
}

// Recorder: what is kept of the edges, four or eight bytes for each task.
class Recorder {
 public:
  Recorder(const Program& program, const AnalyzeOptions& options)
      : keep_graph_(options.keep_graph) {
    const auto tasks = static_cast<size_t>(program.taskCount());
    depth_.resize(tasks);
    fan_out_.resize(tasks);
    analysis_.dependences = options.dependences;
    analysis_.allow_races = options.allow_races;
    if (keep_graph_) analysis_.graph.first.reserve(tasks + 1);
  }

  void add(int32_t task, const int32_t* predecessors, int32_t count) {
    int32_t depth = 0;
    for (int32_t i = 0; i < count; ++i) {
      const auto from = static_cast<size_t>(predecessors[i]);
      depth = std::max(depth, depth_[from]);
      ++fan_out_[from];
    }
    depth_[static_cast<size_t>(task)] = depth + 1;
    analysis_.critical_path = std::max<int64_t>(analysis_.critical_path, depth + 1);
    analysis_.max_fan_in = std::max<int64_t>(analysis_.max_fan_in, count);
    analysis_.totals.add(predecessors, count);
    if (keep_graph_) {
      TaskGraph& graph = analysis_.graph;
      graph.predecessors.insert(graph.predecessors.end(), predecessors, predecessors + count);
      graph.first.push_back(static_cast<int64_t>(graph.predecessors.size()));
    }
  }

  Analysis finish() {
    if (!fan_out_.empty())
      analysis_.max_fan_out = *std::max_element(fan_out_.begin(), fan_out_.end());
    return std::move(analysis_);
  }

 private:
  bool keep_graph_;
  std::vector<int32_t> depth_, fan_out_;
  Analysis analysis_;
};

}  // namespace

std::optional<Analysis> analyze(const Program& program, const AnalyzeOptions& options,
                                Diagnostics& diagnostics) {
  if (!checkSizes(program, diagnostics)) return std::nullopt;
  const size_t known = diagnostics.all().size();

  graph::DependenceTracker tracker;
  for (const Tensor& tensor : program.tensors) {
    tracker.addTensor(tensor.planes * tensor.rows, tensor.cols, tensor.written);
  }
  Walk walk(program);
  InitialisationCheck initialisation(program, walk);
  RaceCheck races(program, walk);
  DeadWriteCheck dead_writes(program);
  Recorder recorder(program, options);
  Segmenter segmenter(program);
  std::vector<graph::Rect> written;  // of the view at hand, by earlier tasks

  walk.run([&](int32_t task, const Statement& statement, std::span<const ViewAt> views) {
    for (const int32_t earlier : walk.waits()) tracker.after(earlier);
    tracker.begin();
    dead_writes.task(task, views);
    for (size_t v = 0; v < views.size(); ++v) {
      const ViewAt& at = views[v];
      const int view = static_cast<int>(v);
      const bool initialised = !initialisation.concerns(statement.first_view + view);
      written.clear();
      tracker.access(at.tensor, at.row, at.col, at.rows, at.cols,
                     static_cast<graph::Access>(at.access),
                     [&](int32_t earlier, bool wrote, const graph::Rect& region) {
                       races.conflict(earlier, wrote, statement, task, view, region);
                       if (wrote)
                         dead_writes.conflict(earlier, statement, task, view, at, region,
                                              !tracker.writesOverlap(at.tensor));
                       if (wrote && at.access != Access::out) segmenter.flow(at.tensor, earlier);
                       if (!initialised && wrote) written.push_back(region);
                     });
      if (!initialised) {
        initialisation.read(task, statement, view, at, written, tracker.writesOverlap(at.tensor));
      }
    }
    const graph::Predecessors found = tracker.end();
    const int32_t before = task - 1;
    const graph::Predecessors edges = options.dependences == Dependences::program_order
                                          ? graph::Predecessors{&before, task > 0 ? 1 : 0}
                                          : found;
    recorder.add(task, edges.tasks, edges.count);
    segmenter.add(edges.tasks, edges.count);
  });

  // Anything else is ruled out by verify and the sizes above.
  if (tracker.status() == graph::Status::out_of_memory) throw std::bad_alloc();
  if (tracker.status() != graph::Status::ok) {
    throw std::logic_error(fmt::format("dependence inference failed at task {}: {}", tracker.task(),
                                       graph::describe(tracker.status())));
  }
  initialisation.report(tracker, diagnostics);
  if (!options.allow_races || options.dependences == Dependences::as_written)
    races.report(diagnostics);
  if (diagnostics.all().size() != known) return std::nullopt;
  if (options.warnings) dead_writes.report(diagnostics);
  Analysis analysis = recorder.finish();
  analysis.only_cells = tracker.onlyCells();
  analysis.segments = segmenter.finish(analysis.max_fan_out);
  return analysis;
}

}  // namespace ptowsp
