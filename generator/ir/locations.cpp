// SPDX-License-Identifier: MIT
#include "generator/ir/locations.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

namespace ptowsp::ir {
namespace {

std::vector<size_t> lineStarts(std::string_view text) {
  std::vector<size_t> starts = {0};
  for (size_t at = text.find('\n'); at != text.npos; at = text.find('\n', at + 1)) {
    starts.push_back(at + 1);
  }
  return starts;
}

// Line and column, from 1; a column is a character, not a byte.
std::pair<int, int> lineAndColumn(std::string_view text, const std::vector<size_t>& line_starts,
                                  size_t offset) {
  offset = std::min(offset, text.size());
  auto next = std::upper_bound(line_starts.begin(), line_starts.end(), offset);
  std::string_view before = text.substr(*(next - 1), offset - *(next - 1));
  auto characters =
      std::count_if(before.begin(), before.end(), [](char c) { return (c & 0xC0) != 0x80; });
  return {static_cast<int>(next - line_starts.begin()), static_cast<int>(characters) + 1};
}

std::string unescaped(std::string_view token) {
  std::string out;
  for (size_t i = 0; i < token.size(); ++i) {
    if (token[i] == '~' && i + 1 < token.size()) {
      out += token[++i] == '1' ? '/' : '~';
    } else {
      out += token[i];
    }
  }
  return out;
}

const json::Value* step(const json::Value& value, std::string_view token) {
  if (value.kind == json::Value::Kind::object) return value.find(unescaped(token));
  if (value.kind != json::Value::Kind::array) return nullptr;
  size_t index = 0;
  auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), index);
  bool good = error == std::errc() && end == token.data() + token.size();
  return good && index < value.items.size() ? &value.items[index] : nullptr;
}

}  // namespace

void Locations::setDocument(const std::string& path, std::string_view text, json::Value root) {
  path_ = path;
  text_ = text;
  line_starts_ = lineStarts(text);
  root_ = std::move(root);
  scripts_.clear();
  nodes_.clear();
}

void Locations::readSidecar(std::string_view text, const std::string& path,
                            Diagnostics& diagnostics) {
  auto refuse = [&](size_t offset, const std::string& why) {
    auto [line, column] = lineAndColumn(text, lineStarts(text), offset);
    diagnostics.warning("bad-locations", "",
                        "the locations file " + path + ":" + std::to_string(line) + ":" +
                            std::to_string(column) + " is not used: " + why,
                        "trace the workload again, or remove that file");
  };
  json::Error error;
  std::optional<json::Value> root = json::parse(text, error);
  if (!root) return refuse(error.offset, error.message);
  const json::Value* version = root->find("ptowsp_locations");
  const json::Value* files = root->find("files");
  const json::Value* nodes = root->find("nodes");
  using Kind = json::Value::Kind;
  if (!version || version->kind != Kind::integer || version->integer != 1) {
    return refuse(root->offset, "expected \"ptowsp_locations\": 1");
  }
  if (!files || files->kind != Kind::array || !nodes || nodes->kind != Kind::object) {
    return refuse(root->offset, "expected \"files\" (an array) and \"nodes\" (an object)");
  }
  std::vector<std::string> scripts;
  std::filesystem::path folder = std::filesystem::path(path_).parent_path();
  for (const json::Value& file : files->items) {
    if (file.kind != Kind::string) return refuse(file.offset, "expected a file name");
    scripts.push_back((folder / file.text).lexically_normal().string());
  }
  std::unordered_map<std::string, std::pair<size_t, int>> found;
  for (const json::Member& node : nodes->members) {
    const std::vector<json::Value>& pair = node.value.items;
    bool good = pair.size() == 2 && pair[0].kind == Kind::integer &&
                pair[1].kind == Kind::integer && pair[0].integer >= 0 &&
                pair[0].integer < static_cast<int64_t>(scripts.size()) && pair[1].integer > 0 &&
                pair[1].integer <= INT32_MAX;
    if (!good) return refuse(node.value.offset, "expected [index into files, line]");
    found[node.key] = {static_cast<size_t>(pair[0].integer), static_cast<int>(pair[1].integer)};
  }
  scripts_ = std::move(scripts);
  nodes_ = std::move(found);
}

SourceLocation Locations::find(std::string_view place) const {
  SourceLocation location{path_, 0, 0, {}, 0};
  size_t offset = 0;
  if (place.starts_with('@')) {
    std::from_chars(place.data() + 1, place.data() + place.size(), offset);
  } else if (place.starts_with('/')) {
    const json::Value* value = &root_;
    std::string_view rest = place;
    while (!rest.empty()) {
      rest.remove_prefix(1);
      std::string_view token = rest.substr(0, rest.find('/'));
      const json::Value* next = step(*value, token);
      if (!next) break;
      value = next;
      rest.remove_prefix(token.size());
    }
    offset = value->offset;
  } else {
    return location;
  }
  std::tie(location.line, location.column) = lineAndColumn(text_, line_starts_, offset);
  std::string key(place);
  while (!nodes_.empty() && key.starts_with('/')) {
    if (auto node = nodes_.find(key); node != nodes_.end()) {
      location.script = scripts_[node->second.first];
      location.script_line = node->second.second;
      break;
    }
    key.resize(key.rfind('/'));
  }
  return location;
}

std::string sidecarPath(const std::string& workload_path) {
  std::filesystem::path path(workload_path);
  return path.replace_extension(".locations.json").string();
}

}  // namespace ptowsp::ir
