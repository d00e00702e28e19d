/// An ISO 3166-1 alpha-2 code.
public struct Country: Hashable, Sendable, Comparable, CustomStringConvertible {
  public let code: String

  public init(_ text: String) throws(RoutingError) {
    let bytes = Array(text.utf8)
    guard bytes.count == 2, bytes.allSatisfy({ (0x41...0x5A).contains($0) }) else {
      throw RoutingError(.invalidCountry, "'\(text)' is no country; write two capitals as ISO 3166 has them.")
    }
    guard !["EU", "UK"].contains(text) else {
      throw RoutingError(.invalidCountry, text == "UK" ? "Great Britain is GB." : "EU is a group, not a country.")
    }
    code = text
  }

  private init(known code: String) { self.code = code }

  public var description: String { code }
  public static func < (left: Country, right: Country) -> Bool { left.code < right.code }

  /// The 27 members of the European Union, 2020 on.
  public static let europeanUnion: Set<Country> = named(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK")
  /// The European Economic Area: the Union with Iceland, Liechtenstein and Norway.
  public static let economicArea: Set<Country> = europeanUnion.union(named("IS LI NO"))

  /// The countries that a word of a policy stands for: `EU`, `EEA`, `DACH` or one code.
  public static func expand(_ word: String) throws(RoutingError) -> Set<Country> {
    switch word {
    case "EU": europeanUnion
    case "EEA": economicArea
    case "DACH": named("AT CH DE LI")
    default: [try Country(word)]
    }
  }

  private static func named(_ codes: String) -> Set<Country> {
    Set(codes.split(separator: " ").map { Country(known: String($0)) })
  }
}
