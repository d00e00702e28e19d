import Foundation
import Tenancy
import Testing

@testable import SealedLog

@Test func oneErasedPersonTakesTheirRecordsAndNobodyElses() throws {
  let fixture = try LogFixture()
  let writer = try fixture.writer()
  let anna = Subject(.tag, id: "anna")
  let bert = Subject(.tag, id: "bert")
  let about: [[Subject]] = [[anna], [bert], [anna, bert], []]
  func append(_ first: Int) throws {
    for (index, subjects) in about.enumerated() {
      let entry = LogEntry(
        stream: try fixture.stream(), recordID: UInt128(first + index), subjects: subjects, request: bytes(40),
        metadata: Array("{}".utf8), token: UInt64(first + index))
      #expect(writer.append(entry, loop: 0))
    }
    #expect(writer.drain())
  }
  try append(1)
  let backup = try fixture.copy("backup")
  var keys = try fixture.keys(.first)
  try keys.rotateErasureKey(provider: fixture.provider)
  fixture.replace(keys)
  let erasure = SubjectErasure(folder: fixture.log, provider: fixture.provider)
  #expect(try erasure.run([anna], keys: keys) == ErasureReceipt(dropped: 0, rewritten: 0, open: 1))
  writer.roll(.first)
  try append(5)  // begins the next segment, under the new erasure key
  #expect(holds { fixture.segments().count == 2 })
  let receipt = try erasure.run([anna], keys: keys)
  #expect(receipt == ErasureReceipt(dropped: 1, rewritten: 1, open: 1))
  #expect(try erasure.run([anna], keys: keys) == ErasureReceipt(dropped: 0, rewritten: 0, open: 1), "repeatable")
  writer.stop()
  #expect(try erasure.run([anna], keys: keys).dropped == 1)
  try keys.dropErasureKeys(before: 2, provider: fixture.provider)
  fixture.replace(keys)

  func opens(_ folder: String, _ number: Int) -> Bool {
    (try? fixture.reader(folder).open(UInt128(number), tenant: .first))?.request == bytes(40)
  }
  #expect((1...8).map { opens(fixture.log, $0) } == [false, true, false, true, false, true, false, true])
  #expect((1...4).allSatisfy { !opens(backup, $0) }, "the backup's sidecars died with their erasure key")
  let result = try fixture.verify()
  #expect(result.exitCode == 6 && result.erasedEntries == 4)
  #expect(try fixture.reader().list(.first).count == 8, "metadata stays")
}

@Test func aSidecarThatCannotBeReadIsNotPassedOver() throws {
  let fixture = try LogFixture()
  let writer = try fixture.writer()
  let stream = try fixture.stream()
  #expect(writer.append(LogEntry(stream: stream, recordID: 1, request: bytes(40), token: 1), loop: 0))
  #expect(writer.drain())
  writer.stop()
  let segment = try #require(fixture.segments().first)
  try writeFile(LogLayout.sidecar(of: segment), [1, 2, 3])
  var keys = try fixture.keys(.first)
  try keys.rotateErasureKey(provider: fixture.provider)
  let erasure = SubjectErasure(folder: fixture.log, provider: fixture.provider)
  #expect(throws: SealedLogError.self) { try erasure.run([], keys: keys) }
}
