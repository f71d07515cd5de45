// SPDX-License-Identifier: MIT
#include "generator/emit/kernel_source.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cctype>

#include "generator/emit/debug_lines.h"
#include "generator/emit/element.h"
#include "generator/emit/names.h"
#include "ptowsp/limits.h"

namespace ptowsp {
namespace {

// Of the headers this emitter writes for: PTOWSP_TILE_VERSION there.
constexpr int kTileVersion = 2;

// May be a macro or a type of <stdint.h> or of the support headers. None of those ends in an
// underscore.
bool isOfHeader(std::string_view name) {
  if (name.ends_with("_t")) return true;
  return !name.ends_with('_') && name.find('_') != name.npos &&
         std::none_of(name.begin(), name.end(), [](unsigned char c) { return std::islower(c); });
}

// The i-th argument of a task: `args` has the first ones, the block at args[15] the others.
std::string argumentText(size_t i, size_t count) {
  return count <= limits::kArguments || i < limits::kDirectArguments
             ? fmt::format("args[{}]", i)
             : fmt::format("block[{}]", i - limits::kDirectArguments);
}

}  // namespace

KernelNames::KernelNames(const Kernel& kernel) {
  for (const char* name : {"args", "block", "row", "at", "kernel_entry"}) add(name);
  add("kernel_" + kernel.name);
}

std::string KernelNames::add(std::string name) {
  while (isOfHeader(name) || !used_.insert(name).second) name += '_';
  return name;
}

// Tiles, scalars, element count, strides, ledger slot and stamp: the order of a task's arguments.
Prologue emitPrologue(const Kernel& kernel, const std::vector<TileNames>& tiles,
                      const std::vector<bool>& tile_used, const std::vector<bool>& written,
                      const std::vector<std::string>& scalar_texts) {
  Prologue prologue;
  std::vector<std::string>& arguments = prologue.arguments;
  std::string scalars;
  const size_t count = static_cast<size_t>(kernel.argumentCount());
  const auto next = [&] { return argumentText(arguments.size(), count); };
  if (count > limits::kArguments)
    prologue.text += fmt::format("  const int64_t* const block = ptowsp::block(args[{}]);\n",
                                 limits::kDirectArguments);
  for (size_t i = 0; i < kernel.tiles.size(); ++i) {
    if (tile_used[i])
      prologue.text += fmt::format("  {0}{1}* const {2} = ptowsp::tile<{0}{1}>({3});\n",
                                   written[i] ? "" : "const ",
                                   elementOf(kernel.tiles[i].dtype).memory, tiles[i].pointer, next());
    arguments.push_back(kernel.tiles[i].name);
  }
  for (size_t i = 0; i < kernel.scalars.size(); ++i) {
    if (!scalar_texts[i].empty())
      scalars += fmt::format(fmt::runtime(scalar_texts[i]), next());
    arguments.push_back(kernel.scalars[i].name);
  }
  const auto first = std::find_if(kernel.tiles.begin(), kernel.tiles.end(),
                                  [](const TileParameter& tile) { return tile.access != Access::in; });
  arguments.push_back(first == kernel.tiles.end() ? "0" : "elements of " + first->name);
  for (size_t i = 0; i < kernel.tiles.size(); ++i) {
    if (!kernel.tiles[i].strided) continue;
    if (tile_used[i] && kernel.tiles[i].rows > 1)
      prologue.text += fmt::format("  const int64_t {} = {};\n", tiles[i].stride, next());
    arguments.push_back("row stride of " + kernel.tiles[i].name);
  }
  arguments.insert(arguments.end(), {"ledger slot", "stamp"});
  prologue.text += scalars;
  return prologue;
}

std::vector<bool> usedTiles(const Kernel& kernel, const std::vector<bool>& live,
                            const std::vector<int>& stored) {
  std::vector<bool> used;
  for (size_t i = 0; i < kernel.tiles.size(); ++i)
    used.push_back(live[static_cast<size_t>(kernel.tiles[i].value)] || stored[i] >= 0);
  return used;
}

std::vector<bool> writtenTiles(const std::vector<int>& stored) {
  std::vector<bool> written;
  for (const int value : stored) written.push_back(value >= 0);
  return written;
}

std::string literalText(const Value& literal, std::string_view name) {
  const bool integer = literal.dtype == DType::i32;
  const uint32_t bits = integer ? static_cast<uint32_t>(static_cast<int32_t>(literal.literal))
                                : std::bit_cast<uint32_t>(static_cast<float>(literal.literal));
  return fmt::format("  const {} {} = ptowsp::{}(0x{:08x});  // {}\n",
                     elementOf(literal.dtype).registers, name, integer ? "integer" : "constant", bits,
                     literal.literal);
}

std::string relayHeading(std::string_view source_name) {
  return fmt::format(
      "{}// The kernel of relay tasks, which only wait for one task so that others can wait for them. It\n"
      "// has no arguments and nothing to do.\n",
      generatedBy("//", source_name));
}

std::string assembleKernel(const Kernel& kernel, std::string_view source_name,
                           const std::vector<std::string_view>& headers, const Prologue& prologue,
                           const std::string& body) {
  const std::string function = "kernel_" + kernel.name;
  std::string includes;
  for (const std::string_view header : headers)
    includes += fmt::format("#include \"../sim_support/{}\"\n", header);
  const size_t count = prologue.arguments.size();
  return fmt::format(R"({generated}// args: {arguments}
{includes}
#if PTOWSP_TILE_VERSION != {version}
#error "ptowsp_vector.h is of another version than this kernel: emit both again"
#endif

{begin}PTOWSP_KERNEL void {function}(int64_t* args) {{
{prologue}{place}{body}
  ptowsp::complete({slot}, {stamp});
}}
{place}{entry})",
                     fmt::arg("generated", generatedBy("//", source_name)),
                     fmt::arg("arguments", fmt::join(prologue.arguments, ", ")),
                     fmt::arg("includes", includes), fmt::arg("version", kTileVersion),
                     fmt::arg("begin", endMark()), fmt::arg("place", placeMark(kernel.place)),
                     fmt::arg("function", function), fmt::arg("prologue", prologue.text),
                     fmt::arg("body", body), fmt::arg("slot", argumentText(count - 2, count)),
                     fmt::arg("stamp", argumentText(count - 1, count)),
                     // A kernel called "entry" has that name already.
                     fmt::arg("entry", function == "kernel_entry"
                                           ? std::string()
                                           : "PTOWSP_KERNEL_ENTRY(" + function + ");\n"));
}

}  // namespace ptowsp
