#include "app/config_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <concepts>

#include "config/option_value.h"
#include "config/quantity.h"

namespace doorward::app {
namespace {

using config::OptionInfo;
using enum config::OptionType;

constexpr std::array<std::string_view, 4> kTlsModes{"none", "starttls", "required", "implicit"};
constexpr std::array<std::string_view, 4> kListKinds{"ip", "domain", "email", "link"};
constexpr std::array<std::string_view, 4> kListHashes{"sha1", "md5", "sha256", "sha256-base32"};
constexpr std::array<std::string_view, 4> kLevels{"debug", "info", "warning", "error"};
constexpr std::array<std::string_view, 2> kDecays{"halving", "straight"};

// A value as canonical text, and back. The option's type has been checked before.

std::string to_text(const OptionInfo&, bool value) { return value ? "true" : "false"; }
std::string to_text(const OptionInfo&, const std::string& value) { return value; }

template <std::integral T>
std::string to_text(const OptionInfo& option, T value) {
  return option.type == size ? config::format_size(static_cast<uint64_t>(value)) : fmt::format("{}", value);
}

template <class Rep, class Period>
std::string to_text(const OptionInfo&, std::chrono::duration<Rep, Period> value) {
  return config::format_duration(std::chrono::duration_cast<std::chrono::milliseconds>(value));
}

std::string to_text(const OptionInfo&, const net::Endpoint& value) { return value.text(); }
std::string to_text(const OptionInfo&, const std::optional<net::Endpoint>& value) { return value ? value->text() : ""; }
std::string to_text(const OptionInfo&, smtp::TlsMode value) {
  return std::string(kTlsModes.at(static_cast<size_t>(value)));
}
std::string to_text(const OptionInfo&, filter::ListKind value) {
  return std::string(kListKinds.at(static_cast<size_t>(value)));
}
std::string to_text(const OptionInfo&, filter::ListHash value) {
  return std::string(kListHashes.at(static_cast<size_t>(value)));
}
std::string to_text(const OptionInfo&, const std::vector<filter::ListCode>& value) {
  std::vector<std::string> texts;
  texts.reserve(value.size());
  for (const auto& code : value) texts.push_back(filter::text_of(code));
  return config::join(texts);
}
std::string to_text(const OptionInfo&, trust::Decay value) {
  return std::string(kDecays.at(static_cast<size_t>(value)));
}
std::string to_text(const OptionInfo&, log::Level value) { return std::string(kLevels.at(static_cast<size_t>(value))); }

std::string to_text(const OptionInfo&, const std::vector<mail::Network>& value) {
  std::vector<std::string> texts;
  texts.reserve(value.size());
  for (const mail::Network& network : value) texts.push_back(network.text());
  return config::join(texts);
}

std::string to_text(const OptionInfo&, const std::vector<std::string>& value) { return config::join(value); }

std::string to_text(const OptionInfo&, const std::vector<net::ResolverOptions::StubZone>& value) {
  std::vector<std::string> texts;
  texts.reserve(value.size());
  for (const auto& stub : value) texts.push_back(stub.zone + "=" + stub.address);
  return config::join(texts);
}

Result<void> from_text(const OptionInfo&, const std::string& text, std::vector<std::string>& value) {
  value = config::items(text);
  return {};
}

Result<void> from_text(const OptionInfo&, const std::string& text, std::vector<net::ResolverOptions::StubZone>& value) {
  value.clear();
  for (const std::string& item : config::items(text)) {
    const size_t equals = item.find('=');
    if (equals == 0 || equals == std::string::npos || equals + 1 == item.size()) {
      return fail(fmt::format("\"{}\" is not of the form example.org=192.0.2.53", item));
    }
    value.push_back({item.substr(0, equals), item.substr(equals + 1)});
  }
  return {};
}

Result<void> from_text(const OptionInfo&, const std::string& text, bool& value) {
  value = text == "true";
  return {};
}

Result<void> from_text(const OptionInfo&, const std::string& text, std::string& value) {
  value = text;
  return {};
}

template <std::integral T>
Result<void> from_text(const OptionInfo& option, const std::string& text, T& value) {
  uint64_t number = 0;
  if (option.type == size) {
    const auto octets = config::parse_size(text);
    if (!octets) return std::unexpected(octets.error());
    number = *octets;
  } else {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{}) return fail(fmt::format("{} is negative or too large", text));
  }
  if (!std::in_range<T>(number)) return fail(fmt::format("{} is too large", text));
  value = static_cast<T>(number);
  return {};
}

template <class Rep, class Period>
Result<void> from_text(const OptionInfo&, const std::string& text, std::chrono::duration<Rep, Period>& value) {
  using Unit = std::chrono::duration<Rep, Period>;
  const auto time = config::parse_duration(text);
  if (!time) return std::unexpected(time.error());
  value = std::chrono::duration_cast<Unit>(*time);
  if (value != *time) return fail(fmt::format("\"{}\" is finer than this time can be set: whole seconds", text));
  return {};
}

Result<void> from_text(const OptionInfo&, const std::string& text, net::Endpoint& value) {
  auto parsed = net::Endpoint::parse(text);
  if (!parsed) return std::unexpected(parsed.error());
  value = *parsed;
  return {};
}

Result<void> from_text(const OptionInfo& option, const std::string& text, std::optional<net::Endpoint>& value) {
  value.reset();
  if (text.empty()) return {};
  net::Endpoint at;
  if (auto done = from_text(option, text, at); !done) return done;
  value = at;
  return {};
}

template <class Enum, size_t N>
Result<void> from_names(const std::array<std::string_view, N>& names, const std::string& text, Enum& value) {
  const auto found = std::ranges::find(names, text);
  if (found == names.end()) return fail(fmt::format("\"{}\" is unknown", text));
  value = static_cast<Enum>(found - names.begin());
  return {};
}
Result<void> from_text(const OptionInfo&, const std::string& text, smtp::TlsMode& value) {
  return from_names(kTlsModes, text, value);
}
Result<void> from_text(const OptionInfo&, const std::string& text, filter::ListKind& value) {
  return from_names(kListKinds, text, value);
}
Result<void> from_text(const OptionInfo&, const std::string& text, filter::ListHash& value) {
  return from_names(kListHashes, text, value);
}
Result<void> from_text(const OptionInfo&, const std::string& text, std::vector<filter::ListCode>& value) {
  value.clear();
  for (const std::string& item : config::items(text)) {
    auto code = filter::parse_list_code(item);
    if (!code) return std::unexpected(code.error());
    value.push_back(*code);
  }
  return {};
}
Result<void> from_text(const OptionInfo&, const std::string& text, trust::Decay& value) {
  return from_names(kDecays, text, value);
}
Result<void> from_text(const OptionInfo&, const std::string& text, log::Level& value) {
  return from_names(kLevels, text, value);
}

Result<void> from_text(const OptionInfo&, const std::string& text, std::vector<mail::Network>& value) {
  value.clear();
  for (const std::string& item : config::items(text)) {
    const auto network = mail::Network::parse(item);
    if (!network) return fail(fmt::format("\"{}\" is not an address or network such as 192.0.2.0/24", item));
    value.push_back(*network);
  }
  return {};
}

template <class Struct, class Member>
Field<Struct> field(OptionInfo option, const Member& member, bool needs_restart = true) {
  return {option, [option, member](const Struct& from) { return to_text(option, member(from)); },
          [option, member](Struct& to, const std::string& text) { return from_text(option, text, member(to)); },
          needs_restart};
}

#define AT(place) [](auto& c) -> auto& { return c.place; }

std::vector<Field<NodeConfig>> make_node_fields() {
  static const std::string private_networks = to_text({}, mail::private_networks());
  const auto any = [](OptionInfo option, const auto& member) { return field<NodeConfig>(std::move(option), member); };
  const auto reloaded = [](OptionInfo option, const auto& member) {
    return field<NodeConfig>(std::move(option), member, false);
  };
  return {
      any({"host_name", text, "", "", "The name given in banners and headers; empty: the machine's own."},
          AT(host_name)),
      any({"state_directory", text, "", "/var/lib/doorward", "The folder of everything that is kept."},
          AT(state_directory)),
      any({"cache_directory", text, "", "/var/cache/doorward",
           "The folder of what can be made again, such as compiled word lists."},
          AT(cache_directory)),
      reloaded({"policy", text, "", "",
                "A policy file that is imported at start and reload when it has changed; empty: none."},
               AT(policy_file)),
      any({"postmaster", text, "", "", "The address that gets mail for postmaster without a domain; empty: none."},
          AT(postmaster)),
      any({"user", text, "", "doorward",
           "The user that Doorward becomes after binding its ports, when started as root."},
          AT(user)),
      any({"group", text, "", "doorward", "The group that Doorward becomes; empty: the user's own."}, AT(group)),
      any({"may_run_as_root", boolean, "", "false",
           "Whether Doorward may stay root when no user is set: for trials only."},
          AT(may_run_as_root)),
      any({"cores", integer, "cores", "0", "How many cores carry sessions; 0: all.", 0, 1024}, AT(cores)),
      any({"http", text, "", "127.0.0.1:8025", "Where metrics and health are served over HTTP; empty: nowhere."},
          AT(http_listen)),
      reloaded({"log.target", text, "", "stderr", "Where log lines go: stderr, stdout, off, or a file's path."},
               AT(log_target)),
      reloaded({"log.level",
                choice,
                "",
                "info",
                "The least important lines that are logged.",
                0,
                0,
                {kLevels.begin(), kLevels.end()}},
               AT(log_level)),
      any({"score_sheets.keep_days", integer, "days", "30", "How long score sheets are kept.", 1, 3660},
          AT(keep_sheets_days)),
      any({"statistics.entries", integer, "entries", "2097152",
           "The size of the word statistics' table, a power of two; an entry takes some 16 octets.", 1024, 1 << 30},
          AT(statistics_entries)),
      any({"sightings.entries", integer, "entries", "1048576",
           "The size of the table in which fuzzy checksums are counted, of 24 octets an entry; a mail takes ten to "
           "fifteen.",
           1024, 1 << 30},
          AT(sightings_entries)),
      any({"trust.entries", integer, "entries", "1048576",
           "The size of the table of the Level of Trust, of 24 octets an entry; a correspondent takes three to five.",
           1024, 1 << 30},
          AT(trust_entries)),
      any({"trust.decay",
           choice,
           "",
           "halving",
           "How trust decays while nothing is exchanged: halving, always the same share of it; straight, to nothing in "
           "twice the half-life.",
           0,
           0,
           {kDecays.begin(), kDecays.end()}},
          AT(trust_decay)),
      any({"trust.half_life", duration, "", "60d",
           "After which time without mail half of the trust, or distrust, is left; three times as long where there was "
           "mail on thirty days or more."},
          AT(trust_half_life)),
      any({"greylist.entries", integer, "entries", "262144",
           "The size of the table of greylisting, of 24 octets an entry; a mail that is put off takes one a recipient.",
           1024, 1 << 30},
          AT(greylist_entries)),
      any({"spool.budget", size, "", "10GiB",
           "The disk that waiting mail may take; before it is full, new mail is put off with 452."},
          AT(spool.budget)),
      any({"spool.reserve", size, "", "256MiB", "What stays free of the file system; below it, new mail is put off."},
          AT(spool.reserve)),
      any({"spool.segment", size, "", "64MiB", "The size of one file of the spool."}, AT(spool.segment)),
      any({"spool.memory", size, "", "64MiB",
           "Waiting mail that is kept in memory for its first attempt; the rest is read from the disk."},
          AT(spool.memory)),
      any({"spool.lifetime", duration, "", "7d", "After which time a mail that could not be delivered is given up."},
          AT(spool.lifetime)),
      any({"spool.first_retry", duration, "", "1m", "How long after the first failure a mail is tried again."},
          AT(spool.first_retry)),
      any({"spool.longest_retry", duration, "", "4h", "What the growing time between two attempts grows to."},
          AT(spool.longest_retry)),
      any({"spool.warn_after", duration, "", "4h",
           "After which time a sender who may be told hears that a mail is still waiting."},
          AT(spool.warn_after)),
      any({"spool.concurrency", integer, "deliveries", "100",
           "The most deliveries at a time to one destination; how many it bears is found out.", 1, 10'000},
          AT(spool.most_concurrency)),
      any({"dns.forwarders", list, "", "",
           "Recursive name servers that are asked for everything, as 192.0.2.53 or 192.0.2.53@5353; empty: those of "
           "dns.resolv_conf."},
          AT(dns.forwarders)),
      any({"dns.resolv_conf", text, "", "/etc/resolv.conf",
           "A file whose name servers are asked; empty, and no forwarders: the root servers and those they refer to."},
          AT(dns.resolv_conf)),
      any({"dns.stub_zones", list, "", "",
           "Zones whose own name servers are asked, as example.org=192.0.2.53 or example.org=192.0.2.53@5353."},
          AT(dns.stub_zones)),
      any({"dns.trust_anchor", text, "", "",
           "A file with the trust anchors of DNSSEC, such as /usr/share/dns/root.key; empty: nothing is validated."},
          AT(dns.trust_anchor_file)),
      any({"dns.insecure_zones", list, "", "", "Zones that are not validated although an anchor above them says so."},
          AT(dns.insecure_zones)),
      any({"authentication.on", boolean, "", "true", "Whether SPF, DKIM, DMARC and ARC of inbound mail are looked at."},
          AT(authentication.on)),
      any({"authentication.deadline", duration, "", "5s",
           "How long all questions to the DNS about one mail may take together; what is not known by then gives no "
           "points."},
          AT(authentication.deadline)),
      any({"authentication.lookups", integer, "questions", "150", "The most questions to the DNS about one mail.", 1,
           10'000},
          AT(authentication.lookups)),
      any({"authentication.local_networks", list, "", private_networks,
           "Networks of one's own, of whose clients SPF and DMARC are not asked, as addresses or networks."},
          AT(authentication.local_networks)),
      any({"centre.url", text, "", "",
           "The fingerprint service that is asked about inbound mail, as https://centre.example.org; empty: none. "
           "docs/centre.md says what it is told."},
          AT(centre.url)),
      any({"centre.token_file", text, "", "",
           "A file with the token that `doorward centre enrol` told for this gateway; nobody else may read it."},
          AT(centre.token_file)),
      any({"centre.key_file", text, "", "",
           "A file with the key that all gateways of the centre share, made once by `doorward centre key`."},
          AT(centre.key_file)),
      any({"centre.key_number", integer, "", "1", "Which key it is: another number for each that replaces it.", 0, 255},
          AT(centre.key_number)),
      any({"centre.authority", text, "", "",
           "A PEM file with the certificate that vouches for the centre; empty: those that the system trusts."},
          AT(centre.authority)),
      any({"centre.patience", duration, "", "500ms",
           "How long an answer is waited for; without one the mail goes on, and the score sheet says so."},
          AT(centre.patience)),
      any({"centre.report", boolean, "", "true",
           "Whether the centre is told of mail that is spam or that several domains sent."},
          AT(centre.report)),
      any({"lists.on", boolean, "", "true", "Whether lists in the DNS are asked about inbound mail."}, AT(lists.on)),
      any({"lists.default", boolean, "", "true",
           "Whether the lists that come with the program are asked besides those of [[list]]: docs/lists.md."},
          AT(default_lists)),
      any({"lists.questions", integer, "questions", "60", "The most questions to lists about one mail.", 1, 1000},
          AT(lists.questions)),
      any({"lists.check_every", duration, "", "1h", "How often a list's own test entries are looked at."},
          AT(lists.check_every)),
      any({"arc.domain", text, "", "", "The domain in whose name mail that was changed is sealed (ARC)."},
          AT(sealing.domain)),
      any({"arc.selector", text, "", "", "The selector of the key: its record stands at SELECTOR._domainkey.DOMAIN."},
          AT(sealing.selector)),
      any({"arc.key", text, "", "", "The private key for that, a PEM file (RSA or Ed25519); empty: nothing is sealed."},
          AT(sealing.key_file)),
      any({"reports.on", boolean, "", "false",
           "Whether DMARC aggregate reports are gathered and sent to the domains that ask for them: docs/reports.md."},
          AT(reports.on)),
      any({"reports.failures", boolean, "", "false",
           "Whether domains that ask for it are told of each mail that fails DMARC in their name (ruf=), by a few "
           "header "
           "fields and without recipient, subject and text: docs/reports.md."},
          AT(reports.failures)),
      any({"reports.failures_an_hour", integer, "reports", "10",
           "The most reports of single failures about one domain in an hour.", 1, 1000},
          AT(reports.failures_an_hour)),
      any({"reports.organization", text, "", "", "The name of the organisation in whose name reports are sent."},
          AT(reports.organization)),
      any({"reports.contact", text, "", "",
           "The address that reports come from and that questions about them go to; mail from its domain that leaves "
           "here has to pass DMARC."},
          AT(reports.contact)),
      any({"reports.extra_contact", text, "", "", "What else a report says about whom to ask, such as a web page."},
          AT(reports.extra_contact)),
      any({"reports.sender", text, "", "",
           "The envelope's sender of reports, an address that takes what comes back; empty: the null sender, so that "
           "nothing comes back."},
          AT(reports.sender)),
      any({"reports.every", duration, "", "1d", "The time that one report tells of, from 1h to 1d, counted in UTC."},
          AT(reports.every)),
      any({"reports.rows", integer, "rows", "10000",
           "The most rows of one report; mails that would need another one are counted and left out.", 1, 1'000'000},
          AT(reports.most_rows)),
      any({"reports.keep_days", integer, "days", "400",
           "How long reports that came in about tenants' domains are kept.", 1, 3660},
          AT(reports.keep_days)),
      any({"mx.port", integer, "", "25", "The port of the servers that MX records name.", 1, 65535}, AT(mx.port)),
      any({"mx.allowed", list, "", "",
           "Networks that are not public and to which MX records may lead all the same, as addresses or networks."},
          AT(mx.allowed)),
      any({"limits.connections", integer, "connections", "20000", "The most connections at a time.", 1, 10'000'000},
          AT(server.limits.connections)),
      any({"limits.connections_per_ip", integer, "connections", "100",
           "The most connections of one client address (IPv6: of one /64).", 1, 1'000'000},
          AT(server.limits.connections_per_ip)),
      any({"limits.connections_a_minute", integer, "connections", "0",
           "The most new connections a minute from one address (IPv6: from a /64); 0: any number.", 0, 10'000'000},
          AT(server.limits.connections_a_minute)),
      any({"limits.network_connections_a_minute", integer, "connections", "0",
           "The most new connections a minute from one network (/24, IPv6: /48); 0: any number.", 0, 10'000'000},
          AT(server.limits.network_connections_a_minute)),
      any({"limits.mails_a_minute", integer, "mails", "0",
           "The most mails a minute from one address (IPv6: from a /64); more are put off with 450. 0: any number.", 0,
           10'000'000},
          AT(server.limits.mails_a_minute)),
      any({"limits.command_errors", integer, "errors", "10",
           "After so many wrong commands a session ends; replies slow down from the third on.", 1, 1000},
          AT(server.limits.command_errors)),
      any({"limits.transactions", integer, "mails", "1000", "The most mails of one session.", 1, 1'000'000},
          AT(server.limits.transactions)),
      any({"limits.recipients", integer, "recipients", "1000",
           "The most recipients of one mail; the standard asks for at least 100.", 100, 100'000},
          AT(server.limits.recipients)),
      any({"limits.message_size", size, "", "25MB",
           "The largest mail for anyone; a domain's own limit may be smaller."},
          AT(server.limits.message_size)),
      any({"limits.command_line", size, "", "2KiB", "The longest command line."}, AT(server.limits.command_line)),
      any({"limits.text_line", size, "", "1kB", "The longest line of a mail that the standard allows."},
          AT(server.limits.text_line)),
      any({"limits.long_line", size, "", "64KiB", "The longest line of a mail that is let through as practice has it."},
          AT(server.limits.long_line)),
      any({"limits.memory_per_connection", size, "", "4MiB", "A mail beyond this goes to an unlinked file."},
          AT(server.limits.memory_per_connection)),
      any({"limits.memory_total", size, "", "512MiB",
           "The memory that all mails at hand may take; beyond it new ones are deferred."},
          AT(server.limits.memory_total)),
      any({"limits.spill_directory", text, "", "/var/tmp", "The folder of the unlinked files."},
          AT(server.limits.spill_directory)),
      any({"timeouts.banner_delay", duration, "", "0s", "How long the banner waits for clients that talk too early."},
          AT(server.timeouts.banner_delay)),
      any({"timeouts.command", duration, "", "5m", "How long a client may take for a command."},
          AT(server.timeouts.command)),
      any({"timeouts.data_block", duration, "", "3m", "How long a client may pause within a mail."},
          AT(server.timeouts.data_block)),
      any({"timeouts.whole_data", duration, "", "1h", "How long a client may take for a whole mail."},
          AT(server.timeouts.whole_data)),
      any({"timeouts.tls_handshake", duration, "", "1m", "How long a TLS handshake may take."},
          AT(server.timeouts.tls_handshake)),
      any({"timeouts.proxy_header", duration, "", "5s", "How long a load balancer may take for its PROXY header."},
          AT(server.timeouts.proxy_header)),
      any({"extensions.prdr", boolean, "", "true", "Whether PRDR (a reply for each recipient) is offered."},
          AT(server.offer_prdr)),
      any({"extensions.smtputf8", boolean, "", "true", "Whether SMTPUTF8 is offered."}, AT(server.offer_smtputf8)),
      any({"extensions.chunking", boolean, "", "true", "Whether CHUNKING is offered."}, AT(server.offer_chunking)),
      any({"extensions.dsn", boolean, "", "true", "Whether DSN is offered."}, AT(server.offer_dsn)),
      any({"extensions.requiretls", boolean, "", "true", "Whether REQUIRETLS is offered (over TLS)."},
          AT(server.offer_requiretls)),
  };
}

std::vector<Field<smtp::ListenerOptions>> make_listener_fields() {
  const auto any = [](OptionInfo option, const auto& member) {
    return field<smtp::ListenerOptions>(std::move(option), member);
  };
  return {
      any({"name", text, "", "mx", "The listener's name in log and metrics."}, AT(name)),
      any({"address", text, "", "0.0.0.0:25", "Address and port to listen on: 0.0.0.0:25, [::]:25 or unix:/path."},
          AT(address)),
      any({"tls",
           choice,
           "",
           "starttls",
           "TLS: none, offered (starttls), demanded (required), or from the first octet (implicit).",
           0,
           0,
           {kTlsModes.begin(), kTlsModes.end()}},
          AT(tls)),
      any({"proxy_protocol_from", list, "", "",
           "The load balancers that begin each connection with a PROXY header, as addresses or networks."},
          AT(proxy_protocol_from)),
      any({"xclient_from", list, "", "",
           "The peers that may tell the real client by XCLIENT, as addresses or networks."},
          AT(xclient_from)),
  };
}

std::vector<Field<filter::BlockList>> make_block_list_fields() {
  const auto any = [](OptionInfo option, const auto& member) {
    return field<filter::BlockList>(std::move(option), member);
  };
  return {
      any({"name", text, "", "", "The list's name in score sheets and metrics."}, AT(name)),
      any({"zone", text, "", "", "The zone that is asked, such as bl.example.org."}, AT(zone)),
      any({"kind",
           choice,
           "",
           "ip",
           "What is asked for: addresses of servers (ip), domains of links and senders (domain), hashes of mail "
           "addresses "
           "(email) or of links (link).",
           0,
           0,
           {kListKinds.begin(), kListKinds.end()}},
          AT(kind)),
      any({"hash",
           choice,
           "",
           "sha1",
           "Of kinds email and link: the hash that is asked for.",
           0,
           0,
           {kListHashes.begin(), kListHashes.end()}},
          AT(hash)),
      any({"on", boolean, "", "true", "Whether it is asked; false with the zone of a default list switches that off."},
          AT(on)),
      any({"codes", list, "", "",
           "What its answers mean, as \"127.0.0.2 = 3\" with points from -10 to 10; for each of the four numbers also "
           "4-7, "
           "* or &8 (a bit that is set). All that match count."},
          AT(codes)),
      any({"received", integer, "fields", "0",
           "Of kind ip: of how many Received fields, from the newest on, the address is asked for too.", 0, 20},
          AT(received)),
      any({"tested", boolean, "", "true",
           "Whether it has test entries (RFC 5782 §5): it is asked only while these are right."},
          AT(tested)),
      any({"servers", list, "", "",
           "The name servers that are asked, as 192.0.2.53 or 192.0.2.53@5353; empty: those of the zone."},
          AT(servers)),
  };
}

std::vector<Field<net::Certificate>> make_certificate_fields() {
  const auto any = [](OptionInfo option, const auto& member) {
    return field<net::Certificate>(std::move(option), member, false);
  };
  return {
      any({"certificate", text, "", "", "The certificate with its chain, a PEM file."}, AT(certificate_file)),
      any({"key", text, "", "", "Its private key, a PEM file."}, AT(key_file)),
  };
}

#undef AT

}  // namespace

std::span<const Field<NodeConfig>> node_fields() {
  static const auto made = make_node_fields();
  return made;
}

std::span<const Field<smtp::ListenerOptions>> listener_fields() {
  static const auto made = make_listener_fields();
  return made;
}

std::span<const Field<net::Certificate>> certificate_fields() {
  static const auto made = make_certificate_fields();
  return made;
}

std::span<const Field<filter::BlockList>> block_list_fields() {
  static const auto fields = make_block_list_fields();
  return fields;
}

}  // namespace doorward::app
