import Gateway
import Testing

struct LimitsTests {
  /// Descriptors of the process and the connections that clients get.
  @Test(arguments: [(1 << 20, 10_000), (65_536, 10_000), (20_000, 5_128), (1_024, 240), (64, 16), (0, 16)])
  func noMoreConnectionsThanTheProcessCanServe(descriptors: Int, connections: Int) {
    var limits = Limits()
    limits.fit(descriptors: descriptors)
    #expect(limits.connections == connections)
    #expect(limits.upstreamConnections == connections)
  }

  /// Segments and connections together leave 512 for everything else, and twice as many for more segments.
  @Test(arguments: [(1 << 20, 16_384), (65_536, 16_000), (4_096, 640), (1_024, 16), (0, 16)])
  func noMoreSegmentsAreOpenThanAreLeftByTheConnections(descriptors: Int, segments: Int) {
    #expect(Limits.openSegments(descriptors: descriptors) == segments)
  }
}
