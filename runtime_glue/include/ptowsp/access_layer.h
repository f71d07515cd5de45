// SPDX-License-Identifier: MIT
// Layer: where a Tracker (task_graph.h) keeps live accesses to tiles of one shape, so that those at a place
// are found at once. Emitted trees get a copy. C++17, C headers only.
#ifndef PTOWSP_ACCESS_LAYER_H
#define PTOWSP_ACCESS_LAYER_H

#include <stdint.h>
#include <stdlib.h>

#include "regions.h"

namespace ptowsp::graph {

#pragma GCC visibility push(hidden)

namespace layers {

constexpr uint32_t kBare = 0x80000000u;
constexpr int kSameTried = 8;  // records of a cell looked at for the same rectangle

// Record: a live access. `next` is 1 + the next record of the cell, 0 at the end; `same` likewise
// chains the accesses of exactly the same rectangle under the one that is in the cell's list, so
// that readers who pile up beside what is written cost nothing. A dead record ends at row 0 and
// so overlaps nothing; it leaves its cell's list when that is next walked.
struct Record {
  Rect rect;
  int32_t task;
  uint32_t next, same;
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

inline int32_t taskOf(uint32_t bare) { return static_cast<int32_t>(bare & ~kBare); }
inline bool isCell(const Layer& layer, const Rect& rect, int32_t row, int32_t col) {
  return rect.row0 == row * layer.pitch_rows && rect.col0 == col * layer.pitch_cols &&
         rect.row1 - rect.row0 == layer.pitch_rows && rect.col1 - rect.col0 == layer.pitch_cols;
}
inline bool inCell(const Layer& layer, const Rect& rect, int32_t row, int32_t col) {
  return layer.row_cell(rect.row0) == row && layer.col_cell(rect.col0) == col;
}
inline Rect cellRect(const Layer& layer, int32_t row, int32_t col) {
  const int32_t row0 = row * layer.pitch_rows, col0 = col * layer.pitch_cols;
  return {row0, col0, row0 + layer.pitch_rows, col0 + layer.pitch_cols};
}
inline uint32_t slotOf(const Layer& layer, int32_t row, int32_t col) {
  const uint64_t cell = static_cast<uint64_t>(row * layer.cells_across + col);
  return static_cast<uint32_t>(layer.dense ? cell : mix64(cell) & (layer.slot_count - 1));
}

// Whether the list holds accesses of just this cell: records of one chain, then one without a record.
inline bool onlyCellsOf(const Layer& layer, uint32_t slot, const Rect& cell) {
  if (slot == 0 || (slot & kBare) != 0) return true;
  const Record& record = layer.records.data[slot - 1];
  return equal(record.rect, cell) && (record.next == 0 || (record.next & kBare) != 0);
}

// Lists the access in its cell without a record where that can be.
inline bool listBare(Layer& layer, const Rect& rect, int32_t task) {
  if (!layer.dense || layer.no_bare) return false;
  const int32_t row = layer.row_cell(rect.row0), col = layer.col_cell(rect.col0);
  uint32_t& slot = layer.slots[slotOf(layer, row, col)];
  if (slot != 0 || !isCell(layer, rect, row, col)) return false;
  slot = kBare | static_cast<uint32_t>(task);
  ++layer.bare;
  return true;
}

// Lists record `id` - 1 in the cell of its top left corner.
inline void list(Layer& layer, uint32_t id) {
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
inline uint32_t listEnd(const Layer& layer, uint32_t slot) {
  while (slot != 0 && (slot & kBare) == 0) slot = layer.records.data[slot - 1].next;
  return slot;
}

// Drops the dead records and lists the others anew in `wanted` slots, or in one for each cell
// when that is not much more. The slots are thus never more than a small multiple of the records.
inline bool rebuild(Layer& layer, uint32_t wanted) {
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
inline bool giveRecords(Layer& layer) {
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

}  // namespace layers
using namespace layers;

#pragma GCC visibility pop

}  // namespace ptowsp::graph

#endif  // PTOWSP_ACCESS_LAYER_H
