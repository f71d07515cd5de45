// SPDX-License-Identifier: MIT
#include "generator/emit/debug_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace ptowsp {
namespace {

// No emitted comment begins so.
constexpr std::string_view kMark = "//@";

std::string_view takeLine(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end);
  return line;
}

std::string lineDirective(int line, std::string_view file) {
  return fmt::format("#line {} \"{}\"\n", line, file.substr(file.rfind('/') + 1));
}

// Resolver: the text so far, and the lines since the last mark.
class Resolver {
 public:
  Resolver(const Locate& lines, std::string_view file) : lines_(lines), file_(file) {}

  void addLine(std::string_view line) { pending_.push_back(line); }

  void endAt(std::string_view place) {
    const SourceLocation at = place.empty() ? SourceLocation() : lines_(place);
    const bool scripted = !at.script.empty();
    const int line = scripted ? at.script_line : at.line;
    if (line > 0) {
      const std::string directive = lineDirective(line, scripted ? at.script : at.file);
      for (const std::string_view text : pending_)
        append(text == "\n" ? "" : directive).append(text);
      elsewhere_ = elsewhere_ || !pending_.empty();
    } else {
      // The directive is a line itself, and speaks of the next one.
      if (elsewhere_ && !pending_.empty()) append(lineDirective(lines() + 2, file_));
      elsewhere_ = elsewhere_ && pending_.empty();
      for (const std::string_view text : pending_) append(text);
    }
    pending_.clear();
  }

  std::string take() {
    endAt("");
    return std::move(text_);
  }

 private:
  std::string& append(std::string_view text) { return text_.append(text); }
  int lines() const { return static_cast<int>(std::count(text_.begin(), text_.end(), '\n')); }

  const Locate& lines_;
  std::string_view file_;
  std::string text_;
  std::vector<std::string_view> pending_;
  bool elsewhere_ = false;
};

}  // namespace

std::string placeMark(std::string_view place) { return fmt::format("{}{}\n", kMark, place); }
std::string storeMark(const Kernel& kernel, int tile) {
  std::string mark;
  for (const KernelOp& op : kernel.ops)
    if (op.result < 0 && op.args[0] == kernel.tiles[static_cast<size_t>(tile)].value)
      mark = placeMark(op.place);
  return mark;
}
std::string endMark() { return placeMark(""); }

std::string resolveMarks(std::string_view text, const Locate& lines, std::string_view file) {
  Resolver resolver(lines, file);
  std::string plain;
  while (!text.empty()) {
    std::string_view line = takeLine(text);
    const bool mark = line.starts_with(kMark);
    if (!lines) {
      if (!mark) plain += line;
    } else if (mark) {
      line.remove_prefix(kMark.size());
      resolver.endAt(line.substr(0, line.find('\n')));
    } else {
      resolver.addLine(line);
    }
  }
  return lines ? resolver.take() : plain;
}

}  // namespace ptowsp
