private import FoundationEssentials
import Tenancy

/// The members of a JSON object that a caller sent, read strictly: unknown members and wrong types are refused by name.
struct BodyFields {
  private let members: [String: Member]

  /// - Parameter allowed: Every member there may be.
  init(_ body: [UInt8], allowed: Set<String>) throws(AdminError) {
    guard !body.isEmpty else {
      members = [:]
      return
    }
    do {
      members = try JSONDecoder().decode([String: Member].self, from: Data(body))
    } catch {
      throw .invalid("the body is not a JSON object")
    }
    if let unknown = members.keys.filter({ !allowed.contains($0) }).min() {
      let isPlain = unknown.utf8.count <= 64 && unknown.utf8.allSatisfy { (0x21...0x7E).contains($0) }
      throw .invalid(
        isPlain ? "'\(unknown)' is no member of this request" : "this request has a member that is not known",
        hint: "allowed here: \(allowed.sorted().joined(separator: ", "))")
    }
  }

  func contains(_ name: String) -> Bool { members[name] != nil }

  func text(_ name: String, length: ClosedRange<Int> = 1...200) throws(AdminError) -> String {
    guard let value = try optionalText(name, length: length) else {
      throw .invalid("'\(name)' is missing", param: name)
    }
    return value
  }

  /// Text without control characters, its length counted in characters; nil if absent or null.
  func optionalText(_ name: String, length: ClosedRange<Int> = 1...200) throws(AdminError) -> String? {
    switch members[name] {
    case nil, .null: return nil
    case .text(let value):
      guard value.utf8.count <= length.upperBound * 8, length.contains(value.count) else {
        throw .invalid("'\(name)' must have \(length.lowerBound) to \(length.upperBound) characters", param: name)
      }
      guard value.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
        throw .invalid("'\(name)' must not hold control characters", param: name)
      }
      return value
    default: throw .invalid("'\(name)' must be a text", param: name)
    }
  }

  func slug(_ name: String) throws(AdminError) -> Slug {
    guard let slug = Slug(try text(name)) else {
      throw .invalid(
        "'\(name)' must be 1 to 63 of a–z, 0–9 and -, and neither start nor end with -", param: name)
    }
    return slug
  }

  func identifier<Kind>(_ name: String, of _: Kind.Type = Kind.self) throws(AdminError) -> Identifier<Kind>? {
    guard let text = try optionalText(name) else { return nil }
    guard let value = Identifier<Kind>(text) else { throw .invalid("'\(name)' must be an id", param: name) }
    return value
  }

  func optionalInteger(_ name: String, range: ClosedRange<Int64>) throws(AdminError) -> Int64? {
    switch members[name] {
    case nil, .null: return nil
    case .integer(let value) where range.contains(value): return value
    default:
      throw .invalid(
        "'\(name)' must be a whole number from \(range.lowerBound) to \(range.upperBound)", param: name)
    }
  }

  /// A decimal as text (`"12.50"`) or a whole number, 0 and more.
  func optionalMoney(_ name: String) throws(AdminError) -> Money? {
    let written: String
    switch members[name] {
    case nil, .null: return nil
    case .text(let value): written = value
    case .integer(let value): written = String(value)
    default: written = ""
    }
    guard let money = Money(written), money.nanos >= 0 else {
      throw .invalid("'\(name)' must be a decimal text such as \"12.50\"", param: name)
    }
    return money
  }

  func optionalTime(_ name: String) throws(AdminError) -> Timestamp? {
    guard let text = try optionalText(name) else { return nil }
    guard let time = Timestamp(text) else {
      throw .invalid("'\(name)' must be a time such as 2026-12-31T23:00:00Z", param: name)
    }
    return time
  }
}

private enum Member: Decodable {
  case null
  case integer(Int64)
  case text(String)
  case other

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let text = try? container.decode(String.self) {
      self = .text(text)
    } else if let integer = try? container.decode(Int64.self) {
      self = .integer(integer)
    } else {
      self = .other
    }
  }
}
