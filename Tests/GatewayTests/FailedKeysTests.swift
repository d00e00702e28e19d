import Cryptography
import JSONText
import Tenancy
import Testing

@testable import Gateway

/// Who guesses keys is slowed down and named; who has a right one never notices.
struct FailedKeysTests {
  private static let home = NetworkAddress(ipv4: 0xC000_0201)

  private static func send(_ gate: TestGate, _ key: [UInt8]?, from address: NetworkAddress = home) -> RecordingClient {
    let exchange = gate.pipeline.takeExchange()
    let client = RecordingClient()
    exchange.client = client
    exchange.method = .get
    exchange.address = address
    if let key { exchange.credential.append(key) }
    var place: TenantPlace?
    _ = Array("/v1/models".utf8).withUnsafeBytes {
      gate.pipeline.begin(exchange, path: $0, credentialsDiffer: false, place: &place, isShared: false)
    }
    return client
  }

  /// A well-formed key that nobody has.
  private static func unknown(_ number: UInt8) throws -> [UInt8] {
    try KeyToken.generate(.apiKey) { (count) throws(CryptographyError) in [UInt8](repeating: number, count: count) }
      .text
  }

  @Test func beyondTwentyAMinuteFromOneSourceTheyAre429AndARightKeyPasses() throws {
    let gate = try TestGate()
    for number in 0..<20 { #expect(Self.send(gate, try Self.unknown(UInt8(100 + number))).status == 401) }
    let refused = Self.send(gate, try Self.unknown(1))
    #expect(refused.status == 429 && refused.errorCode == "rate_limit_exceeded" && refused.value("retry-after") == "3")
    #expect(refused.value("x-should-retry") == "false", "an SDK would ask twice more by itself")
    #expect(Self.send(gate, Array("th_malformed".utf8)).status == 429)
    #expect(Self.send(gate, gate.key).status == 200)
    #expect(Self.send(gate, try Self.unknown(1), from: NetworkAddress(ipv4: 0xC000_0202)).status == 401)
    #expect(
      gate.pipeline.services.failedKeys.reading
        == FailedKeys.Reading(failures: 23, refusedBySource: 2, refusedByID: 0))
    gate.clock.advance(milliseconds: 3_000)
    #expect(Self.send(gate, try Self.unknown(1)).status == 401)
    #expect(Self.send(gate, try Self.unknown(1)).status == 429)
  }

  /// The secret of one key is guessed from everywhere.
  @Test func beyondTwentyAMinuteWithOneIDTheyAre429AndTheKeyItselfPasses() throws {
    let gate = try TestGate()
    // The gate's own id with another secret.
    let key = try KeyToken.generate(.apiKey) { (count) throws(CryptographyError) in
      (0..<count).map { $0 < 16 ? UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) : 5 }
    }.text
    #expect(key[..<29] == gate.key[..<29])
    for source in 0..<20 as Range<UInt32> {
      #expect(Self.send(gate, key, from: NetworkAddress(ipv4: source)).status == 401)
    }
    #expect(Self.send(gate, key, from: NetworkAddress(ipv4: 99)).status == 429)
    #expect(Self.send(gate, gate.key, from: NetworkAddress(ipv4: 99)).status == 200)
    #expect(Self.send(gate, try Self.unknown(1), from: NetworkAddress(ipv4: 99)).status == 401)
    #expect(gate.pipeline.services.failedKeys.reading.refusedByID == 1)
  }

  /// Whoever sends two keys has sent a wrong one, but which?
  @Test func ofTwoKeysNoneIsBlamed() throws {
    let gate = try TestGate()
    for source in 0..<21 as Range<UInt32> {
      var call = gate.chat(Specimens.chat())
      call.differ = true
      let (exchange, client, _) = gate.begin(call, from: NetworkAddress(ipv4: source))
      #expect(client.status == 401 && exchange.ticket == 0)
    }
    #expect(gate.pipeline.services.failedKeys.reading == FailedKeys.Reading(failures: 21))
  }

  /// Health checks and newcomers come without a key: they guess nothing.
  @Test func whoBringsNoKeyIsNotCounted() throws {
    let gate = try TestGate()
    for _ in 0..<50 { #expect(Self.send(gate, nil).status == 401) }
    #expect(gate.pipeline.services.failedKeys.reading == FailedKeys.Reading())
  }

  @Test func aNetworkOfIPv6IsOneSource() throws {
    let gate = try TestGate()
    let network = try #require(NetworkAddress("2001:db8:1:2::")).value
    for host in 0..<20 as Range<UInt128> {
      #expect(Self.send(gate, [1], from: NetworkAddress(value: network | host)).status == 401)
    }
    #expect(Self.send(gate, [1], from: NetworkAddress(value: network | 1 << 63)).status == 429)
    #expect(Self.send(gate, [1], from: NetworkAddress(value: network | 1 << 64)).status == 401)
  }

  @Test func theReportNamesThoseWithTheMostAndIsTakenOnce() throws {
    let keys = FailedKeys(Limits())
    for _ in 0..<22 { _ = keys.failed(from: Self.home, id: nil, now: 0) }
    for _ in 0..<23 { _ = keys.failed(from: NetworkAddress(ipv4: 0xC000_0207), id: nil, now: 0) }
    for source in 0..<21 as Range<UInt32> { _ = keys.failed(from: NetworkAddress(ipv4: source), id: 0xAB, now: 0) }
    let text = "requests with keys that are not valid were refused as too many,"
    #expect(
      keys.takeReport().lines == [
        "3 \(text) from 192.0.2.7", "2 \(text) from 192.0.2.1",
        "1 \(text) with the id of key 000000000000000000000000000000ab",
      ])
    #expect(keys.takeReport().lines.isEmpty)
  }

  @Test func theReportIsBoundedAndDecoysHideNobody() {
    let keys = FailedKeys(Limits())
    func fail(_ source: UInt32, _ refusals: Int) {
      for _ in 0..<(20 + refusals) { _ = keys.failed(from: NetworkAddress(ipv4: source), id: nil, now: 0) }
    }
    for source in 0..<20 as Range<UInt32> { fail(source, 1) }
    fail(99, 5)
    for source in 20..<39 as Range<UInt32> { fail(source, 1) }
    let lines = keys.takeReport().lines
    #expect(lines.count == FailedKeys.Report.most + 1)
    #expect(lines.first?.hasPrefix("5 ") == true && lines.first?.hasSuffix(" from 0.0.0.99") == true)
    #expect(lines.last == "\(40 - FailedKeys.Report.most) more of other sources or with other ids")
  }
}
