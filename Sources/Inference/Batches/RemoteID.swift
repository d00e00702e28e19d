internal import JSONText

/// A provider's own name of a file or a batch. It stands in paths and bodies that we write, and in none that clients read.
public enum RemoteID {
  /// Nil for what could be anything else than a name within a path.
  static func read(_ text: UnsafeRawBufferPointer) -> String? {
    guard (1...128).contains(text.count) else { return nil }
    for byte in text {
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: continue
      default: return nil
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// What a provider's answer about one file says: its id; nil if it is no such answer.
  public static func ofFile(_ body: UnsafeRawBufferPointer) -> String? {
    var found: String?
    let isWhole = ObjectReader.read(body) { (name, cursor) throws(JSONTextError) in
      guard name.equals("id"), try cursor.peek() == .string else { return try cursor.skipValue() }
      found = read(try cursor.string().range.of(body))
    }
    return isWhole ? found : nil
  }

  /// The same text with each of these names replaced by another: what a provider says of its names is told in ours.
  public static func replace(_ names: [(theirs: String, ours: String)], in text: String) -> String {
    var out = text
    for name in names where !name.theirs.isEmpty { out = out.replacing(name.theirs, with: name.ours) }
    return out
  }
}
