// SPDX-License-Identifier: MIT
// Dependence inference: which earlier tasks a task must wait for, from the regions it touches.
// The generator and every emitted orchestration use this one implementation, so that the graph that
// was checked is the graph that is built. Emitted trees hold a copy, hence C++17, C headers only, and
// no allocation per task. access_layer.h has how accesses are kept.
//
//   graph::DependenceTracker tracker;
//   tracker.addTensor(rows, cols, true);                      // tensor 0
//   for each task in program order:
//     tracker.begin();
//     tracker.access(0, row, col, 8, 64, graph::Access::in);  // once for each tile
//     graph::Predecessors p = tracker.end();                  // sorted, unique
//     totals.add(p.tasks, p.count);
//   if (tracker.status() != graph::Status::ok) ...            // sticky: may be asked at the end
#ifndef PTOWSP_TASK_GRAPH_H
#define PTOWSP_TASK_GRAPH_H

#include <stdint.h>
#include <stdlib.h>

#include "access_layer.h"
#include "regions.h"

namespace ptowsp::graph {

// Functions are hidden: a runtime may load several orchestrations RTLD_GLOBAL into one process,
// perhaps emitted by different versions; none may pick up another's copy.
#define PTOWSP_HIDDEN __attribute__((visibility("hidden")))

// too_large: a tracked tensor has a dimension, or the graph a count, beyond 2^31 - 1.
// bad_access: a region outside its tensor, an unknown tensor, or a write to an untracked tensor.
// not_a_cell: of a Tracker<true>, which knows nothing else.
enum class Status : uint8_t { ok, out_of_memory, too_large, bad_access, not_a_cell };

PTOWSP_HIDDEN inline const char* describe(Status status) {
  switch (status) {
    case Status::ok:
      return "ok";
    case Status::out_of_memory:
      return "out of memory";
    case Status::too_large:
      return "a dimension or count is beyond 2147483647";
    case Status::bad_access:
      return "a region lies outside its tensor, or an untracked tensor is written";
    case Status::not_a_cell:
      return "a tile is no cell of its tensor's grid, as the generator found all tiles to be";
  }
  return "unknown";
}

struct Predecessors {
  const int32_t* tasks;
  int32_t count;
};

// GraphTotals: what two builds of one graph are compared by. edge_hash does not depend on the
// order in which the edges are added.
struct GraphTotals {
  uint64_t tasks = 0, edges = 0, edge_hash = 0;

  // The next task and the tasks it waits for.
  PTOWSP_HIDDEN void add(const int32_t* predecessors, int32_t count) {
    for (int32_t i = 0; i < count; ++i) {
      edge_hash +=
          mix64((static_cast<uint64_t>(static_cast<uint32_t>(predecessors[i])) << 32) | tasks);
    }
    edges += static_cast<uint64_t>(count);
    ++tasks;
  }
};

// NoVisitor: the orchestration's choice; it costs nothing.
struct NoVisitor {
  void operator()(int32_t, bool, const Rect&) const {}
};

#pragma GCC visibility push(hidden)

// Tracker. For every tensor it keeps the live accesses: rectangles last written by a
// task, and rectangles read since. A new access conflicts with the live accesses it overlaps, one
// of the two writing; the tasks of those are its predecessors. A write replaces what it covers,
// so at each element only the last write and the reads after it are live: conflicts with older
// ones follow through these. Hence every edge is a conflict of its two tasks, and the transitive
// closure is that of element-wise program order.
//
// Live accesses lie in layers, one for each tile shape met; a layer is a grid of cells as large
// as the shape, and an access is listed in the cell of its top left corner only. Aligned tiles
// are thus found by looking at one cell, halos by looking at the neighbours too, and a layer that
// holds fewer accesses than a query would visit cells is simply gone through.
//
// kOnlyCells: of a graph that is known to touch each tensor by the cells of one grid, as onlyCells()
// says after it was built once. The edges are the same; all that other graphs need is left out, and
// compiles in half the time.
template <bool kOnlyCells>
class Tracker {
 public:
  // A grid of up to `dense_cells` cells has a slot for each from the beginning.
  explicit Tracker(int64_t dense_cells = kDenseCells) : dense_cells_(dense_cells) {}
  Tracker(const Tracker&) = delete;
  Tracker& operator=(const Tracker&) = delete;
  ~Tracker() {
    for (uint32_t i = 0; i < tensors_.size; ++i) {
      tensors_.data[i].writes.release();
      tensors_.data[i].reads.release();
    }
    tensors_.release();
    after_.release();
    predecessors_.release();
    hits_.release();
  }

