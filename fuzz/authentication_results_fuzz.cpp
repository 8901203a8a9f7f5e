// Authentication-Results: what can be read is written and read again as the same.
#include <cstdint>
#include <string>
#include <string_view>

#include "mailauth/authentication_results.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace doorward::mailauth;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  (void)claims_authserv_id(input, "mx.example");
  const doorward::mime::Header field{.name = "Authentication-Results", .value = input};
  const std::string merged = merged_authentication_results({&field, 1}, "mx.example");
  if (!merged.starts_with("mx.example; ")) __builtin_trap();
  // Octets as values: they must come out as one field that says the same of method and result.
  const std::vector<MethodResult> ours{{.method = "spf",
                                        .result = "fail",
                                        .reason = std::string(input),
                                        .comment = std::string(input),
                                        .properties = {{"smtp", "mailfrom", std::string(input)}}}};
  const std::string written = authentication_results_text("mx.example", ours);
  const auto ours_again = read_authentication_results(written);
  if (!ours_again || ours_again->results.size() != 1 || ours_again->results[0].result != "fail") __builtin_trap();
  if (!claims_authserv_id(written, "MX.example")) __builtin_trap();

  const auto read = read_authentication_results(input);
  if (!read) return 0;
  if (!claims_authserv_id(input, read->id)) __builtin_trap();
  const auto again = read_authentication_results(authentication_results_text(read->id, read->results));
  if (!again || again->results.size() != read->results.size()) __builtin_trap();
  return 0;
}
