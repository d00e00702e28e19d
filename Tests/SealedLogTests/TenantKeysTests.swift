import Cryptography
import Foundation
import KeyProviders
import Tenancy
import Testing

@testable import SealedLog

@Test func keySetSurvivesStorageAndBelongsToItsTenant() throws {
  let provider = MemoryKeyProvider()
  let made = try TenantKeys.create(tenant: .first, provider: provider)
  let loaded = try TenantKeys.load(made.encoded, tenant: .first, provider: provider)
  #expect(loaded.pseudonymKey == made.pseudonymKey && loaded.pseudonymKey.count == 32)
  #expect(loaded.tagKey == made.tagKey && loaded.tagKey != loaded.pseudonymKey)
  #expect(loaded.managedRecipient == made.managedRecipient && loaded.encoded == made.encoded)
  #expect(try loaded.openManagedKey(provider: provider).recipient == made.managedRecipient)
  #expect(!made.encoded.contains(made.tagKey) && !made.encoded.contains(made.pseudonymKey))
  #expect(throws: SealedLogError.self) { try TenantKeys.load(made.encoded, tenant: .second, provider: provider) }
  for length in 0..<made.encoded.count where length % 7 == 0 {
    #expect(throws: SealedLogError.self) {
      try TenantKeys.load(Array(made.encoded[..<length]), tenant: .first, provider: provider)
    }
  }
}

@Test func aTenantIsCreatedOnce() throws {
  let fixture = try LogFixture()
  let folder = try TenantKeyFolder(folder: "\(fixture.root)/keysets", provider: fixture.provider)
  let made = try folder.create(.first)
  #expect(throws: SealedLogError.self) { try folder.create(.first) }
  #expect(try folder.load(.first).pseudonymKey == made.pseudonymKey)
  #expect(throws: SealedLogError.self) { try folder.load(.second) }
}

@Test func recipientsMustFitTheMode() throws {
  let keys = try TenantKeys.create(tenant: .first, provider: MemoryKeyProvider())
  let quantum = try (0..<2).map { _ in try RecipientPrivateKey.generate(.xWing).recipient }
  let classic = try RecipientPrivateKey.generate(.x25519).recipient
  let hardware = try RecipientPrivateKey.generate(.p256).recipient
  func refused(_ mode: ContentMode, _ recipients: [RecipientKey], accepting: Bool = false) -> Bool {
    do {
      _ = try keys.stream(mode: mode, durability: .buffered, recipients: recipients, acceptingLoss: accepting)
      return false
    } catch { return error.code == .invalidRecipients }
  }
  #expect(!refused(.managed, []) && !refused(.off, []))
  #expect(refused(.managed, quantum) && refused(.off, quantum))
  #expect(refused(.writeOnly, []) && refused(.writeOnly, [], accepting: true))
  #expect(refused(.writeOnly, [quantum[0]]) && !refused(.writeOnly, [quantum[0]], accepting: true))
  #expect(!refused(.writeOnly, quantum) && !refused(.writeOnly, [classic, hardware]))
  #expect(refused(.writeOnly, [quantum[0], classic]) && refused(.writeOnly, [quantum[0], quantum[0]]))
  for suite in RecipientKey.Suite.allCases {
    #expect(throws: SealedLogError.self) { try RecipientKey(suite, publicKey: [1, 2, 3]) }
  }
  #expect(throws: SealedLogError.self) { try RecipientKey(.p256, publicKey: [4] + bytes(64)) }
}

