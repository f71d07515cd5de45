// SPDX-License-Identifier: MIT
// Headers that emitted orchestrations include: copies of runtime_glue/include/ptowsp, embedded when
// the generator is built, so that ptowsp-gen needs no files beside itself.
#pragma once

#include <string_view>

namespace ptowsp::support {

std::string_view orchestrationHeader();
std::string_view taskGraphHeader();
std::string_view accessLayerHeader();
std::string_view regionsHeader();
std::string_view argumentBlocksHeader();
std::string_view launchGraphHeader();
std::string_view limitsHeader();
std::string_view segmentsHeader();
std::string_view dispatchHeader();
std::string_view channelsHeader();
std::string_view processesHeader();

}  // namespace ptowsp::support
