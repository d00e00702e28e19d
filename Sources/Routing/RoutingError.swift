/// A record, price or number of the register breaks its rule. Nothing was built from it.
package struct RoutingError: Error, Sendable, Equatable {
  package enum Code: String, Sendable {
    case invalidEndpoint = "invalid_endpoint"
    case invalidPrice = "invalid_price"
    case invalidDay = "invalid_date"
    case invalidCountry = "invalid_country"
    case overflow = "overflow"
    case duplicate = "duplicate_id"
    case unknownReference = "unknown_reference"
  }

  package let code: Code
  /// Whoever wrote the record reads it.
  package let message: String

  package init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }
}
