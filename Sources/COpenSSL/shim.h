// What Swift cannot import of OpenSSL 3: macros and parameter arrays.
#ifndef TORHAUS_COPENSSL_SHIM_H
#define TORHAUS_COPENSSL_SHIM_H

// The plain SHA-256 functions are called deprecated in favour of EVP, whose contexts allocate for every digest.
#define OPENSSL_SUPPRESS_DEPRECATED 1

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stddef.h>
#include <stdint.h>

// HKDF-SHA256 (RFC 5869), extract and expand. 1 on success.
static inline int th_hkdf_sha256(const uint8_t *secret, size_t secret_length, const uint8_t *salt, size_t salt_length,
                                 const uint8_t *info, size_t info_length, uint8_t *out, size_t out_length) {
  EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
  if (!kdf) return 0;
  EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
  EVP_KDF_free(kdf);
  if (!context) return 0;
  OSSL_PARAM parameters[5];
  parameters[0] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0);
  parameters[1] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)secret, secret_length);
  parameters[2] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt, salt_length);
  parameters[3] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)info, info_length);
  parameters[4] = OSSL_PARAM_construct_end();
  int result = EVP_KDF_derive(context, out, out_length, parameters);
  EVP_KDF_CTX_free(context);
  return result;
}

static inline int th_gcm_get_tag(EVP_CIPHER_CTX *context, uint8_t *tag) {
  return EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, tag);
}

static inline int th_gcm_set_tag(EVP_CIPHER_CTX *context, const uint8_t *tag) {
  return EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, (void *)tag);
}

// CRC-32C by the processor's own instruction, without the final inversion. `th_has_crc32c` tells whether it has one.
#if defined(__x86_64__)
static inline int th_has_crc32c(void) { return __builtin_cpu_supports("sse4.2"); }
__attribute__((target("sse4.2"))) static inline uint32_t th_crc32c(uint32_t crc, const uint8_t *bytes, size_t count) {
  uint64_t state = crc;
  while (count >= 8) {
    uint64_t word;
    __builtin_memcpy(&word, bytes, 8);
    state = __builtin_ia32_crc32di(state, word);
    bytes += 8;
    count -= 8;
  }
  uint32_t rest = (uint32_t)state;
  while (count--) rest = __builtin_ia32_crc32qi(rest, *bytes++);
  return rest;
}
#else
static inline int th_has_crc32c(void) { return 0; }
static inline uint32_t th_crc32c(uint32_t crc, const uint8_t *bytes, size_t count) { return crc; }
#endif

#endif
