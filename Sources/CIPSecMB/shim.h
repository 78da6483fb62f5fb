// libipsec-mb for Swift: AES-GCM one packet at a time, by direct call. x86-64 only; elsewhere this header is empty.
#pragma once
#if defined(__x86_64__)
#include <intel-ipsec-mb.h>

// A manager for this processor; NULL when it lacks AES-NI, PCLMULQDQ or SSE4.2, or the library's self-test failed.
static inline IMB_MGR *sl_imb_create(void) {
  const uint64_t needed = IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ | IMB_FEATURE_SSE4_2;
  IMB_MGR *manager = alloc_mb_mgr(0);
  if (manager == NULL) return NULL;
  if ((manager->features & needed) == needed) {
    init_mb_mgr_auto(manager, NULL);
    if (imb_get_errno(manager) == 0 &&
        (!(manager->features & IMB_FEATURE_SELF_TEST) || (manager->features & IMB_FEATURE_SELF_TEST_PASS)))
      return manager;
  }
  free_mb_mgr(manager);
  return NULL;
}

// Seals `length` bytes into `destination`, which receives the ciphertext and a 16-byte tag. The nonce's words come in
// network order. `seal` is the manager's gcm128_enc or gcm256_enc.
static inline void sl_imb_gcm_seal(aes_gcm_enc_dec_t seal, const struct gcm_key_data *key, uint64_t nonce_head,
                                   uint32_t nonce_tail, const void *aad, uint64_t aad_length, const void *source,
                                   uint64_t length, void *destination) {
  struct gcm_context_data context;
  uint8_t nonce[12];
  __builtin_memcpy(nonce, &nonce_head, 8);
  __builtin_memcpy(nonce + 8, &nonce_tail, 4);
  seal(key, &context, (uint8_t *)destination, (const uint8_t *)source, length, nonce, (const uint8_t *)aad, aad_length,
       (uint8_t *)destination + length, 16);
}

// Opens `length` bytes of ciphertext, followed by their 16-byte tag, in place. 1 when the tag is right, compared in
// constant time. `open` is the manager's gcm128_dec or gcm256_dec.
static inline int sl_imb_gcm_open(aes_gcm_enc_dec_t open, const struct gcm_key_data *key, uint64_t nonce_head,
                                  uint32_t nonce_tail, const void *aad, uint64_t aad_length, void *bytes,
                                  uint64_t length) {
  struct gcm_context_data context;
  uint8_t nonce[12];
  uint64_t computed[2], received[2];
  __builtin_memcpy(nonce, &nonce_head, 8);
  __builtin_memcpy(nonce + 8, &nonce_tail, 4);
  __builtin_memcpy(received, (const uint8_t *)bytes + length, 16);
  open(key, &context, (uint8_t *)bytes, (const uint8_t *)bytes, length, nonce, (const uint8_t *)aad, aad_length,
       (uint8_t *)computed, 16);
  return ((computed[0] ^ received[0]) | (computed[1] ^ received[1])) == 0;
}
#endif
