internal import JSONText

/// Requests in JSON that are no conversation. What is the same on all of these routes is read here, the rest beside each.
extension RequestScan {
  func scanFurther(_ cursor: inout JSONCursor) throws(JSONTextError) {
    var walk = try cursor.enterObject()
    var seen: UInt64 = 0
    var missing = required
    while let key = try cursor.nextMember(&walk) {
      let member = try find(Members.further, key, &seen, cursor, in: "")
      _ = try cursor.peek()
      let start = cursor.position
      if let member { missing.removeAll { $0 == member } }
      switch member {
      case .model:
        places.model = members.count
        try modelValue(&cursor)
      case .user:
        places.user = members.count
        user = try person("user", &cursor)
      case .safetyIdentifier:
        places.safetyIdentifier = members.count
        safetyIdentifier = try person("safety_identifier", &cursor)
      case .metadata:
        places.metadata = members.count
        try metadataValue(&cursor)
      case .serviceTier: try tier(&cursor)
      case .stream:
        guard try !boolean("stream", &cursor) else {
          throw refuse(
            .unsupportedParameter, "stream", "This route has no stream here. Leave 'stream' out.", at: cursor)
        }
      case let member?:
        if try !own(member, &cursor) { try unknown(key, &cursor) }
      case nil:
        if route == .images { try refuseImageMember(key, at: cursor) }
        try unknown(key, &cursor)
      }
      note(key, start, cursor)
    }
    if let first = missing.first {
      throw refuse(.missingRequiredParameter, first.rawValue, "'\(first.rawValue)' is missing.", at: cursor)
    }
  }

  /// - Returns: False for a member that the route does not have.
  private func own(_ member: FurtherMember, _ cursor: inout JSONCursor) throws(JSONTextError) -> Bool {
    switch route {
    case .rerank: try rerank(member, &cursor)
    case .images: try image(member, &cursor)
    case .speech: try speech(member, &cursor)
    default: try moderation(member, &cursor)
    }
  }

  private var required: [FurtherMember] {
    switch route {
    case .rerank: [.query, .documents, .model]
    case .images: [.prompt, .model]
    default: [.input, .model]
    }
  }
}
