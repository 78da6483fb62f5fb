// OpenSSL 3 for Swift: what Swift's importer cannot see because it is a macro or variadic.
#pragma once
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/time.h>

static inline EVP_PKEY *sl_generate_p256_key(void) { return EVP_EC_gen("P-256"); }

static inline int sl_ssl_set_mtu(SSL *ssl, long mtu) {
  SSL_set_options(ssl, SSL_OP_NO_QUERY_MTU);
  return (int)SSL_set_mtu(ssl, mtu);
}

static inline int sl_dtls_get_timeout(SSL *ssl, struct timeval *value) { return (int)DTLSv1_get_timeout(ssl, value); }

static inline int sl_dtls_handle_timeout(SSL *ssl) { return (int)DTLSv1_handle_timeout(ssl); }

static inline int sl_ssl_ctx_set_min_version(SSL_CTX *context, int version) {
  return (int)SSL_CTX_set_min_proto_version(context, version);
}

static inline int sl_ssl_ctx_set_groups(SSL_CTX *context, const char *groups) {
  return (int)SSL_CTX_set1_groups_list(context, groups);
}

static inline void sl_ssl_ctx_disable_tickets(SSL_CTX *context) {
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

static inline int sl_aead_get_tag(EVP_CIPHER_CTX *context, int length, void *tag) {
  return EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, length, tag);
}

static inline int sl_aead_set_tag(EVP_CIPHER_CTX *context, int length, void *tag) {
  return EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, length, tag);
}
