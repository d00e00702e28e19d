internal import JSONText

/// `POST /v1/images/generations`.
extension RequestScan {
  /// Images of one request.
  private static let mostImages: Int64 = 10

  /// - Returns: False for a member that this route does not have.
  func image(_ member: FurtherMember, _ cursor: inout JSONCursor) throws(JSONTextError) -> Bool {
    switch member {
    case .prompt:
      guard try cursor.peek() == .string else { throw wrongType("prompt", "a string", at: cursor) }
      addText(try cursor.string())
    case .n: n = try count("n", upTo: Self.mostImages, &cursor) ?? 1
    case .size: try structural(.imageSize, &cursor)
    case .quality: try structural(.imageQuality, &cursor)
    case .style: try structural(.imageStyle, &cursor)
    case .background: try structural(.imageBackground, &cursor)
    case .moderation: try structural(.imageModeration, &cursor)
    case .responseFormat: try structural(.imageForm, &cursor)
    case .outputFormat: try structural(.mediaFormat, &cursor)
    case .partialImages:
      // Each is charged, and without a stream nobody sees it.
      guard try count("partial_images", from: 0, upTo: 3, &cursor) ?? 0 == 0 else {
        throw refuse(
          .unsupportedParameter, "partial_images", "This route has no stream here. Leave 'partial_images' out.",
          at: cursor)
      }
    case .image, .images, .mask:
      throw refuse(
        .unsupportedParameter, member.rawValue, "Images are made of words alone here. Leave '\(member.rawValue)' out.",
        at: cursor)
    default: return false
    }
    return true
  }
}

extension RequestScan {
  /// Members that nobody here knows travel; but not those in which others take images (`image_url`,
  /// `reference_images`), which no rule has judged, or take a number of images beside `n` (`num_images`, `batch_size`),
  /// which nothing is set aside for.
  func refuseImageMember(_ key: JSONString, at cursor: JSONCursor) throws(JSONTextError) {
    let plain = ByteArena(capacity: 64)
    JSONEscape.unescape(key.range.of(body), to: plain)
    let name = plain.text
    let folded = name.lowercased()
    guard ["image", "img", "mask"].contains(where: { folded.contains($0) }) || Self.imageMembers.contains(folded) else {
      return
    }
    let isPlain = name.utf8.count <= 64 && name.utf8.allSatisfy { Self.isNameByte($0) }
    throw refuse(
      .unsupportedParameter, isPlain ? name : nil,
      "Images are made of words alone here, as many as 'n' says. Leave this member out.", at: cursor)
  }

  private static let imageMembers: Set<String> = [
    "file", "batch_size", "batch_count", "num_outputs", "num_results", "num_samples", "number_of_results", "samples",
  ]

  static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x5B, 0x5D: true
    default: false
    }
  }
}

extension ClosedValues {
  fileprivate static let imageSize = ClosedValues(
    "auto", "256x256", "512x512", "1024x1024", "1536x1024", "1024x1536", "1792x1024", "1024x1792")
  fileprivate static let imageQuality = ClosedValues("auto", "low", "medium", "high", "standard", "hd")
  fileprivate static let imageStyle = ClosedValues("vivid", "natural")
  fileprivate static let imageBackground = ClosedValues("auto", "transparent", "opaque")
  fileprivate static let imageModeration = ClosedValues("auto", "low")
  fileprivate static let imageForm = ClosedValues("url", "b64_json")
}
