// SPDX-License-Identifier: MIT
// Programs made by hand: what verify would hand on, without kernel bodies, which analyze never
// reads.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "generator/verify/network.h"
#include "generator/verify/program.h"

namespace ptowsp::test {

// Pos: constant + coefficients of the enclosing loops, outermost first; missing ones are 0.
struct Pos {
  int64_t constant = 0;
  std::vector<int64_t> coefficients = {};
};

struct At {
  int tensor;
  Pos row, col = {}, plane = {};
};

inline Tensor tensor(std::string name, Role role, std::vector<int64_t> shape) {
  Tensor t;
  t.declaration.name = std::move(name);
  t.declaration.role = role;
  t.declaration.shape = shape;
  t.cols = shape.back();
  t.rows = shape.size() > 1 ? shape[shape.size() - 2] : 1;
  for (size_t d = 0; d + 2 < shape.size(); ++d) t.planes *= shape[d];
  t.elements = t.planes * t.rows * t.cols;
  t.bytes = 4 * t.elements;
  return t;
}

struct Tile {
  std::string name;
  Access access;
  int64_t rows, cols;
};

inline Kernel kernel(std::string name, std::vector<Tile> tiles) {
  Kernel k;
  k.name = std::move(name);
  for (Tile& tile : tiles) {
    TileParameter parameter;
    parameter.name = tile.name;
    parameter.access = tile.access;
    parameter.rows = tile.rows;
    parameter.cols = tile.cols;
    k.tiles.push_back(parameter);
  }
  return k;
}

struct Views {
  std::vector<At> at;
};

inline Node task(int kernel, std::vector<At> views) {
  Node node;
  node.kind = Node::Kind::task;
  node.kernel = kernel;
  for (const At& at : views) {
    TileView view;
    view.tensor = at.tensor;
    view.plane = {at.plane.constant, at.plane.coefficients};
    view.row = {at.row.constant, at.row.coefficients};
    view.col = {at.col.constant, at.col.coefficients};
    node.views.push_back(view);
  }
  return node;
}

inline Node group(Node::Kind kind, std::vector<Node> body) {
  Node node;
  node.kind = kind;
  node.body = std::move(body);
  return node;
}
inline Node sequential(std::vector<Node> body) {
  return group(Node::Kind::sequential, std::move(body));
}
inline Node combine(std::vector<Node> body) { return group(Node::Kind::combine, std::move(body)); }
inline Node loop(std::string variable, int64_t extent, bool parallel, std::vector<Node> body) {
  Node node = group(Node::Kind::loop, std::move(body));
  node.variable = std::move(variable);
  node.extent = extent;
  node.parallel = parallel;
  return node;
}

inline Node process(std::string name, std::vector<Node> body) {
  Node node = group(Node::Kind::process, std::move(body));
  node.name = std::move(name);
  return node;
}
inline Node connect(std::vector<Node> processes) {
  return group(Node::Kind::connect, std::move(processes));
}
inline Node send(int channel, std::vector<Node> body) {
  Node node = group(Node::Kind::send, std::move(body));
  node.channel = channel;
  return node;
}
inline Node consume(int channel, std::string variable, int64_t tokens, std::vector<Node> body) {
  Node node = loop(std::move(variable), tokens, false, std::move(body));
  node.channel = channel;
  return node;
}
inline Channel channel(std::string name, int64_t depth, int64_t tokens, int64_t latency = 0) {
  return {std::move(name), depth, latency, tokens, "/channels"};
}

// Fills in what follows from the rest: places, counts, coefficients, extents, written.
inline void finish(Program& program, Node& node, const std::string& place, size_t depth) {
  node.place = place;
  if (node.kind == Node::Kind::task) {
    node.tasks = 1;
    const Kernel& kernel = program.kernels[static_cast<size_t>(node.kernel)];
    for (size_t v = 0; v < node.views.size(); ++v) {
      TileView& view = node.views[v];
      for (Affine* affine : {&view.plane, &view.row, &view.col}) affine->coefficients.resize(depth);
      view.rows = kernel.tiles[v].rows;
      view.cols = kernel.tiles[v].cols;
      view.place = place + "/args/" + kernel.tiles[v].name;
      if (kernel.tiles[v].access != Access::in) {
        program.tensors[static_cast<size_t>(view.tensor)].written = true;
      }
    }
    return;
  }
  const bool is_loop = node.kind == Node::Kind::loop;
  for (size_t i = 0; i < node.body.size(); ++i) {
    const std::string list = is_loop || node.name != "" || node.channel >= 0 ? "/body/"
                             : node.kind == Node::Kind::connect ? "/connect/"
                             : node.kind == Node::Kind::combine ? "/combine/"
                             : place == "/program"              ? "/"
                                                                : "/sequential/";
    finish(program, node.body[i], place + list + std::to_string(i), depth + (is_loop ? 1 : 0));
    node.tasks += node.body[i].tasks * (is_loop ? node.extent : 1);
  }
}

inline Program program(std::vector<Tensor> tensors, std::vector<Kernel> kernels,
                       std::vector<Node> body, std::vector<Channel> channels = {}) {
  Program p;
  p.name = "test";
  p.channels = std::move(channels);
  p.tensors = std::move(tensors);
  p.kernels = std::move(kernels);
  for (size_t t = 0; t < p.tensors.size(); ++t)
    p.tensors[t].declaration.place = "/tensors/" + std::to_string(t);
  for (size_t k = 0; k < p.kernels.size(); ++k)
    p.kernels[k].place = "/kernels/" + std::to_string(k);
  p.root = sequential(std::move(body));
  finish(p, p.root, "/program", 0);
  Diagnostics diagnostics;
  orderProcesses(p, diagnostics);
  if (diagnostics.hasErrors()) throw std::logic_error(diagnostics.all()[0].message);
  return p;
}

}  // namespace ptowsp::test
