// OpenSSL 3 for Swift: what Swift's importer cannot see because it is a macro or variadic.
#pragma once
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
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

// DTLS: the highest version that the headers know (1.3 where there is one), and no renegotiation.
static inline int sl_dtls_highest_version(void) {
#ifdef DTLS1_3_VERSION
  return DTLS1_3_VERSION;
#else
  return DTLS1_2_VERSION;
#endif
}

static inline int sl_ssl_ctx_set_max_version(SSL_CTX *context, int version) {
  return (int)SSL_CTX_set_max_proto_version(context, version);
}

static inline void sl_ssl_ctx_disable_renegotiation(SSL_CTX *context) {
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
}

static inline int sl_error_reason(unsigned long code) { return ERR_GET_REASON(code); }

static inline int sl_error_is_ssl(unsigned long code) { return ERR_GET_LIB(code) == ERR_LIB_SSL; }

// SRTP's per-packet calls. The context keeps its key schedule, only the nonce is set. Nonce and counter words come in
// network order, so that their bytes in memory are the nonce's bytes.

// Seals `length` bytes with AES-GCM into `destination`, which receives the ciphertext and a 16-byte tag. 1 on success.
static inline int sl_gcm_seal(EVP_CIPHER_CTX *context, uint64_t nonce_head, uint32_t nonce_tail, const void *aad,
                              int aad_length, const void *source, int length, void *destination) {
  unsigned char nonce[12];
  unsigned char *out = (unsigned char *)destination;
  int written = 0;
  __builtin_memcpy(nonce, &nonce_head, 8);
  __builtin_memcpy(nonce + 8, &nonce_tail, 4);
  return EVP_EncryptInit_ex(context, NULL, NULL, NULL, nonce) == 1 &&
         EVP_EncryptUpdate(context, NULL, &written, (const unsigned char *)aad, aad_length) == 1 &&
         (length == 0 ||
          EVP_EncryptUpdate(context, out, &written, (const unsigned char *)source, length) == 1) &&
         EVP_EncryptFinal_ex(context, out + length, &written) == 1 &&
         EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, out + length) == 1;
}

// Opens `length` bytes of AES-GCM ciphertext, followed by their 16-byte tag, in place. 1 when the tag is right.
static inline int sl_gcm_open(EVP_CIPHER_CTX *context, uint64_t nonce_head, uint32_t nonce_tail, const void *aad,
                              int aad_length, void *bytes, int length) {
  unsigned char nonce[12];
  unsigned char *data = (unsigned char *)bytes;
  int written = 0;
  __builtin_memcpy(nonce, &nonce_head, 8);
  __builtin_memcpy(nonce + 8, &nonce_tail, 4);
  return EVP_DecryptInit_ex(context, NULL, NULL, NULL, nonce) == 1 &&
         EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, data + length) == 1 &&
         EVP_DecryptUpdate(context, NULL, &written, (const unsigned char *)aad, aad_length) == 1 &&
         (length == 0 || EVP_DecryptUpdate(context, data, &written, data, length) == 1) &&
         EVP_DecryptFinal_ex(context, data + length, &written) == 1;
}

// XORs the AES-CTR key stream that starts at the given counter block onto `length` bytes. 1 on success.
static inline int sl_ctr_crypt(EVP_CIPHER_CTX *context, uint64_t counter_head, uint64_t counter_tail,
                               const void *source, int length, void *destination) {
  unsigned char counter[16];
  int written = 0;
  __builtin_memcpy(counter, &counter_head, 8);
  __builtin_memcpy(counter + 8, &counter_tail, 8);
  return EVP_EncryptInit_ex(context, NULL, NULL, NULL, counter) == 1 &&
         EVP_EncryptUpdate(context, (unsigned char *)destination, &written, (const unsigned char *)source, length) == 1;
}

// A keyed HMAC-SHA1 context; NULL when the provider has none.
static inline EVP_MAC_CTX *sl_hmac_sha1_new(EVP_MAC *mac, const void *key, size_t key_length) {
  OSSL_PARAM parameters[2];
  EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);
  parameters[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA1", 0);
  parameters[1] = OSSL_PARAM_construct_end();
  if (context != NULL && EVP_MAC_init(context, (const unsigned char *)key, key_length, parameters) == 1) return context;
  EVP_MAC_CTX_free(context);
  return NULL;
}

// The 20-byte HMAC-SHA1 of `message`, with the key that the context was made with. 1 on success.
static inline int sl_hmac_sha1(EVP_MAC_CTX *context, const void *message, size_t length, void *digest) {
  size_t written = 0;
  return EVP_MAC_init(context, NULL, 0, NULL) == 1 &&
         EVP_MAC_update(context, (const unsigned char *)message, length) == 1 &&
         EVP_MAC_final(context, (unsigned char *)digest, &written, 20) == 1;
}

// Adds an extension by its configuration text. 1 on success.
static inline int sl_x509_add_extension(X509 *certificate, int nid, const char *value) {
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
  if (!extension) return 0;
  int added = X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
  return added;
}

// Copies what was written to a memory BIO. Returns its length; `*bytes` stays the BIO's.
static inline long sl_bio_contents(BIO *bio, char **bytes) { return BIO_get_mem_data(bio, bytes); }
