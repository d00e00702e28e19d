import CCurl

/// The TLS sessions of one multi handle, for all of its transfers.
///
/// A transfer that kept them for itself would resume only what it had begun itself, and hold a kilobyte for them. Outlives
/// the easy handles that it was given to: libcurl frees none that is in use.
final class TLSSessions {
  let share: UnsafeMutableRawPointer  // CURLSH

  init() throws(UpstreamError) {
    guard let share = curl_share_init() else { throw UpstreamError(.libcurl, detail: "curl_share_init") }
    self.share = share
    guard th_curl_share_set_data(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) == CURLSHE_OK else {
      curl_share_cleanup(share)
      throw UpstreamError(.libcurl, detail: "curl_share_setopt")
    }
  }

  deinit { curl_share_cleanup(share) }
}
