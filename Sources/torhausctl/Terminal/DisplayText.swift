/// Text of others, made safe to show: what could move a cursor, forge a line or turn the reading direction is spelt out.
enum DisplayText {
  /// - Parameter limit: The result's length in characters; what is cut is marked by `…`.
  static func escaped(_ text: String, limit: Int) -> String {
    var result = ""
    var count = 0
    for scalar in text.unicodeScalars {
      let piece = isUnsafe(scalar) ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
      count += piece.unicodeScalars.count
      guard count <= limit else { return result + "…" }
      result += piece
    }
    return result
  }

  /// C0, DEL, C1, line and paragraph separators, bidi controls, zero-width and tag characters, BOM.
  static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x00...0x1F, 0x7F...0x9F, 0x061C, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF, 0xFFF9...0xFFFB,
      0xE0000...0xE007F:
      true
    default: false
    }
  }
}

extension DisplayText {
  /// Text of several lines: its line feeds and tabs stay, all else is escaped.
  static func escapedLines(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      line.split(separator: "\t", omittingEmptySubsequences: false).map { escaped(String($0), limit: .max) }
        .joined(separator: "\t")
    }.joined(separator: "\n")
  }
}
