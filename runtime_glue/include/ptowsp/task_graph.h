// SPDX-License-Identifier: MIT
// Dependence inference: which earlier tasks a task must wait for, from the regions it touches.
// The generator and every emitted orchestration use this one implementation, so that the graph that
// was checked is the graph that is built. Emitted trees hold a copy named ptowsp_task_graph.h,
// hence C++17, C headers only, no other header of PtoWsp, and no allocation per task.
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

namespace ptowsp::graph {

// Functions are hidden: a runtime may load several orchestrations RTLD_GLOBAL into one process,
// perhaps emitted by different versions; none may pick up another's copy.
#define PTOWSP_HIDDEN __attribute__((visibility("hidden")))

enum class Access : uint8_t { in, out, inout };

// too_large: a tracked tensor has a dimension, or the graph a count, beyond 2^31 - 1.
// bad_access: a region outside its tensor, an unknown tensor, or a write to an untracked tensor.
enum class Status : uint8_t { ok, out_of_memory, too_large, bad_access };

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
  }
  return "unknown";
}

// Rect: rows [row0, row1) and columns [col0, col1) of a tensor seen as planes * rows flat rows.
struct Rect {
  int32_t row0, col0, row1, col1;
};

struct Predecessors {
  const int32_t* tasks;
  int32_t count;
};

