// SPDX-License-Identifier: MIT
#include "generator/ir/schedule.h"

#include <algorithm>
#include <array>
#include <limits>

#include "generator/base/suggest.h"
#include "generator/ir/view.h"

namespace ptowsp::ir {
namespace {

using json::Value;
using Kind = json::Value::Kind;
using Names = std::vector<std::string_view>;
using Policy = Dispatch::Policy;

constexpr std::array kPolicies = {Policy::round_robin, Policy::hash, Policy::affinity,
                                  Policy::dispatch_by, Policy::work_steal};
constexpr std::array kModes = {TaskWindow::Mode::stall, TaskWindow::Mode::abort,
                               TaskWindow::Mode::benchmark};

bool hasFunction(Policy policy) {
  return policy == Policy::hash || policy == Policy::affinity || policy == Policy::dispatch_by;
}
// The key under which a policy's function stands.
const char* functionKey(Policy policy) { return policy == Policy::dispatch_by ? "aicpu" : "key"; }

class ScheduleReader {
 public:
  explicit ScheduleReader(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  Schedule schedule(const Value& value) {
    Schedule schedule;
    if (value.kind != Kind::object) {
      wrongType(value, "/schedule", "an object of directives");
      return schedule;
    }
    noDoubleKeys(value, "/schedule");
    const Names directives = {"dispatch", "task_window"};
    for (const json::Member& member : value.members) {
      const std::string place = json::pointer("/schedule", member.key);
      if (member.key == directives[0]) {
        schedule.dispatch = dispatch(member.value, place);
      } else if (member.key == directives[1]) {
        schedule.task_window = taskWindow(member.value, place);
      } else {
        diagnostics_.error("unknown-name", place, "unknown schedule directive '" + member.key + "'",
                           suggestion(member.key, "directives", directives));
      }
    }
    return schedule;
  }

 private:
  void wrongType(const Value& value, std::string_view place, std::string_view expected) {
    diagnostics_.error("wrong-type", place,
                       "expected " + std::string(expected) + ", found " + json::describe(value));
  }

  void bad(std::string_view place, std::string message, std::string fix = {}) {
    diagnostics_.error("bad-schedule", place, std::move(message), std::move(fix));
  }

  void noDoubleKeys(const Value& value, std::string_view place) {
    for (size_t i = 0; i < value.members.size(); ++i) {
      const auto same = [&](const json::Member& m) { return m.key == value.members[i].key; };
      if (std::none_of(value.members.begin(), value.members.begin() + static_cast<long>(i), same))
        continue;
      diagnostics_.error("duplicate-key", json::pointer(place, value.members[i].key),
                         "key '" + value.members[i].key + "' is there more than once in one object",
                         "keep one of them");
    }
  }

  // Whether the value is an object with these keys, the first `required` of them needed.
  bool object(const Value& value, std::string_view place, const std::string& what,
              const Names& keys, size_t required) {
    if (value.kind != Kind::object) {
      wrongType(value, place, what + " (an object)");
      return false;
    }
    noDoubleKeys(value, place);
    for (const json::Member& member : value.members) {
      if (std::find(keys.begin(), keys.end(), member.key) != keys.end()) continue;
      diagnostics_.error("unknown-key", json::pointer(place, member.key),
                         "unknown key '" + member.key + "' in " + what,
                         suggestion(member.key, "keys", keys));
    }
    for (size_t i = 0; i < required; ++i) {
      if (value.find(keys[i])) continue;
      diagnostics_.error("missing-key", place,
                         what + " needs the key '" + std::string(keys[i]) + "'");
    }
    return true;
  }

  // An integer from 1 to `most`; else an error, and 1.
  int64_t count(const Value& value, std::string_view place, const std::string& what, int64_t most,
                const char* fix_of_less = "") {
    if (value.kind != Kind::integer) {
      wrongType(value, place, what + " (an integer)");
      return 1;
    }
    if (value.integer >= 1 && value.integer <= most) return value.integer;
    bad(place, what + " is 1 to " + std::to_string(most) + ", found " + value.text,
        value.integer < 1 ? fix_of_less : "");
    return 1;
  }

  std::optional<Dispatch> dispatch(const Value& value, const std::string& place) {
    Names names;
    for (const Policy policy : kPolicies) names.push_back(nameOf(policy));
    if (value.kind != Kind::object || value.members.size() != 1) {
      const bool object = value.kind == Kind::object;
      bad(place,
          "expected an object with one policy, found " +
              (object ? "one with " + std::to_string(value.members.size()) : json::describe(value)),
          "write {\"round_robin\": 4}");
      return std::nullopt;
    }
    const json::Member& member = value.members[0];
    const std::string at = json::pointer(place, member.key);
    const auto found = std::find(names.begin(), names.end(), member.key);
    if (found == names.end()) {
      bad(at, "unknown policy '" + member.key + "'", suggestion(member.key, "policies", names));
      return std::nullopt;
    }
    Dispatch dispatch;
    dispatch.place = at;
    dispatch.policy = kPolicies[static_cast<size_t>(found - names.begin())];
    const std::string number = "the number of AICPU schedulers";
    if (!hasFunction(dispatch.policy)) {
      dispatch.aicpus = count(member.value, at, number, kMostAicpus);
      return dispatch;
    }
    const char* key = functionKey(dispatch.policy);
    if (!object(member.value, at, "policy '" + member.key + "'", {"aicpus", key}, 2))
      return std::nullopt;
    if (const Value* aicpus = member.value.find("aicpus"))
      dispatch.aicpus = count(*aicpus, at + "/aicpus", number, kMostAicpus);
    if (const Value* written = member.value.find(key))
      function(*written, json::pointer(at, key), dispatch.function);
    return dispatch;
  }

  void function(const Value& value, const std::string& place, TaskFunction& function) {
    function.place = place;
    switch (value.kind) {
      case Kind::string:
        function.expressions.push_back(expression(value, place));
        break;
      case Kind::array:
        function.for_each_node = true;
        for (size_t i = 0; i < value.items.size(); ++i) {
          const std::string at = json::pointer(place, i);
          if (value.items[i].kind == Kind::string) {
            function.expressions.push_back(expression(value.items[i], at));
          } else {
            wrongType(value.items[i], at, "an expression for each task node (a string)");
          }
        }
        break;
      case Kind::object:
        function.is_table = true;
        if (object(value, place, "a table of tasks", {"table"}, 1)) {
          if (const Value* table = value.find("table"))
            readTable(*table, place + "/table", function);
        }
        break;
      default:
        wrongType(value, place,
                  "an expression over loop variables (a string), one for each task node (an array "
                  "of strings), or {\"table\": ...}");
    }
  }

  TaskFunction::Expression expression(const Value& value, const std::string& place) {
    std::string error;
    std::optional<TaskFunction::Expression> parsed = parseExpression(value.text, error);
    if (!parsed) bad(place, error);
    TaskFunction::Expression expression = parsed.value_or(TaskFunction::Expression());
    expression.place = place;
    return expression;
  }

  void readTable(const Value& value, const std::string& place, TaskFunction& function) {
    if (value.kind == Kind::string && !value.text.empty()) {
      function.file = value.text;
      return;
    }
    if (value.kind != Kind::array) {
      return wrongType(value, place, "an array of integers, or the name of a .npy (a string)");
    }
    for (size_t i = 0; i < value.items.size(); ++i) {
      if (value.items[i].kind == Kind::integer) {
        function.table.push_back(value.items[i].integer);
      } else {
        wrongType(value.items[i], json::pointer(place, i), "a task's number (an integer)");
      }
    }
  }

  std::optional<TaskWindow> taskWindow(const Value& value, const std::string& place) {
    TaskWindow window;
    window.place = place;
    constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
    const std::string what = "a task window";
    // So small is the smallest feasible one, since all edges lead from earlier to later tasks.
    const char* const fix =
        "write 1 at least: that is enough for every graph, as tasks wait for earlier ones only";
    if (value.kind != Kind::object) {
      window.tasks = count(value, place, what, kMost, fix);
      return window;
    }
    object(value, place, what, {"tasks", "mode"}, 1);
    if (const Value* tasks = value.find("tasks"))
      window.tasks = count(*tasks, place + "/tasks", what, kMost, fix);
    if (const Value* mode = value.find("mode")) {
      Names names;
      for (const TaskWindow::Mode known : kModes) names.push_back(nameOf(known));
      const auto found = std::find(names.begin(), names.end(), mode->text);
      if (mode->kind != Kind::string || found == names.end()) {
        bad(place + "/mode",
            "expected a mode, found " +
                (mode->kind == Kind::string ? json::quoted(mode->text) : json::describe(*mode)),
            suggestion(mode->text, "modes", names));
        return window;
      }
      window.mode = kModes[static_cast<size_t>(found - names.begin())];
    }
    return window;
  }

  Diagnostics& diagnostics_;
};

std::string functionText(const TaskFunction& function) {
  std::string text;
  const auto append = [&](const std::string& item) { text += (text.empty() ? "" : ", ") + item; };
  if (function.is_table) {
    if (!function.file.empty()) return "{\"table\": " + json::quoted(function.file) + "}";
    for (const int64_t number : function.table) append(std::to_string(number));
    return "{\"table\": [" + text + "]}";
  }
  for (const TaskFunction::Expression& expression : function.expressions)
    append(json::quoted(print(expression)));
  return function.for_each_node ? "[" + text + "]" : text;
}

std::string dispatchText(const Dispatch& dispatch) {
  const std::string count = std::to_string(dispatch.aicpus);
  const std::string value = hasFunction(dispatch.policy)
                                ? "{\"aicpus\": " + count + ", \"" + functionKey(dispatch.policy) +
                                      "\": " + functionText(dispatch.function) + "}"
                                : count;
  return "{\"" + std::string(nameOf(dispatch.policy)) + "\": " + value + "}";
}

std::string windowText(const TaskWindow& window) {
  const std::string tasks = std::to_string(window.tasks);
  if (window.mode == TaskWindow::Mode::stall) return tasks;
  return "{\"tasks\": " + tasks + ", \"mode\": \"" + nameOf(window.mode) + "\"}";
}

}  // namespace

Schedule readSchedule(const json::Value& value, Diagnostics& diagnostics) {
  return ScheduleReader(diagnostics).schedule(value);
}

std::string print(const Schedule& schedule) {
  std::string text;
  if (schedule.dispatch) text += "\"dispatch\": " + dispatchText(*schedule.dispatch);
  if (schedule.task_window) {
    text += (text.empty() ? "" : ", ") + ("\"task_window\": " + windowText(*schedule.task_window));
  }
  return "{" + text + "}";
}

}  // namespace ptowsp::ir
