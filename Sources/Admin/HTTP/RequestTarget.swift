/// A request target taken apart. Nothing is normalised: what is not in plain form is refused.
struct RequestTarget: Equatable {
  /// The path's segments, without the empty one before the first slash.
  let segments: [String]
  let query: [String: String]

  /// - Throws: ``AdminError`` with `invalid_request` for anything but an origin-form target whose path consists of
  ///   `a–z A–Z 0–9 . _ -` between single slashes, and for repeated or misspelt query parameters.
  init(_ target: String) throws(AdminError) {
    guard target.utf8.count <= 2048, target.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      throw .invalid("the request target is too long or holds bytes that are not allowed")
    }
    let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    guard let path = parts.first, path.first == "/" else {
      throw .invalid("the request target must be a path")
    }
    let names = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard path == "/" || names.allSatisfy(Self.isPlain) else {
      throw .invalid("the path is not in its plain form")
    }
    segments = path == "/" ? [] : names
    query = parts.count == 2 ? try Self.parameters(parts[1]) : [:]
  }

  private static func isPlain(_ segment: String) -> Bool {
    guard !segment.isEmpty, segment != ".", segment != ".." else { return false }
    return segment.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
        true
      default: false
      }
    }
  }

  private static func parameters(_ text: Substring) throws(AdminError) -> [String: String] {
    var found: [String: String] = [:]
    for pair in text.split(separator: "&", omittingEmptySubsequences: true) {
      let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard halves.count == 2, let value = decoded(halves[1]) else {
        throw .invalid("the query is not a list of name=value")
      }
      let name = String(halves[0])
      guard found.updateValue(value, forKey: name) == nil else {
        throw .invalid("a query parameter is given twice", param: name)
      }
    }
    return found
  }

  /// Undoes percent encoding; nil if it is broken or the result is not UTF-8 without control characters.
  private static func decoded(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard let high = rest.popFirst().flatMap(hexDigit), let low = rest.popFirst().flatMap(hexDigit) else {
        return nil
      }
      bytes.append(high << 4 | low)
    }
    guard let value = String(validating: bytes, as: UTF8.self), value.unicodeScalars.allSatisfy({ $0.value >= 0x20 })
    else { return nil }
    return value
  }

  private static func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
