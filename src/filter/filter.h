// A filter judges a mail and changes nothing. To add one: a file here, a line in filter/list.cpp, its page in
// docs/filters, its test in tests/filter.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "filter/facts.h"
#include "filter/input.h"
#include "mail/envelope.h"
#include "mime/message.h"
#include "sheet/finding.h"
#include "sheet/sheet.h"

namespace doorward::filter {

enum class Scope { mail, tenant, recipient };  // for whom its findings are the same
enum class Cost { cpu, network, inspector };

struct SymbolInfo {
  std::string_view symbol;    // "date_missing"
  std::string_view sentence;  // in a person's words: "The mail has no Date field."
};

struct FilterInfo {
  std::string_view name;      // "structure"
  std::string_view sentence;  // what it looks at
  Scope scope;
  Cost cost;
  double lowest, highest;  // bounds of the sum of its strengths
  double default_weight;   // points for strength 1
  double default_cap;      // points
  std::vector<SymbolInfo> symbols;
};

// What a filter looks at. All recipients of the mail are judged at once: findings that are one tenant's say so by
// owner.
struct Case {
  const mime::Message& message;
  const mail::Client& client;
  const mail::Envelope& envelope;
  sheet::Direction direction;
  SystemTime now;
  const Facts& facts;
  const Input& input;
};

class Filter {
 public:
  virtual ~Filter() = default;
  virtual const FilterInfo& info() const = 0;
  // Cost::cpu filters do all their work here. Called from any core at once: const means safe.
  virtual void judge(const Case& mail, sheet::Findings& findings) const = 0;
};

// All filters, in the order they run and are listed.
std::span<const Filter* const> all();
const Filter* find(std::string_view name);

}  // namespace doorward::filter
