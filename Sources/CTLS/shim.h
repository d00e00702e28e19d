// What Swift cannot import of OpenSSL's TLS: macros, stacks and variadic functions.
#ifndef TORHAUS_CTLS_SHIM_H
#define TORHAUS_CTLS_SHIM_H

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

// Options that every server context has: no renegotiation, no compression, no session cache (tickets only), buffers
// that idle connections give back. 1 on success.
static inline int th_tls_settle(SSL_CTX *context, int oldest, const char *ciphers, const char *groups) {
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                   SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  return SSL_CTX_set_min_proto_version(context, oldest) == 1 && SSL_CTX_set_cipher_list(context, ciphers) == 1 &&
         SSL_CTX_set1_groups_list(context, groups) == 1;
}

// No session outlives its connection: neither TLS 1.2 tickets nor those of TLS 1.3.
static inline void th_tls_forbid_tickets(SSL_CTX *context) {
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(context, 0);
}

// Adds one more certificate of the chain; the context takes a reference of its own. 1 on success.
static inline int th_tls_add_chain(SSL_CTX *context, X509 *certificate) {
  return (int)SSL_CTX_add1_chain_cert(context, certificate);
}

// Demands client certificates that one of the PEM's certificates has issued, or that is one of them. Revocation lists
// in the PEM are applied to the clients' own certificates. Returns how many certificates there are; -1 on failure.
static inline int th_tls_demand_client(SSL_CTX *context, BIO *pem) {
  STACK_OF(X509_INFO) *all = PEM_X509_INFO_read_bio(pem, NULL, NULL, NULL);
  if (!all) return -1;
  X509_STORE *store = SSL_CTX_get_cert_store(context);
  int certificates = 0, lists = 0, failed = 0;
  for (int index = 0; index < sk_X509_INFO_num(all); index++) {
    X509_INFO *info = sk_X509_INFO_value(all, index);
    if (info->x509) {
      certificates++;
      failed |= X509_STORE_add_cert(store, info->x509) != 1 || SSL_CTX_add_client_CA(context, info->x509) != 1;
    }
    if (info->crl) {
      lists++;
      failed |= X509_STORE_add_crl(store, info->crl) != 1;
    }
  }
  sk_X509_INFO_pop_free(all, X509_INFO_free);
  unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN | (lists ? X509_V_FLAG_CRL_CHECK : 0);
  failed |= X509_STORE_set_flags(store, flags) != 1;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
  SSL_CTX_set_verify_depth(context, 5);
  return failed ? -1 : certificates;
}

static inline void th_bio_retry_read(BIO *bio) { BIO_set_retry_read(bio); }
static inline void th_bio_clear_retry(BIO *bio) { BIO_clear_retry_flags(bio); }

// A new key on the curve P-256; null without memory or randomness.
static inline EVP_PKEY *th_new_key(void) { return EVP_EC_gen("P-256"); }

// Why an operation of this thread failed, for people; empty if nothing is known.
static inline void th_tls_reason(char *text, size_t room) {
  unsigned long code = ERR_peek_last_error();
  const char *reason = code ? ERR_reason_error_string(code) : NULL;
  BIO_snprintf(text, room, "%s", reason ? reason : "");
}

#endif
