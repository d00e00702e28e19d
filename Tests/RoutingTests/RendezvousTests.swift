import Routing
import Testing

/// A conversation stays with its account.
struct RendezvousTests {
  private static let names = ["eu/a", "eu/b", "us/c", "us/d"]
  private static let candidates = names.map { (hash: Rendezvous.hash($0.utf8), weight: 1) }

  @Test func theSameKeyGivesTheSameOrder() {
    for key in 0..<100 {
      let hash = Rendezvous.hash("conversation \(key)".utf8)
      #expect(Rendezvous.order(Self.candidates, key: hash) == Rendezvous.order(Self.candidates, key: hash))
      #expect(Set(Rendezvous.order(Self.candidates, key: hash)) == [0, 1, 2, 3])
    }
    #expect(Rendezvous.hash("a".utf8) == 0xaf63_dc4c_8601_ec8c, "FNV-1a's published value: the same in each process")
  }

  @Test func whoDropsOutMovesOnlyItsOwnKeys() {
    let fewer = Array(Self.candidates.dropLast())
    for key in 0..<2_000 {
      let hash = Rendezvous.hash("conversation \(key)".utf8)
      let before = Rendezvous.order(Self.candidates, key: hash)
      #expect(Rendezvous.order(fewer, key: hash) == before.filter { $0 != 3 })
    }
  }

  @Test func keysAreSharedOutByWeight() {
    let weighted = zip(Self.candidates, [1, 1, 2, 4]).map { (hash: $0.hash, weight: $1) }
    var counts = [0, 0, 0, 0]
    for key in 0..<8_000 { counts[Rendezvous.order(weighted, key: Rendezvous.hash("\(key)".utf8))[0]] += 1 }
    for (count, share) in zip(counts, [1_000, 1_000, 2_000, 4_000]) {
      #expect(abs(count - share) < share / 5, "\(counts)")
    }
  }

  @Test func nobodyAndOneAreOrdersToo() {
    #expect(Rendezvous.order([], key: 1).isEmpty)
    #expect(Rendezvous.order([(hash: 7, weight: 0)], key: 1) == [0])
  }
}
