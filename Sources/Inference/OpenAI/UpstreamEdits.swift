public import JSONText

/// What of a body changes before it goes to one candidate; everything else travels as it came.
public struct UpstreamEdits: Sendable {
  /// The candidate's name of the model.
  public var model: String
  /// The token limit that the reservation assumed; nil leaves the client's.
  public var maxTokens: Int64?
  /// The member in which this provider takes it.
  public var maxTokensField: TokenLimitField
  /// Whether a stream is asked for its usage; false only where the record says that the provider cannot.
  public var includeUsage: Bool
  /// Stands for the person in `user` and `safety_identifier`: a keyed hash; nil removes both members.
  public var userHash: [UInt8]?
  /// Members that this provider refuses: taken out and named.
  public var deniedFields: [String]

  public init(
    model: String, maxTokens: Int64? = nil, maxTokensField: TokenLimitField = .maxCompletionTokens,
    includeUsage: Bool = true, userHash: [UInt8]? = nil, deniedFields: [String] = []
  ) {
    self.model = model
    self.maxTokens = maxTokens
    self.maxTokensField = maxTokensField
    self.includeUsage = includeUsage
    self.userHash = userHash
    self.deniedFields = deniedFields
  }
}

extension RequestScan {
  /// Adds the edits for one candidate to the list; they never overlap with those of ``segments``.
  /// - Parameters:
  ///   - body: The bytes of the last ``scan(_:route:)``; needed where fields are denied.
  ///   - list: Holds the edits of ``segments`` already; those inside of a member that goes are dropped with it.
  /// - Returns: What is not carried, for `x-torhaus-dropped`.
  public func addEdits(
    _ edits: UpstreamEdits, to list: inout EditList, body: UnsafeRawBufferPointer = .init(start: nil, count: 0)
  ) -> [String] {
    switch route {
    case .chat, .completions, .embeddings, .responses, .moderations, .rerank, .images, .speech:
      addOpenAIEdits(edits, to: &list, body: body)
    case .transcriptions, .translations: addFormEdits(edits, to: &list, body: body)
    case .messages, .countTokens: addMessagesEdits(edits, to: &list, body: body)
    }
  }

  private func addOpenAIEdits(_ edits: UpstreamEdits, to list: inout EditList, body: UnsafeRawBufferPointer) -> [String]
  {
    var (removed, dropped) = denied(edits.deniedFields, body)
    for place in removed { list.dropInside(members[place].nameStart, members[place].valueEnd) }
    // Few members are denied, mostly none: looking through them costs less than a set.
    let isDenied = removed

    if let model = extent(places.model) {
      list.replace(model.valueStart, model.valueEnd, quoted: edits.model)
    }
    if route == .chat || route == .completions, stream, edits.includeUsage,
      !edits.deniedFields.contains("stream_options")
    {
      askUsage(&list)
    }
    editLimit(edits, &list, &removed)
    for place in [places.user, places.safetyIdentifier] where !isDenied.contains(place) {
      guard let member = extent(place) else { continue }
      guard let hash = edits.userHash else {
        removed.append(place)
        continue
      }
      list.replace(member.valueStart, member.valueEnd, quoted: String(decoding: hash, as: UTF8.self))
    }
    if places.metadata >= 0, !isDenied.contains(places.metadata) {
      removed.append(places.metadata)
      if metadata != nil { dropped.append("metadata") }
    }
    if route == .responses {
      if !edits.deniedFields.contains("store") { forbidStore(&list, &dropped) }
    } else if features.contains(.store), !isDenied.contains(places.store), let store = extent(places.store) {
      list.replace(store.valueStart, store.valueEnd, with: "false")
      dropped.append("store")
    }
    remove(removed, &list)
    return dropped
  }

