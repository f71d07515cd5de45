// SPDX-License-Identifier: MIT
#include "generator/base/depfile.h"

namespace ptowsp {
namespace {

std::string escaped(std::string_view path) {
  std::string text;
  for (char c : path) {
    if (c == '$') text += '$';
    if (c == ' ' || c == '#') text += '\\';
    text += c;
  }
  return text;
}

}  // namespace

std::string depfileText(std::string_view target, const std::vector<std::string>& dependencies) {
  std::string text = escaped(target) + ":";
  for (const std::string& dependency : dependencies) text += " \\\n  " + escaped(dependency);
  return text + "\n";
}

}  // namespace ptowsp
