// SPDX-License-Identifier: MIT
#include "generator/ir/reader.h"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "generator/base/suggest.h"
#include "generator/ir/json.h"
#include "generator/ir/schedule.h"
#include "generator/ir/view.h"

namespace ptowsp::ir {
namespace {

using json::Value;
using Kind = json::Value::Kind;
using Names = std::vector<std::string_view>;

constexpr size_t kHighestRank = 8;

bool contains(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string listed(const Names& names) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) {
    text += (i == 0 ? "'" : i + 1 == names.size() ? " or '" : ", '") + std::string(names[i]) + "'";
  }
  return text;
}

class Reader {
 public:
  explicit Reader(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  Workload workload(const Value& root) {
    Workload result;
    if (!object(root, "", "a workload", {"ptowsp", "name", "tensors", "kernels", "program"},
                {"channels", "schedule"})) {
      return result;
    }
    if (const Value* version = root.find("ptowsp")) readVersion(*version);
    if (const Value* name = root.find("name")) {
      result.name = string(*name, "/name", "the workload's name");
    }
    each(root, "tensors", "", "tensors",
         [&](const Value& v, const std::string& at) { result.tensors.push_back(tensor(v, at)); });
    each(root, "kernels", "", "kernels",
         [&](const Value& v, const std::string& at) { result.kernels.push_back(kernel(v, at)); });
    each(root, "channels", "", "channels",
         [&](const Value& v, const std::string& at) { result.channels.push_back(channel(v, at)); });
    result.program = nodes(root, "program", "");
    if (const Value* schedule = root.find("schedule")) {
      result.schedule = readSchedule(*schedule, diagnostics_);
    }
    return result;
  }

 private:
  Diagnostic& error(std::string_view rule, std::string_view place, std::string message,
                    std::string fix = {}) {
    return diagnostics_.error(rule, place, std::move(message), std::move(fix));
  }

  void wrongType(const Value& value, std::string_view place, std::string_view expected) {
    error("wrong-type", place,
          "expected " + std::string(expected) + ", found " + json::describe(value));
  }

  void noDoubleKeys(const Value& value, std::string_view place) {
    Names seen;
    for (const json::Member& member : value.members) seen.push_back(member.key);
    std::sort(seen.begin(), seen.end());
    for (size_t i = 1; i < seen.size(); ++i) {
      if (seen[i] != seen[i - 1] || (i > 1 && seen[i] == seen[i - 2])) continue;
      error("duplicate-key", json::pointer(place, seen[i]),
            "key '" + std::string(seen[i]) + "' is there more than once in one object",
            "keep one of them");
    }
  }

  // Whether the value is an object; says which of its keys are missing, unknown or double.
  bool object(const Value& value, std::string_view place, std::string_view what, Names required,
              Names optional) {
    if (value.kind != Kind::object) {
      wrongType(value, place, std::string(what) + " (an object)");
      return false;
    }
    noDoubleKeys(value, place);
    for (std::string_view key : required) {
      if (!value.find(key)) {
        error("missing-key", place,
              std::string(what) + " needs the key '" + std::string(key) + "'");
      }
    }
    Names known = std::move(required);
    known.insert(known.end(), optional.begin(), optional.end());
    for (const json::Member& member : value.members) {
      if (contains(known, member.key)) continue;
      std::string at = json::pointer(place, member.key);
      Names absent;  // a key that is there already is no plausible meaning of the misspelt one
      for (std::string_view key : known) {
        if (!value.find(key)) absent.push_back(key);
      }
      std::string_view nearest = nearestName(member.key, absent);
      error("unknown-key", at, "unknown key '" + member.key + "' in " + std::string(what),
            nearest.empty() ? suggestion("", "keys", known)
                            : "did you mean '" + std::string(nearest) + "'?");
    }
    return true;
  }

  // Calls `read` for each item of the array that is the member `key`.
  template <typename Read>
  void each(const Value& owner, std::string_view key, std::string_view place, std::string_view what,
            Read read) {
    const Value* array = owner.find(key);
    if (!array) return;
    std::string at = json::pointer(place, key);
    if (array->kind != Kind::array) {
      return wrongType(*array, at, "an array of " + std::string(what));
    }
    for (size_t i = 0; i < array->items.size(); ++i) read(array->items[i], json::pointer(at, i));
  }

  std::string string(const Value& value, std::string_view place, std::string_view what) {
    if (value.kind != Kind::string) {
      wrongType(value, place, std::string(what) + " (a string)");
      return {};
    }
    if (value.text.empty()) error("wrong-type", place, std::string(what) + " must not be empty");
    return value.text;
  }

  std::string stringMember(const Value& owner, std::string_view key, std::string_view place,
                           std::string_view what) {
    const Value* value = owner.find(key);
    return value ? string(*value, json::pointer(place, key), what) : std::string();
  }

  int64_t integer(const Value& value, std::string_view place, std::string_view what) {
    if (value.kind == Kind::integer) return value.integer;
    bool too_large =
        value.kind == Kind::number && value.text.find_first_of(".eE") == std::string::npos;
    wrongType(value, place,
              std::string(what) + (too_large ? " (an integer of 64 bits)" : " (an integer)"));
    return 1;
  }

  double number(const Value& value, std::string_view place, std::string_view what) {
    if (!value.isNumber()) wrongType(value, place, std::string(what) + " (a number)");
    return value.number;
  }

  // The member `key` as one of `names`; anything else is an error and gives 0.
  size_t choice(const Value& owner, std::string_view key, std::string_view place,
                std::string_view rule, std::string_view what, const Names& names) {
    const Value* value = owner.find(key);
    if (!value) return 0;
    std::string at = json::pointer(place, key);
    if (value->kind != Kind::string) {
      wrongType(*value, at, listed(names));
      return 0;
    }
    auto found = std::find(names.begin(), names.end(), value->text);
    if (found == names.end()) {
      error(rule, at,
            "unknown " + std::string(what) + " " + json::quoted(value->text) + ", expected " +
                listed(names),
            nearestName(value->text, names).empty()
                ? ""
                : "did you mean '" + std::string(nearestName(value->text, names)) + "'?");
      return 0;
    }
    return static_cast<size_t>(found - names.begin());
  }

  DType dtype(const Value& owner, std::string_view key, std::string_view place) {
    constexpr std::array kAll = {DType::f32, DType::f16, DType::bf16, DType::i32};
    return kAll[choice(owner, key, place, "unknown-dtype", "dtype", {"f32", "f16", "bf16", "i32"})];
  }

  void readVersion(const Value& version) {
    if (version.kind == Kind::integer && version.integer == 1) return;
    error("unknown-version", "/ptowsp",
          "expected version 1 of the workload format, found " + json::describe(version),
          "write \"ptowsp\": 1, or use the version of PtoWsp that this file was made for");
  }

  Tensor tensor(const Value& value, const std::string& place) {
    Tensor tensor;
    tensor.place = place;
    if (!object(value, place, "a tensor", {"name", "dtype", "shape", "role"},
                {"init", "rtol", "atol"})) {
      return tensor;
    }
    tensor.name = stringMember(value, "name", place, "a tensor's name");
    tensor.dtype = dtype(value, "dtype", place);
    constexpr std::array kRoles = {Role::input, Role::output, Role::inout, Role::temporary};
    tensor.role = kRoles[choice(value, "role", place, "unknown-role", "role",
                                {"input", "output", "inout", "temporary"})];
    each(value, "shape", place, "integers", [&](const Value& extent, const std::string& at) {
      tensor.shape.push_back(positive(extent, at, "an extent"));
    });
    if (const Value* shape = value.find("shape");
        shape && shape->kind == Kind::array &&
        (tensor.shape.empty() || tensor.shape.size() > kHighestRank)) {
      error("bad-shape", place + "/shape",
            "a tensor has 1 to 8 dimensions, found " + std::to_string(tensor.shape.size()));
    }
    if (const Value* init = value.find("init")) tensor.init = readInit(*init, place + "/init");
    if (const Value* rtol = value.find("rtol")) tensor.rtol = tolerance(*rtol, place + "/rtol");
    if (const Value* atol = value.find("atol")) tensor.atol = tolerance(*atol, place + "/atol");
    return tensor;
  }

  int64_t positive(const Value& value, const std::string& place, std::string_view what) {
    int64_t extent = integer(value, place, what);
    if (extent < 1) {
      error("bad-shape", place,
            std::string(what) + " must be at least 1, found " + std::to_string(extent));
      return 1;
    }
    return extent;
  }

  double tolerance(const Value& value, const std::string& place) {
    double tolerance = number(value, place, "a tolerance");
    if (tolerance < 0) {
      error("bad-tolerance", place, "a tolerance must not be negative, found " + value.text);
    }
    return tolerance;
  }

  Init readInit(const Value& value, const std::string& place) {
    Init init;
    const Names kinds = {"uniform", "normal", "constant", "arange", "npy"};
    if (value.kind != Kind::object || value.members.size() != 1 ||
        !contains(kinds, value.members[0].key)) {
      bool other = value.kind == Kind::object && value.members.size() == 1;
      error("bad-init", place,
            "expected an object with one key, " + listed(kinds) + ", found " +
                (other ? "'" + value.members[0].key + "'" : json::describe(value)),
            other ? suggestion(value.members[0].key, "inits", kinds) : "");
      return init;
    }
    const json::Member& member = value.members[0];
    std::string at = json::pointer(place, member.key);
    auto pair = [&](Init::Kind kind, std::string_view what) {
      init.kind = kind;
      const std::vector<Value>& items = member.value.items;
      if (member.value.kind != Kind::array || items.size() != 2 || !items[0].isNumber() ||
          !items[1].isNumber()) {
        return error("bad-init", at, "expected two numbers, [" + std::string(what) + "]"), void();
      }
      init.a = items[0].number;
      init.b = items[1].number;
    };
    if (member.key == "uniform") {
      pair(Init::Kind::uniform, "low, high");
      if (init.a > init.b) error("bad-init", at, "low is greater than high");
    } else if (member.key == "normal") {
      pair(Init::Kind::normal, "mean, standard deviation");
      if (init.b < 0) error("bad-init", at, "the standard deviation is negative");
    } else if (member.key == "arange") {
      pair(Init::Kind::arange, "start, step");
    } else if (member.key == "constant") {
      init.kind = Init::Kind::constant;
      init.a = number(member.value, at, "a constant");
      init.b = 0;
    } else {
      init.kind = Init::Kind::npy;
      init.a = init.b = 0;
      init.file = string(member.value, at, "a file name");
    }
    return init;
  }

  Kernel kernel(const Value& value, const std::string& place) {
    Kernel kernel;
    kernel.place = place;
    if (!object(value, place, "a kernel", {"name", "params", "body"}, {})) return kernel;
    kernel.name = stringMember(value, "name", place, "a kernel's name");
    each(value, "params", place, "parameters",
         [&](const Value& v, const std::string& at) { kernel.params.push_back(parameter(v, at)); });
    each(value, "body", place, "ops",
         [&](const Value& v, const std::string& at) { kernel.body.push_back(op(v, at)); });
    return kernel;
  }

  Parameter parameter(const Value& value, const std::string& place) {
    Parameter parameter;
    parameter.place = place;
    parameter.is_scalar = value.kind == Kind::object && value.find("scalar");
    if (parameter.is_scalar) {
      if (!object(value, place, "a scalar parameter", {"name", "scalar"}, {})) return parameter;
      parameter.dtype = dtype(value, "scalar", place);
    } else {
      if (!object(value, place, "a tile parameter", {"name", "tile", "dtype", "access"}, {})) {
        return parameter;
      }
      parameter.dtype = dtype(value, "dtype", place);
      constexpr std::array kAccesses = {Access::in, Access::out, Access::inout};
      parameter.access = kAccesses[choice(value, "access", place, "unknown-access", "access",
                                          {"in", "out", "inout"})];
      std::vector<int64_t> extents;
      each(value, "tile", place, "two integers", [&](const Value& v, const std::string& at) {
        extents.push_back(positive(v, at, "a tile's extent"));
      });
      if (extents.size() == 2) {
        parameter.rows = extents[0];
        parameter.cols = extents[1];
      } else if (const Value* tile = value.find("tile"); tile && tile->kind == Kind::array) {
        error("bad-shape", place + "/tile",
              "a tile has two extents, [rows, cols], found " + std::to_string(extents.size()));
      }
    }
    parameter.name = stringMember(value, "name", place, "a parameter's name");
    return parameter;
  }

  Op op(const Value& value, const std::string& place) {
    Op op;
    op.place = place;
    if (!object(value, place, "an op", {"op", "args"}, {"result", "dtype", "value", "rows", "cols"})) return op;
    op.name = stringMember(value, "op", place, "an op's name");
    op.result = stringMember(value, "result", place, "a result's name");
    each(value, "args", place, "names and numbers", [&](const Value& v, const std::string& at) {
      if (v.isNumber()) {
        op.args.emplace_back(v.number);
      } else if (v.kind == Kind::string) {
        op.args.emplace_back(v.text);
      } else {
        wrongType(v, at, "the name of a parameter or result, or a number");
      }
    });
    if (value.find("dtype")) op.dtype = dtype(value, "dtype", place);
    if (const Value* constant = value.find("value"))
      op.value = number(*constant, place + "/value", "a constant's value");
    if (const Value* rows = value.find("rows"))
      op.rows = positive(*rows, place + "/rows", "an extent");
    if (const Value* cols = value.find("cols"))
      op.cols = positive(*cols, place + "/cols", "an extent");
    return op;
  }

  Channel channel(const Value& value, const std::string& place) {
    Channel channel;
    channel.place = place;
    if (!object(value, place, "a channel", {"name", "depth"}, {"latency"})) return channel;
    channel.name = stringMember(value, "name", place, "a channel's name");
    auto count = [&](std::string_view key, std::string_view what) -> int64_t {
      const Value* member = value.find(key);
      if (!member) return 0;
      std::string at = json::pointer(place, key);
      int64_t number = integer(*member, at, what);
      if (number >= 0) return number;
      error("bad-channel", at,
            std::string(what) + " must not be negative, found " + std::to_string(number));
      return 0;
    };
    channel.depth = count("depth", "a channel's depth");
    channel.latency = count("latency", "a channel's latency");
    return channel;
  }

  std::vector<Node> nodes(const Value& owner, std::string_view key, std::string_view place) {
    std::vector<Node> result;
    each(owner, key, place, "program nodes",
         [&](const Value& v, const std::string& at) { result.push_back(node(v, at)); });
    return result;
  }

  Node node(const Value& value, const std::string& place) {
    Node node;
    node.place = place;
    if (value.kind != Kind::object) {
      wrongType(value, place, "a program node (an object)");
    } else if (value.find("task")) {
      readTask(value, node);
    } else if (value.find("for")) {
      readLoop(value, node);
    } else if (value.find("sequential")) {
      node.kind = Node::Kind::sequential;
      object(value, place, "a sequential node", {"sequential"}, {});
      node.body = nodes(value, "sequential", place);
    } else if (value.find("combine")) {
      node.kind = Node::Kind::combine;
      object(value, place, "a combine node", {"combine"}, {});
      node.body = nodes(value, "combine", place);
    } else if (value.find("connect")) {
      node.kind = Node::Kind::connect;
      object(value, place, "a connect node", {"connect"}, {});
      each(value, "connect", place, "processes", [&](const Value& v, const std::string& at) {
        node.body.push_back(process(v, at));
      });
    } else if (value.find("send")) {
      node.kind = Node::Kind::send;
      object(value, place, "a send node", {"send", "body"}, {});
      node.channel = stringMember(value, "send", place, "a channel's name");
      node.body = nodes(value, "body", place);
    } else if (value.find("consume")) {
      node.kind = Node::Kind::consume;
      object(value, place, "a consume node", {"consume", "as", "body"}, {});
      node.channel = stringMember(value, "consume", place, "a channel's name");
      node.variable = stringMember(value, "as", place, "the variable of the token's index");
      node.body = nodes(value, "body", place);
    } else if (value.find("process")) {
      error("misplaced-node", json::pointer(place, "process"),
            "a process stands in a connect node, not among the program's nodes",
            "write {\"connect\": [...]} around the processes");
    } else {
      const Names kinds = {"task", "for", "sequential", "combine", "connect", "send", "consume"};
      std::string fix;
      for (const json::Member& member : value.members) {
        std::string_view nearest = nearestName(member.key, kinds);
        if (!nearest.empty()) fix = "did you mean '" + std::string(nearest) + "'?";
      }
      error("missing-key", place, "a program node needs one of the keys " + listed(kinds), fix);
    }
    return node;
  }

  Node process(const Value& value, const std::string& place) {
    Node node;
    node.kind = Node::Kind::process;
    node.place = place;
    if (!object(value, place, "a process", {"process", "body"}, {"consumes", "produces"})) {
      return node;
    }
    node.name = stringMember(value, "process", place, "a process's name");
    auto names = [&](std::string_view key, std::vector<Name>& list) {
      each(value, key, place, "channel names", [&](const Value& v, const std::string& at) {
        list.push_back({string(v, at, "a channel's name"), at});
      });
    };
    names("consumes", node.consumes);
    names("produces", node.produces);
    node.body = nodes(value, "body", place);
    return node;
  }

  void readLoop(const Value& value, Node& node) {
    node.kind = Node::Kind::loop;
    object(value, node.place, "a loop", {"for", "extent", "body"}, {"mode"});
    if (!value.find("mode")) {
      error("missing-key", node.place, "a loop needs the key 'mode'",
            "write \"mode\": \"parallel\" where no iteration touches what another one writes, else "
            "\"mode\": \"sequential\"");
    }
    node.variable = stringMember(value, "for", node.place, "a loop variable");
    if (const Value* extent = value.find("extent")) {
      node.extent = integer(*extent, node.place + "/extent", "a loop's extent");
    }
    node.parallel =
        choice(value, "mode", node.place, "unknown-mode", "mode", {"sequential", "parallel"}) == 1;
    node.body = nodes(value, "body", node.place);
  }

  void readTask(const Value& value, Node& node) {
    node.kind = Node::Kind::task;
    object(value, node.place, "a task", {"task", "args"}, {});
    node.kernel = stringMember(value, "task", node.place, "a kernel's name");
    const Value* args = value.find("args");
    if (!args) return;
    std::string at = node.place + "/args";
    if (args->kind != Kind::object) {
      return wrongType(*args, at, "the task's arguments (an object, one key for each parameter)");
    }
    noDoubleKeys(*args, at);
    for (const json::Member& member : args->members) {
      Argument argument{member.key, 0.0, json::pointer(at, member.key)};
      if (member.value.isNumber()) {
        argument.value = member.value.number;
      } else if (member.value.kind == Kind::string) {
        std::string message;
        if (std::optional<View> view = parseView(member.value.text, message)) {
          argument.value = std::move(*view);
        } else {
          error("bad-view", argument.place, message);
        }
      } else {
        wrongType(member.value, argument.place, "a view (a string) or a number");
      }
      node.args.push_back(std::move(argument));
    }
  }

  Diagnostics& diagnostics_;
};

}  // namespace

std::optional<Workload> readWorkload(std::string_view text, const std::string& path,
                                     Locations& locations, Diagnostics& diagnostics) {
  json::Error syntax;
  std::optional<Value> root = json::parse(text, syntax);
  if (!root) {
    locations.setDocument(path, text, Value());
    diagnostics.error("malformed-json", "@" + std::to_string(syntax.offset), syntax.message);
    return std::nullopt;
  }
  if (root->kind == Kind::object && root->members.size() == 2 && root->find("ptowsp")) {
    // What a tracer leaves of a script with a mistake; the text is already the user's message.
    const Value* error = root->find("error");
    if (error && error->kind == Kind::string) {
      diagnostics.error(kScriptRule, "", error->text);
      locations.setDocument(path, text, std::move(*root));
      return std::nullopt;
    }
  }
  size_t errors = diagnostics.all().size();
  Workload workload = Reader(diagnostics).workload(*root);
  locations.setDocument(path, text, std::move(*root));
  if (diagnostics.all().size() != errors) return std::nullopt;  // the reader gives errors only
  return workload;
}

}  // namespace ptowsp::ir
