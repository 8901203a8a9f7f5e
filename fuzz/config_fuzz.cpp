// Configuration files of hostile making: doorward.toml and the policy file. What is taken must print and read back.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "app/config.h"
#include "policy/difference.h"
#include "policy/file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace doorward;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto config = app::parse_config(text, "fuzz.toml")) {
    const std::string printed = app::print_effective(*config);
    const auto again = app::parse_config(printed, "fuzz.toml");
    if (!again || app::print_effective(*again) != printed) std::abort();
  }
  if (const auto policy = policy::parse_file(text, "fuzz.toml")) {
    const std::string written = policy::to_file(*policy);
    const auto again = policy::parse_file(written, "fuzz.toml");
    if (!again || policy::to_file(*again) != written || !policy::difference(*policy, *again).empty()) std::abort();
  }
  return 0;
}
