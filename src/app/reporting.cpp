#include "app/reporting.h"

#include <utility>

namespace doorward::app {
namespace {

report::GatheredOptions gathered_options(const NodeConfig& config) {
  report::GatheredOptions options;
  options.path = config.reports_path();
  options.period = config.reports.every;
  options.most_rows = config.reports.most_rows;
  return options;
}

report::ReportSender sender_of(const NodeConfig& config) {
  report::ReportSender sender;
  sender.organization = config.reports.organization;
  sender.contact = config.reports.contact;
  sender.extra_contact = config.reports.extra_contact;
  sender.host_name = config.server_options().host_name;
  if (auto path = mail::parse_mailbox(config.reports.sender)) {
    sender.path.null = false;
    sender.path.mailbox = std::move(*path);
  }
  return sender;
}

}  // namespace

Result<std::unique_ptr<Reporting>> Reporting::open(const NodeConfig& config, const Clock& clock,
                                                   net::Resolver& resolver, spool::Spool& spool, Snapshots snapshots) {
  std::unique_ptr<Reporting> made(new Reporting());
  report::GatheringOptions gathers;
  gathers.observe = config.reports.on;
  gathers.gathered = gathered_options(config);
  gathers.incoming = {.path = config.reports_path(), .keep = std::chrono::days(config.reports.keep_days)};
  auto gathering = report::Gathering::open(std::move(gathers));
  if (!gathering) return std::unexpected(gathering.error());
  made->gathering_ = std::move(*gathering);
  made->witnesses_.all.push_back(made->gathering_.get());
  if (config.reports.failures) {
    report::FailuresOptions failures;
    failures.sender = sender_of(config);
    failures.an_hour = config.reports.failures_an_hour;
    made->failures_ = std::make_unique<report::Failures>(std::move(failures),
                                                         report::FailuresParts{clock, resolver, spool, snapshots});
    made->witnesses_.all.push_back(made->failures_.get());
  }
  if (!config.reports.on) return made;
  report::SendingOptions options;
  options.sender = sender_of(config);
  options.gathered = gathered_options(config);
  auto sending =
      report::Sending::open(std::move(options), {clock, *made->gathering_, resolver, spool, std::move(snapshots)});
  if (!sending) return std::unexpected(sending.error());
  made->sending_ = std::move(*sending);
  return made;
}

void Reporting::start() {
  if (sending_) sending_->start();
  if (failures_) failures_->start();
}

void Reporting::stop() {
  if (failures_) failures_->stop();
  if (sending_) sending_->stop();
}

Result<report::SentReports> Reporting::send(bool all) {
  if (!sending_) return fail("reports are not sent: set reports.on in doorward.toml");
  return sending_->send(all);
}

}  // namespace doorward::app
