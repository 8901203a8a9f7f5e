#include "spool/fsck.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <iterator>

#include "spool/form.h"

namespace doorward::spool {
namespace {

using journal::SegmentCheck;

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < ' ') {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string_view name(SegmentCheck::Index index) {
  switch (index) {
    case SegmentCheck::Index::none:
      return "none";
    case SegmentCheck::Index::sound:
      return "sound";
    case SegmentCheck::Index::broken:
      break;
  }
  return "broken";
}

// Which mails the records leave over.
class Tally {
 public:
  explicit Tally(Fsck& found) : found_(found) {}

  void add(const journal::Found& record) {
    switch (static_cast<Kind>(record.kind)) {
      case Kind::mail:
        if (const auto stored = decode_mail(record.head)) {
          mails_[stored->mail.id] = {true, stored->mail.recipients.size()};
          return;
        }
        break;
      case Kind::progress:
        if (const auto progress = decode_progress(record.head)) {
          mails_.try_emplace(progress->id, Known{false, progress->fates.size()});
          return;
        }
        break;
      case Kind::done:
        if (const auto id = decode_done(record.head)) {
          mails_.erase(*id);
          return;
        }
        break;
    }
    ++found_.unknown;
  }

  void finish() {
    for (const auto& [id, known] : mails_) {
      found_.mails += known.is_there ? 1U : 0U;
      found_.recipients += known.is_there ? known.recipients : 0U;
      found_.lost_mails += known.is_there ? 0U : 1U;
    }
  }

 private:
  struct Known {
    bool is_there = false;
    size_t recipients = 0;
  };
  Fsck& found_;
  boost::unordered_flat_map<std::string, Known> mails_;
};

}  // namespace

bool Fsck::is_sound() const {
  return unknown == 0 && failed.empty() && std::ranges::all_of(segments, [](const SegmentCheck& segment) {
           return segment.index != SegmentCheck::Index::broken &&
                  std::ranges::all_of(segment.damage, &journal::Damage::is_torn_end);
         });
}

Result<Fsck> fsck(journal::Disk& disk, const std::string& directory, bool repair) {
  Fsck found;
  if (const auto names = disk.list(directory); !names) return std::unexpected(names.error());
  auto held = disk.lock(directory + "/lock");
  if (!held) {
    found.is_held = true;
    found.holder = held.error().text();
  }
  Tally tally(found);
  auto checked = journal::check(disk, directory, [&](const journal::Found& record) { tally.add(record); });
  if (!checked) return std::unexpected(checked.error());
  found.segments = std::move(*checked);
  tally.finish();
  if (!repair) return found;
  for (const SegmentCheck& segment : found.segments) {
    if (segment.is_sound()) continue;
    if (found.is_held) {
      found.failed.push_back(segment.file + ": not repaired while a gateway runs");
    } else if (const auto done = journal::repair(disk, directory, segment); done) {
      found.repaired.push_back(segment.file);
    } else {
      found.failed.push_back(done.error().text());
    }
  }
  return found;
}

std::string to_text(const Fsck& found) {
  std::string out;
  const auto add = [&out](std::string_view line) { fmt::format_to(std::back_inserter(out), "{}\n", line); };
  if (found.is_held) add("A gateway holds the spool (" + found.holder + "): looked at, while it goes on.");
  for (const SegmentCheck& segment : found.segments) {
    for (const auto& each : segment.damage) {
      add(each.text());
      if (each.is_torn_end) {
        add(found.is_held ? "  It may be what is being written at this moment."
                          : "  No harm: what stood there had not been acknowledged.");
      } else {
        add("  What stood there was durable and is lost: mails that were accepted, or the news that they were "
            "delivered. Everything else is read. Look at the disk.");
      }
    }
    if (segment.index == SegmentCheck::Index::broken) {
      add(segment.file + ": its index is broken. No harm: the next start reads the whole segment.");
    }
  }
  if (found.lost_mails > 0) {
    add(fmt::format("{} mails are lost: the journal tells of their progress, but has not the mails.",
                    found.lost_mails));
  }
  if (found.unknown > 0) {
    add(fmt::format("{} records are of a form that this release does not know.", found.unknown));
  }
  for (const auto& file : found.repaired) add(file + ": mended; what was there is kept beside it as .damaged");
  for (const auto& sentence : found.failed) add("FAILED: " + sentence);
  uint64_t octets = 0, records = 0;
  for (const SegmentCheck& segment : found.segments) {
    octets += segment.octets;
    records += segment.records;
  }
  add(fmt::format("{}: {} segments, {} octets, {} sound records; {} mails for {} recipients",
                  found.is_sound() ? "sound" : "DAMAGED", found.segments.size(), octets, records, found.mails,
                  found.recipients));
  return out;
}

std::string to_json(const Fsck& found) {
  std::string out;
  for (const SegmentCheck& segment : found.segments) {
    std::string damage;
    for (const auto& each : segment.damage) {
      damage += fmt::format("{}{{\"offset\":{},\"octets\":{},\"torn_end\":{}}}", damage.empty() ? "" : ",", each.offset,
                            each.octets, each.is_torn_end);
    }
    out += fmt::format("{{\"file\":{},\"octets\":{},\"records\":{},\"index\":\"{}\",\"damage\":[{}]}}\n",
                       quoted(segment.file), segment.octets, segment.records, name(segment.index), damage);
  }
  out += fmt::format(
      "{{\"sound\":{},\"held\":{},\"mails\":{},\"recipients\":{},\"lost_mails\":{},\"unknown\":{},\"repaired\":{},"
      "\"failed\":{}}}\n",
      found.is_sound(), found.is_held, found.mails, found.recipients, found.lost_mails, found.unknown,
      found.repaired.size(), found.failed.size());
  return out;
}

}  // namespace doorward::spool
