// Where a link goes, as browsers read it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace doorward::filter {

struct LinkTarget {
  std::string_view user_info, host, port;
  std::string_view rest;  // path, query and fragment, with what divides them from the host
};

// The parts of an http or https URL: a backslash is a slash, user info ends at the last @.
std::optional<LinkTarget> target_of(std::string_view url);

// Dotted, in one number, octal or hexadecimal, as browsers take them (WHATWG URL, §3.5): the last label is a number.
bool is_ip_host(std::string_view host);

// Where a known redirector sends whoever opens the link, followed through several of them; the link itself where it is
// none.
std::string behind_redirectors(std::string_view url);

// Whether the host only shortens others' links: its own name says nothing of where they go.
bool is_shortener(std::string_view host);

}  // namespace doorward::filter
