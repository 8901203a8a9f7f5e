// What a reader sees of an address field: a name and an address. For judging only; it takes whatever mail programs
// take.
#pragma once

#include <string>
#include <string_view>

namespace doorward::filter {

struct ShownAddress {
  std::string name;     // display name, decoded; may be empty
  std::string address;  // "a@b", lower case; empty if there is none
  std::string_view domain() const {
    const size_t at = address.rfind('@');
    return at == std::string::npos ? std::string_view() : std::string_view(address).substr(at + 1);
  }
};
// The first address of a decoded field.
ShownAddress first_address(std::string_view field);
// The first thing of the form a@b.c in a text; lower case, or empty.
std::string address_within(std::string_view text);

// The part of a host name that is one owner's, by rule of thumb: "a.b.example.co.uk" → "example.co.uk". Lower case.
std::string_view owner_domain(std::string_view host);
bool is_freemail(std::string_view domain);

}  // namespace doorward::filter
