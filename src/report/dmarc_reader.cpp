// DMARC aggregate reports as they come: through Expat, element by element.
#include <expat.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/handle.h"
#include "mail/ascii.h"
#include "report/readers.h"

namespace doorward::report {
namespace {

constexpr size_t kMostDepth = 24;
constexpr size_t kPiece = size_t{1} << 20;
constexpr int64_t kLastMoment = 253'402'300'799;  // of the year 9999
constexpr size_t kMostListed = 50;                // signatures and reasons of a record

using Parser = Handle<XML_ParserStruct, XML_ParserFree>;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

template <class Number>
Number number(std::string_view text) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  // Some write "1538204542.0".
  const bool fine = error == std::errc{} && (end == text.data() + text.size() || *end == '.');
  return fine ? value : 0;
}

bool is_pass(std::string_view text) { return mail::equal_ignoring_case(text, "pass"); }

class Reader {
 public:
  Result<DmarcReport> read(std::string_view xml) {
    parser_.reset(XML_ParserCreate(nullptr));
    XML_SetUserData(parser_.get(), this);
    XML_SetElementHandler(
        parser_.get(), [](void* self, const char* name, const char**) { static_cast<Reader*>(self)->begin(name); },
        [](void* self, const char*) { static_cast<Reader*>(self)->end(); });
    XML_SetCharacterDataHandler(parser_.get(), [](void* self, const char* text, int size) {
      static_cast<Reader*>(self)->text({text, static_cast<size_t>(size)});
    });
    // Without a document type there are no entities to expand, and nothing outside to fetch.
    XML_SetStartDoctypeDeclHandler(parser_.get(), [](void* self, const char*, const char*, const char*, int) {
      static_cast<Reader*>(self)->stop("it has a document type, which no report needs");
    });
    while (problem_.empty()) {
      const std::string_view piece = xml.substr(0, kPiece);
      xml.remove_prefix(piece.size());
      const auto status = XML_Parse(parser_.get(), piece.data(), static_cast<int>(piece.size()), xml.empty() ? 1 : 0);
      if (status == XML_STATUS_ERROR && is_wrapped_ && is_whole_) break;  // who wraps it may forget to close that
      if (status == XML_STATUS_ERROR && problem_.empty()) {
        problem_ = fmt::format("line {}: {}", XML_GetCurrentLineNumber(parser_.get()),
                               XML_ErrorString(XML_GetErrorCode(parser_.get())));
      }
      if (xml.empty()) break;
    }
    if (problem_.empty()) check();
    if (!problem_.empty()) return fail("no DMARC report: " + problem_, {}, Blame::peer);
    return std::move(report_);
  }

 private:
  void stop(std::string why) {
    if (!problem_.empty()) return;
    problem_ = std::move(why);
    XML_StopParser(parser_.get(), XML_FALSE);
  }

  void begin(std::string_view name) {
    if (const size_t colon = name.find(':'); colon != std::string_view::npos) name.remove_prefix(colon + 1);
    if (path_.empty() && name == "schema" && !std::exchange(is_wrapped_, true)) return;  // as some write it
    if (path_.size() >= kMostDepth) return stop("its elements are nested too deep");
    path_.emplace_back(name.substr(0, 40));
    text_.clear();
    if (path_.size() == 1 && name != "feedback") return stop("its root is not \"feedback\"");
    if (is_at({"feedback", "record"})) {
      if (report_.rows.size() == kMostRecords) return stop(fmt::format("more than {} records", kMostRecords));
      report_.rows.emplace_back();
    }
    if (report_.rows.empty()) return;
    DmarcRecordRow& row = report_.rows.back();
    if (is_at({"feedback", "record", "row", "policy_evaluated", "reason"}) && row.reasons.size() < kMostListed) {
      row.reasons.emplace_back();
    }
    if (is_at({"feedback", "record", "auth_results", "dkim"}) && row.signatures.size() < kMostListed) {
      row.signatures.emplace_back();
    }
  }

  void text(std::string_view piece) {
    if (text_.size() < kMostText) text_ += piece.substr(0, kMostText - text_.size());
  }

  void end() {
    const std::string value(whole_utf8(trimmed(text_)));
    text_.clear();
    if (path_.size() >= 3) take(path_[1], value);
    if (!path_.empty()) path_.pop_back();
    is_whole_ = is_whole_ || path_.empty();
  }

