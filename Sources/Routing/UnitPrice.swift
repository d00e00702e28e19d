/// What a model costs by the piece, where its provider charges no tokens.
public struct UnitPrice: Hashable, Sendable {
  public enum Unit: String, Sendable, CaseIterable {
    /// A query of a reranker, as it bills them.
    case search
    /// A generated one, whatever its size.
    case image
    /// What is to be spoken.
    case character = "1m-characters"
    /// Of sound; the price is a minute's.
    case second = "minute"

    /// So many pieces stand behind one price.
    public var pieces: Int64 {
      switch self {
      case .search, .image: 1
      case .character: 1_000_000
      case .second: 60
      }
    }

    /// The routes that are charged so.
    public var routes: ModelCapabilities {
      switch self {
      case .search: .rerank
      case .image: .imageGeneration
      case .character: .speech
      case .second: [.transcription, .translation]
      }
    }

    /// As the register writes it.
    public var member: String { "per-\(rawValue)" }
  }

  public let unit: Unit
  /// 10⁻⁹ of the price's currency per ``Unit/pieces``.
  public let amount: Int64

  public init(_ unit: Unit, amount: Int64) {
    self.unit = unit
    self.amount = amount
  }

  /// What so many pieces cost, rounded up; nil if it does not fit or a number is negative: a refusal, never free.
  public func cost(_ count: Int64) -> Int64? {
    guard count >= 0, amount >= 0 else { return nil }
    let pieces = Int128(unit.pieces)
    return Int64(exactly: (Int128(count) * Int128(amount) + pieces - 1) / pieces)
  }
}

extension Price {
  /// What candidates are ranked by where the cheapest is wanted.
  public var rank: Int64 { Int64(clamping: Int128(input) + Int128(output) + Int128(unit?.amount ?? 0)) }
}

extension Model {
  /// Whether what it does can be charged for; what cannot be is never called.
  ///
  /// A price by the piece is for its routes alone. By tokens, an image needs a bound of them, because none is asked for
  /// with the request; of sound nobody counts them, and how long it is shows only when it was heard.
  public var isPriced: Bool { unpriced.isEmpty }

  /// The routes that its price does not cover.
  public var unpriced: ModelCapabilities {
    guard let unit = price.unit?.unit else {
      let byPiece: ModelCapabilities = [.speech, .transcription, .translation]
      return routes.intersection(maxOutput > 0 ? byPiece : byPiece.union(.imageGeneration))
    }
    guard !routes.isEmpty, routes.isSubset(of: unit.routes) else { return routes.union(unit.routes) }
    return unit == .second && maxSeconds == nil ? routes : []
  }
}
