internal import JSONText

/// The paths of what a translation does not carry, in the order in which they were met.
struct DroppedPaths {
  /// What a header could never show is not kept: nobody may fill memory with members that nobody knows.
  static let most = 2_000
  private(set) var all: [String] = []

  mutating func add(_ path: String) {
    guard all.count < Self.most else { return }
    all.append(path)
  }

  /// Forgets the paths from `count` on.
  mutating func truncate(to count: Int) { all.removeLast(max(0, all.count - max(0, count))) }

  /// A member's name as it may stand in a path and a header: what is no plain letter becomes `?`.
  static func plain(_ name: UnsafeRawBufferPointer) -> String {
    guard !name.isEmpty else { return "?" }
    let shown = name.prefix(64).map { byte -> UInt8 in
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x2D, 0x24: byte
      default: 0x3F
      }
    }
    return String(decoding: shown, as: UTF8.self) + (name.count > 64 ? "?" : "")
  }
}
