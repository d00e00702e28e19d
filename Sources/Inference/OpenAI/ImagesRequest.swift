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

extension ClosedValues {
  fileprivate static let imageSize = ClosedValues(
    "auto", "256x256", "512x512", "1024x1024", "1536x1024", "1024x1536", "1792x1024", "1024x1792")
  fileprivate static let imageQuality = ClosedValues("auto", "low", "medium", "high", "standard", "hd")
  fileprivate static let imageStyle = ClosedValues("vivid", "natural")
  fileprivate static let imageBackground = ClosedValues("auto", "transparent", "opaque")
  fileprivate static let imageModeration = ClosedValues("auto", "low")
  fileprivate static let imageForm = ClosedValues("url", "b64_json")
}
