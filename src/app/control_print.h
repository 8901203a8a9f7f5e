// What `doorward queue` and `doorward quarantine` share: asking, and writing what comes back where people read it.
#pragma once

#include <boost/json.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "app/config.h"
#include "base/error.h"

namespace doorward::app {

// Texts of strangers on a terminal: control characters, which could be commands to it, become '?'.
std::string on_terminal(std::string_view text);
std::string short_text(std::string_view text, size_t most);  // of on_terminal(), cut with "…" after so many octets
std::string age_text(int64_t seconds);                       // "45s", "12m", "3h", "6d"
std::string member(const boost::json::object& object, std::string_view name);  // text or number; "" for none

// "older_than": a duration as seconds, where it is given.
Result<void> add_age(boost::json::object& request, std::string_view name, const std::string& text);
void add_text(boost::json::object& request, std::string_view name, const std::string& text);
void add_ids(boost::json::object& request, const std::vector<std::string>& ids);
// Without its lines, a request of this version.
boost::json::object request_for(std::string_view command);

using EachObject = std::function<void(const boost::json::object& object, std::string_view line)>;
Result<void> ask_for(const NodeConfig& config, const boost::json::object& request, const EachObject& each);

// The content that comes as lines of base64, to standard output: all of it, or its header alone.
Result<void> print_content(const NodeConfig& config, const boost::json::object& request, bool header_only);

}  // namespace doorward::app
