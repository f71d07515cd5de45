// SPDX-License-Identifier: MIT
// Reading and writing whole files. Failures come back as values with a message that names the path
// and the reason; nothing here prints or exits.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ptowsp {

// The bytes of a regular file, or nothing, and then `error` says which file and why.
std::optional<std::string> readFile(const std::string& path, std::string& error);

enum class WriteStatus { unchanged, written, failed };

// Makes the file hold exactly `bytes`. It is touched only when its bytes differ, and replaced in
// one step (temporary file beside it, then rename), so that nobody ever sees half of it. Missing
// parent folders are made. On `failed`, `error` says which file and why, and the old content
// stands.
WriteStatus writeFileIfChanged(const std::string& path, std::string_view bytes, std::string& error);

}  // namespace ptowsp
