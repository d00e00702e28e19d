import Foundation
import Testing

/// A policy text and what the loader says to it, from a file of `=== policy` and `=== says` blocks.
struct GoldenCase {
  let policy: String
  let says: String

  static func all(in name: String) throws -> [GoldenCase] {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden/\(name)")
    let text = try String(contentsOf: file, encoding: .utf8)
    return try text.split(separator: "=== policy\n").map { block in
      let parts = block.split(separator: "=== says\n", omittingEmptySubsequences: false)
      try #require(parts.count == 2)
      return GoldenCase(policy: String(parts[0]), says: String(parts[1].dropLast()))
    }
  }
}
