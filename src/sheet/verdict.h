// Class and disposition, and their names outside.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace doorward::sheet {

enum class Class : uint8_t { clean, spam, virus, content, newsletter, unsure, sanity };
enum class Disposition : uint8_t { deliver, tag, quarantine, refuse, defer, review, discard };

std::string_view name(Class klass);
std::string_view name(Disposition disposition);
std::optional<Class> class_of(std::string_view name);
std::optional<Disposition> disposition_of(std::string_view name);

}  // namespace doorward::sheet