  // The next tensor (0, 1, 2, ...). A tensor that no task writes needs no tracking and may have
  // any size; a tracked one has at most 2^31 - 1 flat rows and columns.
  void addTensor(int64_t flat_rows, int64_t cols, bool tracked) {
    Tensor tensor = {};
    tensor.rows = flat_rows;
    tensor.cols = cols;
    tensor.tracked = tracked;
    if (tracked && (flat_rows > kMaxDimension || cols > kMaxDimension)) fail(Status::too_large);
    if (!tensors_.push(tensor)) fail(Status::out_of_memory);
  }

  // The task that is begun next waits for `task`, an earlier one, whatever the two touch.
  void after(int32_t task) {
    if (!after_.push(task)) fail(Status::out_of_memory);
  }

  // Begins the next task; tasks are numbered 0, 1, 2, ...
  void begin() {
    if (task_ == kMaxDimension - 1) {
      fail(Status::too_large);
      return;
    }
    ++task_;
    predecessors_.size = 0;
    for (uint32_t i = 0; i < after_.size; ++i) {
      if (!predecessors_.push(after_.data[i])) fail(Status::out_of_memory);
    }
    after_.size = 0;
  }

  // One tile of the current task. visit(task, wrote, rect) is called for every live access of an
  // earlier task that conflicts with it: that task, whether it wrote, and the common rectangle.
  // Conflicts that follow from later ones at all their elements are not seen.
  void access(int32_t tensor, int64_t row, int64_t col, int64_t rows, int64_t cols, Access access) {
    this->access(tensor, row, col, rows, cols, access, NoVisitor());
  }
  template <class Visitor>
  void access(int32_t tensor, int64_t row, int64_t col, int64_t rows, int64_t cols, Access access,
              Visitor&& visit) {
    if (status_ != Status::ok) return;
    if (tensor < 0 || static_cast<uint32_t>(tensor) >= tensors_.size)
      return fail(Status::bad_access);
    Tensor& t = tensors_.data[tensor];
    if (row < 0 || col < 0 || rows < 1 || cols < 1 || row > t.rows - rows || col > t.cols - cols) {
      return fail(Status::bad_access);
    }
    if (!t.tracked) {
      if (access != Access::in) fail(Status::bad_access);
      return;
    }
    const Rect rect = {static_cast<int32_t>(row), static_cast<int32_t>(col),
                       static_cast<int32_t>(row + rows), static_cast<int32_t>(col + cols)};
    ++t.accesses;
    if (access == Access::in) {
      read(t, rect, visit);
    } else {
      write(t, rect, visit);
    }
  }

  // The tasks the current one waits for, ascending; valid until the next begin().
  Predecessors end() {
    if (status_ != Status::ok) return {nullptr, 0};
    sortUnique(predecessors_);
    return {predecessors_.data, static_cast<int32_t>(predecessors_.size)};
  }

  Status status() const { return status_; }
  int32_t task() const { return task_; }
  // Whether a Tracker<true> would have found the same.
  bool onlyCells() const { return only_cells_; }

