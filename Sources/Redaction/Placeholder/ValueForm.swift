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
    if label < 64, numbers >> UInt64(label) & 1 != 0 {
      for position in start..<end where ASCII.isAlphanumeric(text[position]) { out.append(ASCII.upper(text[position])) }
      return
    }
    switch label {
    case FindingType.phone.index:
      for position in start..<end where ASCII.isDigit(text[position]) || text[position] == 0x2B {
        out.append(text[position])
      }
    case FindingType.email.index:
      var isDomain = false
      for position in start..<end {
        if text[position] == 0x40 { isDomain = true }
        out.append(isDomain ? ASCII.lower(text[position]) : text[position])
      }
    default: out.append(UnsafeRawBufferPointer(start: text.bytes + start, count: end - start))
    }
  }
}
