import JSONText

/// Turns segments of a JSON body into ``NormalisedText``: unescapes, composes, folds, drops what is invisible.
enum Normaliser {
  static func normalise(_ body: UnsafePointer<UInt8>, _ segments: [TextSegment], into text: NormalisedText) {
    text.reset()
    var total = 0
    for segment in segments { total += segment.end - segment.start + 1 }
    text.reserve(total)
    for index in segments.indices {
      let segment = segments[index]
      if index > 0 {
        let before = segments[index - 1]
        // A member's name leads to its value as a label does; other neighbours are apart unless they count as one text.
        if before.kind == .name {
          text.separate(0x3A)
        } else if segment.kind != .string || before.kind != .string || segment.group != before.group {
          text.separate(0)
        }
      }
      text.open(segment: index)
      let start = segment.start
      let end = segment.end
      if segment.kind == .number {
        text.appendLinear(body, start, mantissaEnd(body, start, end))
      } else if !segment.hasEscapes, segment.isASCII, !hasAmpersand(body, start, end) {
        text.appendLinear(body, start, end)
      } else {
        normalise(body, start, end, depth: Int(segment.depth), into: text)
      }
      text.close()
    }
    text.finish()
  }

  /// An exponent moves the point and says nothing about the digits, which are what identifies.
  private static func mantissaEnd(_ body: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Int {
    var position = start
    while position < end, body[position] | 0x20 != 0x65 { position += 1 }
    return position
  }

  private static func hasAmpersand(_ body: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Bool {
    var position = start
    var found: UInt8 = 0
    while position < end {
      found |= body[position] == 0x26 ? 1 : 0
      position += 1
    }
    return found != 0
  }

  private static func normalise(
    _ body: UnsafePointer<UInt8>, _ start: Int, _ end: Int, depth: Int, into text: NormalisedText
  ) {
    var linear = start
    var position = start
    var lookAlikes = LookAlikes()
    while position < end {
      let byte = body[position]
      if byte < 0x80, byte != 0x5C, byte != 0x26 {
        position += 1
        continue
      }
      if byte == 0xC3 || (byte >= 0xC4 && byte < 0xCC), position + 1 < end {
        position += 2  // U+00C0–02FF: letters that stay as they are
        continue
      }
      var unit = EscapedText.unit(body, position, end, depth: depth)
      if unit.length <= 0 { unit = EscapedText.Unit(scalar: 0xFFFD, length: 1) }
      var length = unit.length
      var scalar = unit.scalar
      if scalar == 0x5C, let inner = textEscape(body, position, unit.length, end, depth: depth) {
        scalar = inner.scalar
        length = inner.length
      } else if scalar == 0x26, let entity = HTMLEntity.read(body, position, unit.length, end, depth: depth) {
        scalar = entity.scalar
        length = entity.length
      }
      if LookAlikes.mayBe(scalar) {
        let before = position > linear ? body[position - 1] : text.lastByte
        let letter = lookAlikes.latin(scalar, before: before, body, position + length, end, depth: depth)
        if letter != 0 {
          text.appendLinear(body, linear, position)
          text.openAtomic(position, position + length)
          text.append(letter)
          position += length
          linear = position
          continue
        }
      }
      let unchanged = length == unit.length && byte >= 0x80
      if unchanged, !(0x300..<0x370).contains(scalar), ScalarFold.fold(scalar) == .keep {
        position += length
        continue
      }
      if scalar == 0x26, length == 1 {
        position += 1
        continue
      }
      text.appendLinear(body, linear, position)
      emit(scalar, position, position + length, text)
      position += length
      linear = position
    }
    text.appendLinear(body, linear, end)
  }

  private static func emit(_ scalar: UInt32, _ from: Int, _ to: Int, _ text: NormalisedText) {
    if (0x300..<0x370).contains(scalar), let before = text.takeLetter() {
      let composed = ScalarFold.compose(before.letter, scalar)
      text.openAtomic(before.raw, to)
      if composed != 0 {
        text.append(scalar: composed)
      } else {
        text.append(before.letter)
      }
      return
    }
    switch ScalarFold.fold(scalar) {
    case .drop: break
    case .keep:
      text.openAtomic(from, to)
      // A lone surrogate or a number beyond Unicode takes the place of an unknown character.
      text.append(scalar: scalar & 0xFFFF_F800 == 0xD800 || scalar > 0x10FFFF ? 0xFFFD : scalar)
    case .byte(let byte):
      text.openAtomic(from, to)
      text.append(byte)
    case .bytes(let bytes, let count):
      text.openAtomic(from, to)
      for index in 0..<count { text.append(UInt8(truncatingIfNeeded: bytes >> UInt32(8 * index))) }
    }
  }

  /// An escape that is still there after unescaping, because the text itself is raw JSON, source code or Markdown.
  private static func textEscape(
    _ body: UnsafePointer<UInt8>, _ position: Int, _ backslash: Int, _ end: Int, depth: Int
  ) -> EscapedText.Unit? {
    let next = position + backslash
    guard next < end else { return nil }
    let escaped = EscapedText.unit(body, position, end, depth: depth + 1)
    if escaped.length > backslash, escaped.scalar != 0x5C { return escaped }
    let following = EscapedText.unit(body, next, end, depth: depth)
    guard following.length > 0 else { return nil }
    switch following.scalar {
    case 0x21...0x2F, 0x3A...0x40, 0x5B, 0x5D...0x60, 0x7B...0x7E:
      return EscapedText.Unit(scalar: following.scalar, length: backslash + following.length)
    default: return nil
    }
  }
}

/// Character references that occur in pasted HTML: numbers, and the few names that matter here.
enum HTMLEntity {
  static func read(
    _ body: UnsafePointer<UInt8>, _ position: Int, _ ampersand: Int, _ end: Int, depth: Int
  ) -> EscapedText.Unit? {
    var name: UInt64 = 0
    var count = 0
    var next = position + ampersand
    while next < end, count < 8 {
      let unit = EscapedText.unit(body, next, end, depth: depth)
      guard unit.length > 0, unit.scalar < 0x80 else { return nil }
      next += unit.length
      if unit.scalar == 0x3B {
        guard count > 0, let scalar = scalar(name, count) else { return nil }
        return EscapedText.Unit(scalar: scalar, length: next - position)
      }
      name = name << 8 | UInt64(unit.scalar)
      count += 1
    }
    return nil
  }

  private static func scalar(_ name: UInt64, _ count: Int) -> UInt32? {
    if name >> UInt64(8 * (count - 1)) == 0x23 { return number(name, count - 1) }
    switch name {
    case 0x61_6D70: return 0x26  // amp
    case 0x6E_6273_70: return 0x20  // nbsp
    case 0x71_756F_74: return 0x22  // quot
    case 0x61_706F_73: return 0x27  // apos
    case 0x6C74: return 0x3C  // lt
    case 0x6774: return 0x3E  // gt
    case 0x73_6879: return 0xAD  // shy
    case 0x636F_6D6D_6174: return 0x40  // commat
    default: return nil
    }
  }

  private static func number(_ name: UInt64, _ digits: Int) -> UInt32? {
    guard digits > 0 else { return nil }
    var value: UInt32 = 0
    var base: UInt32 = 10
    var read = 0
    for index in stride(from: digits - 1, through: 0, by: -1) {
      let byte = UInt32(name >> UInt64(8 * index) & 0xFF)
      if index == digits - 1, byte | 0x20 == 0x78 {
        base = 16
        continue
      }
      guard let digit = ASCII.hexValue(byte), digit < base else { return nil }
      value = value &* base &+ digit
      read += 1
    }
    guard read > 0, value > 0, value < 0x110000, value & 0xFFFF_F800 != 0xD800 else { return nil }
    return value
  }
}
