import NIOCore

/// The key whose signatures the mock checks.
package struct AmazonKey: Sendable {
  package let id: String
  package let secret: String

  package init(id: String, secret: String) {
    self.id = id
    self.secret = secret
  }
}

/// Checks AWS's Signature Version 4 of a request, made again from what arrived.
///
/// The date is not compared with a clock, so that a recorded request can be checked as well.
struct AmazonSignature: Sendable {
  let key: AmazonKey

  /// - Throws: ``Refused`` as AWS says it, if the signature does not belong to the request.
  func check(_ arrival: Arrival, service: String) throws(Refused) {
    let fields = arrival.fields
    guard let authorization = fields["authorization"], authorization.hasPrefix("AWS4-HMAC-SHA256 ") else {
      throw Refused(status: 403, message: "Missing Authentication Token")
    }
    var parts: [Substring: Substring] = [:]
    for part in authorization.dropFirst("AWS4-HMAC-SHA256 ".count).split(separator: ",") {
      let halves = part.drop { $0 == " " }.split(separator: "=", maxSplits: 1)
      if halves.count == 2 { parts[halves[0]] = halves[1] }
    }
    guard let credential = parts["Credential"], let names = parts["SignedHeaders"], let signature = parts["Signature"]
    else {
      throw Refused(
        status: 403, message: "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature'.")
    }
    let scope = credential.split(separator: "/", omittingEmptySubsequences: false)
    guard scope.count == 5, scope[0] == key.id, scope[3] == service, scope[4] == "aws4_request" else {
      throw Refused(status: 403, message: "The security token included in the request is invalid.")
    }
    guard let date = fields["x-amz-date"], date.utf8.count == 16, date.hasPrefix(scope[1]), date.hasSuffix("Z") else {
      throw Refused(
        status: 403, message: "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date.")
    }
    let signed = names.split(separator: ";")
    guard signed.contains("host"), signed.contains("x-amz-date"), signed == signed.sorted() else {
      throw Refused(status: 403, message: "'Host' and 'X-Amz-Date' must be among the sorted 'SignedHeaders'.")
    }
    let canonical = try Self.canonical(arrival, signed)
    let day = Array(scope[1].utf8)
    let text =
      "AWS4-HMAC-SHA256\n\(date)\n\(scope[1])/\(scope[2])/\(service)/aws4_request\n"
      + SHA256Digest.hex(SHA256Digest.digest(Array(canonical.utf8)))
    var signing = SHA256Digest.hmac(day, key: Array("AWS4\(key.secret)".utf8))
    for step in [String(scope[2]), service, "aws4_request"] {
      signing = SHA256Digest.hmac(Array(step.utf8), key: signing)
    }
    guard SHA256Digest.hex(SHA256Digest.hmac(Array(text.utf8), key: signing)) == signature else {
      throw Refused(
        status: 403,
        message:
          "The request signature we calculated does not match the signature you provided. The Canonical String for "
          + "this request should have been '\(canonical)'")
    }
  }

  private static func canonical(_ arrival: Arrival, _ signed: [Substring]) throws(Refused) -> String {
    let halves = arrival.target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    // Every service but S3 has its path encoded once more than it travels.
    let path = encoded(halves.first ?? "", keepsSlashes: true)
    var query: [String] = []
    for pair in halves.count > 1 ? halves[1].split(separator: "&") : [] {
      query.append(pair.contains("=") ? String(pair) : "\(pair)=")
    }
    var text = "\(arrival.method)\n\(path)\n\(query.sorted().joined(separator: "&"))\n"
    for name in signed {
      guard let value = arrival.fields[String(name)] else {
        throw Refused(status: 403, message: "The signed header '\(name)' is not in the request.")
      }
      text += "\(name):\(value.split(separator: " ").joined(separator: " "))\n"
    }
    let hash = SHA256Digest.hex(SHA256Digest.digest(Array(arrival.body.readableBytesView)))
    if let said = arrival.fields["x-amz-content-sha256"], said != hash {
      throw Refused(
        status: 403, message: "The provided 'x-amz-content-sha256' header does not match what was computed.")
    }
    return text + "\n\(signed.joined(separator: ";"))\n\(hash)"
  }

  /// `text` with everything but the unreserved characters percent-encoded.
  static func encoded(_ text: Substring, keepsSlashes: Bool) -> String {
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: bytes.append(byte)
      case 0x2F where keepsSlashes: bytes.append(byte)
      default: bytes.append(contentsOf: "%\(byte < 16 ? "0" : "")\(String(byte, radix: 16, uppercase: true))".utf8)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
