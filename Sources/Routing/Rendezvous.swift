import Foundation

/// Puts candidates into an order by a key: the same key gives the same order, and a candidate that drops out moves only
/// the keys that were its own (highest random weight: Thaler, Ravishankar 1998; with weights: Schindelhauer, Schomaker
/// 2005).
public enum Rendezvous {
  /// A hash that is the same in each process and version (FNV-1a).
  public static func hash(_ bytes: some Sequence<UInt8>, seed: UInt64 = 0xcbf2_9ce4_8422_2325) -> UInt64 {
    var hash = seed
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return hash
  }

  /// - Parameters:
  ///   - candidates: Their own hashes, and weights of 1 or more.
  ///   - key: Of the conversation.
  /// - Returns: Places in `candidates`, best first.
  public static func order(_ candidates: [(hash: UInt64, weight: Int)], key: UInt64) -> [Int] {
    let scores = candidates.map { score($0.hash, $0.weight, key) }
    return scores.indices.sorted { left, right in
      scores[left] == scores[right] ? left < right : scores[left] > scores[right]
    }
  }

  private static func score(_ candidate: UInt64, _ weight: Int, _ key: UInt64) -> Double {
    // SplitMix64's finish spreads what FNV leaves close together.
    var mixed = candidate ^ key
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    mixed ^= mixed >> 31
    let unit = (Double(mixed >> 11) + 0.5) / Double(1 << 53 as UInt64)
    return -Double(max(1, weight)) / log(unit)
  }
}
