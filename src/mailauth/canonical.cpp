#include "mailauth/canonical.h"

#include <openssl/evp.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <stdexcept>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "mail/ascii.h"

namespace doorward::mailauth {
namespace {

constexpr bool is_wsp(char c) { return c == ' ' || c == '\t'; }

// Fetched once: looking the algorithm up costs more than hashing a header.
const EVP_MD* sha256() {
  static const EVP_MD* const kAlgorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  if (kAlgorithm == nullptr) throw std::runtime_error("OpenSSL has no SHA-256");
  return kAlgorithm;
}

// Counts all octets, hashes those within the limit.
class Sink {
 public:
  explicit Sink(std::optional<uint64_t> limit) : limit_(limit.value_or(UINT64_MAX)) {}
  void add(std::string_view octets) {
    if (octets.empty()) return;
    if (length_ < limit_) hash_.add(octets.substr(0, std::min<uint64_t>(octets.size(), limit_ - length_)));
    length_ += octets.size();
  }
  BodyHash finish() { return {hash_.finish(), length_}; }

 private:
  Sha256 hash_;
  uint64_t limit_;
  uint64_t length_ = 0;
};

// The body without the empty lines at its end, and without its last line end (RFC 6376 §3.4.3, §3.4.4 a).
std::string_view without_end(std::string_view body, Canonical canonical) {
  for (;;) {
    if (body.ends_with('\n')) {
      body.remove_suffix(1);
      if (body.ends_with('\r')) body.remove_suffix(1);
    } else if (canonical == Canonical::relaxed && !body.empty() && is_wsp(body.back())) {
      body.remove_suffix(1);
    } else {
      return body;
    }
  }
}

// Whether the octet at `i`, or a bare LF after it, keeps the text from being hashed as it is.
bool changes(std::string_view text, size_t i) {
  const char next = i + 1 < text.size() ? text[i + 1] : '\n';
  if (text[i] == '\t') return true;
  if (text[i] == ' ') return is_wsp(next) || next == '\r' || next == '\n';
  return next == '\n' && text[i] != '\r' && i + 1 < text.size();
}

// The first place at or after `at` that changes() would name, or the end.
size_t next_change(std::string_view text, size_t at) {
#if defined(__SSE2__)
  const __m128i space = _mm_set1_epi8(' '), tab = _mm_set1_epi8('\t'), cr = _mm_set1_epi8('\r'),
                lf = _mm_set1_epi8('\n');
  for (; at + 17 <= text.size(); at += 16) {
    __m128i here, next;
    std::memcpy(&here, text.data() + at, sizeof here);
    std::memcpy(&next, text.data() + at + 1, sizeof next);
    const __m128i line = _mm_cmpeq_epi8(next, lf);
    const __m128i blank = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(next, space), _mm_cmpeq_epi8(next, tab)),
                                       _mm_or_si128(_mm_cmpeq_epi8(next, cr), line));
    const __m128i found =
        _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(here, tab), _mm_and_si128(_mm_cmpeq_epi8(here, space), blank)),
                     _mm_andnot_si128(_mm_cmpeq_epi8(here, cr), line));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(found));
    if (mask != 0) return at + static_cast<size_t>(std::countr_zero(mask));
  }
#endif
  while (at < text.size() && !changes(text, at)) ++at;
  return at;
}

bool bare_lf(std::string_view text, size_t at) { return text[at] == '\n' && (at == 0 || text[at - 1] != '\r'); }

void relaxed_lines(std::string_view text, Sink& sink) {
  for (size_t at = 0; at < text.size();) {
    if (bare_lf(text, at)) {
      sink.add("\r\n");
      ++at;
      continue;
    }
    const size_t change = next_change(text, at);
    if (change == text.size()) return sink.add(text.substr(at));
    if (!is_wsp(text[change])) {  // a bare LF comes next
      sink.add(text.substr(at, change + 1 - at));
      at = change + 1;
      continue;
    }
    sink.add(text.substr(at, change - at));
    at = change;
    while (at < text.size() && is_wsp(text[at])) ++at;
    if (at < text.size() && text[at] != '\n' && !text.substr(at).starts_with("\r\n")) sink.add(" ");
  }
}

void simple_lines(std::string_view text, Sink& sink) {
  size_t done = 0;
  for (size_t lf = text.find('\n'); lf != std::string_view::npos; lf = text.find('\n', lf + 1)) {
    if (!bare_lf(text, lf)) continue;
    sink.add(text.substr(done, lf - done));
    sink.add("\r\n");
    done = lf + 1;
  }
  sink.add(text.substr(done));
}

}  // namespace

void release(evp_md_ctx_st* context) { EVP_MD_CTX_free(context); }

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  if (!context_ || EVP_DigestInit_ex2(context_.get(), sha256(), nullptr) != 1) throw std::bad_alloc();
}
Sha256::Sha256(const Sha256& other) : context_(EVP_MD_CTX_new()) {
  if (!context_ || EVP_MD_CTX_copy_ex(context_.get(), other.context_.get()) != 1) throw std::bad_alloc();
}
void Sha256::add(std::string_view octets) { EVP_DigestUpdate(context_.get(), octets.data(), octets.size()); }
std::string Sha256::finish() {
  std::string hash(32, '\0');
  EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(hash.data()), nullptr);
  return hash;
}

void append_field(std::string& out, Canonical canonical, std::string_view field) {
  if (field.ends_with('\n')) field.remove_suffix(1);
  if (field.ends_with('\r')) field.remove_suffix(1);
  if (canonical == Canonical::simple) {  // RFC 6376 §3.4.1
    for (size_t i = 0; i < field.size(); ++i) {
      if (bare_lf(field, i)) out += '\r';
      out += field[i];
    }
    out += "\r\n";
    return;
  }
  const size_t colon = std::min(field.find(':'), field.size());  // §3.4.2
  std::string_view name = field.substr(0, colon);
  while (!name.empty() && is_wsp(name.back())) name.remove_suffix(1);
  std::ranges::transform(name, std::back_inserter(out), mail::to_lower);
  out += ':';
  bool blank = false, begun = false;
  for (size_t i = colon + 1; i < field.size(); ++i) {
    const char c = field[i];
    if (c == '\n' || (c == '\r' && i + 1 < field.size() && field[i + 1] == '\n')) continue;
    if (is_wsp(c)) {
      blank = true;
      continue;
    }
    if (blank && begun) out += ' ';
    blank = false;
    begun = true;
    out += c;
  }
  out += "\r\n";
}

BodyHash hash_body(std::string_view body, Canonical canonical, std::optional<uint64_t> limit) {
  Sink sink(limit);
  const std::string_view text = without_end(body, canonical);
  if (canonical == Canonical::relaxed) {
    relaxed_lines(text, sink);
  } else {
    simple_lines(text, sink);
  }
  // An empty body is CRLF in the simple form (§3.4.3), nothing in the relaxed one (§3.4.4).
  if (!text.empty() || canonical == Canonical::simple) sink.add("\r\n");
  return sink.finish();
}

}  // namespace doorward::mailauth