  // Calls visit(task, rect) for the live writes of a tensor that overlap `query`, with the common
  // rectangle. All elements written so far are in live writes, and no two of these overlap unless
  // writesOverlap().
  template <class Visitor>
  void liveWrites(int32_t tensor, const Rect& query, Visitor&& visit) {
    Tensor& t = tensors_.data[tensor];
    if (!t.tracked) return;
    hits_.size = 0;
    scan<false>(t, t.writes, query);
    for (uint32_t i = 0; i < hits_.size; ++i) {
      visit(hits_.data[i].task, intersection(hits_.data[i].rect, query));
    }
  }
  bool writesOverlap(int32_t tensor) const { return tensors_.data[tensor].writes_overlap; }

 private:
  static constexpr int64_t kMaxDimension = 0x7FFFFFFF;
  static constexpr int32_t kMaxLayers = 16;
  static constexpr int32_t kPieceSlack =
      16;  // how much larger than a piece its layer's cell may be
  static constexpr int64_t kFewCells =
      32;                               // as many cells are always visited rather than all records
  // Slots cost memory only where they are used: the kernel gives pages as they are touched.
  static constexpr int64_t kDenseCells = 1 << 17;
  static constexpr int64_t kNoCell = -1;
  static constexpr uint32_t kMaxReaders = 16;  // readers tried to make an edge to a writer needless

  struct Hit {
    Rect rect;
    int32_t task;
    int32_t layer;
  };

  struct Side {
    Layer* layers;  // kMaxLayers of them, so that they never move
    int32_t count;
    void release() {
      for (int32_t i = 0; i < count; ++i) {
        free(layers[i].slots);
        layers[i].records.release();
      }
      free(layers);
    }
  };

  struct Tensor {
    int64_t rows, cols;
    int64_t accesses, live;
    Side writes, reads;
    bool tracked, writes_overlap;
    bool same_grid;  // each side has one layer, and these have one shape
  };

  Array<Tensor> tensors_;
  Array<int32_t> after_;
  Array<int32_t> predecessors_;
  Array<Hit> hits_;
  int64_t dense_cells_;
  int32_t task_ = -1;
  bool only_cells_ = true;
  Status status_ = Status::ok;

  // What a Tracker<true> has no code for begins with this.
  bool otherThanCells() {
    only_cells_ = false;
    if (kOnlyCells) fail(Status::not_a_cell);
    return !kOnlyCells;
  }

  void fail(Status status) {
    if (status_ == Status::ok) status_ = status;
  }

  // A conflict of the current task with `task`, in `common`.
  template <class Visitor>
  void conflict(int32_t task, bool wrote, const Rect& common, bool needless, Visitor& visit) {
    if (task == task_) return;
    visit(task, wrote, common);
    const uint32_t size = predecessors_.size;
    if (needless || (size > 0 && predecessors_.data[size - 1] == task)) return;
    if (!predecessors_.push(task)) fail(Status::out_of_memory);
  }

  template <class Visitor>
  void read(Tensor& t, const Rect& rect, Visitor&& visit) {
    const int64_t cell = t.writes.count == 0 ? kNoCell : onlyCell(t.writes, rect);
    const uint32_t writer = cell < 0 ? 0 : t.writes.layers[0].slots[cell];
    if (writer != 0 && (writer & kBare) == 0) {
      readOther(t, rect, visit);
    } else if (writer != 0) {
      conflict(taskOf(writer), true, rect, false, visit);
    } else if (cell == kNoCell && t.writes.count != 0) {
      readOther(t, rect, visit);
    }
    addReader(t, rect, cell);
  }
  template <class Visitor>
  void readOther(Tensor& t, const Rect& rect, Visitor&& visit) {
    if (!otherThanCells()) return;
    if constexpr (!kOnlyCells) {
      hits_.size = 0;
      scan<false>(t, t.writes, rect);
      for (uint32_t i = 0; i < hits_.size; ++i) {
        const Hit& hit = hits_.data[i];
        conflict(hit.task, true, intersection(hit.rect, rect), false, visit);
      }
    }
  }

