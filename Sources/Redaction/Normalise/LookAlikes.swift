/// Greek and Cyrillic letters that look like Latin ones (Unicode's confusables, UTS #39): folded where a word mixes
/// scripts, and before digits as the letters of an identifier stand. Words of one script stay as they are.
struct LookAlikes {
  private static let table: [UInt8] = {
    var table = [UInt8](repeating: 0, count: 0x530 - 0x370)
    let pairs: [(String, String)] = [
      ("АВЕКМНОРСТУХЅІЈҮԌԚԜ", "ABEKMHOPCTYXSIJYGQW"), ("аеорсухѕіјһԁԛԝ", "aeopcyxsijhdqw"),
      ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹ", "ABEZHIKMNOPTYXC"), ("οναριυϲϳ", "ovapiucj"),
    ]
    for (others, latin) in pairs {
      for (other, letter) in zip(others.unicodeScalars, latin.utf8) {
        let index = Int(other.value) - 0x370
        if table.indices.contains(index) { table[index] = letter }
      }
    }
    return table
  }()

  /// Bytes up to here belong to a word of one script.
  private var plainUntil = 0

  @inline(__always)
  static func mayBe(_ scalar: UInt32) -> Bool { scalar &- 0x370 < 0x530 - 0x370 }

  /// The Latin letter in whose place `scalar` stands; 0 if it is a letter of its own script.
  /// - Parameters:
  ///   - before: The text byte before it, 0 at the begin.
  ///   - next: The raw position behind it.
  mutating func latin(
    _ scalar: UInt32, before: UInt8, _ body: UnsafePointer<UInt8>, _ next: Int, _ end: Int, depth: Int
  ) -> UInt8 {
    let letter = Self.table[Int(scalar - 0x370)]
    guard letter != 0 else { return 0 }
    if ASCII.isAlphanumeric(before) { return letter }
    guard next > plainUntil else { return 0 }
    var position = next
    var capitals = ASCII.isUpper(letter) ? 1 : 4
    while position < end {
      let unit = EscapedText.unit(body, position, end, depth: depth)
      guard unit.length > 0 else { break }
      if unit.scalar < 0x80 {
        let byte = UInt8(unit.scalar)
        if ASCII.isAlphanumeric(byte) { return letter }
        // "СНЕ-123": two or three capitals, a separator, a digit.
        let digit = position + unit.length
        if byte == 0x20 || byte == 0x2D || byte == 0x2E, (2...3).contains(capitals), digit < end,
          ASCII.isDigit(body[digit])
        {
          return letter
        }
        break
      }
      guard Self.mayBe(unit.scalar) else { break }
      capitals += ASCII.isUpper(Self.table[Int(unit.scalar - 0x370)]) ? 1 : 4
      position += unit.length
    }
    plainUntil = position
    return 0
  }
}
