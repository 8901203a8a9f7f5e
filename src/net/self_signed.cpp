#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdio>

#include "base/handle.h"
#include "mail/ip.h"
#include "net/tls.h"

namespace doorward::net {

namespace {

using Key = Handle<EVP_PKEY, EVP_PKEY_free>;
using X509Handle = Handle<X509, X509_free>;
using Extension = Handle<X509_EXTENSION, X509_EXTENSION_free>;
using File = Handle<FILE, fclose>;

constexpr int kSerialBits = 127;

bool add_extension(X509* certificate, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool set_random_serial(X509* certificate) {
  const Handle<BIGNUM, BN_free> number(BN_new());
  return number && BN_rand(number.get(), kSerialBits, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

X509Handle sign(EVP_PKEY* key, const std::vector<std::string>& names, int days) {
  X509Handle certificate(X509_new());
  if (!certificate) return nullptr;
  std::string alternatives;
  for (const std::string& name : names) {
    if (name.find_first_of(",:\n") != std::string::npos && !mail::IpAddress::parse(name)) return nullptr;
    if (!alternatives.empty()) alternatives += ',';
    alternatives += (mail::IpAddress::parse(name) ? "IP:" : "DNS:") + name;
  }
  constexpr long kSecondsPerDay = 24L * 60 * 60;
  X509_set_version(certificate.get(), X509_VERSION_3);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -kSecondsPerDay);  // for peers whose clock is behind
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), kSecondsPerDay * days);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME* const subject = X509_get_subject_name(certificate.get());
  const std::string common = names.front().substr(0, 64);  // ub-common-name of RFC 5280
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(common.c_str()), -1,
                             -1, 0);
  X509_set_issuer_name(certificate.get(), subject);
  if (!set_random_serial(certificate.get()) || !add_extension(certificate.get(), NID_subject_alt_name, alternatives) ||
      !add_extension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE") ||
      X509_sign(certificate.get(), key, EVP_sha256()) == 0) {
    return nullptr;
  }
  return certificate;
}

File open_private(const std::string& path, mode_t mode) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  return File(descriptor < 0 ? nullptr : fdopen(descriptor, "w"));
}

}  // namespace

Result<void> make_self_signed(const Certificate& files, const std::vector<std::string>& names, int days) {
  if (names.empty()) return fail("a certificate needs a name");
  const Key key(EVP_EC_gen("P-256"));
  const X509Handle certificate = key ? sign(key.get(), names, days) : nullptr;
  ERR_clear_error();
  if (!certificate) return fail("the certificate for " + names.front() + " could not be made");
  const File key_file = open_private(files.key_file, 0600);
  if (!key_file || PEM_write_PrivateKey(key_file.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1 ||
      std::fflush(key_file.get()) != 0) {
    return fail("the private key cannot be written", files.key_file);
  }
  const File certificate_file = open_private(files.certificate_file, 0644);
  if (!certificate_file || PEM_write_X509(certificate_file.get(), certificate.get()) != 1 ||
      std::fflush(certificate_file.get()) != 0) {
    return fail("the certificate cannot be written", files.certificate_file);
  }
  return {};
}

}  // namespace doorward::net
