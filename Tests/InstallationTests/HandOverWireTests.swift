import Glibc
import Testing

@testable import Installation

/// The few words between two processes while one relieves the other: whoever hears nothing goes on alone.
struct HandOverWireTests {
  private func pair() throws -> (HandOverWire, HandOverWire) {
    var ends: [Int32] = [-1, -1]
    try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
    return (HandOverWire(descriptor: ends[0]), HandOverWire(descriptor: ends[1]))
  }

  @Test func wordsArriveInTheirOrder() throws {
    let (old, new) = try pair()
    #expect(new.say(.prepared) && old.hear(.prepared, milliseconds: 1000))
    #expect(old.say(.go) && new.hear(.go, milliseconds: 1000))
    #expect(new.say(.serving) && old.hear(.serving, milliseconds: 1000))
    old.close()
    new.close()
  }

  @Test func anotherWordIsNone() throws {
    let (old, new) = try pair()
    #expect(new.say(.serving) && !old.hear(.prepared, milliseconds: 1000))
    old.close()
    new.close()
  }

  @Test func theOthersEndIsHeardAtOnce() throws {
    let (old, new) = try pair()
    new.close()
    #expect(!old.hear(.prepared, milliseconds: .max))
    #expect(!old.say(.go))
    old.close()
  }

  @Test func silenceHasAnEnd() throws {
    let (old, new) = try pair()
    #expect(!old.hear(.prepared, milliseconds: 1))
    old.close()
    new.close()
  }

  // MARK: The two sides

  /// It had gone on alone, serves and has closed its end: ending it would end the service.
  @Test func whoServesAlreadyIsBelieved() throws {
    let (old, new) = try pair()
    Relief(wire: new, relieved: 1).tellServing()
    #expect(Successor.serves(old))
    old.close()
  }

  @Test func whoEndsWithoutAWordDoesNotServe() throws {
    let (old, new) = try pair()
    new.close()
    #expect(!Successor.serves(old))
    old.close()
  }

  @Test func theTurnComesWithTheWordOrWithTheOthersEnd() throws {
    for hasWord in [true, false] {
      let (old, new) = try pair()
      if hasWord { #expect(old.say(.go)) } else { old.close() }
      #expect(Relief(wire: new, relieved: 1).awaitTurn(milliseconds: .max))
      if hasWord { old.close() }
      new.close()
    }
  }

  /// The other one is there and may go on serving: two that serve would be one too many.
  @Test func theTurnDoesNotComeByWaiting() throws {
    let (old, new) = try pair()
    #expect(!Relief(wire: new, relieved: 1).awaitTurn(milliseconds: 1))
    old.close()
    new.close()
  }
}