// mix64: the finalizer of splitmix64.
PTOWSP_HIDDEN inline uint64_t mix64(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

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

// Array: a growable array of plain structs; push fails only when memory runs out.
template <class T>
struct Array {
  T* data = nullptr;
  uint32_t size = 0, capacity = 0;

  bool push(const T& value) {
    if (size == capacity && !grow()) return false;
    data[size++] = value;
    return true;
  }
  bool grow() {
    if (capacity >= 0x80000000u) return false;
    const uint32_t wanted = capacity == 0 ? 16 : capacity * 2;
    void* grown = realloc(data, wanted * sizeof(T));
    if (grown == nullptr) return false;
    data = static_cast<T*>(grown);
    capacity = wanted;
    return true;
  }
  void release() { free(data); }
};

// DependenceTracker. For every tensor it keeps the live accesses: rectangles last written by a
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
class DependenceTracker {
 public:
  DependenceTracker() = default;
  DependenceTracker(const DependenceTracker&) = delete;
  DependenceTracker& operator=(const DependenceTracker&) = delete;
  ~DependenceTracker() {
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
    sortUnique();
    return {predecessors_.data, static_cast<int32_t>(predecessors_.size)};
  }

  Status status() const { return status_; }
  int32_t task() const { return task_; }

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
  static constexpr int kSameTried = 8;  // records of a cell looked at for the same rectangle
  static constexpr uint32_t kBare = 0x80000000u;
  static constexpr uint32_t kMaxReaders = 16;  // readers tried to make an edge to a writer needless

  // Record: a live access. `next` is 1 + the next record of the cell, 0 at the end; `same` likewise
  // chains the accesses of exactly the same rectangle under the one that is in the cell's list, so
  // that readers who pile up beside what is written cost nothing. A dead record ends at row 0 and
  // so overlaps nothing; it leaves its cell's list when that is next walked.
  struct Record {
    Rect rect;
    int32_t task;
    uint32_t next, same;
  };

  struct Hit {
    Rect rect;
    int32_t task;
    int32_t layer;
  };

  // Divisor: division of 0 <= x < 2^31 by a constant 0 < d < 2^31, exact: m * d exceeds 2^62 by
  // less than d, hence the quotient by less than x / 2^62, which cannot carry it to the next
  // integer.
  struct Divisor {
    uint64_t m;
    void set(int32_t d) { m = ((uint64_t{1} << 62) - 1) / static_cast<uint64_t>(d) + 1; }
    int32_t operator()(int32_t x) const {
      __extension__ typedef unsigned __int128 Wide;
      return static_cast<int32_t>((static_cast<Wide>(static_cast<uint64_t>(x) << 2) * m) >> 64);
    }
  };

  // Layer: a slot holds 1 + the first record of a cell, or 0. There is a slot for each cell
  // (dense), or, while there are far fewer records than cells, a hash table. In a dense layer an
  // access that is exactly its cell needs no record: kBare + its task ends the cell's list.
  // reach_rows and reach_cols say how far any record juts out of its own cell.
  struct Layer {
    int32_t pitch_rows, pitch_cols;
    Divisor row_cell, col_cell;
    int32_t reach_rows, reach_cols;
    int64_t cells_across, cells;
    uint32_t* slots;
    uint32_t slot_count;
    bool dense, no_bare;
    uint32_t live, bare;  // live accesses; those of them without a record
    Array<Record> records;
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
  };

  Array<Tensor> tensors_;
  Array<int32_t> after_;
  Array<int32_t> predecessors_;
  Array<Hit> hits_;
  int32_t task_ = -1;
  Status status_ = Status::ok;

  void fail(Status status) {
    if (status_ == Status::ok) status_ = status;
  }

  static bool overlap(const Rect& a, const Rect& b) {
    return a.row0 < b.row1 && b.row0 < a.row1 && a.col0 < b.col1 && b.col0 < a.col1;
  }
  static bool covers(const Rect& a, const Rect& b) {
    return a.row0 <= b.row0 && a.row1 >= b.row1 && a.col0 <= b.col0 && a.col1 >= b.col1;
  }
  static bool equal(const Rect& a, const Rect& b) {
    return a.row0 == b.row0 && a.row1 == b.row1 && a.col0 == b.col0 && a.col1 == b.col1;
  }
  static int32_t larger(int32_t a, int32_t b) { return a > b ? a : b; }
  static int32_t smaller(int32_t a, int32_t b) { return a < b ? a : b; }
  static Rect intersection(const Rect& a, const Rect& b) {
    return {larger(a.row0, b.row0), larger(a.col0, b.col0), smaller(a.row1, b.row1),
            smaller(a.col1, b.col1)};
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
    if (const uint32_t* const writer = onlyCell(t.writes, rect)) {
      if (*writer != 0) conflict(taskOf(*writer), true, rect, false, visit);
    } else {
      hits_.size = 0;
      scan<false>(t, t.writes, rect);
      for (uint32_t i = 0; i < hits_.size; ++i) {
        const Hit& hit = hits_.data[i];
        conflict(hit.task, true, intersection(hit.rect, rect), false, visit);
      }
    }
    uint32_t* const reader = onlyCell(t.reads, rect);
    if (reader != nullptr && *reader == 0 && !t.reads.layers[0].no_bare) {
      setBare(t, t.reads.layers[0], *reader, task_);
    } else {
      insert(t, t.reads, layerFor(t, t.reads, rect.row1 - rect.row0, rect.col1 - rect.col0), rect,
             task_);
    }
  }

  template <class Visitor>
  void write(Tensor& t, const Rect& rect, Visitor&& visit) {
    // Aligned tiles: at most one reader and one writer to replace, of just this cell.
    uint32_t nobody = 0;
    uint32_t* const reader = t.reads.count == 0 ? &nobody : onlyCell(t.reads, rect);
    uint32_t* const writer = reader == nullptr ? nullptr : onlyCell(t.writes, rect);
    if (writer != nullptr && !t.writes.layers[0].no_bare) {
      const bool read = *reader != 0 && taskOf(*reader) != task_;
      if (*reader != 0) {
        conflict(taskOf(*reader), false, rect, false, visit);
        dropBare(t, t.reads.layers[0], *reader);
      }
      if (*writer != 0) {
        conflict(taskOf(*writer), true, rect, read, visit);
        dropBare(t, t.writes.layers[0], *writer);
      }
      setBare(t, t.writes.layers[0], *writer, task_);
      return;
    }
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
          needless = after.task != task_ && after.task >= hit.task && overlap(after.rect, hit.rect);
        }
      }
      conflict(hit.task, i >= readers, intersection(hit.rect, rect), needless, visit);
      if (!covers(rect, hit.rect)) keepRest(t, i < readers ? t.reads : t.writes, hit, rect);
    }
    insert(t, t.writes, layerFor(t, t.writes, rect.row1 - rect.row0, rect.col1 - rect.col0), rect,
           task_);
  }

  // The slot of the cell that `rect` is exactly, when all accesses of the side that could overlap
  // it are in that cell's list, and that holds at most one, without a record. Else null.
  static uint32_t* onlyCell(const Side& side, const Rect& rect) {
    if (side.count != 1) return nullptr;
    const Layer& layer = side.layers[0];
    if (!layer.dense || (layer.reach_rows | layer.reach_cols) != 0) return nullptr;
    const int32_t row = layer.row_cell(rect.row0), col = layer.col_cell(rect.col0);
    if (!isCell(layer, rect, row, col)) return nullptr;
    uint32_t* const slot = &layer.slots[row * layer.cells_across + col];
    return *slot == 0 || (*slot & kBare) != 0 ? slot : nullptr;
  }
  static bool isCell(const Layer& layer, const Rect& rect, int32_t row, int32_t col) {
    return rect.row0 == row * layer.pitch_rows && rect.col0 == col * layer.pitch_cols &&
           rect.row1 - rect.row0 == layer.pitch_rows && rect.col1 - rect.col0 == layer.pitch_cols;
  }
  static int32_t taskOf(uint32_t bare) { return static_cast<int32_t>(bare & ~kBare); }
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

  static bool inCell(const Layer& layer, const Rect& rect, int32_t row, int32_t col) {
    return layer.row_cell(rect.row0) == row && layer.col_cell(rect.col0) == col;
  }
  static Rect cellRect(const Layer& layer, int32_t row, int32_t col) {
    const int32_t row0 = row * layer.pitch_rows, col0 = col * layer.pitch_cols;
    return {row0, col0, row0 + layer.pitch_rows, col0 + layer.pitch_cols};
  }
  static uint32_t slotOf(const Layer& layer, int32_t row, int32_t col) {
    const uint64_t cell = static_cast<uint64_t>(row * layer.cells_across + col);
    return static_cast<uint32_t>(layer.dense ? cell : mix64(cell) & (layer.slot_count - 1));
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
  int32_t addLayer(const Tensor& t, Side& side, int32_t rows, int32_t cols) {
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
    if (!rebuild(layer, 64)) {
      fail(Status::out_of_memory);
      return -1;
    }
    return side.count++;
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

  // Lists the access in its cell without a record where that can be.
  static bool listBare(Layer& layer, const Rect& rect, int32_t task) {
    if (!layer.dense || layer.no_bare) return false;
    const int32_t row = layer.row_cell(rect.row0), col = layer.col_cell(rect.col0);
    uint32_t& slot = layer.slots[slotOf(layer, row, col)];
    if (slot != 0 || !isCell(layer, rect, row, col)) return false;
    slot = kBare | static_cast<uint32_t>(task);
    ++layer.bare;
    return true;
  }

  // Lists record `id` - 1 in the cell of its top left corner.
  static void list(Layer& layer, uint32_t id) {
    Record& record = layer.records.data[id - 1];
    const Rect& rect = record.rect;
    const int32_t row = layer.row_cell(rect.row0), col = layer.col_cell(rect.col0);
    const int64_t row_end = (static_cast<int64_t>(row) + 1) * layer.pitch_rows;
    const int64_t col_end = (static_cast<int64_t>(col) + 1) * layer.pitch_cols;
    if (rect.row1 - row_end > layer.reach_rows)
      layer.reach_rows = static_cast<int32_t>(rect.row1 - row_end);
    if (rect.col1 - col_end > layer.reach_cols)
      layer.reach_cols = static_cast<int32_t>(rect.col1 - col_end);
    uint32_t& slot = layer.slots[slotOf(layer, row, col)];
    uint32_t other = slot;
    for (int tried = 0; tried < kSameTried && other != 0 && (other & kBare) == 0; ++tried) {
      Record& known = layer.records.data[other - 1];
      if (equal(known.rect, rect)) {
        record.next = 0;
        record.same = known.same;
        known.same = id;
        return;
      }
      other = known.next;
    }
    record.next = slot;
    record.same = 0;
    slot = id;
  }

  // What a list ends with: 0, or an access without a record.
  static uint32_t listEnd(const Layer& layer, uint32_t slot) {
    while (slot != 0 && (slot & kBare) == 0) slot = layer.records.data[slot - 1].next;
    return slot;
  }

  // Drops the dead records and lists the others anew in `wanted` slots, or in one for each cell
  // when that is not much more. The slots are thus never more than a small multiple of the records.
  static bool rebuild(Layer& layer, uint32_t wanted) {
    const bool dense = layer.dense || layer.cells <= 2 * static_cast<int64_t>(wanted);
    const uint32_t count = dense ? static_cast<uint32_t>(layer.cells) : wanted;
    Array<Record>& records = layer.records;
    if (count == layer.slot_count) {
      for (uint32_t i = 0; i < records.size; ++i) {
        const Rect& rect = records.data[i].rect;
        uint32_t& slot =
            layer.slots[slotOf(layer, layer.row_cell(rect.row0), layer.col_cell(rect.col0))];
        slot = listEnd(layer, slot);
      }
    } else {
      uint32_t* slots = static_cast<uint32_t*>(calloc(count, sizeof(uint32_t)));
      if (slots == nullptr) return false;
      free(layer.slots);
      layer.slots = slots;
    }
    layer.slot_count = count;
    layer.dense = dense;
    layer.reach_rows = layer.reach_cols = 0;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < records.size; ++i) {
      const Record record = records.data[i];
      if (record.rect.row1 == 0 || listBare(layer, record.rect, record.task)) continue;
      records.data[kept++] = record;
      list(layer, kept);
    }
    records.size = kept;
    return true;
  }

  // Gives every access of a layer, in which no_bare is set, a record.
  static bool giveRecords(Layer& layer) {
    for (uint32_t cell = 0; cell < layer.slot_count; ++cell) {
      const uint32_t end = listEnd(layer, layer.slots[cell]);
      layer.slots[cell] = 0;
      if (end == 0) continue;
      const Rect rect = cellRect(layer, static_cast<int32_t>(cell / layer.cells_across),
                                 static_cast<int32_t>(cell % layer.cells_across));
      if (!layer.records.push({rect, taskOf(end), 0, 0})) return false;
    }
    layer.bare = 0;
    return rebuild(layer, layer.slot_count);
  }

  void sortUnique() {
    int32_t* const p = predecessors_.data;
    const uint32_t n = predecessors_.size;
    if (n < 2) return;
    if (p[0] > p[n - 1]) {  // cells list their newest record first
      for (uint32_t i = 0, j = n - 1; i < j; ++i, --j) swap(p[i], p[j]);
    }
    if (n <= 32) {
      for (uint32_t i = 1; i < n; ++i) {
        const int32_t value = p[i];
        uint32_t j = i;
        for (; j > 0 && p[j - 1] > value; --j) p[j] = p[j - 1];
        p[j] = value;
      }
    } else {
      uint32_t sorted = 1;
      while (sorted < n && p[sorted - 1] <= p[sorted]) ++sorted;
      if (sorted < n) heapSort(p, n);
    }
    uint32_t unique = 1;
    for (uint32_t i = 1; i < n; ++i) {
      if (p[i] != p[unique - 1]) p[unique++] = p[i];
    }
    predecessors_.size = unique;
  }
  static void swap(int32_t& a, int32_t& b) {
    const int32_t t = a;
    a = b;
    b = t;
  }
  static void heapSort(int32_t* p, uint32_t n) {
    for (uint32_t i = n / 2; i > 0; --i) sink(p, i - 1, n);
    for (uint32_t end = n - 1; end > 0; --end) {
      swap(p[0], p[end]);
      sink(p, 0, end);
    }
  }
  static void sink(int32_t* p, uint32_t i, uint32_t n) {
    for (uint32_t child; (child = 2 * i + 1) < n; i = child) {
      if (child + 1 < n && p[child + 1] > p[child]) ++child;
      if (p[i] >= p[child]) return;
      swap(p[i], p[child]);
    }
  }
};

#pragma GCC visibility pop
#undef PTOWSP_HIDDEN

}  // namespace ptowsp::graph

#endif  // PTOWSP_TASK_GRAPH_H
