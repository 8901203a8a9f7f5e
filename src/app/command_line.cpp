#include "app/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <exception>
#include <string>

#include "app/centre_command.h"
#include "app/centre_serve.h"
#include "app/check.h"
#include "app/evaluate.h"
#include "app/learn.h"
#include "app/policy_command.h"
#include "app/quarantine_command.h"
#include "app/queue_command.h"
#include "app/reports_command.h"
#include "app/scan.h"
#include "app/serve.h"
#include "app/sink.h"
#include "app/spool_command.h"
#include "app/trust_command.h"
#include "app/version.h"

namespace doorward::app {
namespace {

constexpr const char* kDefaultConfig = "/etc/doorward/doorward.toml";

void add_config(CLI::App& command, std::string& file, const std::string& default_file) {
  auto* option = command.add_option("--config", file, "the node's configuration, doorward.toml")->type_name("FILE");
  if (!default_file.empty()) option->default_val(default_file);
}

// Each add_… describes one command; its callback leaves the exit status in `status`.
void add_serve(CLI::App& program, int& status) {
  auto options = std::make_shared<ServeOptions>();
  auto* command = program.add_subcommand("serve", "run the gateway; SIGHUP reloads, SIGTERM drains");
  add_config(*command, options->config_file, kDefaultConfig);
  command->add_flag("--print-config", options->print_config, "print the effective configuration and end");
  command->callback([options, &status] { status = serve(*options); });
}

void add_scan(CLI::App& program, int& status) {
  auto options = std::make_shared<ScanOptions>();
  auto* command =
      program.add_subcommand("scan", "score sheets of mails on disk, or of a mail the gateway judged (--ref)");
  add_config(*command, options->config_file, "");
  command->add_flag("--json", options->json, "one JSON object a line");
  command->add_option("--from", options->envelope.from, "the envelope's sender; <> for the null sender")
      ->type_name("ADDRESS");
  command->add_option("--to", options->envelope.to, "the recipient whose rules judge")->type_name("ADDRESS");
  command->add_option("--ip", options->envelope.ip, "the sending client's address")->type_name("IP");
  command->add_option("--helo", options->envelope.helo, "what the client called itself")->type_name("NAME");
  auto* reference = command->add_option("--ref", options->reference, "the reference of a refusal, header or log line")
                        ->type_name("ID");
  auto* files = command->add_option("FILE", options->paths, "mails: .eml, mbox, Maildir or folder")->type_name("");
  reference->excludes(files);
  command->callback([options, &status] {
    if (options->reference.empty() && options->paths.empty()) throw CLI::RequiredError("FILE or --ref");
    if (!options->reference.empty() && options->config_file.empty()) options->config_file = kDefaultConfig;
    status = scan(*options);
  });
}

void add_learn(CLI::App& program, int& status) {
  auto options = std::make_shared<LearnOptions>();
  auto* command = program.add_subcommand("learn", "train the word statistics from mails whose kind is known");
  add_config(*command, options->config_file, kDefaultConfig);
  command->add_option("--ham", options->ham, "good mails: files, mboxes, Maildirs, folders")->type_name("PATH");
  command->add_option("--spam", options->spam, "spam, likewise")->type_name("PATH");
  command->callback([options, &status] {
    if (options->ham.empty() && options->spam.empty()) throw CLI::RequiredError("--ham or --spam");
    status = learn(*options);
  });
}

void add_evaluate(CLI::App& program, int& status) {
  auto options = std::make_shared<EvaluateOptions>();
  auto* command =
      program.add_subcommand("evaluate", "judge labelled mails by content alone and print how well it went");
  command->add_option("--index", options->index_file, "a line 'spam|ham PATH' a mail, in order")
      ->required()
      ->type_name("INDEX");
  command->add_flag("--online", options->online, "learn each mail's true label right after its verdict");
  command->add_option("--score", options->score, "what is measured")
      ->transform(
          CLI::CheckedTransformer(std::map<std::string, EvaluateScore>{{"points", EvaluateScore::points},
                                                                       {"statistics", EvaluateScore::statistics}})
              .description(""))
      ->type_name("points|statistics")
      ->default_str("statistics");
  command->add_option("--scores", options->scores_file, "write a line 'spam|ham SCORE PATH' a mail")->type_name("FILE");
  command->add_flag("--json", options->json, "the result as one JSON object");
  command->callback([options, &status] { status = evaluate(*options); });
}

void add_policy(CLI::App& program, int& status) {
  auto* command = program.add_subcommand("policy", "the tenants' settings as one readable file");
  command->require_subcommand(1);
  const auto add = [&](const char* name, const char* sentence, PolicyOptions::What what, bool needs_file,
                       bool has_json) {
    auto options = std::make_shared<PolicyOptions>();
    options->what = what;
    auto* part = command->add_subcommand(name, sentence);
    add_config(*part, options->config_file, kDefaultConfig);
    auto* file = part->add_option("FILE", options->policy_file, "the policy file")->type_name("");
    if (needs_file) file->required();
    if (has_json) part->add_flag("--json", options->json, "as JSON");
    part->callback([options, &status] { status = policy_command(*options); });
  };
  add("export", "write the settings to FILE, or to standard output", PolicyOptions::What::export_, false, false);
  add("import", "replace the settings by those of FILE, all or nothing", PolicyOptions::What::import_, true, false);
  add("diff", "say what importing FILE would change", PolicyOptions::What::diff, true, true);
}

// One part of `queue` or `quarantine`, with what says which mails it is for.
template <class Options>
CLI::App* add_choice(CLI::App& command, const char* name, const char* sentence, Options& options) {
  auto* part = command.add_subcommand(name, sentence);
  add_config(*part, options.config_file, kDefaultConfig);
  part->add_option("ID", options.ids, "ids")->type_name("");
  part->add_option("--sender", options.sender, "their sender, with * as wildcard; <> for the null sender")
      ->type_name("ADDRESS");
  part->add_option("--recipient", options.recipient, "a recipient, with * as wildcard")->type_name("ADDRESS");
  part->add_option("--domain", options.domain, "the recipients' domain")->type_name("DOMAIN");
  part->add_option("--customer", options.customer, "a customer of ours, by name or number")->type_name("NAME");
  part->add_option("--older-than", options.older_than, "an age, as 90s, 2h, 3d")->type_name("AGE");
  part->add_option("--younger-than", options.younger_than, "likewise")->type_name("AGE");
  part->add_option("--most", options.most, "at most so many")->type_name("N");
  part->add_flag("--json", options.json, "one JSON object a line");
  return part;
}

template <class Options>
void add_show(CLI::App& command, const char* sentence, const std::shared_ptr<Options>& options,
              std::function<void()> run) {
  auto* part = command.add_subcommand("show", sentence);
  add_config(*part, options->config_file, kDefaultConfig);
  part->add_option("ID", options->ids, "its id")->required()->expected(1)->type_name("");
  auto* headers = part->add_flag("--headers", options->headers, "the header of its content");
  part->add_flag("--raw", options->raw, "its content, octet for octet")->excludes(headers);
  part->add_flag("--json", options->json, "as JSON");
  part->callback(std::move(run));
}

void add_queue(CLI::App& program, int& status) {
  using What = QueueOptions::What;
  auto* command = program.add_subcommand("queue", "mails that are accepted and not yet delivered: see and steer them");
  command->require_subcommand(1);
  const auto add = [&](const char* name, const char* sentence, What what) {
    auto options = std::make_shared<QueueOptions>();
    options->what = what;
    auto* part = add_choice(*command, name, sentence, *options);
    part->add_option("--destination", options->destination, "backend:ID, mx:DOMAIN or vault, with * as wildcard")
        ->type_name("DESTINATION");
    part->add_option("--reason", options->reason, "a part of the last reply")->type_name("TEXT");
    part->add_flag("--held", options->held, "those that are held");
    part->add_flag("--stranded", options->stranded, "those that nobody may be told of");
    part->get_option("--domain")->excludes(part->get_option("--recipient"));
    if (what == What::remove || what == What::bounce) part->add_flag("--yes", options->yes, "also without ids");
    if (what == What::bounce) {
      part->add_flag("--force", options->force,
                     "also to senders that are not proven: may hit somebody who never wrote");
    }
    part->callback([options, &status] { status = queue_command(*options); });
  };
  add("list", "what waits, for whom, and why", What::list);
  add("retry", "try them now", What::retry);
  add("hold", "make no attempt until they are released", What::hold);
  add("release", "let held mails go on, and stranded ones wait again", What::release);
  add("remove", "take them out; nobody is told", What::remove);
  add("bounce", "return them to their senders, where these may be told", What::bounce);
  auto options = std::make_shared<QueueOptions>();
  options->what = What::show;
  add_show(*command, "all that is known of one mail", options,
           [options, &status] { status = queue_command(*options); });
}

void add_quarantine(CLI::App& program, int& status) {
  using What = QuarantineOptions::What;
  auto* command = program.add_subcommand("quarantine", "mails that are kept instead of delivered");
  command->require_subcommand(1);
  const auto add = [&](const char* name, const char* sentence, What what) {
    auto options = std::make_shared<QuarantineOptions>();
    options->what = what;
    auto* part = add_choice(*command, name, sentence, *options);
    part->add_option("--subject", options->subject, "a part of the subject")->type_name("TEXT");
    part->add_option("--class", options->klass, "spam, virus, content, newsletter, unsure, sanity")->type_name("CLASS");
    part->add_option("--mail", options->mail, "the mail's reference")->type_name("ID");
    if (what == What::list) {
      part->add_option("--state", options->state, "kept, releasing, released, deleted, expired")->type_name("STATE");
    } else {
      part->add_flag("--yes", options->yes, "also without ids");
    }
    part->callback([options, &status] { status = quarantine_command(*options); });
  };
  add("list", "what is kept, the newest first", What::list);
  add("release", "deliver them now, without filters", What::release);
  add("delete", "erase them for good", What::delete_);
  auto options = std::make_shared<QuarantineOptions>();
  options->what = What::show;
  add_show(*command, "all that is known of one entry", options,
           [options, &status] { status = quarantine_command(*options); });
}

void add_trust(CLI::App& program, int& status) {
  using What = TrustOptions::What;
  auto* command = program.add_subcommand("trust", "the Level of Trust: whom a customer's people correspond with");
  command->require_subcommand(1);
  const auto add = [&](const char* name, const char* sentence, What what) {
    auto options = std::make_shared<TrustOptions>();
    options->what = what;
    auto* part = command->add_subcommand(name, sentence);
    add_config(*part, options->config_file, kDefaultConfig);
    part->add_option("WHOM", options->whom, "an address, or a domain")->required()->type_name("");
    if (what == What::set) {
      part->add_option("LEVEL", options->level, "from -100 to 100; it decays like any other")
          ->required()
          ->check(CLI::Range(-100, 100))
          ->type_name("");
    }
    if (what == What::show) {
      part->add_option("--recipient", options->recipient, "one of our people: their own level with that address")
          ->type_name("ADDRESS");
      part->add_flag("--json", options->json, "as JSON");
    }
    part->add_option("--customer", options->customer, "a customer of ours, by name or number; none: the only one")
        ->type_name("NAME");
    part->callback([options, &status] { status = trust_command(*options); });
  };
  add("show", "how far somebody is trusted, and since when", What::show);
  add("set", "give somebody a level, instead of what was learnt", What::set);
  add("forget", "forget what was learnt of somebody", What::forget);
}

void add_check(CLI::App& program, int& status) {
  auto options = std::make_shared<CheckOptions>();
  auto* command = program.add_subcommand("check",
                                         "say what is wrong with configuration, certificates, tenants, backends and "
                                         "relaying, and how to mend it");
  add_config(*command, options->config_file, kDefaultConfig);
  command->add_flag("--json", options->json, "one JSON object a line");
  command->callback([options, &status] { status = check(*options); });
}

void add_spool(CLI::App& program, int& status) {
  auto options = std::make_shared<SpoolOptions>();
  auto* command = program.add_subcommand("spool", "the mails on disk that are accepted and not yet delivered");
  command->require_subcommand(1);
  auto* part = command->add_subcommand("fsck", "check every checksum, say what is damaged and what that means");
  add_config(*part, options->config_file, kDefaultConfig);
  part->add_option("DIR", options->directory, "the spool's folder; none: that of the configuration")->type_name("");
  part->add_flag("--repair", options->repair, "mend what is damaged; the gateway must not run");
  part->add_flag("--json", options->json, "one JSON object a line");
  part->callback([options, &status] { status = spool_command(*options); });
}

void add_reports(CLI::App& program, int& status) {
  using What = ReportsOptions::What;
  auto* command = program.add_subcommand("reports", "DMARC and TLS reports: send ours, look at those that came in");
  command->require_subcommand(1);
  const auto add = [&](const char* name, const char* sentence, What what) {
    auto options = std::make_shared<ReportsOptions>();
    options->what = what;
    auto* part = command->add_subcommand(name, sentence);
    add_config(*part, options->config_file, kDefaultConfig);
    if (what != What::import_) part->add_flag("--json", options->json, "one JSON object a line");
    if (what == What::list || what == What::sources) {
      part->add_option("--domain", options->domain, "of that domain")->type_name("DOMAIN");
      part->add_option("--since", options->since, "of so long ago and later, as 12h, 30d")->type_name("AGE");
      part->add_option("--most", options->most, "at most so many")->type_name("N");
    }
    if (what == What::list) part->add_option("--kind", options->kind, "dmarc or tls")->type_name("KIND");
    if (what == What::send) part->add_flag("--now", options->now, "also what is gathered of a day that is not over");
    if (what == What::show) part->add_option("ID", options->id, "its id")->required()->type_name("");
    if (what == What::import_) {
      part->add_option("FILE", options->files, "mails, or reports as .xml, .json, .gz or .zip")
          ->required()
          ->type_name("");
    }
    part->callback([options, &status] { status = reports_command(*options); });
  };
  add("send", "send what is due to the domains that asked for reports", What::send);
  add("list", "the reports that came in, the newest first", What::list);
  add("show", "all that one report says", What::show);
  add("sources", "who sends in a domain's name, as DMARC reports have it", What::sources);
  add("import", "read reports from files", What::import_);
}

void add_centre_serve(CLI::App& centre, int& status) {
  auto options = std::make_shared<CentreServeOptions>();
  auto* command = centre.add_subcommand("serve", "run a detection centre; SIGHUP reads its certificate again");
  command->add_option("--state", options->state_directory, "where it keeps what it learns")
      ->type_name("DIR")
      ->capture_default_str();
  command->add_option("--listen", options->listen, "where gateways ask it")
      ->type_name("ADDRESS")
      ->capture_default_str();
  command->add_option("--http", options->http, "where metrics and health are served; empty: nowhere")
      ->type_name("ADDRESS")
      ->capture_default_str();
  auto* certificate =
      command->add_option("--certificate", options->certificate.certificate_file, "for TLS: a PEM file with its chain")
          ->type_name("FILE");
  command->add_option("--key", options->certificate.key_file, "its private key")->type_name("FILE")->needs(certificate);
  certificate->needs("--key");
  command->add_option("--cores", options->cores, "how many cores answer; 0: all")->capture_default_str();
  command->add_option("--entries", options->entries, "of 24 octets, for each of its two tables")
      ->check(CLI::Range(1024, 1 << 30))
      ->capture_default_str();
  command->add_option("--questions", options->limits.questions_a_second, "a second that a gateway may ask")
      ->check(CLI::Range(1, 10'000'000))
      ->capture_default_str();
  command->add_option("--reports", options->limits.reports_a_second, "a second that a gateway may send")
      ->check(CLI::Range(1, 10'000'000))
      ->capture_default_str();
  command->callback([options, &status] { status = centre_serve(*options); });
}

void add_centre(CLI::App& program, int& status) {
  using What = CentreOptions::What;
  auto* command = program.add_subcommand("centre", "a detection centre: gateways ask it what others saw of a mail");
  command->require_subcommand(1);
  add_centre_serve(*command, status);
  const auto add = [&](const char* name, const char* sentence, What what) {
    auto options = std::make_shared<CentreOptions>();
    options->what = what;
    auto* part = command->add_subcommand(name, sentence);
    if (what != What::key) {
      part->add_option("--state", options->state_directory, "the centre's folder")
          ->type_name("DIR")
          ->capture_default_str();
    }
    if (what == What::list) part->add_flag("--json", options->json, "one JSON object a line");
    if (what != What::key && what != What::list) {
      part->add_option("NAME", options->name, "the gateway's host name, or another name for it")
          ->required()
          ->type_name("");
    }
    if (what == What::enrol) part->add_flag("--trusted", options->trusted, "its word counts from the first day on");
    part->callback([options, &status] { status = centre_command(*options); });
  };
  add("key", "make a key for the gateways of a centre; the centre itself has no need of it", What::key);
  add("enrol", "let a gateway ask and report; tells its token once", What::enrol);
  add("trust", "let a gateway's word count from now on", What::trust);
  add("distrust", "let it count as its reports prove right", What::distrust);
  add("revoke", "let a gateway neither ask nor report any more", What::revoke);
  add("list", "the gateways, and what their word counts", What::list);

  auto tell = std::make_shared<CentreTellOptions>();
  auto* part = command->add_subcommand("tell", "tell the centre what a person says of mails, from a gateway");
  add_config(*part, tell->config_file, kDefaultConfig);
  part->add_option("--spam", tell->spam, "mails that are spam: files, mboxes, Maildirs, folders")->type_name("PATH");
  part->add_option("--not-spam", tell->not_spam, "mails that are none, likewise")->type_name("PATH");
  part->add_option("--malicious", tell->malicious, "mails with malicious files, likewise")->type_name("PATH");
  part->callback([tell, &status] { status = centre_tell(*tell); });
}

void add_sink(CLI::App& program, int& status) {
  auto options = std::make_shared<SinkOptions>();
  auto listen = std::make_shared<std::string>("127.0.0.1:2525");
  auto* command = program.add_subcommand("sink", "a small mail server that stores what it gets: a backend for trials");
  command->add_option("--listen", *listen, "address and port")->type_name("ADDRESS")->capture_default_str();
  command->add_option("--maildir", options->maildir, "where to store mails; none: count them only")->type_name("DIR");
  command->add_flag("--lmtp", options->lmtp, "speak LMTP");
  command->callback([options, listen, &status] {
    auto at = net::Endpoint::parse(*listen, 2525);
    if (!at) throw CLI::ValidationError("--listen", at.error().text());
    options->listen = *at;
    if (const auto ended = run_sink(*options); !ended) {
      fmt::print(stderr, "doorward sink: {}\n", ended.error().text());
      status = 1;
    }
  });
}

}  // namespace

int run(int argc, char** argv) {
  int status = 0;
  CLI::App program("Doorward, a secure mail gateway.\nEach command explains itself: doorward COMMAND --help",
                   "doorward");
  program.set_version_flag("--version", fmt::format("doorward {}", kVersion));
  program.require_subcommand(1);
  try {
    add_serve(program, status);
    add_scan(program, status);
    add_learn(program, status);
    add_evaluate(program, status);
    add_check(program, status);
    add_policy(program, status);
    add_queue(program, status);
    add_quarantine(program, status);
    add_reports(program, status);
    add_trust(program, status);
    add_centre(program, status);
    add_spool(program, status);
    add_sink(program, status);
    program.parse(argc, argv);
  } catch (const CLI::ParseError& wrong) {
    return program.exit(wrong) == 0 ? 0 : 2;
  } catch (const std::exception& failure) {
    fmt::print(stderr, "doorward: {}\n", failure.what());
    return 1;
  }
  return status;
}

}  // namespace doorward::app
