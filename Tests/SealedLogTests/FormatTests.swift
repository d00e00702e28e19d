import Cryptography
import KeyProviders
import Tenancy
import Testing

@testable import SealedLog

private func hex(_ bytes: some Sequence<UInt8>) -> String {
  bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
}

private let fields = SegmentHeader.Fields(
  mode: .managed, tenant: TenantID(0x0102_0304_0506_0708_090A_0B0C_0D0E_0F10),
  segment: SegmentID(0x1112_1314_1516_1718_191A_1B1C_1D1E_1F20), node: LogFixture.node,
  name: SegmentName(epoch: 0x0A0B, number: 0x0C), made: 1_800_000_000_000_000_000,
  commitment: [UInt8](repeating: 0xC0, count: 32), policySet: [UInt8](repeating: 0x50, count: 32), erasureVersion: 3,
  durability: .strict, bucketLog2: 8)

private func header(recipients: [RecipientKey]) throws -> SegmentHeader {
  let signer = try NodeSigner(node: LogFixture.node, now: 1_800_000_000, keys: MemoryKeyProvider())
  return try SegmentHeader(fields, secret: [UInt8](repeating: 9, count: 32), recipients: recipients, signer: signer)
}

@Test func headerStandsByteForByteAsDesigned() throws {
  let key = try RecipientPrivateKey.generate(.xWing)
  let bytes = try header(recipients: [key.recipient]).bytes
  #expect(bytes.count == 192 + 128 + 1188 + 64)
  let expected =
    "54484c4f4700010a" + "24060000" + "0100" + "01" + "01" + "0102030405060708090a0b0c0d0e0f10"
    + "1112131415161718191a1b1c1d1e1f20" + "11112222333344445555666677778888" + "0b0a0000" + "0c000000"
    + "0000b49376e2fa18" + String(repeating: "c0", count: 32) + String(repeating: "50", count: 32) + "03000000" + "01"
    + "08" + "0100" + String(repeating: "00", count: 40)
  #expect(hex(bytes[..<192]) == expected)
  #expect(hex(bytes[192..<208]) == "11112222333344445555666677778888")
  #expect(
    hex(bytes[320..<334]) == "0100" + "a004" + "7a64" + "0100" + "0200" + "00" + "00"
      + hex(try key.recipient.keyID().prefix(2)))
}

@Test(arguments: RecipientKey.Suite.allCases)
func stanzaOpensForItsHeaderOnly(suite: RecipientKey.Suite) throws {
  let key = try RecipientPrivateKey.generate(suite)
  let made = try header(recipients: [key.recipient])
  let read = try SegmentHeader(made.bytes[...])
  #expect(read == made)
  let stanza = try #require(read.stanzas.first)
  let secret = try key.open(stanza.ciphertext, encapsulation: stanza.encapsulation, info: try read.stanzaInfo)
  #expect(secret == [UInt8](repeating: 9, count: 32))
  #expect(throws: SealedLogError.notAuthentic("stanza")) {
    try key.open(stanza.ciphertext, encapsulation: stanza.encapsulation, info: try read.stanzaInfo + [0])
  }
  let other = try RecipientPrivateKey.generate(suite)
  #expect(throws: SealedLogError.notAuthentic("stanza")) {
    try other.open(stanza.ciphertext, encapsulation: stanza.encapsulation, info: try read.stanzaInfo)
  }
}

@Test func everyFlippedHeaderByteIsNoticed() throws {
  let made = try header(recipients: [])
  for index in made.bytes.indices {
    var bytes = made.bytes
    bytes[index] ^= 0x40
    #expect(throws: SealedLogError.self, "byte \(index)") { try SegmentHeader(bytes[...]) }
  }
  for length in made.bytes.indices {
    #expect(throws: SealedLogError.self) { try SegmentHeader(made.bytes[..<length]) }
  }
}

@Test func headerOutsideOfItsCertificatesTimeIsRefused() throws {
  var late = fields
  late.made = 1_800_090_001 * 1_000_000_000
  let signer = try NodeSigner(node: LogFixture.node, now: 1_800_000_000, keys: MemoryKeyProvider())
  let header = try SegmentHeader(late, secret: [UInt8](repeating: 9, count: 32), recipients: [], signer: signer)
  #expect(throws: SealedLogError.notAuthentic("header signature")) { try SegmentHeader(header.bytes[...]) }
}

/// CRC-32C bit by bit.
private func slowChecksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
  var crc: UInt32 = 0xFFFF_FFFF
  for byte in bytes {
    crc ^= UInt32(byte)
    for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0x82F6_3B78 : crc >> 1 }
  }
  return ~crc
}

