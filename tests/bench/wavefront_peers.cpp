// SPDX-License-Identifier: MIT
#include "tests/bench/wavefront_peers.h"

#include <tbb/flow_graph.h>
#include <tbb/global_control.h>
#include <tbb/task_arena.h>

#include <memory>
#include <optional>
#include <vector>

namespace ptowsp::bench {
namespace {

using tbb::flow::continue_msg;
using Node = tbb::flow::continue_node<continue_msg>;

// Every use of the graph is inside the arena, which limits its threads.
class TbbFlowGraph : public WavefrontPeer {
 public:
  TbbFlowGraph(int side, int workers, Body body)
      : side_(side),
        body_(body),
        limit_(tbb::global_control::max_allowed_parallelism, static_cast<size_t>(workers)),
        arena_(workers) {}
  ~TbbFlowGraph() override {
    arena_.execute([this] { clear(); });
  }

  void build() override {
    arena_.execute([this] {
      clear();
      graph_.emplace();
      nodes_.reserve(static_cast<size_t>(side_ * side_));
      for (int row = 0; row < side_; ++row) {
        for (int col = 0; col < side_; ++col) {
          nodes_.push_back(
              std::make_unique<Node>(*graph_, [this](const continue_msg&) { body_(); }));
          if (row > 0) tbb::flow::make_edge(at(row - 1, col), at(row, col));
          if (col > 0) tbb::flow::make_edge(at(row, col - 1), at(row, col));
        }
      }
    });
  }
  void run() override {
    arena_.execute([this] {
      nodes_.front()->try_put(continue_msg());
      graph_->wait_for_all();
    });
  }

 private:
  Node& at(int row, int col) { return *nodes_[static_cast<size_t>(row * side_ + col)]; }
  void clear() {
    nodes_.clear();
    graph_.reset();
  }

  int side_;
  Body body_;
  tbb::global_control limit_;
  tbb::task_arena arena_;
  std::optional<tbb::flow::graph> graph_;
  std::vector<std::unique_ptr<Node>> nodes_;
};

class OpenMpTasks : public WavefrontPeer {
 public:
  OpenMpTasks(int side, int workers, Body body)
      : side_(side),
        workers_(workers),
        body_(body),
        cells_(static_cast<size_t>((side + 1) * (side + 1))) {}

  void build() override {}
  void run() override {
    const int stride = side_ + 1;
    [[maybe_unused]] char* cells = cells_.data();
    const Body body = body_;
#pragma omp parallel num_threads(workers_) default(none) shared(cells, stride, body)
#pragma omp single
    for (int row = 1; row <= side_; ++row) {
      for (int col = 1; col <= side_; ++col) {
        const int cell = row * stride + col;
#pragma omp task default(none) firstprivate(body) depend(in : cells[cell - stride], cells[cell - 1]) \
    depend(out : cells[cell])
        body();
      }
    }
  }

 private:
  int side_, workers_;
  Body body_;
  std::vector<char> cells_;
};

class Counters : public WavefrontPeer {
 public:
  Counters(int side, Body body) : side_(side), body_(body) {}

  void build() override {
    tasks_.assign(static_cast<size_t>(side_ * side_), {});
    for (int row = 0; row < side_; ++row) {
      for (int col = 0; col < side_; ++col) {
        if (row > 0) addEdge((row - 1) * side_ + col, row * side_ + col);
        if (col > 0) addEdge(row * side_ + col - 1, row * side_ + col);
      }
    }
    ready_.reserve(tasks_.size());
  }
  void run() override {
    for (Task& task : tasks_) task.waits = task.fanin;
    ready_.push_back(0);
    while (!ready_.empty()) {
      const Task& task = tasks_[static_cast<size_t>(ready_.back())];
      ready_.pop_back();
      body_();
      for (int i = 0; i < task.fanout; ++i)
        if (--tasks_[static_cast<size_t>(task.successors[i])].waits == 0)
          ready_.push_back(task.successors[i]);
    }
  }

 private:
  struct Task {
    int fanin = 0, waits = 0, fanout = 0;
    int successors[2] = {};
  };

  int side_;
  Body body_;
  std::vector<Task> tasks_;
  std::vector<int> ready_;

  void addEdge(int from, int to) {
    Task& task = tasks_[static_cast<size_t>(from)];
    task.successors[task.fanout++] = to;
    ++tasks_[static_cast<size_t>(to)].fanin;
  }
};

}  // namespace

std::unique_ptr<WavefrontPeer> makeTbbFlowGraph(int side, int workers, Body body) {
  return std::make_unique<TbbFlowGraph>(side, workers, body);
}
std::unique_ptr<WavefrontPeer> makeOpenMpTasks(int side, int workers, Body body) {
  return std::make_unique<OpenMpTasks>(side, workers, body);
}
std::unique_ptr<WavefrontPeer> makeCounters(int side, Body body) {
  return std::make_unique<Counters>(side, body);
}

}  // namespace ptowsp::bench
