#include "sheet/verdict.h"

#include <array>

namespace doorward::sheet {
namespace {

constexpr std::array<std::string_view, 7> kClasses = {"clean",      "spam",   "virus", "content",
                                                      "newsletter", "unsure", "sanity"};
constexpr std::array<std::string_view, 7> kDispositions = {"deliver", "tag",    "quarantine", "refuse",
                                                           "defer",   "review", "discard"};

template <class Enum, size_t N>
std::optional<Enum> find(const std::array<std::string_view, N>& names, std::string_view name) {
  for (size_t i = 0; i < N; ++i) {
    if (names[i] == name) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

}  // namespace

std::string_view name(Class klass) { return kClasses[static_cast<size_t>(klass)]; }
std::string_view name(Disposition disposition) { return kDispositions[static_cast<size_t>(disposition)]; }
std::optional<Class> class_of(std::string_view name) { return find<Class>(kClasses, name); }
std::optional<Disposition> disposition_of(std::string_view name) { return find<Disposition>(kDispositions, name); }

}  // namespace doorward::sheet
