#pragma once

namespace doorward::app {
inline constexpr const char* kVersion = DOORWARD_VERSION;
}
