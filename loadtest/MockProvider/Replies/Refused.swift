/// Why the real provider would not take a request.
struct Refused: Error, Equatable {
  var status = 400
  let message: String
  /// The place in the request, where the dialect's errors have one.
  var param: String?
  /// The dialect's code or type, where it is not the usual one of the status.
  var code: String?

  static func invalid(_ message: String, param: String? = nil, code: String? = nil) -> Refused {
    Refused(message: message, param: param, code: code)
  }
}
