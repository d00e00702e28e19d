import Inference
import Quotas
import Redaction
import Routing

/// Prices by the piece: the most that a request can come to, and what it did.
extension RequestPipeline {
  /// The worst case of the tokens and of what is charged beside them; nil if it does not fit.
  func addPieces(to money: Int64, _ exchange: Exchange, _ candidate: CallableModel) -> Int64? {
    guard let unit = candidate.price.unit else { return money }
    exchange.mostPieces = Self.most(unit.unit, exchange, candidate.model)
    guard let cost = unit.cost(exchange.mostPieces) else { return nil }
    let (sum, overflow) = money.addingReportingOverflow(cost)
    return overflow ? nil : sum
  }

  /// Adds what the pieces of this attempt cost: as the provider counts them, else as they are counted here.
  func price(_ actual: inout Actual, by unit: UnitPrice, _ usage: Usage?, _ exchange: Exchange) {
    var count = Self.own(unit.unit, exchange)
    let told = Self.told(unit.unit, usage)
    if let told, told / 10 <= exchange.mostPieces {
      count = told
    } else if let told, told / 10 <= Self.largest(unit.unit, exchange) {
      // Believed, and somebody should look at it.
      count = told
      actual.flags.insert(.suspect)
    } else if told == nil, actual.exit == .upstreamErrorWithUsage, usage?.isSuspect != true {
      // An error that tells of tokens alone has made nothing.
      count = 0
    } else {
      actual.flags.insert(told == nil ? .estimated : .suspect)
    }
    // A cost that fits no number is the whole reservation: never free.
    let (sum, overflow) = actual.money.addingReportingOverflow(unit.cost(count) ?? exchange.demand.money)
    actual.money = overflow ? .max : sum
  }

  private static let placeholderBytes = 27
  /// A search ranks so many documents, and a longer one counts as several, each with the query beside it (Cohere).
  private static let documentsPerSearch = 100
  private static let documentTokens = 500
  /// Of sound whose length nobody says: what speech takes where it is pressed hard, as in voice messages. Nearly all takes
  /// more, so its length is guessed too long rather than too short.
  private static func bytesPerSecond(_ file: SoundFile) -> Int {
    switch file {
    case .ogg, .webm: 1_500
    case .flac, .mp3, .mp4, .mpeg, .mpga, .m4a, .wav: 4_000
    }
  }

  /// What a provider may say that it was, though it is far more than was set aside: how long a sound is its own head says,
  /// which is the client's word, where the provider has heard it.
  private static func largest(_ unit: UnitPrice.Unit, _ exchange: Exchange) -> Int64 {
    unit == .second ? exchange.candidate?.model.maxSeconds ?? exchange.mostPieces : exchange.mostPieces
  }

  private static func most(_ unit: UnitPrice.Unit, _ exchange: Exchange, _ model: Model) -> Int64 {
    let scan = exchange.scan
    let growth = exchange.findings.total * placeholderBytes
    switch unit {
    case .search:
      // A token has at least one byte.
      let chunk = max(1, documentTokens - scan.queryBytes - growth)
      let chunks = scan.inputItems + (scan.textBytes + growth) / chunk
      return Int64(clamping: max(1, (chunks + documentsPerSearch - 1) / documentsPerSearch))
    case .image: return scan.n
    // A character has at least one byte.
    case .character: return Int64(clamping: scan.textBytes + growth)
    // How long sound is shows only when it was heard, unless it is plain samples.
    case .second: return max(1, min(scan.soundSeconds ?? .max, model.maxSeconds ?? .max))
    }
  }

  private static func own(_ unit: UnitPrice.Unit, _ exchange: Exchange) -> Int64 {
    switch unit {
    case .search:
      Int64(clamping: max(1, (exchange.scan.inputItems + documentsPerSearch - 1) / documentsPerSearch))
    case .image: images(exchange)
    case .character: Int64(clamping: exchange.scan.spokenCharacters)
    case .second:
      max(
        1,
        min(
          exchange.mostPieces,
          exchange.scan.soundSeconds ?? Int64(exchange.scan.soundBytes / bytesPerSecond(exchange.scan.soundFile))))
    }
  }

  /// Those that the answer holds, also where it holds more than were asked for; before it is there, and where it holds ten
  /// times as many, all that were asked for.
  static func images(_ exchange: Exchange) -> Int64 {
    let given = Int64(exchange.answeredPieces)
    return given > 0 && given / 10 <= exchange.scan.n ? given : exchange.scan.n
  }

  private static func told(_ unit: UnitPrice.Unit, _ usage: Usage?) -> Int64? {
    switch unit {
    case .search: usage?.searches
    case .image, .character: nil
    case .second: usage?.seconds
    }
  }
}
