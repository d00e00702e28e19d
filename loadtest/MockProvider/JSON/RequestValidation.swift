import Foundation
import NIOCore

/// The careful reading of a request body, for the scripts that are not there to be fast.
///
/// A gateway that splices bytes can break a body; a provider would refuse that, so the mock does too.
enum RequestValidation {
  /// Whether `body` is one JSON object in UTF-8.
  static func isObject(_ body: ByteBuffer) -> Bool {
    let data = Data(body.readableBytesView)
    return (try? JSONSerialization.jsonObject(with: data)) is [String: Any]
  }
}
