/// Why a request's body, or an upstream's answer, was not accepted.
public struct InferenceError: Error, Equatable {
  public let code: Refusal.Code
  /// The member at fault, as a JSON path (`messages[2].role`).
  public let param: String?
  /// The caller reads it: what is wrong and what to do; it quotes nothing of the body's content.
  public let message: String
  /// The operator reads it in the log.
  public let detail: String

  public init(_ code: Refusal.Code, param: String? = nil, message: String, detail: String = "") {
    self.code = code
    self.param = param
    self.message = message
    self.detail = detail
  }

  public var refusal: Refusal { Refusal(code, message: message, param: param) }
}
