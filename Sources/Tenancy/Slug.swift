/// The name of a tenant or project in commands, paths and policies: 1 to 63 of `a–z 0–9 -`, starting with a letter or
/// digit, not ending in `-`.
public struct Slug: Hashable, Sendable, CustomStringConvertible, Comparable {
  public let text: String

  /// Nil unless the text follows the rule.
  public init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard let first = bytes.first, let last = bytes.last, bytes.count <= 63, first != 0x2D, last != 0x2D,
      bytes.allSatisfy({ (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D })
    else { return nil }
    self.text = text
  }

  public var description: String { text }
  public static func < (left: Slug, right: Slug) -> Bool { left.text < right.text }
}
