internal import GRDB
internal import GRDBSQLite

/// A prepared statement that is bound without copies and run once per record; GRDB's own arguments are boxed, copied and
/// checked each time, which costs more than the insert. Returns no rows.
struct BareStatement {
  private let statement: Statement

  init(_ database: Database, _ sql: String) throws { statement = try database.cachedStatement(sql: sql) }

  func bind(_ values: Int64..., from first: Int32 = 1) {
    for (index, value) in values.enumerated() {
      sqlite3_bind_int64(statement.sqliteStatement, first + Int32(truncatingIfNeeded: index), value)
    }
  }

  /// - Parameter bytes: Must stay where they are until ``run()`` has returned.
  func bind(_ bytes: UnsafeRawBufferPointer, at index: Int32) {
    guard !bytes.isEmpty else {  // no address would be NULL
      sqlite3_bind_zeroblob(statement.sqliteStatement, index, 0)
      return
    }
    sqlite3_bind_blob64(statement.sqliteStatement, index, bytes.baseAddress, UInt64(bytes.count), nil)
  }

  /// Forgets what was bound, too.
  func run() throws {
    let raw = statement.sqliteStatement
    let code = sqlite3_step(raw)
    sqlite3_reset(raw)
    sqlite3_clear_bindings(raw)
    guard code == SQLITE_DONE else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
  }
}
