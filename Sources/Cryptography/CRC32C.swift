internal import COpenSSL

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4): finds torn writes, protects against nobody.
public enum CRC32C {
  private static let tables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 8 * 256)
    for index in 0..<256 {
      var value = UInt32(index)
      for _ in 0..<8 { value = value & 1 == 1 ? (value >> 1) ^ 0x82F6_3B78 : value >> 1 }
      tables[index] = value
    }
    for index in 0..<256 {
      for slice in 1..<8 {
        let before = tables[(slice - 1) * 256 + index]
        tables[slice * 256 + index] = (before >> 8) ^ tables[Int(before & 0xFF)]
      }
    }
    return tables
  }()

  private static let hasInstruction = th_has_crc32c() != 0

  public static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    guard hasInstruction, let start = bytes.baseAddress else { return checksumByTable(bytes) }
    return ~th_crc32c(0xFFFF_FFFF, start.assumingMemoryBound(to: UInt8.self), bytes.count)
  }

  /// Slicing-by-8, eight bytes a step: where the processor has no instruction for it.
  public static func checksumByTable(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    tables.withUnsafeBufferPointer { table in
      var crc: UInt32 = 0xFFFF_FFFF
      var index = 0
      while index &+ 8 <= bytes.count {
        let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian ^ UInt64(crc)
        crc =
          table[7 &* 256 &+ Int(word & 0xFF)] ^ table[6 &* 256 &+ Int((word >> 8) & 0xFF)]
          ^ table[5 &* 256 &+ Int((word >> 16) & 0xFF)] ^ table[4 &* 256 &+ Int((word >> 24) & 0xFF)]
          ^ table[3 &* 256 &+ Int((word >> 32) & 0xFF)] ^ table[2 &* 256 &+ Int((word >> 40) & 0xFF)]
          ^ table[256 &+ Int((word >> 48) & 0xFF)] ^ table[Int((word >> 56) & 0xFF)]
        index &+= 8
      }
      while index < bytes.count {
        crc = (crc >> 8) ^ table[Int((crc ^ UInt32(bytes[index])) & 0xFF)]
        index &+= 1
      }
      return ~crc
    }
  }

  public static func checksum(_ bytes: [UInt8]) -> UInt32 { bytes.withUnsafeBytes { checksum($0) } }
}
