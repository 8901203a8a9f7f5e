#include "mailauth/signature_signer.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "base/handle.h"
#include "mail/ascii.h"
#include "mailauth/tag_list.h"

namespace doorward::mailauth {
namespace {

using KeyContext = Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using HashContext = Handle<EVP_MD_CTX, EVP_MD_CTX_free>;
using Bio = Handle<BIO, BIO_free>;

constexpr size_t kColumns = 76;

const unsigned char* octets(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* octets(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

int no_password(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*data*/) { return 0; }

EVP_PKEY* read_pem(std::string_view text) {
  const Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  return bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr) : nullptr;
}

std::string sign_rsa(EVP_PKEY* key, std::string_view hash) {
  const KeyContext context(EVP_PKEY_CTX_new(key, nullptr));
  size_t size = static_cast<size_t>(EVP_PKEY_get_size(key));
  std::string signature(size, '\0');
  if (!context || EVP_PKEY_sign_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) != 1 ||
      EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) != 1 ||
      EVP_PKEY_sign(context.get(), octets(signature), &size, octets(hash), hash.size()) != 1) {
    ERR_clear_error();
    throw std::runtime_error("an RSA signature failed");
  }
  signature.resize(size);
  return signature;
}

std::string sign_ed25519(EVP_PKEY* key, std::string_view hash) {
  const HashContext context(EVP_MD_CTX_new());
  size_t size = 64;
  std::string signature(size, '\0');
  if (!context || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key) != 1 ||
      EVP_DigestSign(context.get(), octets(signature), &size, octets(hash), hash.size()) != 1) {
    ERR_clear_error();
    throw std::runtime_error("an Ed25519 signature failed");
  }
  signature.resize(size);
  return signature;
}

constexpr std::array<std::string_view, 26> kUsual{"From",
                                                  "Sender",
                                                  "Reply-To",
                                                  "Subject",
                                                  "Date",
                                                  "Message-ID",
                                                  "To",
                                                  "Cc",
                                                  "MIME-Version",
                                                  "Content-Type",
                                                  "Content-Transfer-Encoding",
                                                  "In-Reply-To",
                                                  "References",
                                                  "Resent-Date",
                                                  "Resent-From",
                                                  "Resent-To",
                                                  "Resent-Cc",
                                                  "List-Id",
                                                  "List-Help",
                                                  "List-Unsubscribe",
                                                  "List-Unsubscribe-Post",
                                                  "List-Subscribe",
                                                  "List-Post",
                                                  "List-Owner",
                                                  "List-Archive",
                                                  "Feedback-ID"};
constexpr std::array<std::string_view, 11> kOnceMore{"From",
                                                     "Sender",
                                                     "Reply-To",
                                                     "Subject",
                                                     "Date",
                                                     "Message-ID",
                                                     "To",
                                                     "Cc",
                                                     "MIME-Version",
                                                     "Content-Type",
                                                     "Content-Transfer-Encoding"};

}  // namespace

doorward::Result<SigningKey> SigningKey::read(std::string_view text) {
  std::shared_ptr<EVP_PKEY> key;
  if (text.find("-----BEGIN") != std::string_view::npos) {
    if (EVP_PKEY* pem = read_pem(text)) key.reset(pem, EVP_PKEY_free);
  } else if (const auto seed = base64_octets(trimmed(text)); seed && seed->size() == 32) {
    key.reset(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, octets(*seed), seed->size()), EVP_PKEY_free);
  }
  ERR_clear_error();
  if (!key) return fail("this is no private key: PEM without a password, or an Ed25519 key as Base64, is wanted");
  if (EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_ED25519) return SigningKey(key, Algorithm::ed25519_sha256);
  if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA) return fail("a signing key must be RSA or Ed25519");
  const int bits = EVP_PKEY_get_bits(key.get());
  if (bits < static_cast<int>(kWeakestRsa) || bits > static_cast<int>(kStrongestRsa)) {
    return fail("an RSA key that signs mail must have 1024 to 8192 bits");
  }
  return SigningKey(key, Algorithm::rsa_sha256);
}

