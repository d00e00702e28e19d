import Glibc

/// The form of a ``StagedMemory``. All in the machine's own byte order: it never leaves the boot.
///
/// | at | size | header |
/// |---|---|---|
/// | 0 | 8 | magic |
/// | 8 | 8 | bytes of a half |
/// | 16 | 16 | boot id |
/// | 32, 64 | 8 + 8 | of each half: generation (the lower one is older), used bytes |
///
/// The halves follow at 4,096. A half holds pieces, one behind the other: `u32 length of all, a multiple of 8 | u16 length
/// of the path | u16 1 live, 0 void | u64 offset in the file | u64 length of the bytes | path | bytes | zeros`.
enum StagedLayout {
  static let magic: UInt64 = 0x3130_4754_5348_5424
  static let headerBytes = 4096
  static let pieceHeaderBytes = 24
  static let longestPath = 1024
  static let live: UInt16 = 1
  static let void: UInt16 = 0

  static func generationAt(_ half: Int) -> Int { 32 + 32 * half }
  static func usedAt(_ half: Int) -> Int { 40 + 32 * half }

  /// Of the running kernel; 0 where it does not tell, and then nothing survives the process.
  static func currentBoot() -> UInt128 {
    let descriptor = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return 0 }
    defer { close(descriptor) }
    var text = [UInt8](repeating: 0, count: 64)
    let count = read(descriptor, &text, text.count)
    guard count > 0 else { return 0 }
    let digits = String(decoding: text[..<count], as: UTF8.self).filter(\.isHexDigit)
    return UInt128(digits, radix: 16) ?? 0
  }
}
