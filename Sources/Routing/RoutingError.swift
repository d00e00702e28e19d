/// A record, price or number of the register breaks its rule. Nothing was built from it.
public struct RoutingError: Error, Sendable, Equatable {
  public enum Code: String, Sendable {
    case invalidEndpoint = "invalid_endpoint"
    case invalidPrice = "invalid_price"
    case invalidDay = "invalid_date"
    case invalidCountry = "invalid_country"
    case overflow = "overflow"
    case duplicate = "duplicate_id"
    case unknownReference = "unknown_reference"
  }

  public let code: Code
  /// Whoever wrote the record reads it.
  public let message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }
}
