// HTTP responses: cut anywhere they must give the same.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "http/origin.h"
#include "http/response_reader.h"

using namespace doorward::http;

namespace {

std::string all(std::string_view bytes, size_t piece) {
  ResponseReader reader(4096, 10'000);
  for (size_t at = 0; at < bytes.size(); at += piece) {
    const auto status = reader.feed(bytes.substr(at, piece));
    if (status == ResponseReader::Status::failed) return "failed";
    if (status != ResponseReader::Status::done) continue;
    if (at + piece < bytes.size()) return "failed";  // more than was asked for
    const Response response = reader.take();
    if (response.body.size() > 10'000 || response.status < 200) std::abort();
    return std::to_string(response.status) + response.body;
  }
  if (reader.end() != ResponseReader::Status::done) return "failed";
  const Response response = reader.take();
  return std::to_string(response.status) + response.body;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0 || size > 200'000) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (all(bytes, 7) != all(bytes, size)) std::abort();
  if (const auto origin = Origin::parse(bytes); origin && origin->host.empty()) std::abort();
  return 0;
}
