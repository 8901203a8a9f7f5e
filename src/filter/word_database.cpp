#include "filter/word_database.h"

#include <fmt/format.h>
#include <hs/hs.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <optional>
#include <stdexcept>

#include "base/handle.h"
#include "base/log.h"
#include "filter/word_cache.h"

namespace doorward::filter {
namespace {

using Database = Handle<hs_database_t, hs_free_database>;
using CompileError = Handle<hs_compile_error_t, hs_free_compile_error>;

constexpr size_t kLargestRegex = 256 * 1024;  // bytes of the database that one regex may make
// A superset of what RE2 finds is enough, once: RE2 then says what and where.
constexpr unsigned kRegexFlags = HS_FLAG_CASELESS | HS_FLAG_UTF8 | HS_FLAG_PREFILTER | HS_FLAG_SINGLEMATCH;

size_t size_of(const Database& database) {
  size_t bytes = 0;
  return database && hs_database_size(database.get(), &bytes) == HS_SUCCESS ? bytes : 0;
}

std::vector<unsigned> ids_of(size_t count) {
  std::vector<unsigned> ids(count);
  std::iota(ids.begin(), ids.end(), 0U);
  return ids;
}

Result<Database> compile_literals(const std::vector<std::string>& literals) {
  if (literals.empty()) return Database();
  std::vector<const char*> texts;
  std::vector<size_t> lengths;
  for (const auto& literal : literals) {
    texts.push_back(literal.data());
    lengths.push_back(literal.size());
  }
  const std::vector<unsigned> flags(literals.size(), 0U);
  const auto ids = ids_of(literals.size());
  hs_database_t* made = nullptr;
  hs_compile_error_t* error = nullptr;
  const auto status =
      hs_compile_lit_multi(texts.data(), flags.data(), ids.data(), lengths.data(),
                           static_cast<unsigned>(literals.size()), HS_MODE_BLOCK, nullptr, &made, &error);
  const CompileError held(error);
  if (status != HS_SUCCESS)
    return fail(fmt::format("The word lists cannot be compiled: {}", held ? held->message : "?"));
  return Database(made);
}

// The database of the regexes numbered `taken`, or nothing.
Database compile_regexes(const std::vector<std::string>& regexes, const std::vector<size_t>& taken) {
  std::vector<const char*> texts;
  std::vector<unsigned> ids;
  for (const size_t i : taken) {
    texts.push_back(regexes[i].c_str());
    ids.push_back(static_cast<unsigned>(i));
  }
  const std::vector<unsigned> flags(taken.size(), kRegexFlags);
  hs_database_t* made = nullptr;
  hs_compile_error_t* error = nullptr;
  const auto status = hs_compile_multi(texts.data(), flags.data(), ids.data(), static_cast<unsigned>(taken.size()),
                                       HS_MODE_BLOCK, nullptr, &made, &error);
  const CompileError held(error);
  return status == HS_SUCCESS ? Database(made) : Database();
}

std::string serialised(const Database& database) {
  char* bytes = nullptr;
  size_t length = 0;
  if (!database || hs_serialize_database(database.get(), &bytes, &length) != HS_SUCCESS) return {};
  std::string copy(bytes, length);
  std::free(bytes);
  return copy;
}

std::optional<Database> deserialised(const std::string& bytes) {
  if (bytes.empty()) return Database();
  hs_database_t* made = nullptr;
  if (hs_deserialize_database(bytes.data(), bytes.size(), &made) != HS_SUCCESS) return std::nullopt;
  return Database(made);
}

// A database fits the machine that it was compiled for: its instruction sets are part of the key.
std::string platform_key() {
  hs_platform_info_t platform{};
  hs_populate_platform(&platform);
  return fmt::format("{} {} {}", hs_version(), platform.tune, platform.cpu_features);
}

}  // namespace

struct WordDatabase::State {
  Database literals;
  Database regexes;
  std::vector<size_t> beyond;
  bool from_cache = false;
};

class WordDatabase::Scratch {
 public:
  Handle<hs_scratch_t, hs_free_scratch> held;
};
void WordDatabase::ScratchDeleter::operator()(Scratch* scratch) const { delete scratch; }

WordDatabase::WordDatabase(std::unique_ptr<State> state) : state_(std::move(state)) {}
WordDatabase::~WordDatabase() = default;
const std::vector<size_t>& WordDatabase::beyond() const { return state_->beyond; }
bool WordDatabase::came_from_cache() const { return state_->from_cache; }

bool WordDatabase::can_take(const std::string& regex) {
  const auto database = compile_regexes({regex}, {0});
  return database && size_of(database) <= kLargestRegex;
}

Result<std::unique_ptr<const WordDatabase>> WordDatabase::open(const Source& source,
                                                               const std::string& cache_directory) {
  const std::string platform = platform_key();
  const std::string counts = fmt::format("{} {}", source.literals.size(), source.regexes.size());
  std::vector<std::string_view> pieces{platform, counts};
  pieces.insert(pieces.end(), source.literals.begin(), source.literals.end());
  pieces.insert(pieces.end(), source.regexes.begin(), source.regexes.end());
  const std::string key = content_key(pieces);

  auto state = std::make_unique<State>();
  if (!cache_directory.empty()) {
    const auto blobs = read_word_cache(cache_directory, key);
    if (blobs && blobs->size() == 3 && (*blobs)[2].size() == source.regexes.size()) {
      auto literals = deserialised((*blobs)[0]);
      auto regexes = deserialised((*blobs)[1]);
      if (literals && regexes) {
        state->literals = std::move(*literals);
        state->regexes = std::move(*regexes);
        state->from_cache = true;
        for (size_t i = 0; i < source.regexes.size(); ++i) {
          if ((*blobs)[2][i] == '-') state->beyond.push_back(i);
        }
        return std::unique_ptr<const WordDatabase>(new WordDatabase(std::move(state)));
      }
    }
  }

  auto literals = compile_literals(source.literals);
  if (!literals) return std::unexpected(literals.error());
  state->literals = std::move(*literals);
  std::vector<size_t> taken;
  for (size_t i = 0; i < source.regexes.size(); ++i) {
    (can_take(source.regexes[i]) ? taken : state->beyond).push_back(i);
  }
  if (!taken.empty()) {
    state->regexes = compile_regexes(source.regexes, taken);
    // Each by itself was fine and all together are not: then all are run by themselves.
    if (!state->regexes) {
      state->beyond.insert(state->beyond.end(), taken.begin(), taken.end());
      std::ranges::sort(state->beyond);
    }
  }
  if (!cache_directory.empty()) {
    std::string marks(source.regexes.size(), '+');
    for (const size_t i : state->beyond) marks[i] = '-';
    write_word_cache(cache_directory, key, {serialised(state->literals), serialised(state->regexes), marks});
  }
  return std::unique_ptr<const WordDatabase>(new WordDatabase(std::move(state)));
}

WordDatabase::ScratchHandle WordDatabase::make_scratch() const {
  ScratchHandle scratch(new Scratch);
  hs_scratch_t* made = nullptr;
  for (const auto* database : {&state_->literals, &state_->regexes}) {
    if (!*database) continue;
    const auto status = hs_alloc_scratch(database->get(), &made);  // grows what is there already
    if (status != HS_SUCCESS) {
      if (made != nullptr) hs_free_scratch(made);
      throw std::runtime_error("no scratch space for the word lists");
    }
  }
  scratch->held.reset(made);
  return scratch;
}

void WordDatabase::scan_literals(std::string_view bytes, Scratch& scratch, void* context,
                                 void (*found)(void*, size_t, size_t)) const {
  if (!state_->literals || bytes.empty()) return;
  struct Call {
    void* context;
    void (*found)(void*, size_t, size_t);
  } call{context, found};
  hs_scan(
      state_->literals.get(), bytes.data(), static_cast<unsigned>(bytes.size()), 0, scratch.held.get(),
      [](unsigned id, unsigned long long, unsigned long long end, unsigned, void* opaque) {
        const auto* to = static_cast<const Call*>(opaque);
        to->found(to->context, id, static_cast<size_t>(end));
        return 0;
      },
      &call);
}

void WordDatabase::find_regexes(std::string_view utf8, Scratch& scratch, std::vector<size_t>& found) const {
  if (!state_->regexes || utf8.empty()) return;
  hs_scan(
      state_->regexes.get(), utf8.data(), static_cast<unsigned>(utf8.size()), 0, scratch.held.get(),
      [](unsigned id, unsigned long long, unsigned long long, unsigned, void* opaque) {
        static_cast<std::vector<size_t>*>(opaque)->push_back(id);
        return 0;
      },
      &found);
}

}  // namespace doorward::filter
