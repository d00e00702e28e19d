internal import JSONText

/// `POST /v1/messages` and `/v1/messages/count_tokens` (`api.md` section 8).
extension RequestScan {
  func scanMessages(_ cursor: inout JSONCursor) throws(JSONTextError) {
    throw refuse(.notFound, nil, "There is no such route.", at: cursor)
  }

  func addMessagesEdits(_ edits: UpstreamEdits, to list: inout EditList, body: UnsafeRawBufferPointer) -> [String] {
    []
  }
}
