import CCurl
import Gateway

/// A target in libcurl's own form: its address taken apart, its header lines as a list.
///
/// Given as text, libcurl would read and write the address anew with every request. It changes neither, so that all
/// transfers of a multi handle that point at the target share them.
final class PreparedTarget {
  let target: UpstreamTarget
  let address: OpaquePointer  // CURLU
  let headers: UnsafeMutablePointer<curl_slist>?

  /// Nil if libcurl has no memory, or does not take the address.
  init?(_ target: UpstreamTarget) {
    guard let address = curl_url() else { return nil }
    guard curl_url_set(address, CURLUPART_URL, target.url, UInt32(CURLU_DISALLOW_USER | CURLU_PATH_AS_IS)) == CURLUE_OK
    else {
      curl_url_cleanup(address)
      return nil
    }
    var list: UnsafeMutablePointer<curl_slist>?
    // libcurl's own Expect: 100-continue would cost a round trip on large bodies. Where it signs, it would sign the line
    // that takes the field away; there it just does not wait.
    for line in target.headerLines + (target.signature == nil ? ["Expect:"] : []) {
      guard let longer = curl_slist_append(list, line) else {
        curl_slist_free_all(list)
        curl_url_cleanup(address)
        return nil
      }
      list = longer
    }
    self.target = target
    self.address = address
    headers = list
  }

  deinit {
    curl_url_cleanup(address)
    curl_slist_free_all(headers)
  }
}
