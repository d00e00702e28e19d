import Gateway
import Testing

@testable import Upstream

@Suite("How a transfer ends, in the pipeline's words")
struct TransferEndTests {
  private func end(
    isWhole: Bool = false, isBegun: Bool = false, addressRefused: Bool = false, overflow: Bool = false,
    isUntouched: Bool = false
  ) -> UpstreamEnd {
    Transfer.end(
      isWhole: isWhole, isBegun: isBegun, addressRefused: addressRefused, overflow: overflow, isUntouched: isUntouched)
  }

  @Test func nothingWasSentWithoutAConnection() {
    #expect(end() == .notConnected)
    #expect(end(addressRefused: true) == .addressRefused)
  }

  /// libcurl goes on to the next address behind one that the outbound rules refuse.
  @Test func aRefusedAddressIsNoEndWhereAnotherOneWasTaken() {
    #expect(end(isWhole: true, isBegun: true, addressRefused: true) == .complete)
    #expect(end(isBegun: true, addressRefused: true) == .cut)
    #expect(end(isBegun: true, addressRefused: true, overflow: true) == .tooLarge)
  }

  @Test func whatHasLeftIsWholeCutOrCertainlyUnread() {
    #expect(end(isWhole: true, isBegun: true) == .complete)
    #expect(end(isBegun: true) == .cut)
    #expect(end(isBegun: true, isUntouched: true) == .refused)
    #expect(end(isWhole: true, isBegun: true, overflow: true) == .tooLarge)
  }
}
