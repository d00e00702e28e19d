internal import JSONText

/// Calls and results in chat messages, the older `function_call` among them.
extension ConversationReader {
  mutating func readChatCalls(at place: Place, _ calls: inout [Block]) throws(JSONTextError) {
    if try isNull() { return }
    var walk = try array(place.member("tool_calls"))
    var index = 0
    while try cursor.nextElement(&walk) {
      let here = place.at(.toolCalls, index)
      index += 1
      var call = Block(.call, at: here)
      var members = try object(here.path)
      var seen: UInt64 = 0
      while let key = try cursor.nextMember(&members) {
        switch try find(TranslationTables.piece, key, &seen, here) {
        case .id:
          let id = try optionalString(here.member("id"))
          identify(&call, by: id)
        case .type, .index: try cursor.skipValue()
        case .function: try readCalledFunction(&call, at: here.at(.function))
        case .custom: try readCalledFunction(&call, at: here.at(.custom))
        case .extraContent: try readExtraContent(&call, at: here.at(.extraContent))
        default: try drop(key, in: here)
        }
      }
      guard !call.id.isEmpty else {
        throw refuse(.missingRequiredParameter, here.member("id"), "'\(here.member("id"))' is missing.")
      }
      try check(call, nameAt: here)
      calls.append(call)
    }
  }

  private mutating func readCalledFunction(_ call: inout Block, at place: Place) throws(JSONTextError) {
    var walk = try object(place.path)
    var seen: UInt64 = 0
    while let key = try cursor.nextMember(&walk) {
      switch try find(TranslationTables.piece, key, &seen, place) {
      case .name: call.name = try string(place.member("name"))
      case .arguments: try readArguments(&call, place.member("arguments"))
      case .input:
        call.text = try optionalString(place.member("input"))
        call.form = .custom
      default: try drop(key, in: place)
      }
    }
  }

  /// Reads arguments: JSON in a string, as the dialects say, or the object itself, as some servers do.
  mutating func readArguments(_ call: inout Block, _ param: @autoclosure () -> String) throws(JSONTextError) {
    switch try cursor.peek() {
    case .null: _ = try cursor.literal()
    case .string: call.text = try cursor.string().range
    case .object:
      call.text = try extent()
      call.form = .object
    default: throw wrongType(param(), "a string that holds a JSON object")
    }
  }

  mutating func check(_ call: Block, nameAt place: Place) throws(JSONTextError) {
    guard call.name.isEmpty else { return }
    throw refuse(.missingRequiredParameter, place.path, "'\(place.path)' names no tool.")
  }

  mutating func readFunctionCall(at place: Place, _ calls: inout [Block]) throws(JSONTextError) {
    if try isNull() { return }
    let here = place.at(.functionCall)
    var call = Block(.call, at: here)
    try readCalledFunction(&call, at: here)
    try check(call, nameAt: here)
    number(&call)
    calls.append(call)
  }

  mutating func readChatResult(
    at place: Place, isFunction: Bool, _ walk: inout JSONWalk, _ seen: inout UInt64
  ) throws(JSONTextError) {
    open(.user, at: place)
    var result = Block(.result, at: place)
    if isFunction { result.madeID = madeIDs }
    let number = openResult(result)
    var name = ByteRange(0, 0)
    while let key = try cursor.nextMember(&walk) {
      switch try find(TranslationTables.piece, key, &seen, place) {
      case .role: try cursor.skipValue()
      case .content: try readChatContent(at: place, .user)
      case .toolCallID: identifyResult(number, by: try optionalString(place.member("tool_call_id")))
      case .name: name = try optionalString(place.member("name"))
      default: try drop(key, in: place)
      }
    }
    guard !talk.blocks[number].id.isEmpty || talk.blocks[number].madeID > 0 else {
      throw refuse(
        .missingRequiredParameter, place.member("tool_call_id"), "'\(place.member("tool_call_id"))' is missing.")
    }
    if !name.isEmpty { try settle(name, of: number, at: place) }
    try closeResult(number, param: place.member("tool_call_id"))
    close()
  }

  /// The name of a result's tool says nothing new where the call has it too.
  private mutating func settle(_ name: ByteRange, of number: Int, at place: Place) throws(JSONTextError) {
    if takes.wire == .gemini { return talk.blocks[number].name = name }
    if let called = nameOfCall(talk.blocks[number]), called.of(body).elementsEqual(name.of(body)) { return }
    dropped.add(place.member("name"))
  }
}
