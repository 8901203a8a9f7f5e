// Compiled word databases on disk, named by what went into them. A file that is missing, broken or another version's is
// as good as none; it is never a reason to fail.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace doorward::filter {

// A name for all the pieces together, of 64 hexadecimal digits.
std::string content_key(const std::vector<std::string_view>& pieces);

std::optional<std::vector<std::string>> read_word_cache(const std::string& directory, const std::string& key);
// Written beside and renamed, so that no reader sees half a file; all but the newest four are removed.
void write_word_cache(const std::string& directory, const std::string& key, const std::vector<std::string_view>& blobs);

}  // namespace doorward::filter
