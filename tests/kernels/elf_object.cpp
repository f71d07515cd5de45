// SPDX-License-Identifier: MIT
#include "tests/kernels/elf_object.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>

namespace ptowsp::test {
namespace {

class Elf {
 public:
  explicit Elf(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    data_.assign(std::istreambuf_iterator<char>(in), {});
    if (data_.size() < sizeof(Elf64_Ehdr) || std::memcmp(data_.data(), ELFMAG, SELFMAG) != 0)
      return;
    const auto header = at<Elf64_Ehdr>(0);
    for (int i = 0; i < header.e_shnum; ++i)
      sections.push_back(at<Elf64_Shdr>(header.e_shoff + i * sizeof(Elf64_Shdr)));
    if (!sections.empty()) names_ = sections[header.e_shstrndx].sh_offset;
  }

  template <typename T>
  T at(uint64_t offset) const {
    T value{};
    if (offset + sizeof(T) <= data_.size()) std::memcpy(&value, data_.data() + offset, sizeof(T));
    return value;
  }
  std::string text(uint64_t offset) const {
    return offset < data_.size() ? std::string(data_.data() + offset) : "";
  }
  std::string name(const Elf64_Shdr& section) const { return text(names_ + section.sh_name); }
  std::vector<uint8_t> bytes(const Elf64_Shdr& section) const {
    const auto begin = data_.begin() + static_cast<int64_t>(section.sh_offset);
    return {begin, begin + static_cast<int64_t>(section.sh_size)};
  }

  // Calls use(symbol, name) for each symbol of the tables of that type.
  template <typename Use>
  void forSymbols(uint32_t type, const Use& use) const {
    for (const Elf64_Shdr& table : sections) {
      if (table.sh_type != type) continue;
      for (uint64_t i = 1; i < table.sh_size / sizeof(Elf64_Sym); ++i) {
        const auto symbol = at<Elf64_Sym>(table.sh_offset + i * sizeof(Elf64_Sym));
        use(symbol, text(sections[table.sh_link].sh_offset + symbol.st_name));
      }
    }
  }

  std::vector<Elf64_Shdr> sections;

 private:
  std::vector<char> data_;
  uint64_t names_ = 0;
};

}  // namespace

RawText readRawText(const std::string& object_file, const std::string& entry) {
  RawText raw;
  const Elf elf(object_file);
  size_t text = 0;
  for (size_t i = 0; i < elf.sections.size(); ++i)
    if (elf.name(elf.sections[i]) == ".text") text = i;
  if (text == 0) {
    raw.faults.push_back("no .text in " + object_file);
    return raw;
  }
  raw.bytes = elf.bytes(elf.sections[text]);
  if (raw.bytes.size() == 8) raw.faults.push_back(".text is 8 bytes, taken for a pointer");
  for (const Elf64_Shdr& section : elf.sections) {
    const std::string name = elf.name(section);
    const bool relocates = section.sh_type == SHT_RELA || section.sh_type == SHT_REL;
    if (relocates && section.sh_info == text && section.sh_size > 0)
      raw.faults.push_back("relocations against .text");
    if ((section.sh_flags & SHF_ALLOC) && section.sh_size > 0 && name != ".text" &&
        name != ".eh_frame" && name != ".note.gnu.property")
      raw.faults.push_back("content in section " + name);
  }
  bool found = false;
  elf.forSymbols(SHT_SYMTAB, [&](const Elf64_Sym& symbol, const std::string& name) {
    const int type = ELF64_ST_TYPE(symbol.st_info);
    if (symbol.st_shndx == SHN_UNDEF) raw.faults.push_back("undefined symbol " + name);
    if (type != STT_FUNC) return;
    if (symbol.st_shndx != text || symbol.st_value != 0)
      raw.faults.push_back("function " + name + " is not at offset 0 of .text");
    found = found || name == entry;
  });
  if (!found) raw.faults.push_back("no function " + entry);
  return raw;
}

std::vector<std::string> exportedSymbols(const std::string& library_file) {
  std::vector<std::string> names;
  Elf(library_file).forSymbols(SHT_DYNSYM, [&](const Elf64_Sym& symbol, const std::string& name) {
    if (symbol.st_shndx != SHN_UNDEF) names.push_back(name);
  });
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace ptowsp::test
