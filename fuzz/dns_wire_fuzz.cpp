// Answers of name servers: the first octet chooses type and name, the rest is the message. Half of the time its head is
// made to fit the question, so that what follows is read at all.
#include <cstdint>
#include <string>
#include <string_view>

#include "net/dns_wire.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace doorward::net;
  if (size < 1) return 0;
  const uint8_t choice = data[0];
  std::string message(reinterpret_cast<const char*>(data + 1), size - 1);
  const DnsType type = (choice & 2) != 0 ? DnsType::txt : (choice & 4) != 0 ? DnsType::aaaa : DnsType::a;
  const auto question = DnsQuestion::make("2.0.0.127.list.example", type, 0x1234, choice);
  if ((choice & 1) != 0) {
    std::string head = question->message();
    if (message.size() >= 8) head.replace(2, 8, message, 0, 8);  // flags and counts
    head[5] = 1;
    head[4] = 0;
    head[2] = static_cast<char>((head[2] & 0x07) | 0x80);
    message = head + (message.size() > 8 ? message.substr(8) : std::string());
  }
  const auto reply = read_reply(*question, message);
  if (!reply) return 0;
  (void)reply->answer.addresses();
  (void)reply->answer.texts();
  if (reply->answer.found() && reply->answer.rdata().empty()) __builtin_trap();
  return 0;
}
