internal import Foundation
internal import GRDB
internal import Quotas

extension UInt128 {
  /// 16 bytes, most significant first.
  var ledgerBlob: Data { withUnsafeBytes(of: bigEndian) { Data($0) } }

  init(ledgerBlob data: Data) throws {
    guard data.count == 16 else { throw QuotaError(.ledgerDamaged, "an id that is not 16 bytes long") }
    self = data.reduce(0) { $0 << 8 | UInt128($1) }
  }
}

extension BudgetRow {
  static let ledgerColumns = "limit_id, tenant, dimension, start, ends, amount, committed, leased, unreconciled"

  init(ledgerRow row: Row) throws {
    let number: Int64 = row["dimension"]
    guard let dimension = UInt8(exactly: number).flatMap(Dimension.init(rawValue:)) else {
      throw QuotaError(.ledgerDamaged, "a budget of dimension \(number)")
    }
    self.init(
      limit: UInt64(bitPattern: row["limit_id"] as Int64), tenant: try UInt128(ledgerBlob: row["tenant"]),
      dimension: dimension, window: BudgetWindow(start: row["start"], end: row["ends"]), amount: row["amount"],
      committed: row["committed"], leased: row["leased"], unreconciled: row["unreconciled"])
  }

  static func load(_ db: Database, limit: UInt64, start: Int64) throws -> BudgetRow? {
    let statement = try db.cachedStatement(
      sql: "SELECT \(ledgerColumns) FROM budget WHERE limit_id = ? AND start = ?")
    return try Row.fetchOne(statement, arguments: [Int64(bitPattern: limit), start]).map(BudgetRow.init(ledgerRow:))
  }

  static func latest(_ db: Database, limit: UInt64) throws -> BudgetRow? {
    let statement = try db.cachedStatement(
      sql: "SELECT \(ledgerColumns) FROM budget WHERE limit_id = ? ORDER BY start DESC LIMIT 1")
    return try Row.fetchOne(statement, arguments: [Int64(bitPattern: limit)]).map(BudgetRow.init(ledgerRow:))
  }

  func save(_ db: Database) throws {
    try db.cachedStatement(
      sql: """
        INSERT INTO budget (\(Self.ledgerColumns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (limit_id, start) DO UPDATE SET amount = excluded.amount, committed = excluded.committed,
        leased = excluded.leased, unreconciled = excluded.unreconciled
        """
    ).execute(
      arguments: [
        Int64(bitPattern: limit), tenant.ledgerBlob, Int64(dimension.rawValue), window.start, window.end, amount,
        committed, leased, unreconciled,
      ])
  }
}

extension LeaseRow {
  static let ledgerColumns = "id, limit_id, start, node, epoch, granted, settled, is_open"

  init(ledgerRow row: Row) throws {
    guard let id = UInt32(exactly: row["id"] as Int64), let epoch = UInt32(exactly: row["epoch"] as Int64) else {
      throw QuotaError(.ledgerDamaged, "a lease whose number does not fit")
    }
    self.init(
      id: id, limit: UInt64(bitPattern: row["limit_id"] as Int64), windowStart: row["start"],
      node: try UInt128(ledgerBlob: row["node"]), epoch: epoch, granted: row["granted"], settled: row["settled"],
      isOpen: row["is_open"] as Int64 == 1)
  }

  static func load(_ db: Database, id: UInt32) throws -> LeaseRow? {
    let statement = try db.cachedStatement(sql: "SELECT \(ledgerColumns) FROM lease WHERE id = ?")
    return try Row.fetchOne(statement, arguments: [Int64(id)]).map(LeaseRow.init(ledgerRow:))
  }

  /// The lease of a node's epoch on a budget, made if there is none.
  static func find(_ db: Database, limit: UInt64, start: Int64, node: UInt128, epoch: UInt32) throws -> LeaseRow {
    let arguments: StatementArguments = [Int64(bitPattern: limit), start, node.ledgerBlob, Int64(epoch)]
    try db.cachedStatement(
      sql: """
        INSERT INTO lease (limit_id, start, node, epoch, granted, settled, is_open) VALUES (?, ?, ?, ?, 0, 0, 1)
        ON CONFLICT DO NOTHING
        """
    ).execute(arguments: arguments)
    let statement = try db.cachedStatement(
      sql: "SELECT \(ledgerColumns) FROM lease WHERE limit_id = ? AND start = ? AND node = ? AND epoch = ?")
    guard let row = try Row.fetchOne(statement, arguments: arguments) else {
      throw QuotaError(.ledgerDamaged, "a lease that was written is not there")
    }
    return try LeaseRow(ledgerRow: row)
  }

  func save(_ db: Database) throws {
    try db.cachedStatement(sql: "UPDATE lease SET granted = ?, settled = ?, is_open = ? WHERE id = ?")
      .execute(arguments: [granted, settled, isOpen ? 1 : 0, Int64(id)])
  }
}

extension UsageRow {
  init(ledgerRow row: Row) throws {
    self.init(
      owner: UsageOwner(
        tenant: try UInt128(ledgerBlob: row["tenant"]), project: try UInt128(ledgerBlob: row["project"]),
        key: try UInt128(ledgerBlob: row["key"]), user: try UInt128(ledgerBlob: row["user"])),
      day: Int32(clamping: row["day"] as Int64),
      totals: UsageTotals(
        requests: row["requests"], inputTokens: row["input"], outputTokens: row["output"], money: row["money"]))
  }

  /// Adds to what is there.
  func add(_ db: Database) throws {
    try db.cachedStatement(
      sql: """
        INSERT INTO usage (tenant, day, project, key, user, requests, input, output, money)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (tenant, day, project, key, user) DO UPDATE SET requests = requests + excluded.requests,
        input = input + excluded.input, output = output + excluded.output, money = money + excluded.money
        """
    ).execute(
      arguments: [
        owner.tenant.ledgerBlob, Int64(day), owner.project.ledgerBlob, owner.key.ledgerBlob, owner.user.ledgerBlob,
        totals.requests, totals.inputTokens, totals.outputTokens, totals.money,
      ])
  }
}

extension UnreconciledAttempt {
  init(ledgerRow row: Row) throws {
    let tenant = try UInt128(ledgerBlob: row["tenant"])
    var owner: UsageOwner?
    if let project: Data = row["project"], let key: Data = row["key"], let user: Data = row["user"] {
      owner = UsageOwner(
        tenant: tenant, project: try UInt128(ledgerBlob: project), key: try UInt128(ledgerBlob: key),
        user: try UInt128(ledgerBlob: user))
    }
    self.init(
      attempt: try UInt128(ledgerBlob: row["attempt"]), owner: owner, tenant: tenant,
      day: Int32(clamping: row["day"] as Int64), inputTokens: row["input"], outputTokens: row["output"],
      money: row["money"])
  }

  func insert(_ db: Database) throws {
    try db.cachedStatement(sql: "INSERT INTO cut_attempt VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")
      .execute(
        arguments: [
          attempt.ledgerBlob, tenant.ledgerBlob, owner?.project.ledgerBlob, owner?.key.ledgerBlob,
          owner?.user.ledgerBlob, Int64(day), inputTokens, outputTokens, money,
        ])
  }
}
