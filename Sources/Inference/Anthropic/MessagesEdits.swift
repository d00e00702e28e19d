internal import JSONText

extension RequestScan {
  /// The edits of a body that goes to an Anthropic upstream: all else of it travels as it came.
  func addMessagesEdits(_ edits: UpstreamEdits, to list: inout EditList, body: UnsafeRawBufferPointer) -> [String] {
    var (removed, dropped) = denied(edits.deniedFields, body)
    for place in removed { list.dropInside(members[place].nameStart, members[place].valueEnd) }
    if let model = extent(places.model) {
      list.replace(model.valueStart, model.valueEnd, quoted: edits.model)
    }
    editAnthropicLimit(edits, &list, removed)
    if places.metadata >= 0, !removed.contains(places.metadata), let member = extent(places.metadata) {
      if places.metadataHasMore { dropped.append("metadata") }
      if let hash = edits.userHash, metadataUserID != nil {
        list.replace(
          member.valueStart, member.valueEnd, utf8: "{\"user_id\":\"\(String(decoding: hash, as: UTF8.self))\"}")
      } else {
        removed.append(places.metadata)
      }
    }
    remove(removed, &list)
    return dropped
  }

  /// The limit is a required member; it is written only where the reservation assumed less.
  private func editAnthropicLimit(_ edits: UpstreamEdits, _ list: inout EditList, _ removed: [Int]) {
    guard route.generates, let limit = edits.maxTokens, limit < maxTokens ?? .max, !removed.contains(places.maxTokens)
    else { return }
    if let member = extent(places.maxTokens) {
      list.replace(member.valueStart, member.valueEnd, utf8: String(limit))
    }
  }
}
