import Gateway
import Testing

struct LimitsTests {
  /// Descriptors of the process and the connections that clients get.
  @Test(arguments: [(1 << 20, 10_000), (20_512, 10_000), (20_000, 9_744), (1_024, 256), (64, 16), (0, 16)])
  func noMoreConnectionsThanTheProcessCanServe(descriptors: Int, connections: Int) {
    var limits = Limits()
    limits.fit(descriptors: descriptors)
    #expect(limits.connections == connections)
    #expect(limits.upstreamConnections == connections)
  }
}