  /// Members of the body's object that the provider refuses; names with escapes are none of the API's.
  func denied(_ names: [String], _ body: UnsafeRawBufferPointer) -> (places: [Int], names: [String]) {
    guard !names.isEmpty else { return ([], []) }
    var found: (places: [Int], names: [String]) = ([], [])
    for (place, member) in members.enumerated() where place != places.model && member.valueStart <= body.count {
      let start = member.nameStart + 1
      for name in names where !found.names.contains(name) {
        let end = start + name.utf8.count
        guard end < member.valueStart, body[end] == 0x22, body[start..<end].elementsEqual(name.utf8) else { continue }
        found.places.append(place)
        found.names.append(name)
      }
    }
    return found
  }

  func extent(_ place: Int) -> MemberExtent? { members.indices.contains(place) ? members[place] : nil }

  /// Adds a member behind the last one; several stand in the order of their calls.
  private func insert(_ list: inout EditList, writing write: (ByteArena) -> Void) {
    list.replace(insertionPoint, insertionPoint, writing: write)
  }

  private func askUsage(_ list: inout EditList) {
    guard !includeUsage else { return }
    guard let options = extent(places.streamOptions) else {
      return insert(&list) { $0.append(",\"stream_options\":{\"include_usage\":true}") }
    }
    if let value = places.includeUsage {
      list.replace(value.start, value.end, with: "true")
    } else if places.streamOptionsIsObject {
      let inside = options.valueStart + 1
      list.replace(inside, inside) {
        $0.append("\"include_usage\":true")
        if !places.streamOptionsIsEmpty { $0.append(0x2C) }
      }
    } else {
      list.replace(options.valueStart, options.valueEnd, with: "{\"include_usage\":true}")
    }
  }

  /// Responses are stored where nobody says otherwise; whatever the record allows, nothing here could find them again.
  private func forbidStore(_ list: inout EditList, _ dropped: inout [String]) {
    guard let store = extent(places.store) else { return insert(&list) { $0.append(",\"store\":false") } }
    if !places.isStoreFalse { list.replace(store.valueStart, store.valueEnd, with: "false") }
    if features.contains(.store) { dropped.append("store") }
  }

  /// One member carries the limit, the one that the provider reads; the other goes.
  private func editLimit(_ edits: UpstreamEdits, _ list: inout EditList, _ removed: inout [Int]) {
    guard route.generates, maxTokens != nil || edits.maxTokens != nil else { return }
    let limit = min(maxTokens ?? .max, edits.maxTokens ?? .max)
    let (added, kept, other): (StaticString, Int, Int) =
      switch (route, edits.maxTokensField) {
      case (.responses, _): (",\"max_output_tokens\":", places.maxOutputTokens, -1)
      case (.completions, _), (_, .maxTokens): (",\"max_tokens\":", places.maxTokens, places.maxCompletionTokens)
      case (_, .maxCompletionTokens):
        (",\"max_completion_tokens\":", places.maxCompletionTokens, places.maxTokens)
      }
    if other >= 0, !removed.contains(other) { removed.append(other) }
    guard !removed.contains(kept) else { return }
    if let member = extent(kept) {
      if maxTokens != limit || maxTokensRange != ByteRange(member.valueStart, member.valueEnd) {
        list.replace(member.valueStart, member.valueEnd) { $0.append(number: limit) }
      }
    } else {
      insert(&list) {
        $0.append(added)
        $0.append(number: limit)
      }
    }
  }

  /// Cuts members of the body's object out.
  func remove(_ places: [Int], _ list: inout EditList) { Self.remove(places, of: members, &list) }

  /// Cuts members of one object out together with one comma each.
  /// - Parameter members: All of the object's, in their order.
  static func remove(_ places: [Int], of members: [MemberExtent], _ list: inout EditList) {
    guard !places.isEmpty else { return }
    let places = places.sorted()
    var index = 0
    while index < places.count {
      let first = places[index]
      var last = first
      while index + 1 < places.count, places[index + 1] == last + 1 {
        index += 1
        last = places[index]
      }
      index += 1
      if last + 1 < members.count {
        list.replace(members[first].nameStart, members[last + 1].nameStart, with: "")
      } else {
        let start = first > 0 ? members[first - 1].valueEnd : members[first].nameStart
        list.replace(start, members[last].valueEnd, with: "")
      }
    }
  }
}
