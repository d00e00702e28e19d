import Routing
import Testing

/// A prompt goes to no model into which it surely does not fit.
struct ContextCheckTests {
  @Test(
    arguments: [
      (100, 100, nil, true), (99, 100, nil, false), (nil, 1_000_000, nil, true), (200, 1, 100, true),
      (100, 1, 100, false), (200, 201, 100, false), (nil, 1, 100, false),
    ] as [(Int64?, Int64, Int64?, Bool)])
  func onlyWhatIsKnownCounts(context: Int64?, least: Int64, refusedBy: Int64?, fits: Bool) {
    var check = ContextCheck(least: least, refusedBy: refusedBy)
    #expect(check.admits(context: context) == fits)
    #expect((check.refused == nil) == fits)
  }

  @Test func itIsRefusedOnlyWhereItFitsNowhere() {
    var check = ContextCheck(least: 150, refusedBy: nil)
    #expect(check.refused == nil)
    _ = check.admits(context: 100)
    _ = check.admits(context: 120)
    #expect(check.refused == 120, "the largest that did not suffice")
    _ = check.admits(context: 200)
    #expect(check.refused == nil)
  }
}
