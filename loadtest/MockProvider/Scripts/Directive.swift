/// Settings at the start of the last user message: `[[mock script=NAME;key=value]]`.
///
/// A gateway maps model names and forwards no foreign headers, so behind one only the prompt reaches the mock as it is.
/// The settings are no part of the text that is echoed, but they count as prompt.
struct Directive {
  static let opening: StaticString = "[[mock "

  /// What stands between the opening and `]]`.
  let settings: String
  /// The message without the directive.
  let text: [UInt8]

  /// Nil if `message` does not begin with a whole directive.
  init?(_ message: [UInt8]) {
    let start = Self.opening.utf8CodeUnitCount
    guard message.count >= start + 2, message.withUnsafeBytes({ $0.equals(Self.opening, from: 0, to: start) }) else {
      return nil
    }
    let limit = min(message.count - 1, start + 1_024)
    guard let end = (start..<limit).first(where: { message[$0] == 0x5D && message[$0 + 1] == 0x5D }) else { return nil }
    settings = String(decoding: message[start..<end], as: UTF8.self)
    text = Array(message[(end + 2)...])
  }
}
