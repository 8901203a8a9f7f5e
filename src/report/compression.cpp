#include "report/compression.h"

#include <fmt/format.h>
#include <zip.h>
#include <zlib.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

#include "base/handle.h"

namespace doorward::report {
namespace {

constexpr int kGzipWindow = 15 + 16;  // zlib: with gzip's header and trailer
constexpr size_t kPiece = size_t{64} << 10;

std::unexpected<Error> damaged(std::string_view what) {
  return fail(fmt::format("the {} file is damaged", what), {}, Blame::peer);
}
std::unexpected<Error> too_large(size_t most) {
  return fail(fmt::format("more than {} octets when unpacked", most), {}, Blame::peer);
}

Bytef* octets_of(std::string_view text) {  // zlib reads what it calls next_in, and does not write there
  return reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
}

using Inflating = Handle<z_stream, inflateEnd>;
using Archive = Handle<zip_t, zip_discard>;
using Entry = Handle<zip_file_t, zip_fclose>;

Result<std::string> read_entry(zip_t* archive, zip_uint64_t index, size_t most) {
  const Entry file(zip_fopen_index(archive, index, 0));
  if (!file) return damaged("zip");
  std::string text;
  for (;;) {
    const size_t before = text.size();
    text.resize(before + kPiece);
    const zip_int64_t got = zip_fread(file.get(), text.data() + before, kPiece);
    if (got < 0) return damaged("zip");
    text.resize(before + static_cast<size_t>(got));
    if (text.size() > most) return too_large(most);
    if (got == 0) return text;
  }
}

}  // namespace

std::string gzip(std::string_view text) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("zlib has no memory");
  }
  const Handle<z_stream, deflateEnd> ended(&stream);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = octets_of(text);
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) throw std::runtime_error("zlib did not come to an end");
  out.resize(stream.total_out);
  return out;
}

bool is_gzip(std::string_view octets) { return octets.starts_with("\x1F\x8B"); }
bool is_zip(std::string_view octets) { return octets.starts_with("PK\x03\x04"); }

Result<std::string> gunzip(std::string_view octets, size_t most) {
  z_stream stream{};
  if (octets.size() > UINT32_MAX) return damaged("gzip");
  if (inflateInit2(&stream, kGzipWindow) != Z_OK) throw std::runtime_error("zlib has no memory");
  const Inflating ended(&stream);
  stream.next_in = octets_of(octets);
  stream.avail_in = static_cast<uInt>(octets.size());
  std::string out;
  for (;;) {
    const size_t before = out.size();
    out.resize(before + kPiece);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    stream.avail_out = kPiece;
    const int code = inflate(&stream, Z_NO_FLUSH);
    out.resize(before + kPiece - stream.avail_out);
    if (out.size() > most) return too_large(most);
    if (code == Z_STREAM_END) {
      // A file may have several members (RFC 1952 §2.2); anything else behind the end is passed over, as gzip does.
      const std::string_view rest(reinterpret_cast<const char*>(stream.next_in), stream.avail_in);
      if (!is_gzip(rest)) return out;
      if (inflateReset(&stream) != Z_OK) return damaged("gzip");
      continue;
    }
    if (code != Z_OK) return damaged("gzip");
  }
}

Result<std::vector<std::string>> unzip(std::string_view octets, size_t most) {
  zip_error_t why;
  zip_error_init(&why);
  const Handle<zip_error_t, zip_error_fini> cleared(&why);
  zip_source_t* source = zip_source_buffer_create(octets.data(), octets.size(), 0, &why);
  if (source == nullptr) return damaged("zip");
  const Archive archive(zip_open_from_source(source, ZIP_RDONLY, &why));
  if (!archive) {
    zip_source_free(source);  // else the archive's
    return damaged("zip");
  }
  const zip_int64_t entries = zip_get_num_entries(archive.get(), 0);
  std::vector<std::string> files;
  for (zip_uint64_t i = 0; i < static_cast<zip_uint64_t>(std::clamp<zip_int64_t>(entries, 0, kMostZipEntries)); ++i) {
    zip_stat_t about;
    if (zip_stat_index(archive.get(), i, 0, &about) != 0) return damaged("zip");
    if ((about.valid & ZIP_STAT_ENCRYPTION_METHOD) != 0 && about.encryption_method != ZIP_EM_NONE) continue;
    if ((about.valid & ZIP_STAT_SIZE) != 0 && about.size == 0) continue;  // a folder, say
    auto text = read_entry(archive.get(), i, most);
    if (!text) return std::unexpected(text.error());
    most -= text->size();
    files.push_back(std::move(*text));
  }
  return files;
}

}  // namespace doorward::report
