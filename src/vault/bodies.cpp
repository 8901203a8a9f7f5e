#include "vault/bodies.h"

#include <latch>
#include <optional>
#include <unordered_map>

#include "base/log.h"

namespace doorward::vault {
namespace {

constexpr uint8_t kBody = 1;
constexpr uint64_t kStep = uint64_t{8} << 20;  // octets moved before others have their turn
constexpr unsigned kAttempts = 3;              // to read a body, a sweep each, before it is left behind

bool same(const journal::Place& a, const journal::Place& b) { return a.segment == b.segment && a.offset == b.offset; }

}  // namespace

Result<std::unique_ptr<Bodies>> Bodies::open(journal::Options options, journal::Disk& disk,
                                             std::span<const Body> known) {
  std::unordered_map<std::string_view, journal::Place> missing;
  for (const Body& body : known) missing.emplace(body.id, body.place);
  std::vector<journal::Place> strays;
  auto journal = journal::Journal::open(std::move(options), disk, [&](const journal::Found& found) {
    const auto at = missing.find(found.head);
    if (found.kind == kBody && at != missing.end() && same(at->second, found.place)) {
      missing.erase(at);
    } else {
      strays.push_back(found.place);
    }
  });
  if (!journal) return std::unexpected(journal.error());
  for (const auto& damage : (*journal)->damage()) log::error("vault.damage", {{"what", damage.text()}});
  for (const auto& [id, place] : missing) log::error("vault.body_missing", {{"body", id}, {"segment", place.segment}});
  for (const auto& place : strays) (*journal)->retire(place);
  return std::unique_ptr<Bodies>(new Bodies(std::move(*journal)));
}

Result<std::vector<Body>> Bodies::append(std::span<const Sealed> bodies) {
  std::vector<std::optional<Result<journal::Place>>> places(bodies.size());
  std::latch waiting(static_cast<ptrdiff_t>(bodies.size()));
  for (size_t i = 0; i < bodies.size(); ++i) {
    journal_->append({kBody, bodies[i].id, {bodies[i].octets}}, [&places, &waiting, i](Result<journal::Place> place) {
      places[i].emplace(std::move(place));
      waiting.count_down();
    });
  }
  waiting.wait();
  std::vector<Body> stored;
  std::optional<Error> failed;
  for (size_t i = 0; i < bodies.size(); ++i) {
    if (*places[i]) {
      stored.push_back({bodies[i].id, **places[i]});
    } else {
      failed = places[i]->error();
    }
  }
  if (!failed) return stored;
  for (const Body& body : stored) give_up(body);
  return std::unexpected(*failed);
}

// False: not now.
bool Bodies::read_to_move(const Body& body, std::string& octets) {
  auto found = read(body);
  if (!found) {
    ++unreadable_[body.id];
    log::error("vault.body_unreadable", {{"body", body.id},
                                         {"segment", body.place.segment},
                                         {"error", found.error().text()},
                                         {"mend", "look after the disk; the file stays as .damaged"}});
    return false;
  }
  unreadable_.erase(body.id);
  octets = std::move(*found);
  return true;
}

Result<bool> Bodies::clean(Tables& tables) {
  const auto segment = journal_->to_clean();
  if (!segment) return false;
  auto living = tables.bodies_of_segment(*segment);
  if (!living) return std::unexpected(living.error());
  uint64_t moved_octets = 0;
  bool in_the_way = false;
  for (const Body& body : *living) {
    if (moved_octets >= kStep) return true;
    const auto known = unreadable_.find(body.id);
    if (known != unreadable_.end() && known->second >= kAttempts) continue;  // whoever reads it is told
    std::string octets;
    if (!read_to_move(body, octets)) {
      in_the_way = in_the_way || unreadable_[body.id] < kAttempts;
      journal_->set_aside(*segment);
      continue;
    }
    moved_octets += octets.size();
    const std::vector<Sealed> one{{body.id, std::move(octets)}};
    auto moved = append(one);
    if (!moved) return std::unexpected(moved.error());
    if (auto done = tables.move_body(moved->front()); !done) return std::unexpected(done.error());
    give_up(body);
  }
  if (in_the_way) return false;  // a disk that fails for a moment is asked again at the next sweep
  if (auto dropped = journal_->drop(*segment); !dropped) return std::unexpected(dropped.error());
  return true;
}

}  // namespace doorward::vault
