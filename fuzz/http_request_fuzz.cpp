// HTTP requests: cut anywhere they must give the same.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "http/request_reader.h"

using namespace doorward::http;

namespace {

std::string all(std::string_view bytes, size_t piece) {
  RequestReader reader(4096, 10'000);
  std::string result;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    auto status = reader.feed(bytes.substr(at, piece));
    while (status == RequestReader::Status::done) {
      const Request request = reader.take();
      if (!request.path.starts_with('/') || request.body.size() > 10'000) std::abort();
      result += request.method + " " + request.path + "?" + request.query + "\n" + request.body + "\n";
      status = reader.feed({});
    }
    if (status == RequestReader::Status::failed) {
      if (reader.failure() < 400 || reader.failure() > 599) std::abort();
      return result + "failed";
    }
  }
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 200'000) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static_cast<void>(all(bytes, 13));
  static_cast<void>(all(bytes, size + 1));
  return 0;
}
