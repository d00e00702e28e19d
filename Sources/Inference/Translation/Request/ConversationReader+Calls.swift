internal import JSONText

/// Calls of tools and their results: ids, signatures, and which call a result means.
extension ConversationReader {
  /// Stands in front of a result's text where a dialect cannot say that the tool failed, and is read back as that.
  static let errorPrefix: StaticString = "[tool error] "
  /// Parts a call's id from Gemini's signature of that call, in base64url, for clients that keep nothing but the id.
  private static let seal: StaticString = "~ts~"

  /// Notes a call's id; a signature that was sealed into it comes off again, whatever the target is.
  func identify(_ block: inout Block, by id: ByteRange) {
    block.id = id
    let raw = id.of(body)
    let mark = Self.seal.utf8CodeUnitCount
    guard raw.count > mark, raw.firstIndex(of: 0x7E, from: 0) < raw.count else { return }
    var place = raw.count - mark
    while place > 0 {
      if raw[place] == 0x7E, ByteRange(place, place + mark).of(raw).equals(Self.seal) { break }
      place -= 1
    }
    guard place > 0, place + mark < raw.count else { return }
    let signature = UnsafeRawBufferPointer(rebasing: raw[(place + mark)...])
    guard signature.allSatisfy(Self.isBase64URL) else { return }
    block.id = ByteRange(id.start, id.start + place)
    guard block.signature.isEmpty else { return }
    block.signature = ByteRange(id.start + place + mark, id.end)
    block.isSealed = true
  }

  /// As ``identify(_:by:)``, of a result that is open.
  mutating func identifyResult(_ place: Int, by id: ByteRange) {
    guard talk.blocks.indices.contains(place) else { return }
    var block = talk.blocks[place]
    identify(&block, by: id)
    talk.blocks[place] = block
  }

  private static func isBase64URL(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: true
    default: false
    }
  }

  /// Gives a call without an id (chat's older `function_call`) one that its result finds again.
  mutating func number(_ block: inout Block) {
    madeIDs += 1
    block.madeID = madeIDs
  }

  mutating func addCall(_ block: Block) {
    talk.hasCalls = true
    if block.madeID > 0 { lastMadeName = block.name }
    if block.isSealed, !takes.takesSignatureOfCall {
      dropped.add(block.place.at(.extraContent).at(.google).member("thought_signature"))
    }
    talk.blocks.append(block)
  }

  /// The name of the call that a result means.
  mutating func nameOfCall(_ result: Block) -> ByteRange? {
    guard result.madeID == 0 else { return lastMadeName }
    let id = result.id.of(body)
    // Nearly always it is among the last that were read.
    let near = max(0, talk.blocks.count - 16)
    for place in (near..<talk.blocks.count).reversed() where isCall(place, id) { return talk.blocks[place].name }
    for place in min(indexedBlocks, near)..<near where talk.blocks[place].kind == .call {
      calls[hash(of: talk.blocks[place].id)] = place
    }
    indexedBlocks = max(indexedBlocks, near)
    guard let place = calls[hash(of: result.id)], place < talk.blocks.count, isCall(place, id) else { return nil }
    return talk.blocks[place].name
  }

  private func isCall(_ place: Int, _ id: UnsafeRawBufferPointer) -> Bool {
    talk.blocks[place].kind == .call && talk.blocks[place].madeID == 0 && talk.blocks[place].id.of(body).equals(id)
  }

  private func hash(of id: ByteRange) -> Int {
    var hasher = Hasher()
    hasher.combine(bytes: id.of(body))
    return hasher.finalize()
  }

  /// Opens a result: its content follows as blocks until ``closeResult(_:)``.
  /// - Returns: Where it stands among the blocks.
  mutating func openResult(_ block: Block) -> Int {
    talk.hasResults = true
    talk.blocks.append(block)
    return talk.blocks.count - 1
  }

  /// - Parameter param: Where the result says which call it means.
  mutating func closeResult(_ place: Int, param: @autoclosure () -> String) throws(JSONTextError) {
    guard talk.blocks.indices.contains(place) else { return }
    talk.blocks[place].inner = talk.blocks.count - place - 1
    readErrorPrefix(place)
    guard takes.wire == .gemini, talk.blocks[place].name.isEmpty else { return }
    guard let name = nameOfCall(talk.blocks[place]) else {
      throw refuse(.invalidValue, param(), "'\(param())' names no call of an earlier turn.")
    }
    talk.blocks[place].name = name
  }

  /// OpenAI's dialects have no mark for a failed tool: the text's fixed beginning is one.
  private mutating func readErrorPrefix(_ place: Int) {
    guard talk.source != .messages, place + 1 < talk.blocks.count, talk.blocks[place + 1].kind == .text else { return }
    let text = talk.blocks[place + 1].text
    let length = Self.errorPrefix.utf8CodeUnitCount
    guard takes.wire != .chat, ByteRange(text.start, text.start + length).of(body).equals(Self.errorPrefix) else {
      return
    }
    talk.blocks[place].isError = true
    talk.blocks[place + 1].text = ByteRange(text.start + length, text.end)
    if talk.blocks[place + 1].text.isEmpty {
      talk.blocks.remove(at: place + 1)
      talk.blocks[place].inner -= 1
    }
  }

  /// Reads `extra_content`, whose only known member is Gemini's signature of a call; it goes no further than Gemini.
  mutating func readExtraContent(_ block: inout Block, at place: Place) throws(JSONTextError) {
    guard takes.takesSignatureOfCall, try cursor.peek() == .object else {
      let value = try extent()
      if !saysNothing(value) { dropped.add(place.path) }
      return
    }
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      guard key.range.of(body).equals("google"), try cursor.peek() == .object else {
        try drop(key, in: place)
        continue
      }
      let google = place.at(.google)
      var inner = try cursor.enterObject()
      while let key = try cursor.nextMember(&inner) {
        guard key.range.of(body).equals("thought_signature"), try cursor.peek() == .string else {
          try drop(key, in: google)
          continue
        }
        block.signature = try cursor.string().range
        block.isSealed = false
      }
    }
  }
}
