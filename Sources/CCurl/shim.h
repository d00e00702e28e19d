// What Swift cannot import of libcurl: variadic functions, by the type of their third argument, and unions.
// The caller passes an option or info of the right type; libcurl itself checks nothing.
#ifndef TORHAUS_CCURL_SHIM_H
#define TORHAUS_CCURL_SHIM_H

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

// ---- Easy handles: plain values -------------------------------------------------------------------------------------

static inline CURLcode th_curl_easy_set_long(CURL *handle, CURLoption option, long value) {
  return curl_easy_setopt(handle, option, value);
}

// Options of 64 bits (CURLOPTTYPE_OFF_T), for example CURLOPT_POSTFIELDSIZE_LARGE.
static inline CURLcode th_curl_easy_set_off(CURL *handle, CURLoption option, int64_t value) {
  return curl_easy_setopt(handle, option, (curl_off_t)value);
}

// Data for callbacks, and memory that libcurl does not copy (CURLOPT_POSTFIELDS): must outlive the transfer.
static inline CURLcode th_curl_easy_set_ptr(CURL *handle, CURLoption option, void *value) {
  return curl_easy_setopt(handle, option, value);
}

static inline CURLcode th_curl_easy_set_const_ptr(CURL *handle, CURLoption option, const void *value) {
  return curl_easy_setopt(handle, option, (void *)value);
}

// Strings, which libcurl copies. NULL sets the option back to its default.
static inline CURLcode th_curl_easy_set_string(CURL *handle, CURLoption option, const char *value) {
  return curl_easy_setopt(handle, option, value);
}

// Header and address lists, which libcurl does not copy.
static inline CURLcode th_curl_easy_set_slist(CURL *handle, CURLoption option, struct curl_slist *value) {
  return curl_easy_setopt(handle, option, value);
}

// Bytes that libcurl copies (CURLOPT_CAINFO_BLOB and its like).
static inline CURLcode th_curl_easy_set_blob(CURL *handle, CURLoption option, const void *bytes, size_t length) {
  struct curl_blob blob = {(void *)bytes, length, CURL_BLOB_COPY};
  return curl_easy_setopt(handle, option, &blob);
}

// ---- Easy handles: callbacks ----------------------------------------------------------------------------------------

static inline CURLcode th_curl_easy_set_write_function(CURL *handle, curl_write_callback function) {
  return curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, function);
}

// CURLOPT_HEADERFUNCTION has the write callback's form: whole lines, CRLF included, also of trailers and 1xx answers.
static inline CURLcode th_curl_easy_set_header_function(CURL *handle, curl_write_callback function) {
  return curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, function);
}

static inline CURLcode th_curl_easy_set_read_function(CURL *handle, curl_read_callback function) {
  return curl_easy_setopt(handle, CURLOPT_READFUNCTION, function);
}

static inline CURLcode th_curl_easy_set_seek_function(CURL *handle, curl_seek_callback function) {
  return curl_easy_setopt(handle, CURLOPT_SEEKFUNCTION, function);
}

static inline CURLcode th_curl_easy_set_xferinfo_function(CURL *handle, curl_xferinfo_callback function) {
  return curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, function);
}

// Opens every socket: the place where addresses are checked (no DNS answer can slip past it).
static inline CURLcode th_curl_easy_set_opensocket_function(CURL *handle, curl_opensocket_callback function) {
  return curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, function);
}

static inline CURLcode th_curl_easy_set_closesocket_function(CURL *handle, curl_closesocket_callback function) {
  return curl_easy_setopt(handle, CURLOPT_CLOSESOCKETFUNCTION, function);
}

// Called on a connection that stands, right before a request goes out on it; also when libcurl sends it once more.
static inline CURLcode th_curl_easy_set_prereq_function(CURL *handle, curl_prereq_callback function) {
  return curl_easy_setopt(handle, CURLOPT_PREREQFUNCTION, function);
}

static inline CURLcode th_curl_easy_set_sockopt_function(CURL *handle, curl_sockopt_callback function) {
  return curl_easy_setopt(handle, CURLOPT_SOCKOPTFUNCTION, function);
}

static inline CURLcode th_curl_easy_set_debug_function(CURL *handle, curl_debug_callback function) {
  return curl_easy_setopt(handle, CURLOPT_DEBUGFUNCTION, function);
}

// The address of a curl_sockaddr as bytes, and its length: the member is declared shorter than an IPv6 address.
static inline const struct sockaddr *th_curl_sockaddr_address(const struct curl_sockaddr *address) {
  return &address->addr;
}