std::string SigningKey::sign(std::string_view hash) const {
  return algorithm_ == Algorithm::rsa_sha256 ? sign_rsa(key_.get(), hash) : sign_ed25519(key_.get(), hash);
}

std::string SigningKey::record() const {
  if (algorithm_ == Algorithm::ed25519_sha256) {
    std::string key(32, '\0');
    size_t size = key.size();
    EVP_PKEY_get_raw_public_key(key_.get(), octets(key), &size);
    return "v=DKIM1; k=ed25519; p=" + base64_text(key);
  }
  std::string key(static_cast<size_t>(std::max(i2d_PUBKEY(key_.get(), nullptr), 0)), '\0');
  unsigned char* at = octets(key);
  i2d_PUBKEY(key_.get(), &at);
  return "v=DKIM1; k=rsa; p=" + base64_text(key);
}

SigningField::SigningField(std::string_view name) : text_(name) {
  text_ += ": ";
  column_ = text_.size();
}

void SigningField::separate(size_t length) {
  if (!first_) {
    const bool fold = column_ + 2 + length > kColumns;
    text_ += fold ? ";\r\n " : "; ";
    column_ = fold ? 1 : column_ + 2;
  }
  first_ = false;
  column_ += length;
}

void SigningField::tag(std::string_view name, std::string_view value) {
  separate(name.size() + 1 + value.size());
  text_.append(name).append("=").append(value);
}

void SigningField::names(std::span<const std::string> names) {
  size_t length = 2;
  for (const std::string& name : names) length += name.size() + 1;
  separate(std::min(length, kColumns));
  column_ -= std::min(length, kColumns) - 2 - (names.empty() ? 0 : names.front().size());
  text_ += "h=";
  for (size_t i = 0; i < names.size(); ++i) {
    if (i != 0) {
      const bool fold = column_ + 1 + names[i].size() > kColumns;
      text_ += fold ? ":\r\n " : ":";
      column_ = (fold ? 1 : column_ + 1) + names[i].size();
    }
    text_ += names[i];
  }
}

void SigningField::value() {
  separate(2);
  text_ += "b=";
  value_at_ = text_.size();
  value_column_ = column_;
  column_ = kColumns;  // what comes after it begins a line
}

std::string SigningField::unsigned_form() const {
  std::string form;
  append_field(form, Canonical::relaxed, text_);
  form.resize(form.size() - 2);
  return form;
}

std::string SigningField::signed_form(std::string_view signature, bool folded) const {
  const std::string value = base64_text(signature);
  std::string form = text_.substr(0, value_at_);
  size_t room = folded ? kColumns - std::min(value_column_, kColumns - 1) : value.size();
  for (size_t at = 0; at < value.size();) {
    if (at != 0) form += "\r\n ";
    form += value.substr(at, room);
    at += room;
    room = 72;
  }
  form += text_.substr(value_at_);
  return form + "\r\n";
}

std::vector<std::string> names_to_sign(const SignedMail& mail, std::span<const std::string_view> wanted,
                                       std::span<const std::string_view> once_more) {
  std::vector<std::string> names;
  for (const std::string_view name : wanted) {
    auto count = std::ranges::count_if(
        mail.fields(), [&](const mime::Header& field) { return mail::equal_ignoring_case(field.name, name); });
    count = std::min<decltype(count)>(count, 50);
    if (std::ranges::find(once_more, name) != once_more.end()) ++count;
    names.insert(names.end(), static_cast<size_t>(count), mail::lowered(name));
  }
  return names;
}

std::span<const std::string_view> usual_fields() { return kUsual; }
std::span<const std::string_view> fields_once_more() { return kOnceMore; }

}  // namespace doorward::mailauth
