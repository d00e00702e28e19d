package import Batches
internal import Foundation
internal import GRDB
internal import Quotas
internal import Tenancy

/// Files and batches of one machine: one SQLite file, one connection. Every statement names the owner.
package final class SQLiteBatchStore: BatchStore {
  private let database: BatchDatabase

  package init(path: String) throws(BatchStoreError) { database = try BatchDatabase(path: path) }

  package func add(_ file: StoredFile) throws(BatchStoreError) {
    try database.write { db in
      try Self.refuseTaken(db, "file", file.owner, file.place, file.remote)
      let arguments: StatementArguments =
        Self.key(file.id, file.owner) + [file.created, file.bytes, file.lines] + Self.arguments(file.place)
        + [
          file.remote, file.inputTokens, file.outputTokens, file.longestInput, file.isPseudonymised ? 1 : 0,
          file.originals.map { Data($0) },
        ]
      try db.execute(
        sql: "INSERT INTO file VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", arguments: arguments)
    }
  }

  package func file(_ id: FileID, of owner: BatchOwner) throws(BatchStoreError) -> StoredFile? {
    try database.read { db in
      try Row.fetchOne(
        db, sql: "SELECT * FROM file WHERE id = ? AND tenant = ? AND project = ?", arguments: Self.key(id, owner)
      ).map { try Self.file($0) }
    }
  }

  package func files(of owner: BatchOwner, most: Int) throws(BatchStoreError) -> [StoredFile] {
    try database.read { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT id, tenant, project, created, bytes, lines, route, alias, provider, model, remote, input, output,
          longest, pseudonymised, NULL AS originals FROM file WHERE tenant = ? AND project = ?
          ORDER BY created DESC, id DESC LIMIT ?
          """, arguments: Self.arguments(owner) + [most]
      ).map { try Self.file($0) }
    }
  }

  package func countFiles(of owner: BatchOwner) throws(BatchStoreError) -> Int {
    try database.read { db in
      try Int.fetchOne(
        db, sql: "SELECT count(*) FROM file WHERE tenant = ? AND project = ?", arguments: Self.arguments(owner)) ?? 0
    }
  }

  package func remove(_ id: FileID, of owner: BatchOwner) throws(BatchStoreError) {
    try database.write { db in
      try db.execute(
        sql: "DELETE FROM file WHERE id = ? AND tenant = ? AND project = ?", arguments: Self.key(id, owner))
    }
  }

  package func save(_ batch: StoredBatch) throws(BatchStoreError) {
    try database.write { db in
      if let remote = batch.remote { try Self.refuseTaken(db, "batch", batch.owner, batch.place, remote) }
      let arguments: StatementArguments =
        Self.key(batch.id, batch.owner) + [batch.created, Data(batch.file.bytes)] + Self.arguments(batch.place)
        + [
          batch.isPseudonymised ? 1 : 0, Data(batch.booking.bytes), batch.rates.input, batch.rates.cached,
          batch.rates.output, batch.remote, batch.output?.id, batch.output?.isDeleted == true ? 1 : 0,
          batch.errors?.id, batch.errors?.isDeleted == true ? 1 : 0, batch.state, batch.answered, batch.isOver ? 1 : 0,
          batch.isBooked ? 1 : 0,
        ]
      try db.execute(
        sql: """
          INSERT INTO batch VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
          ON CONFLICT (id) DO UPDATE SET booking = excluded.booking, input_rate = excluded.input_rate,
          cached_rate = excluded.cached_rate, output_rate = excluded.output_rate, remote = excluded.remote,
          output = excluded.output, output_deleted = excluded.output_deleted, errors = excluded.errors,
          errors_deleted = excluded.errors_deleted, state = excluded.state, answered = excluded.answered,
          is_over = excluded.is_over, booked = excluded.booked
          WHERE tenant = excluded.tenant AND project = excluded.project
          """, arguments: arguments)
    }
  }

  package func batch(_ id: BatchID, of owner: BatchOwner) throws(BatchStoreError) -> StoredBatch? {
    try database.read { db in
      try Row.fetchOne(
        db, sql: "SELECT * FROM batch WHERE id = ? AND tenant = ? AND project = ?", arguments: Self.key(id, owner)
      ).map { try Self.batch($0) }
    }
  }

  package func batches(of owner: BatchOwner, most: Int) throws(BatchStoreError) -> [StoredBatch] {
    try database.read { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT * FROM batch WHERE tenant = ? AND project = ? AND remote IS NOT NULL
          ORDER BY created DESC, id DESC LIMIT ?
          """, arguments: Self.arguments(owner) + [most]
      ).map { try Self.batch($0) }
    }
  }

  package func sweep(originalsBefore: Int64, batchesBefore: Int64) throws(BatchStoreError) {
    try database.write { db in
      try db.execute(
        sql: "UPDATE file SET originals = NULL WHERE created < ? AND originals IS NOT NULL",
        arguments: [originalsBefore])
      try db.execute(sql: "DELETE FROM batch WHERE created < ?", arguments: [batchesBefore])
    }
  }

  private static func refuseTaken(
    _ db: Database, _ table: String, _ owner: BatchOwner, _ place: BatchPlace, _ remote: String
  ) throws {
    let found = try Row.fetchOne(
      db, sql: "SELECT 1 FROM \(table) WHERE provider = ? AND remote = ? AND NOT (tenant = ? AND project = ?)",
      arguments: [place.provider, remote] + arguments(owner))
    guard found == nil else { throw BatchStoreError.taken }
  }

  // MARK: Rows

  private static func arguments(_ owner: BatchOwner) -> StatementArguments {
    [Data(owner.tenant.bytes), Data(owner.project.bytes)]
  }

  private static func key<Kind>(_ id: Identifier<Kind>, _ owner: BatchOwner) -> StatementArguments {
    [Data(id.bytes), Data(owner.tenant.bytes), Data(owner.project.bytes)]
  }

  private static func arguments(_ place: BatchPlace) -> StatementArguments {
    [place.route, place.alias, place.provider, place.model]
  }

  private static func id<Kind>(_ row: Row, _ column: String) throws -> Identifier<Kind> {
    let bytes: Data = row[column]
    guard bytes.count == 16 else { throw BatchStoreError("an id of \(bytes.count) bytes") }
    return Identifier(bytes.reduce(0) { $0 << 8 | UInt128($1) })
  }

  private static func owner(_ row: Row) throws -> BatchOwner {
    BatchOwner(tenant: try id(row, "tenant"), project: try id(row, "project"))
  }

  private static func place(_ row: Row) -> BatchPlace {
    BatchPlace(route: row["route"], alias: row["alias"], provider: row["provider"], model: row["model"])
  }

  private static func file(_ row: Row) throws -> StoredFile {
    let originals: Data? = row["originals"]
    return StoredFile(
      id: try id(row, "id"), owner: try owner(row), created: row["created"], bytes: row["bytes"], lines: row["lines"],
      place: place(row), remote: row["remote"], inputTokens: row["input"], outputTokens: row["output"],
      longestInput: row["longest"], isPseudonymised: row["pseudonymised"] as Int64 == 1,
      originals: originals.map { Array($0) })
  }

  private static func batch(_ row: Row) throws -> StoredBatch {
    let bytes: Data = row["booking"]
    guard let booking = Booking(Array(bytes)) else { throw BatchStoreError("a booking that cannot be read") }
    var batch = StoredBatch(
      id: try id(row, "id"), owner: try owner(row), created: row["created"], file: try id(row, "file"),
      place: place(row), isPseudonymised: row["pseudonymised"] as Int64 == 1, booking: booking,
      rates: BatchRates(input: row["input_rate"], cached: row["cached_rate"], output: row["output_rate"]))
    batch.remote = row["remote"]
    batch.output = remote(row, "output")
    batch.errors = remote(row, "errors")
    batch.state = row["state"]
    batch.answered = row["answered"]
    batch.isOver = row["is_over"] as Int64 == 1
    batch.isBooked = row["booked"] as Int64 == 1
    return batch
  }

  private static func remote(_ row: Row, _ column: String) -> RemoteFile? {
    let id: String? = row[column]
    return id.map { RemoteFile(id: $0, isDeleted: row["\(column)_deleted"] as Int64 == 1) }
  }
}
