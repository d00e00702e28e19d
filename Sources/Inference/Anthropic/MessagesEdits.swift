internal import JSONText

extension RequestScan {
  /// The edits of a body that goes to an Anthropic upstream: all else of it travels as it came.
  func addMessagesEdits(_ edits: UpstreamEdits, to list: inout EditList, body: UnsafeRawBufferPointer) -> [String] {
    var (removed, dropped) = denied(edits.deniedFields, body)
    for place in removed { list.dropInside(members[place].nameStart, members[place].valueEnd) }
    if let model = extent(places.model) {
      list.replace(model.valueStart, model.valueEnd, quoted: edits.model)
    }
    dropped += editAnthropicLimit(edits, &list, &removed, body)
    if places.metadata >= 0, !removed.contains(places.metadata), let member = extent(places.metadata) {
      if places.metadataHasMore { dropped.append("metadata") }
      if let hash = edits.userHash, metadataUserID != nil {
        list.replace(
          member.valueStart, member.valueEnd, utf8: "{\"user_id\":\"\(String(decoding: hash, as: UTF8.self))\"}")
      } else {
        removed.append(places.metadata)
      }
    }
    dropped += removeFromTools(edits.deniedFields, &list, removed, body)
    if hasUnsignedThoughts { dropped += removeUnsignedThoughts(&list, body) }
    remove(removed, &list)
    return dropped
  }

  /// Members of tools that are denied like those of the body: platforms lag behind with them.
  private static let deniableToolMembers = [
    "defer_loading", "input_examples", "allowed_callers", "eager_input_streaming", "strict",
  ]

  /// - Returns: The paths of what was removed.
  private func removeFromTools(
    _ denied: [String], _ list: inout EditList, _ removed: [Int], _ body: UnsafeRawBufferPointer
  ) -> [String] {
    let names = denied.filter { Self.deniableToolMembers.contains($0) }
    guard !names.isEmpty, features.contains(.tools), let place = place(of: "tools", body), !removed.contains(place)
    else { return [] }
    let start = members[place].valueStart
    let array = ByteRange(start, members[place].valueEnd).of(body)
    var found: [String] = []
    do throws(JSONTextError) {
      var cursor = try JSONCursor(array)
      var walk = try cursor.enterArray()
      while try cursor.nextElement(&walk) {
        var extents: [MemberExtent] = []
        var places: [Int] = []
        var tool = try cursor.enterObject()
        while let key = try cursor.nextMember(&tool) {
          _ = try cursor.peek()
          let valueStart = cursor.position
          try cursor.skipValue()
          let name = key.range.of(array)
          if let hit = names.first(where: { name.elementsEqual($0.utf8) }) {
            places.append(extents.count)
            let path = "tools[].\(hit)"
            if !found.contains(path) { found.append(path) }
          }
          extents.append(
            MemberExtent(
              nameStart: start + key.start - 1, valueStart: start + valueStart, valueEnd: start + cursor.position))
        }
        for place in places { list.dropInside(extents[place].nameStart, extents[place].valueEnd) }
        Self.remove(places, of: extents, &list)
      }
    } catch {
      // The same bytes were scanned before: where they are not, nothing is cut and the provider answers.
    }
    return found
  }

  /// The place of a member of the body's object; a name with escapes is none of the API's.
  func place(of name: StaticString, _ body: UnsafeRawBufferPointer) -> Int? {
    members.firstIndex { member in
      let end = member.nameStart + 1 + name.utf8CodeUnitCount
      return ByteRange(member.nameStart + 1, end).of(body).equals(name) && end < body.count && body[end] == 0x22
    }
  }

  /// The limit is a required member; it is written only where the reservation assumed less.
  /// - Returns: What else had to change with it.
  private func editAnthropicLimit(
    _ edits: UpstreamEdits, _ list: inout EditList, _ removed: inout [Int], _ body: UnsafeRawBufferPointer
  ) -> [String] {
    guard route.generates, let limit = edits.maxTokens, let asked = maxTokens, limit < asked,
      !removed.contains(places.maxTokens), let member = extent(places.maxTokens)
    else { return [] }
    list.replace(member.valueStart, member.valueEnd, utf8: String(limit))
    return lowerThinkingBudget(asked: asked, limit: limit, &list, &removed, body)
  }
}