static inline socklen_t th_curl_sockaddr_length(const struct curl_sockaddr *address) {
  return (socklen_t)address->addrlen;
}

// 1 if the address is of this machine: 127/8, ::1 or 127/8 mapped into IPv6.
static inline int th_curl_sockaddr_is_loopback(const struct curl_sockaddr *address) {
  if (address->family == AF_INET) {
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&address->addr;
    return (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
  }
  if (address->family == AF_INET6) {
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address->addr;
    if (IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr)) return 1;
    return IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) && v6->sin6_addr.s6_addr[12] == 127;
  }
  return 0;
}

// The socket that libcurl would have opened; -1 on failure. Not inherited by children.
static inline int th_curl_sockaddr_open(const struct curl_sockaddr *address) {
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

// ---- Easy handles: results ------------------------------------------------------------------------------------------

static inline CURLcode th_curl_easy_get_long(CURL *handle, CURLINFO info, long *value) {
  return curl_easy_getinfo(handle, info, value);
}

static inline CURLcode th_curl_easy_get_off(CURL *handle, CURLINFO info, int64_t *value) {
  curl_off_t result = 0;
  CURLcode code = curl_easy_getinfo(handle, info, &result);
  *value = (int64_t)result;
  return code;
}

static inline CURLcode th_curl_easy_get_double(CURL *handle, CURLINFO info, double *value) {
  return curl_easy_getinfo(handle, info, value);
}

// The string belongs to the handle and lives until its next transfer; NULL if there is none.
static inline CURLcode th_curl_easy_get_string(CURL *handle, CURLINFO info, const char **value) {
  char *result = NULL;
  CURLcode code = curl_easy_getinfo(handle, info, &result);
  *value = result;
  return code;
}

static inline CURLcode th_curl_easy_get_ptr(CURL *handle, CURLINFO info, void **value) {
  return curl_easy_getinfo(handle, info, value);
}

// The OpenSSL connection (SSL *) of a transfer under way; NULL without TLS, or with another library behind libcurl.
static inline void *th_curl_easy_get_ssl(CURL *handle) {
  struct curl_tlssessioninfo *session = NULL;
  if (curl_easy_getinfo(handle, CURLINFO_TLS_SSL_PTR, &session) != CURLE_OK || session == NULL) return NULL;
  return session->backend == CURLSSLBACKEND_OPENSSL ? session->internals : NULL;
}

static inline CURLcode th_curl_easy_get_socket(CURL *handle, CURLINFO info, curl_socket_t *value) {
  return curl_easy_getinfo(handle, info, value);
}

// ---- What handles share ---------------------------------------------------------------------------------------------

static inline CURLSHcode th_curl_share_set_data(CURLSH *share, CURLSHoption option, curl_lock_data data) {
  return curl_share_setopt(share, option, data);
}

// ---- Multi handles --------------------------------------------------------------------------------------------------

static inline CURLMcode th_curl_multi_set_long(CURLM *handle, CURLMoption option, long value) {
  return curl_multi_setopt(handle, option, value);
}

static inline CURLMcode th_curl_multi_set_off(CURLM *handle, CURLMoption option, int64_t value) {
  return curl_multi_setopt(handle, option, (curl_off_t)value);
}

static inline CURLMcode th_curl_multi_set_ptr(CURLM *handle, CURLMoption option, void *value) {
  return curl_multi_setopt(handle, option, value);
}

static inline CURLMcode th_curl_multi_set_socket_function(CURLM *handle, curl_socket_callback function) {
  return curl_multi_setopt(handle, CURLMOPT_SOCKETFUNCTION, function);
}

static inline CURLMcode th_curl_multi_set_timer_function(CURLM *handle, curl_multi_timer_callback function) {
  return curl_multi_setopt(handle, CURLMOPT_TIMERFUNCTION, function);
}

// The next finished transfer of a multi handle: 1 and its handle and result, 0 if there is none.
// The handle must be removed from the multi before the next call.
static inline int th_curl_multi_next_done(CURLM *handle, CURL **easy, CURLcode *result) {
  int left = 0;
  CURLMsg *message;
  while ((message = curl_multi_info_read(handle, &left))) {
    if (message->msg != CURLMSG_DONE) continue;
    *easy = message->easy_handle;
    *result = message->data.result;
    return 1;
  }
  return 0;
}

// ---- Process --------------------------------------------------------------------------------------------------------

// Once, before any thread uses libcurl.
static inline CURLcode th_curl_global_init(void) { return curl_global_init(CURL_GLOBAL_DEFAULT); }

#endif
