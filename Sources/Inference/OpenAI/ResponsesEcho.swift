internal import JSONText

extension RequestScan {
  /// What a Responses answer repeats of its request, for answers that we write (``AnswerOptions/echo``): whole members
  /// with a comma behind each, without line breaks. What the client left out reads as the default that would apply.
  /// - Parameter body: The bytes of the last ``scan(_:route:)``.
  public func responsesEcho(of body: UnsafeRawBufferPointer) -> [UInt8] {
    let out = ByteArena(capacity: 1024)
    for (member, usual) in Self.echoed {
      out.append(0x22)
      out.append(utf8: member.rawValue)
      out.append("\":")
      let said = value(of: member, in: body)
      if said.isEmpty || said.equals("null") { out.append(usual) } else { out.append(said) }
      out.append(0x2C)
    }
    // Nobody is named to those who may read an answer elsewhere, nothing is stored.
    out.append("\"previous_response_id\":null,\"safety_identifier\":null,\"store\":false,\"user\":null,")
    out.blankLineBreaks()
    return out.array
  }

  private static let echoed: [(ResponsesMember, StaticString)] = [
    (.background, "false"), (.instructions, "null"), (.maxOutputTokens, "null"), (.maxToolCalls, "null"),
    (.metadata, "{}"), (.parallelToolCalls, "true"), (.promptCacheKey, "null"),
    (.reasoning, "{\"effort\":null,\"summary\":null}"), (.serviceTier, "\"default\""), (.temperature, "1.0"),
    (.text, "{\"format\":{\"type\":\"text\"}}"), (.toolChoice, "\"auto\""), (.tools, "[]"), (.topLogprobs, "0"),
    (.topP, "1.0"), (.truncation, "\"disabled\""),
  ]

  /// The value as it stands in the body; empty where there is none. Names with escapes are none of the API's.
  private func value(of member: ResponsesMember, in body: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    let name = member.rawValue.utf8
    for extent in members {
      let end = extent.nameStart + 1 + name.count
      guard end < extent.valueStart, extent.valueEnd <= body.count, body[end] == 0x22,
        body[(extent.nameStart + 1)..<end].elementsEqual(name)
      else { continue }
      return ByteRange(extent.valueStart, extent.valueEnd).of(body)
    }
    return UnsafeRawBufferPointer(start: nil, count: 0)
  }
}

extension ByteArena {
  /// Between JSON tokens a line break is white space; inside of an event it would end it.
  fileprivate func blankLineBreaks() {
    for index in 0..<count {
      let byte = bytes[index]
      if byte == 0x0A || byte == 0x0D { base.storeBytes(of: 0x20, toByteOffset: index, as: UInt8.self) }
    }
  }
}
