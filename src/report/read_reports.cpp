// Finding the reports in what came: by what a file is, not by what it is called.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "mime/message.h"
#include "report/compression.h"
#include "report/readers.h"

namespace doorward::report {
namespace {

std::string_view without_blanks(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // a byte order mark
  const size_t first = text.find_first_not_of(" \t\r\n");
  return first == std::string_view::npos ? std::string_view() : text.substr(first);
}

enum class Form : uint8_t { gzip, zip, xml, json, other };

Form form_of(std::string_view octets) {
  if (is_gzip(octets)) return Form::gzip;
  if (is_zip(octets)) return Form::zip;
  // UTF-16 begins with its mark (XML 1.0 §4.3.3).
  if (octets.starts_with("\xFF\xFE") || octets.starts_with("\xFE\xFF")) return Form::xml;
  octets = without_blanks(octets);
  if (octets.starts_with('<')) return Form::xml;
  return octets.starts_with('{') ? Form::json : Form::other;
}

class Collector {
 public:
  // False: it is no report, nor looks like one.
  bool add(std::string_view octets, bool packed = false) {
    const Form form = form_of(octets);
    if (form == Form::other || (packed && (form == Form::gzip || form == Form::zip))) return false;
    if (documents_ >= kMostDocuments) {
      if (documents_++ == kMostDocuments) problem(fmt::format("more than {} documents", kMostDocuments));
      return true;
    }
    ++documents_;
    switch (form) {
      case Form::gzip:
        if (auto text = gunzip(octets, most()); text) {
          unpacked(*text);
        } else {
          not_unpacked(text.error());
        }
        break;
      case Form::zip:
        if (auto files = unzip(octets, most()); files) {
          for (const auto& file : *files) unpacked(file);
        } else {
          not_unpacked(files.error());
        }
        break;
      case Form::xml:
        // The declaration has to stand first (XML 1.0 §2.8).
        take(read_dmarc(without_blanks(octets)), found_.dmarc);
        break;
      default:
        take(read_tls(octets), found_.tls);
        break;
    }
    return true;
  }

  void add_mail(std::string_view raw) {
    const auto message = mime::Message::parse(raw);
    for (const auto& part : message.parts()) {
      if (!part.is_leaf() || part.alternative_reading) continue;
      const bool words = part.is_text() && part.subtype != "xml" && part.subtype != "json";
      if (words && !part.is_attachment()) continue;
      add(message.decoded(part, kMostDocument + 1));
    }
  }

  ReadReports found() && { return std::move(found_); }

 private:
  template <class Report>
  void take(Result<Report> report, std::vector<Report>& into) {
    if (report) {
      into.push_back(std::move(*report));
    } else {
      problem(report.error().what);
    }
  }
  size_t most() const { return std::min(room_, kMostDocument); }
  void not_unpacked(const Error& error) {
    room_ -= most();  // the work was done
    problem(error.what);
  }
  void unpacked(std::string_view text) {
    room_ -= std::min(room_, text.size());
    if (!add(text, true)) problem("a packed file is neither XML nor JSON");
  }
  void problem(std::string what) {
    if (found_.problems.size() < kMostDocuments) found_.problems.push_back(std::move(what));
  }

  ReadReports found_{};
  size_t documents_ = 0;
  size_t room_ = kMostUnpacked;
};

}  // namespace

ReadReports read_reports(std::string_view octets) {
  Collector collector;
  if (!collector.add(octets)) collector.add_mail(octets);
  return std::move(collector).found();
}

ReadReports read_mailed_reports(std::string_view mail) {
  Collector collector;
  collector.add_mail(mail);
  return std::move(collector).found();
}

}  // namespace doorward::report
