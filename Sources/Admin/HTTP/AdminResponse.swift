private import FoundationEssentials

/// An answer of the Admin API.
package struct AdminResponse: Sendable, Equatable {
  package let status: Int
  package let contentType: String
  package let body: [UInt8]
  /// Further headers, names in lower case.
  package var headers: [String: String] = [:]

  package init(status: Int, contentType: String, body: [UInt8], headers: [String: String] = [:]) {
    self.status = status
    self.contentType = contentType
    self.body = body
    self.headers = headers
  }
}

extension AdminResponse {
  /// A value as JSON: members in snake_case and sorted, times in RFC 3339.
  static func json(_ value: some Encodable, status: Int = 200) throws(AdminError) -> AdminResponse {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    do {
      return AdminResponse(status: status, contentType: "application/json", body: Array(try encoder.encode(value)))
    } catch {
      throw AdminError(.internalFailure, "the answer could not be written", detail: "\(error)")
    }
  }

  /// A list: `{"data": […], "next": …}`; `next` is left out on the last page.
  static func list(_ data: [some Encodable], next: String? = nil) throws(AdminError) -> AdminResponse {
    try json(ListAnswer(data: data, next: next))
  }

  /// The request id travels in a header alone, so that two refusals for the same cause are equal byte by byte.
  static func refusal(_ error: AdminError) -> AdminResponse {
    let body = ErrorAnswer(
      error: .init(
        code: error.code.rawValue, message: error.message, hint: error.hint.isEmpty ? nil : error.hint,
        param: error.param))
    guard let answer = try? json(body, status: error.status) else {
      return AdminResponse(status: error.status, contentType: "application/json", body: Array("{}".utf8))
    }
    return answer
  }

  static func text(_ text: String, contentType: String, status: Int = 200) -> AdminResponse {
    AdminResponse(status: status, contentType: contentType, body: Array(text.utf8))
  }
}

private struct ListAnswer<Element: Encodable>: Encodable {
  let data: [Element]
  let next: String?
}

private struct ErrorAnswer: Encodable {
  struct Fields: Encodable {
    let code: String
    let message: String
    let hint: String?
    let param: String?
  }
  let error: Fields
}