  // Lists the current task as a reader of `rect`; `cell` as readersCell() has it.
  void addReader(Tensor& t, const Rect& rect, int64_t cell) {
    const int32_t rows = rect.row1 - rect.row0, cols = rect.col1 - rect.col0;
    if (t.reads.count == 0 && addLayer(t, t.reads, rows, cols) < 0) return;
    cell = readersCell(t, rect, cell);
    if (cell < 0 && !otherThanCells()) return;
    if (cell >= 0) {
      Layer& layer = t.reads.layers[0];
      Array<Record>& records = layer.records;
      uint32_t& slot = layer.slots[cell];
      if (slot == 0 && !layer.no_bare) return setBare(t, layer, slot, task_);
      if (records.size < records.capacity && onlyCellsOf(layer, slot, rect)) {
        Record& added = records.data[records.size++];
        added = {rect, task_, slot, 0};
        if (slot == 0 || (slot & kBare) != 0) {
          slot = records.size;
        } else {
          Record& known = records.data[slot - 1];
          added.next = 0;
          added.same = known.same;
          known.same = records.size;
        }
        ++layer.live;
        ++t.live;
        return;
      }
    }
    insert(t, t.reads, layerFor(t, t.reads, rows, cols), rect, task_);
  }

  template <class Visitor>
  void write(Tensor& t, const Rect& rect, Visitor&& visit) {
    // Aligned tiles: what is replaced is a writer and the readers of just this cell.
    const int32_t rows = rect.row1 - rect.row0, cols = rect.col1 - rect.col0;
    if (t.writes.count == 0 && addLayer(t, t.writes, rows, cols) < 0) return;
    const int64_t cell = onlyCell(t.writes, rect);
    const int64_t read_cell = t.reads.count == 0 ? cell : readersCell(t, rect, cell);
    if (cell < 0 || read_cell < 0 || t.writes.layers[0].no_bare) return writeOther(t, rect, visit);
    uint32_t& writer = t.writes.layers[0].slots[cell];
    uint32_t nobody = 0;
    uint32_t& reader = t.reads.count == 0 ? nobody : t.reads.layers[0].slots[read_cell];
    if (writer != 0 && (writer & kBare) == 0) return writeOther(t, rect, visit);
    bool read = false;
    if (reader != 0) {
      if (!onlyCellsOf(t.reads.layers[0], reader, rect)) return writeOther(t, rect, visit);
      read = takeReaders(t, reader, rect, visit);
    }
    if (writer != 0) {
      conflict(taskOf(writer), true, rect, read, visit);
      dropBare(t, t.writes.layers[0], writer);
    }
    setBare(t, t.writes.layers[0], writer, task_);
  }

  // Removes the readers of a cell, a list as onlyCellsOf() says. Whether another task is among them.
  template <class Visitor>
  bool takeReaders(Tensor& t, uint32_t& slot, const Rect& rect, Visitor& visit) {
    Layer& layer = t.reads.layers[0];
    bool others = false;
    uint32_t bare = slot;
    if ((slot & kBare) == 0) {
      bare = layer.records.data[slot - 1].next;
      for (uint32_t id = slot; id != 0;) {
        Record& record = layer.records.data[id - 1];
        others |= record.task != task_;
        conflict(record.task, false, rect, false, visit);
        kill(t, layer, record);
        id = record.same;
      }
    }
    if (bare != 0) {
      others |= taskOf(bare) != task_;
      conflict(taskOf(bare), false, rect, false, visit);
      dropBare(t, layer, bare);
    }
    slot = 0;
    return others;
  }

