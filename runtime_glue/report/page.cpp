// SPDX-License-Identifier: MIT
#include "runtime_glue/report/page.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace ptowsp::report {

std::string_view pageTemplate();  // embedded, see CMakeLists.txt

namespace {

constexpr std::string_view kPlace = "DATA_OF_THE_RUNS";
constexpr std::string_view kRun = "<script class=\"run\" type=\"application/json\" data-label=\"";
constexpr std::string_view kDetail = "<script class=\"detail\" type=\"application/json\">";
constexpr std::string_view kEnd = "</script>\n";

// Inside <script>, "</script>" must not occur; in JSON a "<" is found in strings only.
void appendJson(std::string_view json, std::string* text) {
  for (const char c : json) {
    if (c == '<')
      *text += "\\u003c";
    else
      *text += c;
  }
}

constexpr std::pair<char, std::string_view> kEntities[] = {
    {'&', "&amp;"}, {'"', "&quot;"}, {'<', "&lt;"}, {'>', "&gt;"}};

std::string quoted(std::string_view text) {
  std::string result;
  for (const char c : text) {
    std::string_view with(&c, 1);
    for (const auto& [plain, entity] : kEntities)
      if (c == plain) with = entity;
    result += with;
  }
  return result;
}

std::string unquoted(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    std::string_view found = text.substr(0, 1);
    char c = text[0];
    for (const auto& [plain, entity] : kEntities) {
      if (text.substr(0, entity.size()) != entity) continue;
      found = entity;
      c = plain;
    }
    result += c;
    text.remove_prefix(found.size());
  }
  return result;
}

// The text from *at up to `end`, behind which *at is then; npos when there is none.
std::string_view upTo(std::string_view end, std::string_view text, size_t* at) {
  const size_t begin = *at, found = text.find(end, begin);
  *at = found == text.npos ? found : found + end.size();
  return found == text.npos ? std::string_view() : text.substr(begin, found - begin);
}

}  // namespace

std::string page(const std::vector<RunData>& runs) {
  const std::string_view whole = pageTemplate();
  const size_t place = whole.find(kPlace);
  std::string text(whole.substr(0, place));
  for (const RunData& data : runs) {
    text.append(kRun).append(quoted(data.label)).append("\">");
    appendJson(data.run, &text);
    text.append(kEnd).append(kDetail);
    appendJson(data.detail, &text);
    text.append(kEnd);
  }
  return text.append(whole.substr(place + kPlace.size()));
}

std::vector<RunData> runsOf(std::string_view page) {
  std::vector<RunData> runs;
  for (size_t at = page.find(kRun); at != page.npos; at = page.find(kRun, at)) {
    at += kRun.size();
    RunData data;
    data.label = unquoted(upTo("\">", page, &at));
    if (at != page.npos) data.run = upTo(kEnd, page, &at);
    if (at == page.npos || page.substr(at, kDetail.size()) != kDetail) return {};
    at += kDetail.size();
    data.detail = upTo(kEnd, page, &at);
    if (at == page.npos) return {};
    runs.push_back(std::move(data));
  }
  return runs;
}

std::string writeFile(const std::string& file, const std::string& text) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> stream(std::fopen(file.c_str(), "w"),
                                                               &std::fclose);
  if (stream && std::fwrite(text.data(), 1, text.size(), stream.get()) == text.size() &&
      std::fflush(stream.get()) == 0)
    return {};
  return std::string("cannot write it: ") + std::strerror(errno);
}

}  // namespace ptowsp::report
