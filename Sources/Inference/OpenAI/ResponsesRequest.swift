internal import JSONText

/// `POST /v1/responses` (`api.md` section 7).
extension RequestScan {
  func scanResponses(_ cursor: inout JSONCursor) throws(JSONTextError) {
    throw refuse(.notFound, nil, "There is no such route.", at: cursor)
  }

  func addResponsesEdits(_ edits: UpstreamEdits, to list: inout EditList, body: UnsafeRawBufferPointer) -> [String] {
    []
  }

  /// The members that the answer repeats (``AnswerOptions/echo``).
  package func responsesEcho(of body: UnsafeRawBufferPointer) -> [UInt8] { [] }
}