  template <class Visitor>
  void writeOther(Tensor& t, const Rect& rect, Visitor&& visit) {
    if (!otherThanCells()) return;
    if constexpr (!kOnlyCells) {
      hits_.size = 0;
      scan<true>(t, t.reads, rect);
      const uint32_t readers = hits_.size;
      scan<true>(t, t.writes, rect);
      const uint32_t all = hits_.size;
      for (uint32_t i = 0; i < all; ++i) {
        const Hit hit = hits_.data[i];
        // An old writer needs no edge where a reader of what it wrote is a predecessor already.
        bool needless = false;
        if (i >= readers) {
          const uint32_t tried = readers < kMaxReaders ? readers : kMaxReaders;
          for (uint32_t r = 0; r < tried && !needless; ++r) {
            const Hit& after = hits_.data[r];
            needless =
                after.task != task_ && after.task >= hit.task && overlap(after.rect, hit.rect);
          }
        }
        conflict(hit.task, i >= readers, intersection(hit.rect, rect), needless, visit);
        if (!covers(rect, hit.rect)) keepRest(t, i < readers ? t.reads : t.writes, hit, rect);
      }
    }
    insert(t, t.writes, layerFor(t, t.writes, rect.row1 - rect.row0, rect.col1 - rect.col0), rect,
           task_);
  }

  // The cell that `rect` is exactly, when all accesses of the side that could overlap it are in that
  // cell's list; else kNoCell. There is a layer.
  static int64_t onlyCell(const Side& side, const Rect& rect) {
    const Layer& layer = side.layers[0];
    if (side.count != 1 || !layer.dense || (layer.reach_rows | layer.reach_cols) != 0)
      return kNoCell;
    const int32_t row = layer.row_cell(rect.row0), col = layer.col_cell(rect.col0);
    return isCell(layer, rect, row, col) ? row * layer.cells_across + col : kNoCell;
  }
  // onlyCell() of the reads, of which there is a layer; `cell` is that of the writes, or kNoCell.
  static int64_t readersCell(const Tensor& t, const Rect& rect, int64_t cell) {
    const Layer& layer = t.reads.layers[0];
    if (!t.same_grid || cell < 0) return onlyCell(t.reads, rect);
    return layer.dense && (layer.reach_rows | layer.reach_cols) == 0 ? cell : kNoCell;
  }
  static void setBare(Tensor& t, Layer& layer, uint32_t& slot, int32_t task) {
    slot = kBare | static_cast<uint32_t>(task);
    ++layer.bare;
    ++layer.live;
    ++t.live;
  }
  static void dropBare(Tensor& t, Layer& layer, uint32_t& slot) {
    slot = 0;
    --layer.bare;
    --layer.live;
    --t.live;
  }

  // Appends the live accesses that overlap `query` to hits_ (take: and removes them).
  template <bool take>
  void scan(Tensor& t, Side& side, const Rect& query) {
    for (int32_t l = 0; l < side.count; ++l) {
      Layer& layer = side.layers[l];
      if (layer.live == 0) continue;
      const int32_t first_row = layer.row_cell(larger(query.row0 - layer.reach_rows, 0));
      const int32_t first_col = layer.col_cell(larger(query.col0 - layer.reach_cols, 0));
      const int32_t last_row = layer.row_cell(query.row1 - 1);
      const int32_t last_col = layer.col_cell(query.col1 - 1);
      const int64_t visited = (static_cast<int64_t>(last_row) - first_row + 1) *
                              (static_cast<int64_t>(last_col) - first_col + 1);
      if (visited > kFewCells && visited > layer.live) {
        scanRecords<take>(t, layer, l, query);
        continue;
      }
      for (int32_t row = first_row; row <= last_row; ++row) {
        for (int32_t col = first_col; col <= last_col; ++col) {
          uint32_t* link = &layer.slots[slotOf(layer, row, col)];
          while (*link != 0) {
            if (*link & kBare) {
              const Rect rect = cellRect(layer, row, col);
              if (overlap(rect, query)) {
                hit(rect, taskOf(*link), l);
                if (take) dropBare(t, layer, *link);
              }
              break;
            }
            Record& record = layer.records.data[*link - 1];
            if (record.rect.row1 == 0) {
              *link = record.next;
              continue;
            }
            // Cells that share a hash slot: each record is met once, in its own cell.
            if (!overlap(record.rect, query) ||
                !(layer.dense || visited == 1 || inCell(layer, record.rect, row, col))) {
              link = &record.next;
              continue;
            }
            hit(record.rect, record.task, l);
            for (uint32_t id = record.same; id != 0; id = layer.records.data[id - 1].same) {
              hit(record.rect, layer.records.data[id - 1].task, l);
              if (take) kill(t, layer, layer.records.data[id - 1]);
            }
            if (take) {
              *link = record.next;
              kill(t, layer, record);
              continue;
            }
            link = &record.next;
          }
        }
      }
    }
  }

