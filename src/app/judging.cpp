#include "app/judging.h"

#include <algorithm>

#include "app/config.h"
#include "app/privileges.h"
#include "base/id.h"
#include "mail/address.h"
#include "mail/ip.h"
#include "store/database.h"

namespace doorward::app {
namespace {

// The sender that the last server noted (RFC 5321 §4.4), as nothing else of the envelope is left in a file.
mail::ReversePath noted_sender(const mime::Message& message) {
  mail::ReversePath path;
  std::string_view rest;
  const auto noted = message.headers().unfolded("Return-Path");
  if (auto parsed = mail::parse_reverse_path(noted, mail::Utf8::allowed, rest)) return *parsed;
  return path;
}

Result<mail::ReversePath> sender_of(const AssumedEnvelope& assumed, const mime::Message& message) {
  if (assumed.from.empty()) return noted_sender(message);
  mail::ReversePath path;
  if (assumed.from == "<>") return path;
  auto mailbox = mail::parse_mailbox(assumed.from);
  if (!mailbox) return fail("--from " + assumed.from + ": " + mailbox.error().what);
  path.null = false;
  path.mailbox = std::move(*mailbox);
  return path;
}

}  // namespace

Judging::Judging(std::shared_ptr<const policy::Snapshot> snapshot, const trust::WordStatistics* statistics)
    : snapshot_(std::move(snapshot)), judge_(clock_, {.statistics = statistics}) {}

Result<std::unique_ptr<Judging>> Judging::open(const std::string& config_file) {
  if (config_file.empty()) return std::make_unique<Judging>(policy::Snapshot::defaults(), nullptr);
  const auto config = load_config(config_file);
  if (!config) return std::unexpected(config.error());
  // What is made meanwhile (an empty store, the words' cache) is the gateway's.
  const ActingAs acting(owner_of_files(config->user, config->group));
  auto database = store::Database::open(config->policy_path());
  if (!database) return std::unexpected(database.error());
  auto snapshot = policy::Snapshot::load(**database, config->cache_directory);
  if (!snapshot) return std::unexpected(snapshot.error());
  auto statistics = trust::WordStatistics::open({.directory = config->statistics_path(), .read_only = true});
  if (!statistics) return std::unexpected(statistics.error());
  auto judging = std::make_unique<Judging>(std::move(*snapshot), statistics->get());
  judging->own_statistics_ = std::move(*statistics);
  return judging;
}

Result<sheet::ScoreSheet> Judging::judge(std::string_view raw, const AssumedEnvelope& assumed) const {
  const auto message = mime::Message::parse(raw);
  mail::Client client;
  mail::Envelope envelope;
  envelope.received_at = clock_.now();
  envelope.id = new_id(envelope.received_at);
  auto sender = sender_of(assumed, message);
  if (!sender) return std::unexpected(sender.error());
  envelope.from = std::move(*sender);
  client.helo = assumed.helo;
  if (!assumed.ip.empty()) {
    const auto ip = mail::IpAddress::parse(assumed.ip);
    if (!ip) return fail("--ip " + assumed.ip + ": not an IP address");
    client.ip = *ip;
  }

  gateway::Group group;
  group.settings = snapshot_->fallback();
  std::string recipient_key;
  if (!assumed.to.empty()) {
    auto mailbox = mail::parse_mailbox(assumed.to);
    if (!mailbox) return fail("--to " + assumed.to + ": " + mailbox.error().what);
    if (auto resolved = snapshot_->resolve(*mailbox); resolved.settings) group.settings = resolved.settings;
    recipient_key = mailbox->key();
    group.recipients.push_back(mailbox->text());
    envelope.recipients.push_back({std::move(*mailbox)});
  }
  const auto sender_key = envelope.from.null ? std::string("<>") : envelope.from.mailbox.key();
  group.rule = &snapshot_->rule_for(*group.settings, sheet::Direction::inbound, client.ip, sender_key, recipient_key);
  const gateway::Mail mail{message, client, envelope, sheet::Direction::inbound, {}};
  return judge_.judge(mail, *snapshot_, std::span(&group, 1));
}

}  // namespace doorward::app
