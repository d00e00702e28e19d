import CCurl
import Gateway

/// What holds for everything that is sent to a provider, whoever sends it: no redirects, nothing from the environment,
/// certificates always checked, no credential to anybody but its origin.
enum OutboundRules {
  /// CURLAUTH_BASIC, a macro that Swift does not see.
  private static let basic = 1

  static func apply(to easy: UnsafeMutableRawPointer) -> Bool {
    let codes = [
      th_curl_easy_set_long(easy, CURLOPT_NOSIGNAL, 1),
      th_curl_easy_set_long(easy, CURLOPT_FOLLOWLOCATION, 0),
      th_curl_easy_set_long(easy, CURLOPT_NETRC, 0),
      th_curl_easy_set_string(easy, CURLOPT_PROXY, ""),
      th_curl_easy_set_string(easy, CURLOPT_NOPROXY, "*"),
      th_curl_easy_set_string(easy, CURLOPT_REDIR_PROTOCOLS_STR, "https"),
      // A proxy sees neither the provider's credential nor its answers, and is never taken for the provider.
      th_curl_easy_set_long(easy, CURLOPT_HEADEROPT, Int(CURLHEADER_SEPARATE)),
      th_curl_easy_set_long(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1),
      th_curl_easy_set_long(easy, CURLOPT_PROXYAUTH, basic),
      th_curl_easy_set_long(easy, CURLOPT_SOCKS5_AUTH, basic),
      th_curl_easy_set_long(easy, CURLOPT_PROXY_SSL_VERIFYPEER, 1),
      th_curl_easy_set_long(easy, CURLOPT_PROXY_SSL_VERIFYHOST, 2),
      th_curl_easy_set_long(easy, CURLOPT_PROXY_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2)),
      th_curl_easy_set_long(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1),
      th_curl_easy_set_long(easy, CURLOPT_UNRESTRICTED_AUTH, 0),
      th_curl_easy_set_long(easy, CURLOPT_HTTPAUTH, 0),
      th_curl_easy_set_long(easy, CURLOPT_SSL_VERIFYPEER, 1),
      th_curl_easy_set_long(easy, CURLOPT_SSL_VERIFYHOST, 2),
      th_curl_easy_set_long(easy, CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2)),
      th_curl_easy_set_long(easy, CURLOPT_HTTP_CONTENT_DECODING, 0),
      th_curl_easy_set_long(easy, CURLOPT_HTTP09_ALLOWED, 0),
      th_curl_easy_set_long(easy, CURLOPT_PATH_AS_IS, 1),
    ]
    return codes.allSatisfy { $0 == CURLE_OK }
  }

  /// Signs each request (AWS Signature Version 4) instead of carrying a credential.
  static func apply(_ signature: UpstreamTarget.Signature, to easy: UnsafeMutableRawPointer) -> Bool {
    th_curl_easy_set_string(easy, CURLOPT_AWS_SIGV4, "aws:amz:\(signature.region):\(signature.service)") == CURLE_OK
      && th_curl_easy_set_long(easy, CURLOPT_EXPECT_100_TIMEOUT_MS, 1) == CURLE_OK
      && th_curl_easy_set_string(easy, CURLOPT_USERNAME, signature.accessKey) == CURLE_OK
      && th_curl_easy_set_string(easy, CURLOPT_PASSWORD, signature.secretKey) == CURLE_OK
  }

  /// A proxy, authorities and a certificate of ours.
  static func apply(_ transport: UpstreamTransport, to easy: UnsafeMutableRawPointer) -> Bool {
    var codes: [CURLcode] = []
    if let proxy = transport.proxy {
      // Within TLS within TLS nobody sees what the outer one still holds, so such connections serve one request each.
      if proxy.url.hasPrefix("https:") { codes.append(th_curl_easy_set_long(easy, CURLOPT_FORBID_REUSE, 1)) }
      codes += [
        th_curl_easy_set_string(easy, CURLOPT_PROXY, proxy.url),
        th_curl_easy_set_string(easy, CURLOPT_NOPROXY, ""),
        th_curl_easy_set_long(easy, CURLOPT_HTTPPROXYTUNNEL, 1),
        th_curl_easy_set_string(easy, CURLOPT_PROXYUSERNAME, proxy.user),
        th_curl_easy_set_string(easy, CURLOPT_PROXYPASSWORD, proxy.password),
      ]
    }
    if let authorities = transport.proxy?.authorities {
      codes.append(th_curl_easy_set_string(easy, CURLOPT_PROXY_CAPATH, nil))
      codes.append(
        authorities.withUnsafeBytes {
          th_curl_easy_set_blob(easy, CURLOPT_PROXY_CAINFO_BLOB, $0.baseAddress, $0.count)
        })
    }
    if let authorities = transport.authorities {
      // These instead of the machine's, not beside them.
      codes.append(th_curl_easy_set_string(easy, CURLOPT_CAPATH, nil))
      codes.append(
        authorities.withUnsafeBytes { th_curl_easy_set_blob(easy, CURLOPT_CAINFO_BLOB, $0.baseAddress, $0.count) })
    }
    if !transport.pinnedKeys.isEmpty {
      codes.append(
        th_curl_easy_set_string(easy, CURLOPT_PINNEDPUBLICKEY, transport.pinnedKeys.joined(separator: ";")))
    }
    if let certificate = transport.clientCertificate {
      for option in [CURLOPT_SSLCERT_BLOB, CURLOPT_SSLKEY_BLOB] {
        codes.append(certificate.withUnsafeBytes { th_curl_easy_set_blob(easy, option, $0.baseAddress, $0.count) })
      }
    }
    return codes.allSatisfy { $0 == CURLE_OK }
  }
}
