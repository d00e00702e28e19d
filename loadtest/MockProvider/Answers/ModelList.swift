import NIOCore

/// The scripts as a list of models, in each vendor's shape.
enum ModelList {
  static func body(_ vendor: Vendor) -> ByteBuffer {
    var body = ByteBuffer()
    let opening: StaticString =
      switch vendor {
      case .gemini: "{\"models\":["
      case .anthropic: "{\"data\":["
      default: "{\"object\":\"list\",\"data\":["
      }
    body.writeStaticString(opening)
    for (index, name) in Script.names.enumerated() {
      if index > 0 { body.writeStaticString(",") }
      body.writeString(entry(name, vendor))
    }
    body.writeStaticString("]")
    if vendor == .anthropic {
      body.writeString(",\"has_more\":false,\"first_id\":\"\(Script.names.first ?? "")\"")
      body.writeString(",\"last_id\":\"\(Script.names.last ?? "")\"")
    }
    body.writeStaticString("}")
    return body
  }

  private static func entry(_ name: String, _ vendor: Vendor) -> String {
    switch vendor {
    case .gemini:
      "{\"name\":\"models/\(name)\",\"displayName\":\"\(name)\",\"supportedGenerationMethods\":[\"generateContent\"]}"
    case .anthropic:
      "{\"type\":\"model\",\"id\":\"\(name)\",\"display_name\":\"\(name)\",\"created_at\":\"2025-06-15T15:06:40Z\"}"
    default:
      "{\"id\":\"\(name)\",\"object\":\"model\",\"created\":\(AnswerIdentity.created),\"owned_by\":\"mock\"}"
    }
  }
}
