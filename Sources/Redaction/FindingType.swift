/// A class of values that the engine finds. Policies write ``name``; placeholders show ``label``.
public struct FindingType: Hashable, Sendable {
  let index: UInt8

  public static let email = FindingType(index: 0)
  public static let phone = FindingType(index: 1)
  public static let ip = FindingType(index: 2)
  public static let iban = FindingType(index: 3)
  public static let card = FindingType(index: 4)
  public static let chUID = FindingType(index: 5)
  public static let deVATID = FindingType(index: 6)
  public static let atUID = FindingType(index: 7)
  public static let ahv = FindingType(index: 8)
  public static let steuerID = FindingType(index: 9)
  public static let rvnr = FindingType(index: 10)
  public static let svnr = FindingType(index: 11)
  public static let kvnr = FindingType(index: 12)
  public static let apiKey = FindingType(index: 13)
  public static let privateKey = FindingType(index: 14)
  public static let jwt = FindingType(index: 15)
  public static let password = FindingType(index: 16)
  public static let urlCredentials = FindingType(index: 17)
  public static let highEntropy = FindingType(index: 18)
  /// Text that was typed to look like a placeholder; always pseudonymised, never named by a rule.
  public static let text = FindingType(index: 19)
  /// A match of a tenant's own pattern.
  public static let pattern = FindingType(index: 20)
  /// An entry of a tenant's own list.
  public static let list = FindingType(index: 21)

  static let count = 22

  /// Its place in a set of types. Folded at compile time, so that constants made of it need no look whether they are set.
  @inline(__always) var bit: UInt64 { 1 &<< UInt64(truncatingIfNeeded: index) }

  /// The name in policies, records and metrics.
  public var name: String { Self.rows[Int(index)].name }
  /// The name in placeholders: capitals, digits and `_`, at most 16 bytes.
  public var label: String { Self.rows[Int(index)].label }
  /// The one group it belongs to; nil for text, patterns and lists.
  public var group: FindingGroup? { Self.rows[Int(index)].group }

  /// The type that a policy may name so; nil for anything else.
  public static func named(_ name: String) -> FindingType? {
    all.first { $0.name == name && $0.group != nil }
  }

  /// The types behind a name in a policy, which is a type's or a group's.
  public static func expand(_ name: String) -> [FindingType]? {
    if let type = named(name) { return [type] }
    return FindingGroup(rawValue: name)?.types
  }

  public static var all: [FindingType] { (0..<count).map { FindingType(index: UInt8($0)) } }

  private struct Row {
    let name: String
    let label: String
    let group: FindingGroup?
    init(_ name: String, _ label: String, _ group: FindingGroup?) {
      self.name = name
      self.label = label
      self.group = group
    }
  }

  private static let rows: [Row] = [
    Row("email", "EMAIL", .contact), Row("phone", "PHONE", .contact), Row("ip", "IP", .network),
    Row("iban", "IBAN", .finance), Row("card", "CARD", .finance), Row("ch-uid", "CH_UID", .finance),
    Row("de-vat-id", "DE_VAT_ID", .finance), Row("at-uid", "AT_UID", .finance), Row("ahv", "AHV", .nationalIDs),
    Row("steuer-id", "STEUER_ID", .nationalIDs), Row("rvnr", "RVNR", .nationalIDs), Row("svnr", "SVNR", .nationalIDs),
    Row("kvnr", "KVNR", .health), Row("api-key", "API_KEY", .secrets), Row("private-key", "PRIVATE_KEY", .secrets),
    Row("jwt", "JWT", .secrets), Row("password", "PASSWORD", .secrets),
    Row("url-credentials", "URL_CREDENTIALS", .secrets), Row("high-entropy", "HIGH_ENTROPY", .secrets),
    Row("text", "TEXT", nil), Row("pattern", "PATTERN", nil), Row("list", "LIST", nil),
  ]
}

/// Types that rules name together; the groups are disjoint.
public enum FindingGroup: String, Sendable, CaseIterable {
  case contact
  case nationalIDs = "national-ids"
  case finance, health, network, secrets

  public var types: [FindingType] { FindingType.all.filter { $0.group == self } }
}
