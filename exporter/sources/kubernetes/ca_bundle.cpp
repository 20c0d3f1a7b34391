#include "sources/kubernetes/ca_bundle.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <ctime>
#include <memory>
#include <vector>

#include "base/text.h"

namespace shortcircuit::kubernetes {
namespace {

struct Certificate {
  std::string_view pem;  // with its BEGIN and END lines
  Time expires;
};

std::optional<Time> expiry_of(std::string_view pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> input(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(
      input ? PEM_read_bio_X509(input.get(), nullptr, nullptr, nullptr) : nullptr, X509_free);
  std::tm parts{};
  const bool read =
      certificate && ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &parts) == 1;
  ERR_clear_error();
  if (!read) return std::nullopt;
  // "Never expires" is written as the year 9999, which nanoseconds in 64 bits cannot hold.
  constexpr int last_year = 2261;
  if (parts.tm_year + 1900 > last_year) return Time::max();
  if (parts.tm_year < 0) return Time{};  // before 1900: expired long ago, and as little held
  return Time(std::chrono::seconds(timegm(&parts)));
}

std::vector<Certificate> certificates_in(std::string_view text) {
  constexpr std::string_view begin = "-----BEGIN CERTIFICATE-----";
  constexpr std::string_view end = "-----END CERTIFICATE-----";
  std::vector<Certificate> certificates;
  std::size_t at = 0;
  while ((at = text.find(begin, at)) != std::string_view::npos) {
    const auto end_at = text.find(end, at);
    if (end_at == std::string_view::npos) break;
    const std::string_view pem = text.substr(at, end_at + end.size() - at);
    if (const auto expires = expiry_of(pem)) certificates.push_back({pem, *expires});
    at += pem.size();
  }
  return certificates;
}

}  // namespace

CaBundle read_ca_bundle(std::string_view base64) {
  if (trim(base64).empty()) return {};
  CaBundle bundle{.status = CaBundle::Status::not_pem, .expires = std::nullopt};
  const auto text = base64_decode(base64);
  if (!text) return bundle;
  for (const Certificate& certificate : certificates_in(*text)) {
    bundle.status = CaBundle::Status::present;
    if (!bundle.expires || *bundle.expires < certificate.expires) {
      bundle.expires = certificate.expires;
    }
  }
  return bundle;
}

std::string certificates_only(std::string_view base64) {
  if (trim(base64).empty()) return "";
  std::string kept;
  if (const auto text = base64_decode(base64)) {
    for (const Certificate& certificate : certificates_in(*text)) {
      kept += std::string(certificate.pem) + "\n";
    }
  }
  return base64_encode(kept.empty() ? "no PEM\n" : kept);
}

}  // namespace shortcircuit::kubernetes
