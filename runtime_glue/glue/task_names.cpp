// SPDX-License-Identifier: MIT
#include "runtime_glue/glue/task_names.h"

#include <algorithm>
#include <map>
#include <optional>

#include "runtime_glue/glue/text.h"

namespace ptowsp::glue {
namespace {

using Indices = std::map<std::string, int64_t>;

// Walks from the root down to `task`, calling enter(loop, iteration) for each loop on the way.
template <typename Enter>
const ProgramNode* locate(const ProgramNode& root, int64_t task, Enter enter) {
  if (task < 0 || task >= root.tasks) return nullptr;
  const ProgramNode* node = &root;
  while (node->kind != ProgramNode::Kind::task) {
    if (node->kind == ProgramNode::Kind::loop) {
      const int64_t each = node->tasks / node->extent;
      enter(*node, task / each);
      task %= each;
    }
    if (node->kind == ProgramNode::Kind::connect) {
      const ProgramNode::Turn turn = node->order[static_cast<size_t>(task)];
      node = &node->body[static_cast<size_t>(turn.process)];
      task = turn.number;
      continue;
    }
    for (const ProgramNode& child : node->body) {
      if (task < child.tasks) {
        node = &child;
        break;
      }
      task -= child.tasks;
    }
  }
  return node;
}

// Finder: whether a subtree holds a match does not depend on an index that was left open, so a loop
// whose first iteration has none is left at once.
struct Finder {
  const Manifest& manifest;
  std::string kernel;
  std::optional<int64_t> stage;  // any, where none is given
  Indices wanted;
  size_t limit;
  std::vector<int64_t> found;

  bool isWanted(const KernelInfo& info) const {
    return info.userName() == kernel && (!stage || info.stage + 1 == *stage);
  }

  void search(const ProgramNode& node, int64_t first_task, size_t open) {
    if (found.size() >= limit) return;
    if (node.kind == ProgramNode::Kind::task) {
      if (open == 0 && isWanted(manifest.kernels[node.kernel])) found.push_back(first_task);
      return;
    }
    if (node.kind == ProgramNode::Kind::connect) return searchProcesses(node, first_task, open);
    if (node.kind != ProgramNode::Kind::loop) return searchBody(node, first_task, open);
    const int64_t each = node.tasks / node.extent;
    const auto index = wanted.find(node.variable);
    if (index != wanted.end()) {
      if (index->second < node.extent)
        searchBody(node, first_task + index->second * each, open - 1);
      return;
    }
    for (int64_t i = 0; i < node.extent && found.size() < limit; ++i) {
      const size_t before = found.size();
      searchBody(node, first_task + i * each, open);
      if (found.size() == before) return;
    }
  }

  // In a process tasks are found by their numbers there; the order says which tasks they are.
  void searchProcesses(const ProgramNode& connect, int64_t first_task, size_t open) {
    std::vector<std::vector<int64_t>> tasks(connect.body.size());
    for (size_t i = 0; i < connect.order.size(); ++i)
      tasks[static_cast<size_t>(connect.order[i].process)].push_back(first_task +
                                                                     static_cast<int64_t>(i));
    for (size_t p = 0; p < connect.body.size(); ++p) {
      size_t at = found.size();
      searchBody(connect.body[p], 0, open);
      for (; at < found.size(); ++at) found[at] = tasks[p][static_cast<size_t>(found[at])];
    }
  }

  void searchBody(const ProgramNode& node, int64_t first_task, size_t open) {
    for (const ProgramNode& child : node.body) {
      search(child, first_task, open);
      first_task += child.tasks;
    }
  }
};

std::optional<int64_t> parseNumber(const std::string& text) {
  if (text.empty() || text.size() > 18 ||
      !std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }))
    return std::nullopt;
  return std::stoll(text);
}

// "scale[b=0, r=3]" or "scale[b=0] stage 2/3" into kernel, stage and indices; false when it is not of
// that form.
bool parseName(std::string text, std::string* kernel, std::optional<int64_t>* stage,
               Indices* indices) {
  static const std::string kStage = " stage ";
  if (const size_t at = text.rfind(kStage); at != std::string::npos) {
    const std::string number = text.substr(at + kStage.size());
    *stage = parseNumber(number.substr(0, number.find('/')));
    if (!*stage) return false;
    text.erase(at);
  }
  text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
  const size_t open = text.find('[');
  *kernel = text.substr(0, open);
  if (open == std::string::npos) return true;
  if (text.back() != ']') return false;
  std::string list = text.substr(open + 1, text.size() - open - 2);
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    const std::string part = list.substr(0, comma);
    list.erase(0, comma + 1);
    const size_t equals = part.find('=');
    if (equals == std::string::npos) return false;
    const std::optional<int64_t> value = parseNumber(part.substr(equals + 1));
    if (!value || !indices->emplace(part.substr(0, equals), *value).second) return false;
  }
  return true;
}

}  // namespace

int TaskNames::kernelOf(int64_t task) const {
  const ProgramNode* node = locate(manifest_.program, task, [](const ProgramNode&, int64_t) {});
  return node ? node->kernel : -1;
}

std::string TaskNames::nameOf(int64_t task) const {
  std::string indices;
  const ProgramNode* node =
      locate(manifest_.program, task, [&](const ProgramNode& loop, int64_t index) {
        indices += (indices.empty() ? "" : ",") + loop.variable + "=" + std::to_string(index);
      });
  if (!node) return "task " + std::to_string(task);
  const KernelInfo& kernel = manifest_.kernels[node->kernel];
  std::string name = kernel.userName();
  if (!indices.empty()) name += "[" + indices + "]";
  if (kernel.stages > 1)
    name += format(" stage %lld/%lld", static_cast<long long>(kernel.stage + 1),
                   static_cast<long long>(kernel.stages));
  return name;
}

std::string TaskNames::describe(int64_t task) const {
  return "task " + std::to_string(task) +
         (task >= 0 && task < count() ? ", " + nameOf(task) : std::string());
}

std::vector<int64_t> TaskNames::find(const std::string& text, size_t limit) const {
  if (const std::optional<int64_t> number = parseNumber(text))
    return *number < count() ? std::vector<int64_t>{*number} : std::vector<int64_t>{};
  Finder finder{manifest_, {}, {}, {}, limit, {}};
  if (!parseName(text, &finder.kernel, &finder.stage, &finder.wanted)) return {};
  finder.search(manifest_.program, 0, finder.wanted.size());
  std::sort(finder.found.begin(), finder.found.end());
  return std::move(finder.found);
}

std::string listTasks(const TaskNames& names, const std::vector<int64_t>& tasks, size_t shown) {
  std::string text;
  for (size_t i = 0; i < tasks.size() && i < shown; ++i)
    text += (i ? ", " : "") + std::to_string(tasks[i]) + " " + names.nameOf(tasks[i]);
  if (tasks.size() > shown) text += format(" and %zu more", tasks.size() - shown);
  return text;
}

}  // namespace ptowsp::glue
