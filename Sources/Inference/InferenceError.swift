/// Why a request's body, or an upstream's answer, was not accepted.
package struct InferenceError: Error, Equatable {
  package let code: Refusal.Code
  /// The member at fault, as a JSON path (`messages[2].role`).
  package let param: String?
  /// The caller reads it: what is wrong and what to do; it quotes nothing of the body's content.
  package let message: String
  /// The operator reads it in the log.
  package let detail: String

  package init(_ code: Refusal.Code, param: String? = nil, message: String, detail: String = "") {
    self.code = code
    self.param = param
    self.message = message
    self.detail = detail
  }

  package var refusal: Refusal { Refusal(code, message: message, param: param) }
}
