/// Carries one request to the Admin API and its answer back.
protocol AdminTransport {
  /// - Throws: ``CommandFailure`` with `unreachable` when there is no answer.
  func send(_ request: TransportRequest) throws(CommandFailure) -> TransportResponse
}

struct TransportRequest: Equatable {
  var method: String
  /// Path and query.
  var target: String
  var body: [UInt8]?
}

struct TransportResponse: Equatable {
  var status: Int
  var requestID: String?
  var body: [UInt8]
}
