internal import JSONText

/// Thoughts of another model, which came to the client as thinking blocks without a signature: Anthropic refuses a request
/// that brings one back.
extension RequestScan {
  /// Cuts them out of the model's turns; a turn that holds nothing else goes with them.
  /// - Returns: Where they stood.
  func removeUnsignedThoughts(_ list: inout EditList, _ body: UnsafeRawBufferPointer) -> [String] {
    guard let place = place(of: "messages", body) else { return [] }
    let start = members[place].valueStart
    let array = ByteRange(start, members[place].valueEnd).of(body)
    var found: [String] = []
    do throws(JSONTextError) {
      var cursor = try JSONCursor(array)
      var turns: [MemberExtent] = []
      var emptied: [Int] = []
      var gone: [ByteRange] = []
      var cuts: [(places: [Int], of: [MemberExtent])] = []
      var walk = try cursor.enterArray()
      while try cursor.nextElement(&walk) {
        _ = try cursor.peek()
        let turnStart = cursor.position
        let blocks = try Self.blocks(&cursor, array, offset: start)
        for place in blocks.unsigned where found.count < DroppedPaths.most {
          found.append("messages[\(turns.count)].content[\(place)]")
        }
        if !blocks.unsigned.isEmpty, blocks.unsigned.count == blocks.all.count {
          emptied.append(turns.count)
          gone.append(ByteRange(turnStart + start, cursor.position + start))
        } else if !blocks.unsigned.isEmpty {
          cuts.append((blocks.unsigned, blocks.all))
          gone += blocks.unsigned.map { ByteRange(blocks.all[$0].nameStart, blocks.all[$0].valueEnd) }
        }
        turns.append(MemberExtent(element: turnStart + start, cursor.position + start))
      }
      // What was to change within all that goes, before anything of it does: edits may be as many as thoughts.
      list.dropInside(gone)
      for cut in cuts { Self.remove(cut.places, of: cut.of, &list) }
      Self.remove(emptied, of: turns, &list)
    } catch {
      // The same bytes were scanned before: where they are not, nothing is cut and the provider answers.
    }
    return found
  }

  /// The blocks of a turn, and which of them are unsigned thoughts of the model's.
  private static func blocks(
    _ cursor: inout JSONCursor, _ array: UnsafeRawBufferPointer, offset: Int
  ) throws(JSONTextError) -> (all: [MemberExtent], unsigned: [Int]) {
    var (all, unsigned): ([MemberExtent], [Int]) = ([], [])
    var isModels = false
    var turn = try cursor.enterObject()
    while let key = try cursor.nextMember(&turn) {
      let name = key.range.of(array)
      let kind = try cursor.peek()
      if name.equals("role"), kind == .string {
        isModels = try cursor.string().range.of(array).equals("assistant")
      } else if name.equals("content"), kind == .array {
        var walk = try cursor.enterArray()
        while try cursor.nextElement(&walk) {
          let isThought = try cursor.peek() == .object
          let start = cursor.position
          if isThought {
            if try isUnsignedThought(&cursor, array) { unsigned.append(all.count) }
          } else {
            try cursor.skipValue()
          }
          all.append(MemberExtent(element: start + offset, cursor.position + offset))
        }
      } else {
        try cursor.skipValue()
      }
    }
    return isModels ? (all, unsigned) : (all, [])
  }

  private static func isUnsignedThought(
    _ cursor: inout JSONCursor, _ array: UnsafeRawBufferPointer
  ) throws(JSONTextError) -> Bool {
    var (isThinking, isSigned) = (false, false)
    var block = try cursor.enterObject()
    while let key = try cursor.nextMember(&block) {
      let name = key.range.of(array)
      let kind = try cursor.peek()
      if name.equals("type"), kind == .string {
        isThinking = try cursor.string().range.of(array).equals("thinking")
      } else if name.equals("signature"), kind == .string {
        isSigned = !(try cursor.string().isEmpty)
      } else {
        try cursor.skipValue()
      }
    }
    return isThinking && !isSigned
  }
}

extension MemberExtent {
  /// An element of an array, which has no name.
  fileprivate init(element start: Int, _ end: Int) { self.init(nameStart: start, valueStart: start, valueEnd: end) }
}
