#include "app/keeping.h"

#include <filesystem>
#include <future>
#include <thread>

#include "base/log.h"
#include "journal/disk.h"
#include "net/core.h"
#include "store/database.h"

namespace doorward::app {
namespace {

Task<void> commit_on(net::Core& core, spool::Spool& spool, std::shared_ptr<const spool::Mail> mail,
                     std::shared_ptr<const spool::Content> content, std::shared_ptr<std::promise<Result<void>>> done) {
  Result<void> committed;
  try {
    committed = co_await spool.commit(core, std::move(mail), std::move(content));
  } catch (const std::exception& failure) {
    committed = fail(failure.what());
  }
  done->set_value(std::move(committed));
}

// What a command opens for itself, each part when it is first asked for.
struct LocalHouse {
  const NodeConfig& config;
  RealClock clock{};
  std::unique_ptr<spool::Spool> spool{};
  std::unique_ptr<vault::Vault> vault{};
  std::unique_ptr<trust::Correspondence> correspondence{};
  SpoolCommit committer{};

  explicit LocalHouse(const NodeConfig& given) : config(given) {}

  Result<spool::Spool*> open_spool() {
    if (!spool) {
      auto opened = spool::Spool::open(config.spool_options(), clock, journal::real_disk());
      if (!opened) return std::unexpected(opened.error());
      spool = std::move(*opened);
    }
    return spool.get();
  }

  Result<vault::Vault*> open_vault() {
    if (!vault) {
      vault::Options options;
      options.directory = config.vault_path();
      auto opened = vault::Vault::open(std::move(options), clock, journal::real_disk());
      if (!opened) return std::unexpected(opened.error());
      vault = std::move(*opened);
    }
    return vault.get();
  }

  Result<std::shared_ptr<const policy::Snapshot>> load_policy() const {
    auto database = store::Database::open(config.policy_path());
    if (!database) return std::unexpected(database.error());
    return policy::Snapshot::load(**database, config.cache_directory);
  }

  Result<TrustAccess> open_trust() {
    if (!correspondence) {
      auto opened = trust::Correspondence::open(config.correspondence_options());
      if (!opened) return std::unexpected(opened.error());
      correspondence = std::move(*opened);
    }
    return TrustAccess{correspondence.get(),
                       [this](uint64_t customer, const trust::Correspondent& whom, double level) -> Result<void> {
                         correspondence->set(customer, whom, level, clock.now());
                         return correspondence->flush();
                       }};
  }

  Services services() {
    return {.spool = [this] { return open_spool(); },
            .vault = [this] { return open_vault(); },
            .snapshot = [this] { return load_policy(); },
            .trust = [this] { return open_trust(); },
            .commit = [this](std::shared_ptr<const spool::Mail> mail,
                             std::shared_ptr<const spool::Content> content) -> Result<void> {
              auto queue = open_spool();
              if (!queue) return std::unexpected(queue.error());
              return committer.commit(**queue, std::move(mail), std::move(content));
            },
            .clock = clock};
  }
};

}  // namespace

struct SpoolCommit::State {
  net::Core core{0};
  std::thread thread{[this] { core.run(); }};
};

SpoolCommit::SpoolCommit() : state_(std::make_unique<State>()) {}

SpoolCommit::~SpoolCommit() {
  state_->core.stop();
  state_->thread.join();
}

Result<void> SpoolCommit::commit(spool::Spool& spool, std::shared_ptr<const spool::Mail> mail,
                                 std::shared_ptr<const spool::Content> content) {
  // Shared: the waiting thread may be gone before set_value() has returned.
  auto done = std::make_shared<std::promise<Result<void>>>();
  auto answer = done->get_future();
  state_->core.post([this, &spool, done, mail = std::move(mail), content = std::move(content)]() mutable {
    spawn(commit_on(state_->core, spool, std::move(mail), std::move(content), done));
  });
  return answer.get();
}

struct Keeping::State {
  spool::Spool& spool;
  const Clock& clock;
  vault::Snapshots snapshots;
  std::function<Result<report::SentReports>(bool all)> send_reports{};
  std::function<void(std::string_view raw)> not_spam{};
  std::unique_ptr<vault::Vault> vault{};
  std::unique_ptr<vault::Importer> importer{};
  SpoolCommit committer{};
  TrustAccess trust;
  std::unique_ptr<Control> control{};

  State(spool::Spool& queue, const Clock& time, vault::Snapshots policies, TrustAccess trusted)
      : spool(queue), clock(time), snapshots(std::move(policies)), trust(std::move(trusted)) {}

  Services services() {
    return {.spool = [this]() -> Result<spool::Spool*> { return &spool; },
            .vault = [this]() -> Result<vault::Vault*> { return vault.get(); },
            .snapshot = [this]() -> Result<std::shared_ptr<const policy::Snapshot>> { return snapshots(); },
            .trust = [this]() -> Result<TrustAccess> { return trust; },
            .commit =
                [this](std::shared_ptr<const spool::Mail> mail, std::shared_ptr<const spool::Content> content) {
                  return committer.commit(spool, std::move(mail), std::move(content));
                },
            .clock = clock,
            .send_reports = send_reports,
            .not_spam = not_spam,
            .logs = true};
  }
};

Keeping::Keeping(std::unique_ptr<State> state) : state_(std::move(state)) {}
Keeping::~Keeping() { stop(); }

Result<std::unique_ptr<Keeping>> Keeping::open(const NodeConfig& config, spool::Spool& spool, const Clock& clock,
                                               vault::Snapshots snapshots, TrustAccess trust,
                                               std::function<Result<report::SentReports>(bool all)> send_reports,
                                               std::function<void(std::string_view raw)> not_spam) {
  auto state = std::make_unique<State>(spool, clock, std::move(snapshots), std::move(trust));
  state->send_reports = std::move(send_reports);
  state->not_spam = std::move(not_spam);
  vault::Options options;
  options.directory = config.vault_path();
  auto vault = vault::Vault::open(std::move(options), clock, journal::real_disk());
  if (!vault) return std::unexpected(vault.error());
  state->vault = std::move(*vault);
  state->importer = std::make_unique<vault::Importer>(*state->vault, vault::source_of(spool), state->snapshots);
  auto control =
      Control::open(config.control_path(), [raw = state.get()](std::string_view request, const Answer& answer) {
        return run_control_command(request, raw->services(), answer);
      });
  if (!control) return std::unexpected(control.error());
  state->control = std::move(*control);
  return std::unique_ptr<Keeping>(new Keeping(std::move(state)));
}

void Keeping::start() {
  if (auto resumed = state_->vault->resume_releases(*state_->snapshots(), state_->services().commit); !resumed) {
    log::error("vault.resume_failed", {{"error", resumed.error().text()}});
  }
  state_->importer->start();
  state_->control->start();
}

void Keeping::wake() { state_->importer->wake(); }

void Keeping::stop() {
  state_->control->stop();
  state_->importer->stop();
}

vault::Vault& Keeping::vault() { return *state_->vault; }

Result<void> request_control(const NodeConfig& config, std::string_view request, const Answer& answer) {
  auto asked = ask(config.control_path(), request, answer);
  if (!asked) return std::unexpected(asked.error());
  if (*asked == Asked::done) return {};
  if (!std::filesystem::exists(config.state_directory)) {
    return fail("there is no such state directory: no gateway ever ran with this configuration",
                config.state_directory);
  }
  // What is made meanwhile has to be the gateway's.
  const ActingAs owner(owner_of_files(config.user, config.group));
  LocalHouse house(config);
  return run_control_command(request, house.services(), answer);
}

}  // namespace doorward::app
