/// Policy files as one run of bytes, for the store: applied sets are kept for the audit, for start and for rollback.
///
/// Format: `THPS`, version 1, then per file u32 length and name, u32 length and bytes, all little-endian.
public enum PolicyArchive {
  private static let magic: [UInt8] = [0x54, 0x48, 0x50, 0x53, 0x01]

  public static func pack(_ files: [PolicyFile]) -> [UInt8] {
    var out = magic
    for file in files {
      append(Array(file.name.utf8), to: &out)
      append(file.bytes, to: &out)
    }
    return out
  }

  /// - Throws: ``PolicyError`` with code `policy_unreadable` for anything that ``pack(_:)`` did not make.
  public static func unpack(_ bytes: [UInt8]) throws(PolicyError) -> [PolicyFile] {
    let damaged = PolicyError(.unreadable, "the stored policy set is damaged")
    guard bytes.starts(with: magic) else { throw damaged }
    var position = magic.count
    var files: [PolicyFile] = []
    func piece() throws(PolicyError) -> ArraySlice<UInt8> {
      guard bytes.count - position >= 4 else { throw damaged }
      let length = (0..<4).reduce(0) { $0 | Int(bytes[position + $1]) << (8 * $1) }
      position += 4
      guard length <= bytes.count - position else { throw damaged }
      defer { position += length }
      return bytes[position..<(position + length)]
    }
    while position < bytes.count {
      guard let name = String(validating: try piece(), as: UTF8.self) else { throw damaged }
      files.append(PolicyFile(name: name, bytes: Array(try piece())))
    }
    return files
  }

  private static func append(_ piece: [UInt8], to out: inout [UInt8]) {
    let length = UInt32(clamping: piece.count)
    for shift in stride(from: UInt32(0), to: 32, by: 8) { out.append(UInt8(truncatingIfNeeded: length >> shift)) }
    out += piece.prefix(Int(length))
  }
}
