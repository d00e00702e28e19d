import Batches
import Foundation
import Quotas
import StorageSQLite
import Tenancy
import Testing

/// One suite, every store of files and batches.
struct BatchStoreTests {
  enum Store: String, CaseIterable, Sendable { case memory, sqlite }

  private static let owner = BatchOwner(tenant: TenantID(1), project: ProjectID(2))
  private static let others = [
    BatchOwner(tenant: TenantID(9), project: ProjectID(2)), BatchOwner(tenant: TenantID(1), project: ProjectID(9)),
  ]
  private static let place = BatchPlace(route: "chat", alias: "büro", provider: "eu", model: "m")
  private static let booking = Booking(
    attempt: .max, owner: UsageOwner(tenant: 1, project: 2, key: 3, user: 4), day: -1,
    shares: [Booking.Share(lease: .max, amount: 7)],
    totals: UsageTotals(requests: 1, inputTokens: 2, outputTokens: 3, money: 4))

  private func with(_ store: Store, _ body: (any BatchStore) throws -> Void) throws {
    switch store {
    case .memory: try body(MemoryBatchStore())
    case .sqlite:
      try Self.withFolder { folder in try body(try SQLiteBatchStore(path: "\(folder)/batches.sqlite")) }
    }
  }

  private static func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "batches-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
  }

  private static func file(
    _ id: UInt128, _ owner: BatchOwner = BatchStoreTests.owner, created: Int64 = 100, originals: [UInt8]? = [0, 255]
  ) -> StoredFile {
    StoredFile(
      id: FileID(id), owner: owner, created: created, bytes: 5, lines: 2, place: place, remote: "file-r",
      inputTokens: .max, outputTokens: 8, longestInput: 9, isPseudonymised: originals != nil, originals: originals)
  }

  private static func batch(
    _ id: UInt128, _ owner: BatchOwner = BatchStoreTests.owner, created: Int64 = 100, remote: String? = "batch_r"
  ) -> StoredBatch {
    var batch = StoredBatch(
      id: BatchID(id), owner: owner, created: created, file: FileID(1), place: place, isPseudonymised: true,
      booking: booking, rates: BatchRates(input: 1, cached: 2, output: 3))
    batch.remote = remote
    return batch
  }

  @Test(arguments: Store.allCases) func aFileComesBackAsItWas(store: Store) throws {
    try with(store) { store in
      for file in [Self.file(1), Self.file(.max, originals: nil), Self.file(3, originals: [])] {
        try store.add(file)
        #expect(try store.file(file.id, of: Self.owner) == file)
      }
      #expect(try store.file(FileID(7), of: Self.owner) == nil)
    }
  }

  @Test(arguments: Store.allCases) func whatIsAnothersDoesNotExist(store: Store) throws {
    try with(store) { store in
      try store.add(Self.file(1))
      try store.save(Self.batch(1))
      for other in Self.others {
        #expect(try store.file(FileID(1), of: other) == nil)
        #expect(try store.files(of: other, most: 9).isEmpty && store.countFiles(of: other) == 0)
        #expect(try store.batch(BatchID(1), of: other) == nil)
        #expect(try store.batches(of: other, most: 9).isEmpty)
        try store.remove(FileID(1), of: other)
      }
      #expect(try store.countFiles(of: Self.owner) == 1 && store.batches(of: Self.owner, most: 9).count == 1)
    }
  }

  @Test(arguments: Store.allCases) func whatAProviderCallsAlikeIsOneOwners(store: Store) throws {
    try with(store) { store in
      try store.add(Self.file(1))
      try store.save(Self.batch(1))
      try store.add(Self.file(2))
      for (number, other) in Self.others.enumerated() {
        let id = UInt128(10 + number)
        #expect(throws: BatchStoreError.taken) { try store.add(Self.file(id, other)) }
        try store.save(Self.batch(id, other, remote: nil))
        #expect(throws: BatchStoreError.taken) { try store.save(Self.batch(id, other)) }
        #expect(try store.batches(of: other, most: 9).isEmpty && store.countFiles(of: other) == 0)
      }
    }
  }

  @Test(arguments: Store.allCases) func listsHaveTheNewestFirstAndNoOriginals(store: Store) throws {
    try with(store) { store in
      for (id, created) in [(1, 100), (2, 300), (3, 200), (4, 300)] as [(UInt128, Int64)] {
        try store.add(Self.file(id, created: created))
        try store.save(Self.batch(id, created: created))
      }
      let files = try store.files(of: Self.owner, most: 3)
      #expect(files.map(\.id.value) == [4, 2, 3] && files.allSatisfy { $0.originals == nil && $0.isPseudonymised })
      #expect(try store.batches(of: Self.owner, most: 3).map(\.id.value) == [4, 2, 3])
    }
  }

  @Test(arguments: Store.allCases) func aRemovedFileIsGone(store: Store) throws {
    try with(store) { store in
      try store.add(Self.file(1))
      try store.remove(FileID(1), of: Self.owner)
      try store.remove(FileID(1), of: Self.owner)
      #expect(try store.file(FileID(1), of: Self.owner) == nil)
    }
  }

  @Test(arguments: Store.allCases) func aBatchIsKnownBeforeItsProviderHasTakenIt(store: Store) throws {
    try with(store) { store in
      var batch = Self.batch(1, remote: nil)
      try store.save(batch)
      #expect(try store.batches(of: Self.owner, most: 9).isEmpty)
      #expect(try store.batch(batch.id, of: Self.owner) == batch)
      batch.remote = "batch_r"
      batch.output = RemoteFile(id: "file-o", isDeleted: true)
      batch.errors = RemoteFile(id: "file-e")
      batch.state = ",\"status\":\"completed\""
      batch.answered = 7
      batch.isOver = true
      batch.isBooked = true
      try store.save(batch)
      #expect(try store.batch(batch.id, of: Self.owner) == batch)
      #expect(try store.batches(of: Self.owner, most: 9) == [batch])
    }
  }

  @Test(arguments: Store.allCases) func whatIsOldGoes(store: Store) throws {
    try with(store) { store in
      for (id, created) in [(1, 99), (2, 100)] as [(UInt128, Int64)] {
        try store.add(Self.file(id, created: created))
        try store.save(Self.batch(id, created: created))
      }
      try store.sweep(originalsBefore: 100, batchesBefore: 50)
      #expect(try store.file(FileID(1), of: Self.owner)?.originals == nil)
      #expect(try store.file(FileID(1), of: Self.owner)?.isPseudonymised == true)
      #expect(try store.file(FileID(2), of: Self.owner)?.originals != nil)
      #expect(try store.batches(of: Self.owner, most: 9).count == 2)
      try store.sweep(originalsBefore: 100, batchesBefore: 100)
      #expect(try store.batches(of: Self.owner, most: 9).map(\.id.value) == [2])
    }
  }

  @Test func aFileOfTheDatabaseIsOpenedAgain() throws {
    try Self.withFolder { folder in
      try SQLiteBatchStore(path: "\(folder)/batches.sqlite").add(Self.file(1))
      let again = try SQLiteBatchStore(path: "\(folder)/batches.sqlite")
      #expect(try again.file(FileID(1), of: Self.owner) == Self.file(1))
      try Data("no database".utf8).write(to: URL(filePath: "\(folder)/other.sqlite"))
      #expect(throws: BatchStoreError.self) { try SQLiteBatchStore(path: "\(folder)/other.sqlite") }
    }
  }

  @Test func aBookingComesBackFromItsBytesAndFromNoOthers() {
    let bytes = Self.booking.bytes
    #expect(Booking(bytes) == Self.booking)
    for count in 0..<bytes.count { #expect(Booking(Array(bytes.prefix(count))) == nil) }
    #expect(Booking(bytes + [0]) == nil)
  }
}
