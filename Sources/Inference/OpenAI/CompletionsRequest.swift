internal import JSONText

/// `POST /v1/completions`, the legacy route (`api.md` section 6).
extension RequestScan {
  func scanCompletions(_ cursor: inout JSONCursor) throws(JSONTextError) {
    throw refuse(.notFound, nil, "There is no such route.", at: cursor)
  }
}
