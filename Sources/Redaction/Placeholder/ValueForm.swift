/// The form of a value that its placeholder is derived from: separators off for numbers, case off where it says nothing.
enum ValueForm {
  private static let numbers =
    FindingType.iban.bit | FindingType.card.bit | FindingType.chUID.bit | FindingType.deVATID.bit
    | FindingType.atUID.bit | FindingType.ahv.bit | FindingType.steuerID.bit | FindingType.rvnr.bit
    | FindingType.svnr.bit | FindingType.kvnr.bit

  /// An encoded value byte for byte, behind a zero that no other value begins with.
  static func appendEncoded(_ text: TextView, _ start: Int, _ end: Int, into out: inout ByteWriter) {
    out.append(0)
    out.append(UnsafeRawBufferPointer(start: text.bytes + start, count: end - start))
  }

  static func append(_ label: UInt8, _ text: TextView, _ start: Int, _ end: Int, into out: inout ByteWriter) {
    let bytes = UnsafeRawBufferPointer(start: text.bytes + start, count: end - start)
    if label < 64, numbers >> UInt64(label) & 1 != 0 {
      return out.append(bytes) { ASCII.isAlphanumeric($0) ? ASCII.upper($0) : nil }
    }
    switch label {
    case FindingType.phone.index: out.append(bytes) { ASCII.isDigit($0) || $0 == 0x2B ? $0 : nil }
    case FindingType.email.index:
      var isDomain = false
      out.append(bytes) { byte in
        if byte == 0x40 { isDomain = true }
        return isDomain ? ASCII.lower(byte) : byte
      }
    default: out.append(bytes)
    }
  }
}
