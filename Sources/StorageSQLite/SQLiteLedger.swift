internal import Foundation
internal import GRDB
package import Quotas

/// The ledger of one machine: one SQLite file, one connection, each call one durable transaction.
///
/// The arithmetic is ``LedgerArithmetic``; this only finds, keeps and remembers.
package final class SQLiteLedger: Ledger {
  /// Answers kept for repeated operations; a node never has more than one batch under way.
  private static let keptAnswers: Int64 = 100_000
  private let database: LedgerDatabase

  /// - Throws: ``QuotaError`` `ledger_damaged` for a file that cannot be trusted, `ledger_unavailable` for one that
  ///   cannot be opened.
  package init(path: String) throws(QuotaError) { database = try LedgerDatabase(path: path) }

  package func open(node: UInt128, epoch: UInt32) throws(QuotaError) -> LedgerOpening {
    try database.write { db in
      let name = node.ledgerBlob
      let known = try Row.fetchOne(db, sql: "SELECT epoch, recovered FROM node WHERE id = ?", arguments: [name])
      let knownEpoch: Int64 = known?["epoch"] ?? 0
      let recovered: Int64 = known?["recovered"] ?? 0
      guard Int64(epoch) > knownEpoch else { throw QuotaError(.fenced) }
      try db.execute(
        sql: "INSERT INTO node VALUES (?, ?, 0) ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch",
        arguments: [name, Int64(epoch)])
      try db.execute(sql: "DELETE FROM answered WHERE node = ? AND epoch < ?", arguments: [name, Int64(epoch)])
      var opening = LedgerOpening(
        recoveredEpoch: UInt32(clamping: recovered),
        lastTime: try Int64.fetchOne(db, sql: "SELECT last_time FROM state") ?? 0)
      let open = try Row.fetchAll(
        db, sql: "SELECT \(LeaseRow.ledgerColumns) FROM lease WHERE node = ? AND is_open = 1 ORDER BY id",
        arguments: [name])
      for row in open {
        let lease = try LeaseRow(ledgerRow: row)
        opening.leases.append(lease)
        opening.tenants[lease.id] = try BudgetRow.load(db, limit: lease.limit, start: lease.windowStart)?.tenant
      }
      let marks = try Row.fetchAll(
        db, sql: "SELECT epoch, tenant, through FROM usage_mark WHERE node = ? AND epoch > ?",
        arguments: [name, recovered])
      for row in marks {
        let mark = LedgerOpening.Mark(
          tenant: try UInt128(ledgerBlob: row["tenant"]), epoch: UInt32(clamping: row["epoch"] as Int64))
        opening.marks[mark] = UInt64(bitPattern: row["through"] as Int64)
      }
      return opening
    }
  }

  package func apply(
    _ operations: [LedgerOperation], node: UInt128, epoch: UInt32, now: Int64
  ) throws(QuotaError) -> [LedgerAnswer] {
    try database.write { db in
      let name = node.ledgerBlob
      let current = try db.cachedStatement(sql: "SELECT epoch FROM node WHERE id = ?")
      guard try Int64.fetchOne(current, arguments: [name]) == Int64(epoch) else {
        return operations.map { _ in LedgerAnswer(.fenced) }
      }
      try db.cachedStatement(sql: "UPDATE state SET last_time = max(last_time, ?)").execute(arguments: [now])
      let session = LedgerSession(db: db, node: node, epoch: epoch)
      let answers = try operations.map(session.perform)
      if let last = operations.last?.sequence, let oldest = Int64(exactly: last).map({ $0 - Self.keptAnswers }) {
        try db.cachedStatement(sql: "DELETE FROM answered WHERE node = ? AND epoch = ? AND sequence < ?")
          .execute(arguments: [name, Int64(epoch), oldest])
      }
      return answers
    }
  }

  package func totals(limits: [UInt64]) throws(QuotaError) -> [BudgetRow] {
    try database.read { db in try limits.compactMap { try BudgetRow.latest(db, limit: $0) } }
  }

  package func usage(tenant: UInt128, from: Int32, to: Int32) throws(QuotaError) -> [UsageRow] {
    try database.read { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT * FROM usage WHERE tenant = ? AND day BETWEEN ? AND ? ORDER BY day, project, key, user
          """, arguments: [tenant.ledgerBlob, Int64(from), Int64(to)]
      ).map(UsageRow.init(ledgerRow:))
    }
  }

  package func unreconciled(tenant: UInt128?) throws(QuotaError) -> [UnreconciledAttempt] {
    try database.read { db in
      let rows =
        if let tenant {
          try Row.fetchAll(
            db, sql: "SELECT * FROM cut_attempt WHERE tenant = ? ORDER BY attempt", arguments: [tenant.ledgerBlob])
        } else {
          try Row.fetchAll(db, sql: "SELECT * FROM cut_attempt ORDER BY attempt")
        }
      return try rows.map(UnreconciledAttempt.init(ledgerRow:))
    }
  }

  /// Forgets budgets whose window ended before a time, with their closed leases; usage rows, open leases and what is
  /// unreconciled stay.
  package func prune(endedBefore time: Int64) throws(QuotaError) {
    try database.write { db in
      try db.execute(
        sql: """
          DELETE FROM lease WHERE is_open = 0 AND EXISTS (SELECT 1 FROM budget
          WHERE budget.limit_id = lease.limit_id AND budget.start = lease.start AND budget.ends < ?)
          """, arguments: [time])
      try db.execute(
        sql: """
          DELETE FROM budget WHERE ends < ? AND unreconciled = 0 AND NOT EXISTS (SELECT 1 FROM lease
          WHERE lease.limit_id = budget.limit_id AND lease.start = budget.start)
          """, arguments: [time])
    }
  }

  /// All rows, for `doctor` and tests of invariants.
  package func rows() throws(QuotaError) -> (budgets: [BudgetRow], leases: [LeaseRow]) {
    try database.read { db in
      (
        try Row.fetchAll(db, sql: "SELECT \(BudgetRow.ledgerColumns) FROM budget").map(BudgetRow.init(ledgerRow:)),
        try Row.fetchAll(db, sql: "SELECT \(LeaseRow.ledgerColumns) FROM lease").map(LeaseRow.init(ledgerRow:))
      )
    }
  }
}
