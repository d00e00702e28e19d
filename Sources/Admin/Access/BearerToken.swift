/// Reads the credential of an `Authorization` header.
enum BearerToken {
  /// The token of `Bearer tha_…`; nil unless the header has that form and a sane length. Its truth is not checked here.
  static func read(_ header: String?) -> String? {
    guard let header, header.utf8.count <= 512 else { return nil }
    let parts = header.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0].lowercased() == "bearer", parts[1].hasPrefix("tha_"),
      parts[1].utf8.allSatisfy({ (0x21...0x7E).contains($0) })
    else { return nil }
    return String(parts[1])
  }

  /// The public half of a token, by which failures are counted: never the secret.
  static func account(_ token: String) -> String? {
    let parts = token.split(separator: "_", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, parts[1].utf8.count <= 64 else { return nil }
    return String(parts[1])
  }
}
