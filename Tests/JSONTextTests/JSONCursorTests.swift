import JSONText
import Testing

@Suite struct JSONCursorTests {
  @Test(arguments: [
    "null", "true", "false", "0", "-0", "1", "-1", "10", "0.5", "1e5", "1E+5", "1e-5", "123456789012345678901234567890",
    "\"\"", "\"a\"", "[]", "{}", "[1]", "[1,2]", "[[],[]]", "{\"a\":1}", "{\"a\":{\"b\":[{}]}}", "{\"\":0}",
    " [ 1 , 2 ] ", "\t\r\n{ \"a\" : 1 }\n", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\u0000\"", "\"\\u00e9\\uFFFF\"",
    "\"\\ud83d\\ude00\"", "\"\\uD83D\\uDE00 tail of more than eight\"", "\"é\"", "\"日本語\"", "\"😀\"", "\"\u{7F}\"",
    "\"\u{2028}\"", "\"\u{FEFF}\"", "{\"a\":1,\"a\":2}", "1e307", "1e-999", "-1.5e-3", "\"a/b\"", "[1,[2,[3,[4]]]]",
  ])
  func acceptsJSON(text: String) { #expect(refusal(of: text) == nil) }

  @Test(arguments: [
    ("", JSONTextError.Code.empty), (" ", .unexpectedEnd), ("nul", .unexpectedEnd), ("nulL", .unexpectedByte),
    ("True", .unexpectedByte), ("NaN", .unexpectedByte), ("Infinity", .unexpectedByte), ("-Infinity", .invalidNumber),
    ("+1", .unexpectedByte), (".5", .unexpectedByte), ("1.", .invalidNumber), ("1.e5", .invalidNumber),
    ("01", .invalidNumber), ("-01", .invalidNumber), ("00", .invalidNumber), ("-", .invalidNumber),
    ("1e", .invalidNumber),
    ("1e+", .invalidNumber), ("0x10", .trailingBytes), ("1_000", .trailingBytes), ("1e308", .numberOutOfRange),
    ("1e99999999999999999999", .numberOutOfRange), ("12e307", .numberOutOfRange), ("[", .unexpectedEnd),
    ("]", .unexpectedByte), ("[1", .unexpectedEnd), ("[1,", .unexpectedEnd), ("[1,]", .unexpectedByte),
    ("[,1]", .unexpectedByte), ("[1 2]", .unexpectedByte), ("[1,,2]", .unexpectedByte), ("{", .unexpectedEnd),
    ("{\"a\"", .unexpectedEnd), ("{\"a\":", .unexpectedEnd), ("{\"a\":1", .unexpectedEnd),
    ("{\"a\":1,}", .unexpectedByte),
    ("{,\"a\":1}", .unexpectedByte), ("{\"a\" 1}", .unexpectedByte), ("{\"a\":}", .unexpectedByte),
    ("{a:1}", .unexpectedByte), ("{'a':1}", .unexpectedByte), ("{1:1}", .unexpectedByte), ("[1}", .unexpectedByte),
    ("{\"a\":1]", .unexpectedByte), ("\"", .unexpectedEnd), ("\"a", .unexpectedEnd), ("\"\\", .unexpectedEnd),
    ("\"\\x\"", .invalidEscape), ("\"\\u12\"   ", .invalidEscape), ("\"\\u12\"", .unexpectedEnd),
    ("\"\\u12G4\"", .invalidEscape),
    ("\"\\u12", .unexpectedEnd), ("\"\\U0041\"", .invalidEscape), ("\"a\nb\"", .controlCharacter),
    ("\"a\tb\"", .controlCharacter), ("\"a\u{0}b\"", .controlCharacter), ("\"eight by\u{1F}te\"", .controlCharacter),
    ("\"\\ud83d\"", .loneSurrogate), ("\"\\ude00\"", .loneSurrogate), ("\"\\ud83dx\"", .loneSurrogate),
    ("\"\\ud83d\\u0041\"", .loneSurrogate), ("\"\\ude00\\ud83d\"", .loneSurrogate), ("\"\\ud83d\\n\"", .loneSurrogate),
    ("null null", .trailingBytes), ("{}{}", .trailingBytes), ("[]]", .trailingBytes), ("1 // a", .trailingBytes),
    ("/* a */ 1", .unexpectedByte), ("\u{FEFF}{}", .byteOrderMark), ("\u{A0}1", .unexpectedByte),
    ("\u{B}1", .unexpectedByte), ("{}\u{0}", .trailingBytes), ("\u{0}", .unexpectedByte),
  ])
  func refusesWhatIsNone(text: String, code: JSONTextError.Code) { #expect(refusal(of: text) == code) }

  @Test(
    arguments: [
      [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC3], [0xC3, 0x28], [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF],
      [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x8F, 0xBF, 0xBF],
      [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFE], [0xFF], [0xF0, 0x9F, 0x98], [0xFC, 0x80, 0x80, 0x80],
    ] as [[UInt8]])
  func refusesInvalidUTF8AtEveryAlignment(bytes: [UInt8]) {
    for padding in 0..<97 {
      let text = [0x22] + [UInt8](repeating: 0x61, count: padding) + bytes + [0x22]
      #expect(refusal(of: text) == .invalidUTF8)
    }
  }

  @Test func findsEveryByteThatEndsAPlainTextAtEveryAlignment() {
    for byte in UInt8.min...UInt8.max {
      let code: JSONTextError.Code? =
        switch byte {
        case 0x00...0x1F: .controlCharacter
        case 0x22: .trailingBytes
        case 0x5C: .invalidEscape
        case 0x80...0xFF: .invalidUTF8
        default: nil
        }
      for padding in 0..<97 {
        let lead = [UInt8](repeating: 0x78, count: padding)
        #expect(refusal(of: [0x22] + lead + [byte] + [UInt8](repeating: 0x78, count: 40) + [0x22]) == code)
        #expect((refusal(of: [0x22] + lead + [byte]) == nil) == (byte == 0x22))
      }
    }
  }

  @Test func acceptsEveryScalar() {
    var text: [UInt8] = [0x22]
    var value: UInt32 = 0x20
    while value <= 0x10FFFF {
      // All edges of the encoding's lengths, and steps between them.
      if let scalar = Unicode.Scalar(value), value != 0x22, value != 0x5C { text += Array(String(scalar).utf8) }
      value += value < 0x1000 || value & 0xFFF > 0xFFD || value & 0xFFF < 2 ? 1 : 61
    }
    text.append(0x22)
    #expect(refusal(of: text) == nil)
  }

  @Test func loneSurrogatesPassOnlyInAnswers() {
    #expect(refusal(of: "\"\\ud83d\"", limits: .answer) == nil)
    #expect(refusal(of: "\"\\ude00x\"", limits: .answer) == nil)
    #expect(refusal(of: "\"\\ud83\"", limits: .answer) == .invalidEscape)
  }

  @Test(arguments: [(63, true), (64, true), (65, false), (100_000, false)])
  func bindsDepth(depth: Int, isAccepted: Bool) {
    let arrays = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    #expect(refusal(of: arrays) == (isAccepted ? nil : .tooDeep))
    let objects = String(repeating: "{\"a\":", count: depth) + "1" + String(repeating: "}", count: depth)
    #expect(refusal(of: objects) == (isAccepted ? nil : .tooDeep))
  }

  @Test func depthIsGivenBack() {
    let flat = "[" + Array(repeating: "[[]]", count: 200).joined(separator: ",") + "]"
    #expect(refusal(of: flat) == nil)
  }

  @Test(arguments: [(9_999, true), (10_000, true), (10_001, false)])
  func bindsMembers(count: Int, isAccepted: Bool) {
    let members = (0..<count).map { "\"m\($0)\":0" }.joined(separator: ",")
    #expect(refusal(of: "{\(members)}") == (isAccepted ? nil : .tooManyMembers))
  }

  @Test func elementsOfArraysAreNotBound() {
    #expect(refusal(of: "[" + Array(repeating: "0", count: 20_000).joined(separator: ",") + "]") == nil)
  }

  @Test(
    arguments: [
      ("0", Int64(0)), ("-0", 0), ("42", 42), ("9223372036854775807", .max), ("-9223372036854775808", .min),
      ("9223372036854775808", nil), ("-9223372036854775809", nil), ("9999999999999999999", nil),
      ("-9999999999999999999", nil), ("999999999999999999", 999_999_999_999_999_999), ("18446744073709551617", nil),
      ("99999999999999999999", nil), ("1.0", nil), ("1e0", nil),
    ] as [(String, Int64?)])
  func readsIntegersThatFit(text: String, value: Int64?) throws {
    try withBytes(Array(text.utf8)) { bytes in
      var cursor = try JSONCursor(bytes)
      let number = try cursor.number()
      #expect(number.integer == value)
      #expect(number.isNegative == text.hasPrefix("-"))
      #expect(number.isInteger == text.allSatisfy { $0.isNumber || $0 == "-" })
    }
  }

  @Test(arguments: [("756921707", 9), ("12345.6789", 9), ("-12345678", 8), ("1e10", 1), ("123456789e2", 9)])
  func countsDigitsWithoutExponent(text: String, digits: Int) throws {
    try withBytes(Array(text.utf8)) { bytes in
      var cursor = try JSONCursor(bytes)
      #expect(try cursor.number().digits == digits)
    }
  }

  @Test func stringsTellWhatTheyHold() throws {
    for padding in 0..<97 {
      let lead = String(repeating: "x", count: padding)
      for (content, hasEscapes, isASCII) in [
        ("", false, true), ("plain", false, true), ("a\\nb", true, true), ("ü", false, false), ("\\u00fc", true, true),
        ("ü\\\"", true, false),
      ] {
        let text = "\"\(lead)\(content)\""
        try withBytes(Array(text.utf8)) { bytes in
          var cursor = try JSONCursor(bytes)
          let string = try cursor.string()
          #expect(string == JSONString(start: 1, end: bytes.count - 1, hasEscapes: hasEscapes, isASCII: isASCII))
          #expect(cursor.position == bytes.count)
        }
      }
    }
  }

  @Test func aStringEndsAtItsQuoteHoweverMuchFollows() throws {
    for length in 0..<97 {
      for rest in 0..<40 {
        let content = String(repeating: "x", count: length)
        let text = "{\"\(content)\":\"\(content)\"" + String(repeating: "\"", count: rest)
        try withBytes(Array(text.utf8)) { bytes in
          var cursor = try JSONCursor(bytes)
          var walk = try cursor.enterObject()
          let key = try cursor.nextMember(&walk)
          #expect(key == JSONString(start: 2, end: length + 2, hasEscapes: false, isASCII: true))
          try cursor.skipValue()
          #expect(cursor.position == bytes.count - rest)
        }
      }
    }
  }

  @Test func aCutStringIsRefusedAtEveryLength() {
    for length in 0..<97 { #expect(refusal(of: "\"" + String(repeating: "x", count: length)) == .unexpectedEnd) }
  }

  @Test func walksMembersInOrder() throws {
    let text = " {\"a\" : 1 , \"b\":[true,null], \"\\u0063\":\"x\"} "
    try withBytes(Array(text.utf8)) { bytes in
      var cursor = try JSONCursor(bytes)
      var walk = try cursor.enterObject()
      var names: [String] = []
      while let key = try cursor.nextMember(&walk) {
        names.append(String(decoding: key.range.of(bytes), as: UTF8.self))
        try cursor.skipValue()
      }
      try cursor.finish()
      #expect(names == ["a", "b", "\\u0063"])
    }
  }

  @Test(
    arguments: [
      ("{\"role\":\"user\"}", "user"), (" { \"role\" : \"\" } ", ""), ("{\"role\":\"a\\nb\",\"b\":1}", "a\\nb"),
      ("{}", nil), ("{\"role\":1}", nil), ("{\"role\":null}", nil), ("{\"roles\":\"x\"}", nil),
      ("{\"rol\":\"x\"}", nil),
      ("{\"Role\":\"x\"}", nil), ("{\"\\u0072ole\":\"x\"}", nil), ("{\"a\":\"role\"}", nil),
    ] as [(String, String?)])
  func readsAStringOnlyUnderTheNameThatIsAskedFor(text: String, value: String?) throws {
    try withBytes(Array(text.utf8)) { bytes in
      var cursor = try JSONCursor(bytes)
      var walk = try cursor.enterObject()
      let start = cursor.position
      let found = try cursor.nextString(named: "role", &walk)
      #expect(found.map { String(decoding: $0.range.of(bytes), as: UTF8.self) } == value)
      #expect(walk.met == (value == nil ? 0 : 1))
      #expect(value != nil || cursor.position == start)
      while try cursor.nextMember(&walk) != nil { try cursor.skipValue() }
      try cursor.finish()
    }
  }

  @Test(arguments: [
    ("{\"a\":1 \"role\":\"x\"}", JSONTextError.Code.unexpectedByte), ("{\"a\":1,,\"role\":\"x\"}", .unexpectedByte),
    ("{\"a\":1,\"role\" \"x\"}", .unexpectedByte), ("{\"a\":1,\"role\":\"x", .unexpectedEnd),
    ("{\"a\":1,\"role\":", .unexpectedEnd), ("{\"a\":1,\"role\"", .unexpectedEnd), ("{\"a\":1,\"role", .unexpectedEnd),
    ("{\"a\":1,", .unexpectedEnd), ("{\"a\":1", .unexpectedEnd),
  ])
  func refusesWhatIsNoneUnderAName(text: String, code: JSONTextError.Code) {
    withBytes(Array(text.utf8)) { bytes in
      do throws(JSONTextError) {
        var cursor = try JSONCursor(bytes)
        var walk = try cursor.enterObject()
        _ = try cursor.nextMember(&walk)
        try cursor.skipValue()
        _ = try cursor.nextString(named: "role", &walk)
        while try cursor.nextMember(&walk) != nil { try cursor.skipValue() }
        Issue.record("accepted")
      } catch {
        #expect(error.code == code)
      }
    }
  }

  @Test func aNameThatIsAskedForCountsAmongTheMembers() {
    let members = (0..<10_000).map { "\"m\($0)\":0" }.joined(separator: ",") + ",\"role\":\"x\""
    withBytes(Array("{\(members)}".utf8)) { bytes in
      _ = #expect(throws: JSONTextError.self) {
        var cursor = try JSONCursor(bytes)
        var walk = try cursor.enterObject()
        for _ in 0..<10_000 {
          _ = try cursor.nextMember(&walk)
          try cursor.skipValue()
        }
        #expect(try cursor.nextString(named: "role", &walk) == nil)
        _ = try cursor.nextMember(&walk)
      }
    }
  }

  @Test func goesBackToAMark() throws {
    try withBytes(Array("[[{\"a\":[1,2]}],3]".utf8)) { bytes in
      var cursor = try JSONCursor(bytes)
      var walk = try cursor.enterArray()
      _ = try cursor.nextElement(&walk)
      let mark = cursor.mark
      // Left inside of two values, whose depth must be given back as well.
      var inner = try cursor.enterArray()
      _ = try cursor.nextElement(&inner)
      _ = try cursor.enterObject()
      for _ in 0..<100 {
        cursor.rewind(to: mark)
        _ = try cursor.enterArray()
      }
      cursor.rewind(to: mark)
      try cursor.skipValue()
      #expect(try cursor.nextElement(&walk))
      try cursor.skipValue()
      #expect(try !cursor.nextElement(&walk))
      try cursor.finish()
    }
  }

  @Test func everyPrefixOfAnObjectIsRefused() {
    let text = Array("{\"a\":[1,-2.5e3,\"x\\u00e9\\ud83d\\ude00ü\"],\"b\":{\"c\":null,\"d\":true}}".utf8)
    for length in 0..<text.count { #expect(refusal(of: Array(text[..<length])) != nil) }
    #expect(refusal(of: text) == nil)
  }
}
