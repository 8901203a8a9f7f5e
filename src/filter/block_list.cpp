#include "filter/block_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace doorward::filter {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<ListCode::Octet> octet(std::string_view text) {
  if (text == "*") return ListCode::Octet{};
  if (text.starts_with('&')) {
    const auto bits = number<uint8_t>(text.substr(1));
    if (!bits || *bits == 0) return std::nullopt;
    return ListCode::Octet{0, 255, *bits};
  }
  const size_t dash = text.find('-');
  const auto from = number<uint8_t>(text.substr(0, dash));
  const auto to = dash == std::string_view::npos ? from : number<uint8_t>(text.substr(dash + 1));
  if (!from || !to || *from > *to) return std::nullopt;
  return ListCode::Octet{*from, *to, 0};
}

constexpr uint32_t kLoopback = 0x7F000000, kRefusals = 0x7FFFFF00, kTypo = 0x7F000001;

}  // namespace

bool ListCode::matches(uint32_t answer) const {
  for (size_t i = 0; i < octets.size(); ++i) {
    const auto value = static_cast<uint8_t>(answer >> (24 - 8 * i));
    const Octet& octet = octets[i];
    if (octet.bits != 0 ? (value & octet.bits) != octet.bits : value < octet.from || value > octet.to) return false;
  }
  return true;
}

Result<ListCode> parse_list_code(std::string_view text) {
  const auto wrong = [&] {
    return fail(fmt::format("\"{}\" is not of the form 127.0.0.2 = 3 (also 4-7, * or &8 for a number)", text));
  };
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos) return wrong();
  const auto points = number<double>(trimmed(text.substr(equals + 1)));
  if (!points || *points < -10 || *points > 10) return wrong();
  ListCode code{.octets = {}, .points = sheet::Points::of(*points)};
  std::string_view address = trimmed(text.substr(0, equals));
  for (size_t i = 0; i < code.octets.size(); ++i) {
    const size_t dot = i + 1 < code.octets.size() ? address.find('.') : address.size();
    if (dot == std::string_view::npos) return wrong();
    const auto one = octet(address.substr(0, dot));
    if (!one) return wrong();
    code.octets[i] = *one;
    address.remove_prefix(std::min(dot + 1, address.size()));
  }
  return code;
}

std::string text_of(const ListCode& code) {
  std::string out;
  for (const auto& [from, to, bits] : code.octets) {
    if (!out.empty()) out += '.';
    if (bits != 0) {
      out += fmt::format("&{}", bits);
    } else if (from == 0 && to == 255) {
      out += '*';
    } else {
      out += from == to ? fmt::format("{}", from) : fmt::format("{}-{}", from, to);
    }
  }
  return out + " = " + code.points.text();
}

ListVerdict verdict_of(const BlockList& list, const std::vector<mail::IpAddress>& answers) {
  ListVerdict verdict;
  for (const mail::IpAddress& answer : answers) {
    const uint32_t bits = answer.is_v4() ? answer.v4_bits() : 0;
    bool named = false;
    sheet::Points points;
    for (const ListCode& code : list.codes) {
      if (!code.matches(bits)) continue;
      named = true;
      points = points + code.points;
    }
    const bool refusal = (bits & 0xFFFFFF00) == kRefusals || (bits == kTypo && !named);
    if ((bits & 0xFF000000) != kLoopback || refusal) return {ListVerdict::Kind::failed, {}, answer.text()};
    if (!named) continue;
    verdict.kind = ListVerdict::Kind::listed;
    verdict.points = verdict.points + points;
    verdict.codes += (verdict.codes.empty() ? "" : " ") + answer.text();
  }
  return verdict;
}

std::vector<BlockList> default_block_lists() {
  struct Given {
    const char *name, *zone;
    ListKind kind;
    bool on;
    unsigned received;
    std::vector<const char*> codes;
  };
  // Meanings of the codes and terms of use: docs/lists.md.
  static const std::vector<Given> all{
      {"spamcop", "bl.spamcop.net", ListKind::ip, true, 1, {"127.0.0.2 = 2.5"}},
      {"psbl", "psbl.surriel.com", ListKind::ip, true, 0, {"127.0.0.2 = 2"}},
      {"dnswl",
       "list.dnswl.org",
       ListKind::ip,
       true,
       0,
       {"127.0.2-20.1 = -0.5", "127.0.2-20.2 = -1.5", "127.0.2-20.3 = -3"}},
      {"surbl",
       "multi.surbl.org",
       ListKind::domain,
       true,
       0,
       {"127.0.0.&8 = 3", "127.0.0.&16 = 3.5", "127.0.0.&64 = 2.5", "127.0.0.&128 = 1.5"}},
      {"uribl", "multi.uribl.com", ListKind::domain, true, 0, {"127.0.0.&2 = 2.5", "127.0.0.&8 = 0.5"}},
      {"spamhaus-zen",
       "zen.spamhaus.org",
       ListKind::ip,
       false,
       1,
       {"127.0.0.2 = 4", "127.0.0.3 = 3", "127.0.0.4 = 4", "127.0.0.9 = 4", "127.0.0.10-11 = 2.5"}},
      {"msbl-ebl", "ebl.msbl.org", ListKind::email, false, 0, {"127.0.0.2 = 3"}},
      {"spamhaus-dbl", "dbl.spamhaus.org", ListKind::domain, false, 0, {"127.0.1.2-99 = 4", "127.0.1.102-106 = 2"}},
  };
  std::vector<BlockList> lists;
  for (const Given& given : all) {
    BlockList list{.name = given.name,
                   .zone = given.zone,
                   .kind = given.kind,
                   .on = given.on,
                   .tested = given.kind == ListKind::ip || given.kind == ListKind::domain,
                   .received = given.received,
                   .codes = {},
                   .servers = {}};
    for (const char* code : given.codes) list.codes.push_back(parse_list_code(code).value());
    lists.push_back(std::move(list));
  }
  return lists;
}

}  // namespace doorward::filter