  // The same for one layer, by going through its records: in proportion to the live ones, not to
  // those that once were. A layer that is sparse under large queries gives every access a record.
  template <bool take>
  void scanRecords(Tensor& t, Layer& layer, int32_t l, const Rect& query) {
    layer.no_bare = true;
    const bool wasteful = layer.records.size > 2 * layer.live + 64;
    const bool ready =
        layer.bare > 0 ? giveRecords(layer) : !wasteful || rebuild(layer, layer.slot_count);
    if (!ready) return fail(Status::out_of_memory);
    for (uint32_t i = 0; i < layer.records.size; ++i) {
      Record& record = layer.records.data[i];
      if (!overlap(record.rect, query)) continue;
      hit(record.rect, record.task, l);
      if (take) kill(t, layer, record);
    }
  }

  void hit(const Rect& rect, int32_t task, int32_t layer) {
    if (!hits_.push({rect, task, layer})) fail(Status::out_of_memory);
  }
  static void kill(Tensor& t, Layer& layer, Record& record) {
    record.rect.row1 = 0;
    --layer.live;
    --t.live;
  }

  // Puts back what a write leaves of an older access: up to four rectangles. When the tensor's
  // live accesses outnumber its accesses by far, one that would fall apart stays whole instead:
  // that bounds the memory, and costs only edges that are implied by others.
  void keepRest(Tensor& t, Side& side, const Hit& old, const Rect& rect) {
    const Rect& r = old.rect;
    const Rect middle = intersection(r, rect);
    const Rect rest[4] = {{r.row0, r.col0, middle.row0, r.col1},
                          {middle.row0, r.col0, middle.row1, middle.col0},
                          {middle.row0, middle.col1, middle.row1, r.col1},
                          {middle.row1, r.col0, r.row1, r.col1}};
    int32_t pieces = 0;
    for (const Rect& piece : rest) pieces += piece.row0 < piece.row1 && piece.col0 < piece.col1;
    if (pieces > 1 && t.live > 4 * t.accesses + 64) {
      if (&side == &t.writes) t.writes_overlap = true;
      insert(t, side, old.layer, r, old.task);
      return;
    }
    for (const Rect& piece : rest) {
      if (piece.row0 >= piece.row1 || piece.col0 >= piece.col1) continue;
      insert(t, side, layerForPiece(t, side, old.layer, piece, rect), piece, old.task);
    }
  }

  // The layer for tiles of this shape. When there are too many shapes, the tightest that contains
  // it, else the first: that is right too, only slower.
  int32_t layerFor(Tensor& t, Side& side, int32_t rows, int32_t cols) {
    for (int32_t l = 0; l < side.count; ++l) {
      if (side.layers[l].pitch_rows == rows && side.layers[l].pitch_cols == cols) return l;
    }
    if (side.count < kMaxLayers) return addLayer(t, side, rows, cols);
    const int32_t best = tightest(side, rows, cols);
    return best < 0 ? 0 : best;
  }

