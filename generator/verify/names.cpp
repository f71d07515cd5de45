// SPDX-License-Identifier: MIT
#include "generator/verify/names.h"

#include <algorithm>
#include <cctype>
#include <iterator>

namespace ptowsp {
namespace {

constexpr size_t kLongest = 128;  // a name becomes part of file names

constexpr std::string_view kKeywords[] = {"alignas",
                                          "alignof",
                                          "and",
                                          "and_eq",
                                          "asm",
                                          "auto",
                                          "bitand",
                                          "bitor",
                                          "bool",
                                          "break",
                                          "case",
                                          "catch",
                                          "char",
                                          "char16_t",
                                          "char32_t",
                                          "char8_t",
                                          "class",
                                          "co_await",
                                          "co_return",
                                          "co_yield",
                                          "compl",
                                          "concept",
                                          "const",
                                          "const_cast",
                                          "consteval",
                                          "constexpr",
                                          "constinit",
                                          "continue",
                                          "decltype",
                                          "default",
                                          "delete",
                                          "do",
                                          "double",
                                          "dynamic_cast",
                                          "else",
                                          "enum",
                                          "explicit",
                                          "export",
                                          "extern",
                                          "false",
                                          "float",
                                          "for",
                                          "friend",
                                          "goto",
                                          "if",
                                          "inline",
                                          "int",
                                          "long",
                                          "mutable",
                                          "namespace",
                                          "new",
                                          "noexcept",
                                          "not",
                                          "not_eq",
                                          "nullptr",
                                          "operator",
                                          "or",
                                          "or_eq",
                                          "private",
                                          "protected",
                                          "public",
                                          "register",
                                          "reinterpret_cast",
                                          "requires",
                                          "restrict",
                                          "return",
                                          "short",
                                          "signed",
                                          "sizeof",
                                          "static",
                                          "static_assert",
                                          "static_cast",
                                          "struct",
                                          "switch",
                                          "template",
                                          "this",
                                          "thread_local",
                                          "throw",
                                          "true",
                                          "try",
                                          "typedef",
                                          "typeid",
                                          "typename",
                                          "typeof",
                                          "union",
                                          "unsigned",
                                          "using",
                                          "virtual",
                                          "void",
                                          "volatile",
                                          "wchar_t",
                                          "while",
                                          "xor",
                                          "xor_eq"};

// Macros of the C headers and of compilers in their default mode: they break a name in any scope.
constexpr std::string_view kMacros[] = {"BUFSIZ",
                                        "CHAR_BIT",
                                        "CHAR_MAX",
                                        "CHAR_MIN",
                                        "DBL_MAX",
                                        "DBL_MIN",
                                        "EDOM",
                                        "EINVAL",
                                        "ENOMEM",
                                        "EOF",
                                        "ERANGE",
                                        "EXIT_FAILURE",
                                        "EXIT_SUCCESS",
                                        "FLT_EPSILON",
                                        "FLT_MAX",
                                        "FLT_MIN",
                                        "HUGE_VAL",
                                        "INFINITY",
                                        "INT16_MAX",
                                        "INT16_MIN",
                                        "INT32_MAX",
                                        "INT32_MIN",
                                        "INT64_C",
                                        "INT64_MAX",
                                        "INT64_MIN",
                                        "INT8_MAX",
                                        "INT8_MIN",
                                        "INT_MAX",
                                        "INT_MIN",
                                        "LONG_MAX",
                                        "LONG_MIN",
                                        "M_E",
                                        "M_PI",
                                        "NAN",
                                        "NDEBUG",
                                        "NULL",
                                        "RAND_MAX",
                                        "SIZE_MAX",
                                        "UINT16_MAX",
                                        "UINT32_MAX",
                                        "UINT64_C",
                                        "UINT64_MAX",
                                        "UINT8_MAX",
                                        "UINT_MAX",
                                        "ULONG_MAX",
                                        "assert",
                                        "errno",
                                        "i386",
                                        "isfinite",
                                        "isinf",
                                        "isnan",
                                        "linux",
                                        "math_errhandling",
                                        "offsetof",
                                        "setjmp",
                                        "signbit",
                                        "stderr",
                                        "stdin",
                                        "stdout",
                                        "unix",
                                        "va_arg",
                                        "va_end",
                                        "va_list",
                                        "va_start"};

// Global names of the C library (math, memory, strings, input and output, types) and of the
// runtime's header.
constexpr std::string_view kLibrary[] = {
    "FILE",      "Runtime",   "Task",    "TensorPair", "abort",     "abs",       "acos",
    "acosh",     "asin",      "asinh",   "atan",       "atan2",     "atanh",     "atexit",
    "atof",      "atoi",      "atol",    "bsearch",    "calloc",    "cbrt",      "ceil",
    "clock",     "copysign",  "cos",     "cosh",       "div",       "div_t",     "double_t",
    "erf",       "erfc",      "exit",    "exp",        "exp2",      "expm1",     "fabs",
    "fclose",    "fdim",      "fflush",  "float_t",    "floor",     "fma",       "fmax",
    "fmin",      "fmod",      "fopen",   "fprintf",    "fread",     "free",      "frexp",
    "fwrite",    "gamma",     "getchar", "getenv",     "hypot",     "index",     "int16_t",
    "int32_t",   "int64_t",   "int8_t",  "intmax_t",   "intptr_t",  "isalnum",   "isalpha",
    "isdigit",   "isspace",   "j0",      "j1",         "jn",        "labs",      "ldexp",
    "lgamma",    "llabs",     "llrint",  "llround",    "log",       "log10",     "log1p",
    "log2",      "logb",      "longjmp", "lrint",      "lround",    "main",      "malloc",
    "memchr",    "memcmp",    "memcpy",  "memmove",    "memset",    "modf",      "nan",
    "nearbyint", "nextafter", "perror",  "pow",        "printf",    "ptrdiff_t", "putchar",
    "puts",      "qsort",     "raise",   "rand",       "read",      "realloc",   "remainder",
    "remove",    "remquo",    "rename",  "rint",       "round",     "scanf",     "signal",
    "sin",       "sinh",      "size_t",  "snprintf",   "sprintf",   "sqrt",      "srand",
    "sscanf",    "ssize_t",   "std",     "strcat",     "strchr",    "strcmp",    "strcpy",
    "strlen",    "strncmp",   "strncpy", "strstr",     "strtod",    "strtol",    "system",
    "tan",       "tanh",      "tgamma",  "time",       "time_t",    "trunc",     "uint16_t",
    "uint32_t",  "uint64_t",  "uint8_t", "uintmax_t",  "uintptr_t", "write",     "y0",
    "y1",        "yn"};

// Target names that CMake's generators keep for themselves.
constexpr std::string_view kCMake[] = {
    "all", "ALL_BUILD", "clean", "Continuous", "depend", "edit_cache", "Experimental", "help",
    "INSTALL", "install", "list_install_components", "Nightly", "NightlyMemoryCheck", "PACKAGE",
    "package", "package_source", "preinstall", "rebuild_cache", "RUN_TESTS", "test", "ZERO_CHECK"};

template <size_t kCount>
bool contains(const std::string_view (&names)[kCount], std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

bool isIdentifier(std::string_view name) {
  auto letter = [](char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; };
  auto part = [&](char c) { return letter(c) || std::isdigit(static_cast<unsigned char>(c)); };
  return !name.empty() && letter(name[0]) && std::all_of(name.begin(), name.end(), part);
}

}  // namespace

std::string problemOfName(std::string_view name, NameUse use) {
  if (!isIdentifier(name)) {
    return "is not a C identifier (letters, digits and '_', not beginning with a digit)";
  }
  if (name.size() > kLongest) return "is longer than " + std::to_string(kLongest) + " characters";
  if (contains(kKeywords, name)) return "is a C++ keyword";
  if (name.find("__") != name.npos ||
      (name.size() > 1 && name[0] == '_' && std::isupper(static_cast<unsigned char>(name[1])))) {
    return "is reserved in C++ (two underscores together, or '_' and a capital in front)";
  }
  if (name.starts_with("ptowsp") || name.starts_with("PTOWSP") ||
      name.starts_with("RUNTIME_MAX_")) {
    return "belongs to the emitted code (ptowsp..., RUNTIME_MAX_...)";
  }
  if (contains(kMacros, name)) return "is a macro of C or C++";
  if (use != NameUse::kernel && contains(kLibrary, name))
    return "is a global name of the C library";
  if (use == NameUse::artifact && contains(kCMake, name)) return "is reserved by CMake";
  return {};
}

}  // namespace ptowsp
