// sign_mails: real mails made ready for a benchmark of authentication: each with an author, Message-ID and token of its
// own, every other one signed by its author's domain. Writes what `load_generator --ready` sends, and the TXT record of
// the key to standard output.
//
//   sign_mails MAILS COUNT FIRST DOMAINS KEY.pem OUT
//
// Mail n is from s<n>@d<n mod DOMAINS>.example. A line "sender octets 7|8" and the octets as they go over the wire
// stand for each in OUT.
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>

#include "mailauth/dkim_sign.h"
#include "mails.h"

namespace doorward::bench {
namespace {

template <class Each>
void for_each_line(std::string_view text, const Each& each) {
  while (!text.empty()) {
    const size_t end = text.find('\n');
    each(text.substr(0, end == std::string_view::npos ? text.size() : end + 1));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

bool is_dropped(std::string_view line) {
  for (const std::string_view name : {"From:", "Sender:", "Return-Path:", "Reply-To:", "DKIM-Signature:"}) {
    if (line.size() < name.size()) continue;
    bool same = true;
    for (size_t i = 0; i < name.size(); ++i) same = same && (line[i] | 0x20) == (name[i] | 0x20);
    if (same) return true;
  }
  return false;
}

// The mail as its author wrote it: no dots stuffed.
std::string written(const PreparedMail& mail, const std::string& author, const std::string& token) {
  std::string text = "From: <" + author + ">\r\nMessage-ID: <" + token + "@" + author.substr(author.find('@') + 1) +
                     ">\r\nX-Load-Token: " + token + "\r\n";
  bool dropping = false;
  for_each_line(std::string_view(mail.wire).substr(0, mail.split), [&](std::string_view line) {
    if (line.front() != ' ' && line.front() != '\t') dropping = is_dropped(line);
    if (!dropping) text += line;
  });
  for_each_line(std::string_view(mail.wire).substr(mail.split),
                [&](std::string_view line) { text += line.starts_with("..") ? line.substr(1) : line; });
  if (mail.token_in_body) text += token + "\r\n";
  return text;
}

std::string stuffed(const std::string& text) {
  std::string wire;
  for_each_line(text, [&](std::string_view line) {
    if (line.front() == '.') wire += '.';
    wire += line;
  });
  return wire;
}

void run(char** argv) {
  const size_t count = std::stoul(argv[2]), first = std::stoul(argv[3]), domains = std::stoul(argv[4]);
  std::ifstream key_file(argv[5]);
  const std::string pem((std::istreambuf_iterator<char>(key_file)), std::istreambuf_iterator<char>());
  auto key = mailauth::SigningKey::read(pem);
  if (!key) throw std::runtime_error(key.error().text());
  const auto mails = load_mails(argv[1], count);
  std::ofstream out(argv[6], std::ios::binary);
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  for (size_t n = first; n < first + count; ++n) {
    const PreparedMail& mail = mails[n % mails.size()];
    const std::string domain = "d" + std::to_string(n % domains) + ".example";
    const std::string author = "s" + std::to_string(n) + "@" + domain;
    const std::string token = std::to_string(n) + "." + std::to_string(now.time_since_epoch().count());
    std::string text = written(mail, author, token);
    if ((n + n / domains) % 2 == 0) {
      mailauth::SignedMail signed_mail{std::string_view(text)};
      text = mailauth::sign_dkim(signed_mail, *key, {.domain = domain, .selector = "s", .now = now}) + text;
    }
    const std::string wire = stuffed(text);
    out << author << ' ' << wire.size() << ' ' << (mail.eight_bit ? '8' : '7') << '\n' << wire;
  }
  if (!out.flush()) throw std::runtime_error(std::string("cannot write ") + argv[6]);
  std::printf("%s\n", key->record().c_str());
}

}  // namespace
}  // namespace doorward::bench

int main(int argc, char** argv) {
  try {
    if (argc != 7) throw std::runtime_error("sign_mails MAILS COUNT FIRST DOMAINS KEY.pem OUT");
    doorward::bench::run(argv);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sign_mails: %s\n", error.what());
    return 2;
  }
}