  // Pieces stay in the layer they come from, unless its cells are so large beside the piece, or
  // the tile that cut it off, that many pieces would share one.
  int32_t layerForPiece(Tensor& t, Side& side, int32_t old, const Rect& piece, const Rect& cut) {
    const int32_t cut_rows = cut.row1 - cut.row0, cut_cols = cut.col1 - cut.col0;
    const int32_t rows = larger(piece.row1 - piece.row0, cut_rows);
    const int32_t cols = larger(piece.col1 - piece.col0, cut_cols);
    if (fits(side.layers[old], rows, cols)) return old;
    const int32_t best = tightest(side, rows, cols);
    if (best >= 0 && fits(side.layers[best], rows, cols)) return best;
    if (side.count == kMaxLayers) return best < 0 ? old : best;
    int64_t pitch_rows = cut_rows, pitch_cols = cut_cols;
    while (pitch_rows < rows) pitch_rows *= 2;
    while (pitch_cols < cols) pitch_cols *= 2;
    return addLayer(t, side, static_cast<int32_t>(pitch_rows < t.rows ? pitch_rows : t.rows),
                    static_cast<int32_t>(pitch_cols < t.cols ? pitch_cols : t.cols));
  }
  static bool fits(const Layer& layer, int32_t rows, int32_t cols) {
    return static_cast<double>(layer.pitch_rows) * layer.pitch_cols <=
           static_cast<double>(kPieceSlack) * rows * cols;
  }
  static int32_t tightest(const Side& side, int32_t rows, int32_t cols) {
    int32_t best = -1;
    double best_area = 0;
    for (int32_t l = 0; l < side.count; ++l) {
      const Layer& layer = side.layers[l];
      const double area = static_cast<double>(layer.pitch_rows) * layer.pitch_cols;
      if (layer.pitch_rows < rows || layer.pitch_cols < cols || (best >= 0 && area >= best_area))
        continue;
      best = l;
      best_area = area;
    }
    return best;
  }

  // Returns -1 when memory runs out.
  int32_t addLayer(Tensor& t, Side& side, int32_t rows, int32_t cols) {
    if (side.count > 0 && !otherThanCells()) return -1;
    if (side.layers == nullptr) {
      side.layers = static_cast<Layer*>(calloc(kMaxLayers, sizeof(Layer)));
      if (side.layers == nullptr) {
        fail(Status::out_of_memory);
        return -1;
      }
    }
    Layer& layer = side.layers[side.count];
    layer.pitch_rows = rows;
    layer.pitch_cols = cols;
    layer.row_cell.set(rows);
    layer.col_cell.set(cols);
    layer.cells_across = (t.cols + cols - 1) / cols;
    const int64_t cells_down = (t.rows + rows - 1) / rows;
    layer.cells = layer.cells_across * cells_down;
    layer.dense = layer.cells <= dense_cells_;
    if (!layer.dense && !otherThanCells()) return -1;
    if (!rebuild(layer, 64)) {
      fail(Status::out_of_memory);
      return -1;
    }
    ++side.count;
    t.same_grid = t.writes.count == 1 && t.reads.count == 1 &&
                  t.writes.layers[0].pitch_rows == t.reads.layers[0].pitch_rows &&
                  t.writes.layers[0].pitch_cols == t.reads.layers[0].pitch_cols;
    return side.count - 1;
  }

  void insert(Tensor& t, Side& side, int32_t l, const Rect& rect, int32_t task) {
    if (status_ != Status::ok) return;
    Layer& layer = side.layers[l];
    Array<Record>& records = layer.records;
    ++layer.live;
    ++t.live;
    if (listBare(layer, rect, task)) return;
    if (records.size == records.capacity) {
      // Mostly dead: take them out. Else make room, and slots in proportion.
      const bool mostly_dead = layer.live - layer.bare < records.size / 2;
      const bool crowded = !layer.dense && !mostly_dead && records.size >= layer.slot_count;
      if ((mostly_dead || crowded) &&
          !rebuild(layer, crowded ? layer.slot_count * 4 : layer.slot_count)) {
        return fail(Status::out_of_memory);
      }
    }
    if (!records.push({rect, task, 0, 0})) return fail(Status::out_of_memory);
    list(layer, records.size);
  }

};

using DependenceTracker = Tracker<false>;

#pragma GCC visibility pop
#undef PTOWSP_HIDDEN

}  // namespace ptowsp::graph

#endif  // PTOWSP_TASK_GRAPH_H