@Test func writeOnlyContentOpensForTheTenantAndNeverForTheGateway() throws {
  let fixture = try LogFixture()
  let keys = try fixture.keys(.first)
  let own = try RecipientPrivateKey.generate(.xWing)
  let deposit = try RecipientPrivateKey.generate(.xWing)
  let stream = try keys.stream(
    mode: .writeOnly, durability: .buffered, recipients: [own.recipient, deposit.recipient])
  let writer = try fixture.writer()
  #expect(
    writer.append(
      LogEntry(
        stream: stream, recordID: 1, subjects: [Subject(.tag, id: "a")], request: bytes(99),
        metadata: Array("{\"n\":1}".utf8), token: 1), loop: 0))
  #expect(fixture.confirmed.waits(for: 1))
  writer.stop()
  #expect(try fixture.reader().list(.first).map(\.json) == [Array("{\"n\":1}".utf8)])
  do {
    _ = try fixture.reader().open(1, tenant: .first)
    Issue.record("the gateway must not read it")
  } catch { #expect(error.code == .notReadable) }
  #expect(try fixture.verify().exitCode == 0)

  // what a tenant does with its exported sidecar: outer layer off, then its own key
  let path = try #require(fixture.segments(mode: .writeOnly).first)
  let file = try readFile(path)
  let scan = try SegmentScan(file)
  let sidecar = try Sidecar(try readFile(LogLayout.sidecar(of: path)))
  let segment = scan.header.fields.segment
  let outer = try AESGCMKey(
    try SegmentKeys.outer(try keys.openErasureKey(1, provider: fixture.provider), segment))
  for key in [own, deposit] {
    let id = try key.recipient.keyID()
    let stanza = try #require(scan.header.stanzas.first { $0.keyID == id })
    let secret = try key.open(
      stanza.ciphertext, encapsulation: stanza.encapsulation, info: try scan.header.stanzaInfo)
    #expect(try SegmentKeys.commitment(secret, segment) == scan.header.fields.commitment)
    let entry = try #require(sidecar.entries[SlotTable.firstSubjectSlot])
    let subjectKey = try SidecarCipher.openInner(
      try SidecarCipher.open(entry, header: sidecar.header, outer: outer), slot: entry.slot, header: sidecar.header,
      wrap: try AESGCMKey(try SegmentKeys.wrap(secret, segment)))
    let frame = try #require(scan.frames.first { $0.header.type == .request })
    let plain = try AESGCMKey(subjectKey).open(
      Array(file[frame.body]),
      nonce: Array(file[frame.offset + 44..<frame.offset + 48] + file[frame.offset + 8..<frame.offset + 16]),
      authenticating: Array(file[frame.offset..<frame.offset + 48]) + segment.bytes + TenantID.first.bytes
        + scan.header.fields.commitment)
    #expect(Array(plain[4..<103]) == bytes(99))
  }
}

@Test func aDestroyedErasureKeyErasesWhatOnlyItOpened() throws {
  let fixture = try LogFixture()
  let writer = try fixture.writer()
  #expect(writer.append(LogEntry(stream: try fixture.stream(), recordID: 1, request: bytes(9), token: 1), loop: 0))
  #expect(fixture.confirmed.waits(for: 1))
  var keys = try fixture.keys(.first)
  try keys.rotateErasureKey(provider: fixture.provider)
  fixture.replace(keys)
  #expect(keys.erasureVersion == 2)
  #expect(writer.append(LogEntry(stream: try fixture.stream(), recordID: 2, request: bytes(9), token: 2), loop: 0))
  #expect(fixture.confirmed.waits(for: 2))
  writer.stop()
  #expect(try fixture.reader().open(1, tenant: .first).request == bytes(9))
  try keys.dropErasureKeys(before: 2, provider: fixture.provider)
  fixture.replace(keys)
  do {
    _ = try fixture.reader().open(1, tenant: .first)
    Issue.record("it must be gone")
  } catch { #expect(error.code == .notReadable) }
  #expect(try fixture.reader().open(2, tenant: .first).request == bytes(9))
  #expect(try fixture.verify().exitCode == 6)
  #expect(try fixture.verify(withKeys: false).exitCode == 0)
  try TenantKeys.destroy(tenant: .first, provider: fixture.provider)
  #expect(throws: SealedLogError.self) { try fixture.reader().open(2, tenant: .first) }
}

@Test func tagsAreOnePerPersonWhateverTheUnicodeSpelling() throws {
  let key = try HMACKey(bytes(32))
  let composed = try SubjectTag.make(Subject(.tag, id: "M\u{FC}ller"), key: key)
  #expect(try SubjectTag.make(Subject(.tag, id: "Mu\u{308}ller"), key: key) == composed)
  #expect(try SubjectTag.make(Subject(.user, id: "M\u{FC}ller"), key: key) != composed)
  #expect(try SubjectTag.make(Subject(.tag, id: "Mueller"), key: key) != composed)
  let digest = try key.authenticate(Array("tag".utf8) + [0] + Array("M\u{FC}ller".utf8))
  var expected: [UInt8] = []
  expected.append(id: composed)
  #expect(Array(digest.bytes.prefix(16)) == expected)
}