  // The cut may have come within a character.
  static std::string_view whole_utf8(std::string_view text) {
    if (text.size() < kMostText - 3) return text;
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0U) == 0x80) text.remove_suffix(1);
    if (!text.empty() && static_cast<unsigned char>(text.back()) >= 0xC0) text.remove_suffix(1);
    return text;
  }

  bool is_at(std::initializer_list<std::string_view> path) const { return std::ranges::equal(path_, path); }

  void take(std::string_view section, const std::string& value) {
    const std::string& name = path_.back();
    if (section == "report_metadata") return take_metadata(name, value);
    if (section == "policy_published" && path_.size() == 3) return take_published(name, value);
    if (section == "record" && !report_.rows.empty()) take_record(report_.rows.back(), name, value);
  }

  void take_metadata(std::string_view name, const std::string& value) {
    if (path_.size() == 3) {
      if (name == "org_name") report_.organization = value;
      if (name == "email") report_.contact = value;
      if (name == "extra_contact_info") report_.extra_contact = value;
      if (name == "report_id") report_.id = value;
      if (name == "generator") report_.generator = value;
      if (name == "error" && report_.errors.size() < kMostListed) report_.errors.push_back(value);
    } else if (path_.size() == 4 && path_[2] == "date_range") {
      if (name == "begin") report_.begin = number<int64_t>(value);
      if (name == "end") report_.end = number<int64_t>(value);
    }
  }

  void take_published(std::string_view name, const std::string& value) {
    DmarcPublished& published = report_.published;
    for (const auto& [known, place] : {std::pair{"domain", &published.domain},
                                       {"p", &published.p},
                                       {"sp", &published.sp},
                                       {"np", &published.np},
                                       {"adkim", &published.adkim},
                                       {"aspf", &published.aspf},
                                       {"fo", &published.fo}}) {
      if (name == known) *place = mail::lowered(value);
    }
    if (name == "testing") published.testing = mail::equal_ignoring_case(value, "y");
  }

  void take_record(DmarcRecordRow& row, std::string_view name, const std::string& value) {
    const std::string_view part = path_[2];
    if (part == "row" && path_.size() == 4) {
      if (name == "source_ip") row.source_ip = value;
      if (name == "count") row.count = std::min(number<uint64_t>(value), kMostCounted);
    } else if (part == "row" && path_.size() > 4 && path_[3] == "policy_evaluated") {
      take_evaluated(row, name, value);
    } else if ((part == "identifiers" || part == "identities") && path_.size() == 4) {
      if (name == "header_from") row.header_from = mail::lowered(value);
      if (name == "envelope_from") row.envelope_from = mail::lowered(value);
    } else if (part == "auth_results" && path_.size() == 5) {
      take_result(row, name, value);
    }
  }

  void take_evaluated(DmarcRecordRow& row, std::string_view name, const std::string& value) {
    if (path_.size() == 5) {
      if (name == "disposition") row.disposition = mail::lowered(value);
      if (name == "dkim") row.dkim = is_pass(value);
      if (name == "spf") row.spf = is_pass(value);
    } else if (path_.size() == 6 && path_[4] == "reason" && !row.reasons.empty()) {
      if (name == "type") row.reasons.back().type = mail::lowered(value);
      if (name == "comment") row.reasons.back().comment = value;
    }
  }

  void take_result(DmarcRecordRow& row, std::string_view name, const std::string& value) {
    if (path_[3] == "dkim" && !row.signatures.empty()) {
      if (name == "domain") row.signatures.back().domain = mail::lowered(value);
      if (name == "selector") row.signatures.back().selector = value;
      if (name == "result") row.signatures.back().result = mail::lowered(value);
    } else if (path_[3] == "spf") {
      if (name == "domain") row.spf_domain = mail::lowered(value);
      if (name == "result") row.spf_result = mail::lowered(value);
    }
  }

  void check() {
    std::erase_if(report_.rows, [](const DmarcRecordRow& row) { return row.count == 0; });
    if (report_.published.domain.empty()) problem_ = "it names no domain";
    if (report_.organization.empty()) report_.organization = report_.contact;
    if (report_.organization.empty() || report_.id.empty()) problem_ = "it does not say whose it is, or has no id";
    if (report_.begin <= 0 || report_.end < report_.begin || report_.end > kLastMoment) problem_ = "it has no dates";
  }

  Parser parser_{};
  std::string problem_{};
  bool is_whole_ = false;    // its root has ended
  bool is_wrapped_ = false;  // in an element that is none of ours
  std::vector<std::string> path_{};
  std::string text_{};
  DmarcReport report_{};
};

}  // namespace

Result<DmarcReport> read_dmarc(std::string_view xml) {
  if (xml.size() > kMostDocument) {
    return fail(fmt::format("no DMARC report: more than {} octets", kMostDocument), {}, Blame::peer);
  }
  return Reader().read(xml);
}

}  // namespace doorward::report