@Test func frameStandsByteForByteAsDesigned() throws {
  let hasher = try MerkleHasher()
  let nonces = NoncePool { (count) throws(SealedLogError) in (0..<count).map { UInt8($0 & 0xFF) | 0xA0 } }
  let sealer = FrameSealer(fields, treeSize: 0, hasher: hasher, nonces: nonces)
  let secret = [UInt8](0..<32)
  var out: [UInt8] = []
  let payload = Array("Guten Tag".utf8)
  for _ in 0..<2 {
    try payload.withUnsafeBytes { bytes in
      try sealer.seal(
        .request, flags: FrameHeader.lastPart, part: 5, record: 0xF1F2, slot: 16, time: 0x0102_0304_0506_0708,
        payload: bytes, key: try AESGCMKey(secret), into: &out)
    }
  }
  #expect(out.count == 2 * (48 + 256 + 16 + 4))
  let frame = Array(out[324...])
  #expect(
    hex(frame[..<48]) == "44010000" + "01" + "01" + "0500" + "0100000000000000" + "0807060504030201"
      + "0000000000000000000000000000f1f2" + "10000000" + "a4a5a6a7")
  let nonce = Array(frame[44..<48] + frame[8..<16])
  let data = Array(frame[..<48]) + fields.segment.bytes + fields.tenant.bytes + fields.commitment
  let plain = try AESGCMKey(secret).open(Array(frame[48..<320]), nonce: nonce, authenticating: data)
  #expect(plain == [9, 0, 0, 0] + payload + [UInt8](repeating: 0, count: 256 - 13))
  var checksum: [UInt8] = []
  checksum.append(little: slowChecksum(frame[..<320]))
  #expect(Array(frame[320...]) == checksum)
  let inner = try SHA256Hasher().hash(Array(frame[48..<320]))
  let leaf = try SHA256Hasher().hash([0] + Array(frame[..<48]) + inner.bytes)
  #expect(sealer.range.hashes.count == 1 && sealer.range.end == 2)
  let first = try SHA256Hasher().hash(
    [0] + Array(out[..<48]) + (try SHA256Hasher().hash(Array(out[48..<320])).bytes))
  #expect(sealer.range.hashes.first == (try hasher.node(first, leaf)))
}

@Test(arguments: [(0, 256), (252, 256), (253, 512), (508, 512), (509, 768), (65_536, 65_792)])
func payloadsArePaddedToTheBucket(payload: Int, padded: Int) {
  #expect(FrameHeader.paddedBytes(payload: payload, bucketLog2: 8) == padded)
}

@Test func sidecarEntryIs120BytesAndBound() throws {
  let outer = try AESGCMKey([UInt8](repeating: 1, count: 32))
  let plain = [UInt8](repeating: 7, count: 60)
  let entry = try SidecarCipher.seal(
    plain, slot: 0x10, kind: .subject, count: 1, expires: 0x0201, tag: 0xEE, tenant: fields.tenant,
    segment: fields.segment, version: 3, outer: outer)
  let bytes = entry.bytes
  #expect(bytes.count == 120)
  #expect(hex(bytes[..<24]) == "10000000" + "01" + "01" + "0102" + "000000000000000000000000000000ee")
  #expect(hex(bytes[116...]) == "00000000")
  #expect(try SidecarEntry(bytes[...]) == entry)
  let header = SidecarHeader(tenant: fields.tenant, segment: fields.segment, version: 3)
  #expect(
    hex(header.bytes) == "54484b455900010a" + hex(fields.tenant.bytes) + hex(fields.segment.bytes) + "0300000000000000")
  #expect(try SidecarCipher.open(entry, header: header, outer: outer) == plain)
  let moved: [SidecarEntry] = [
    SidecarEntry(slot: 0x11, kind: .subject, count: 1, expires: 0x0201, tag: 0xEE, body: entry.body),
    SidecarEntry(slot: 0x10, kind: .map, count: 1, expires: 0x0201, tag: 0xEE, body: entry.body),
    SidecarEntry(slot: 0x10, kind: .subject, count: 1, expires: 0, tag: 0xEE, body: entry.body),
    SidecarEntry(slot: 0x10, kind: .subject, count: 1, expires: 0x0201, tag: 0xEF, body: entry.body),
  ]
  for entry in moved {
    #expect(throws: SealedLogError.notAuthentic("tag")) {
      try SidecarCipher.open(entry, header: header, outer: outer)
    }
  }
  #expect(throws: SealedLogError.notAuthentic("tag")) {
    try SidecarCipher.open(
      entry, header: SidecarHeader(tenant: fields.tenant, segment: fields.segment, version: 4), outer: outer)
  }
  for index in 0..<120 {
    var damaged = bytes
    damaged[index] ^= 1
    #expect(throws: SealedLogError.self, "byte \(index)") { try SidecarEntry(damaged[...]) }
  }
}

@Test func daysAreNamedInUTC() {
  #expect(UTCDay.text(nanoseconds: 0) == "1970-01-01")
  #expect(UTCDay.text(nanoseconds: 951_782_400_000_000_000) == "2000-02-29")
  #expect(UTCDay.text(nanoseconds: 1_798_761_599_999_999_999) == "2026-12-31")
  #expect(UTCDay.text(nanoseconds: 1_798_761_600_000_000_000) == "2027-01-01")
}
