#include "options.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string_view>

namespace doorward::bench {
namespace {

constexpr const char* kHelp =
    "load_generator --port P --mails FOLDER|INDEX [--ready FILE] [--count N] [--connections N] [--domain D] [--token "
    "T]\n"
    "               [--idle N] [--sources N] [--seconds N] [--rate N] [--acknowledged FILE] [--xclient]\n"
    "               [--no-pipelining]\n"
    "Sends N real mails over SMTP to 127.0.0.1:P, one mail a connection, and prints one JSON object.\n";

size_t number(std::string_view option, const std::string& text) {
  size_t used = 0;
  const unsigned long long value = std::stoull(text, &used);
  if (used != text.size()) throw std::runtime_error(std::string(option) + " takes a number");
  return value;
}

}  // namespace

Options parse_options(int argc, char** argv) {
  Options options;
  options.token = std::to_string(std::chrono::system_clock::now().time_since_epoch().count() / 1000 % 1'000'000'000);
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--help") {
      std::fputs(kHelp, stdout);
      std::exit(0);
    }
    if (option == "--xclient") {
      options.xclient = true;
      continue;
    }
    if (option == "--no-pipelining") {
      options.no_pipelining = true;
      continue;
    }
    if (i + 1 == argc) throw std::runtime_error("unknown option or no value: " + std::string(option));
    const std::string value = argv[++i];
    if (option == "--port")
      options.port = static_cast<uint16_t>(number(option, value));
    else if (option == "--mails")
      options.mails = value;
    else if (option == "--ready")
      options.ready = value;
    else if (option == "--count")
      options.count = number(option, value);
    else if (option == "--connections")
      options.connections = number(option, value);
    else if (option == "--idle")
      options.idle = number(option, value);
    else if (option == "--sources")
      options.sources = number(option, value);
    else if (option == "--seconds")
      options.seconds = number(option, value);
    else if (option == "--rate")
      options.rate = number(option, value);
    else if (option == "--acknowledged")
      options.acknowledged = value;
    else if (option == "--domain")
      options.domain = value;
    else if (option == "--token")
      options.token = value;
    else
      throw std::runtime_error("unknown option " + std::string(option));
  }
  return options;
}

}  // namespace doorward::bench
