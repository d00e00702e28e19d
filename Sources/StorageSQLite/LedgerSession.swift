internal import Foundation
internal import GRDB
internal import Quotas

/// The operations of one transaction.
struct LedgerSession {
  let db: Database
  let node: UInt128
  let epoch: UInt32

  /// Answers a repeated operation as the first time, with the rows of now.
  func perform(_ operation: LedgerOperation) throws -> LedgerAnswer {
    let key: StatementArguments = [node.ledgerBlob, Int64(epoch), Int64(bitPattern: operation.sequence)]
    let known = try db.cachedStatement(
      sql: "SELECT outcome, amount, lease FROM answered WHERE node = ? AND epoch = ? AND sequence = ?")
    if let row = try Row.fetchOne(known, arguments: key) { return try repeated(row) }
    let answer = try perform(operation.kind)
    try db.cachedStatement(sql: "INSERT INTO answered VALUES (?, ?, ?, ?, ?, ?)").execute(
      arguments: key
        + [Int64(answer.outcome.rawValue), answer.amount, answer.lease.map { Int64($0.id) }])
    return answer
  }

  private func repeated(_ row: Row) throws -> LedgerAnswer {
    let number: Int64 = row["outcome"]
    guard let outcome = UInt8(exactly: number).flatMap(LedgerAnswer.Outcome.init(rawValue:)) else {
      throw QuotaError(.ledgerDamaged, "an answer of kind \(number)")
    }
    var answer = LedgerAnswer(outcome, amount: row["amount"])
    if let id: Int64 = row["lease"], let lease = try LeaseRow.load(db, id: UInt32(clamping: id)) {
      answer.lease = lease
      answer.budget = try BudgetRow.load(db, limit: lease.limit, start: lease.windowStart)
    }
    return answer
  }

  private func perform(_ kind: LedgerOperation.Kind) throws -> LedgerAnswer {
    switch kind {
    case .lease(let request): return try lease(request)
    case .report(let id, let total):
      return try change(id) { LedgerArithmetic.report(&$0, &$1, settledTotal: total) }
    case .shrink(let id, let by): return try change(id) { LedgerArithmetic.shrink(&$0, &$1, by: by) }
    case .close(let id, let total):
      return try change(id) {
        LedgerArithmetic.close(&$0, &$1, settledTotal: total)
        return 0
      }
    case .orphan(let orphan): return try self.orphan(orphan)
    case .openAttempt(let attempt):
      try attempt.insert(db)
      return LedgerAnswer(.done)
    case .reconcile(let attempt, let actual): return try reconcile(attempt, actual)
    case .correct(let correction): return try correct(correction)
    case .usage(let tenant, let epoch, let through, let rows):
      try usage(tenant: tenant, epoch: epoch, through: through, rows)
      return LedgerAnswer(.done)
    case .recovered(let epoch):
      try db.execute(
        sql: "UPDATE node SET recovered = max(recovered, ?) WHERE id = ?", arguments: [Int64(epoch), node.ledgerBlob])
      try db.execute(
        sql: "DELETE FROM usage_mark WHERE node = ? AND epoch <= ?", arguments: [node.ledgerBlob, Int64(epoch)])
      return LedgerAnswer(.done)
    }
  }

  private func lease(_ request: LeaseRequest) throws -> LedgerAnswer {
    let latest = try BudgetRow.latest(db, limit: request.limit)
    let window = request.window.following(latest?.window, now: request.now)
    var budget: BudgetRow
    if let latest, latest.window == window {
      budget = latest
    } else {
      budget = BudgetRow(
        limit: request.limit, tenant: request.tenant, dimension: request.dimension, window: window,
        amount: request.amount)
    }
    budget.amount = request.amount
    var lease = try LeaseRow.find(db, limit: request.limit, start: window.start, node: node, epoch: epoch)
    lease.isOpen = true
    let granted = LedgerArithmetic.grant(&budget, &lease, want: request.want, min: request.min)
    try budget.save(db)
    try lease.save(db)
    return LedgerAnswer(
      granted > 0 || request.want == 0 ? .granted : .refused, amount: granted, lease: lease, budget: budget)
  }

  private func change(
    _ id: UInt32, _ body: (inout BudgetRow, inout LeaseRow) -> Int64
  ) throws -> LedgerAnswer {
    guard var lease = try LeaseRow.load(db, id: id), lease.node == node,
      var budget = try BudgetRow.load(db, limit: lease.limit, start: lease.windowStart)
    else { return LedgerAnswer(.unknown) }
    let amount = body(&budget, &lease)
    try budget.save(db)
    try lease.save(db)
    return LedgerAnswer(.done, amount: amount, lease: lease, budget: budget)
  }

  private func orphan(_ orphan: Orphan) throws -> LedgerAnswer {
    guard let lease = try LeaseRow.load(db, id: orphan.lease), lease.isOpen, lease.node == node else {
      return LedgerAnswer(.unknown)
    }
    let open = orphan.open.reduce(into: Int64(0)) { $0 = $0.addingReportingOverflow($1.amount).partialValue }
    let answer = try change(orphan.lease) {
      LedgerArithmetic.orphan(
        &$0, &$1, settledTotal: orphan.settledTotal, open: open, keepRemainder: orphan.keepRemainder)
    }
    for attempt in orphan.open { try keepCut(attempt.attempt, lease, amount: attempt.amount) }
    if answer.amount > 0, let budget = answer.budget {
      let number = UInt128(orphan.lease)
      try keepCut(number, lease, amount: answer.amount)
      try UnreconciledAttempt(
        attempt: number, owner: nil, tenant: budget.tenant, day: 0, inputTokens: 0, outputTokens: 0, money: 0
      ).insert(db)
    }
    return answer
  }

  private func keepCut(_ attempt: UInt128, _ lease: LeaseRow, amount: Int64) throws {
    try db.cachedStatement(sql: "INSERT INTO cut_amount VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING").execute(
      arguments: [
        attempt.ledgerBlob, Int64(lease.id), Int64(bitPattern: lease.limit), lease.windowStart, amount,
      ])
  }

  private func correct(_ correction: Correction) throws -> LedgerAnswer {
    let booking = correction.booking
    // A crash has put it among what is unreconciled, or somebody has told already what it cost.
    let cut = try db.cachedStatement(sql: "SELECT 1 FROM cut_attempt WHERE attempt = ?")
    if try Int64.fetchOne(cut, arguments: [booking.attempt.ledgerBlob]) != nil {
      return try reconcile(booking.attempt, correction.actual)
    }
    guard try noteCorrected(booking.attempt) else { return LedgerAnswer(.done) }
    for share in booking.shares {
      guard let lease = try LeaseRow.load(db, id: share.lease),
        var budget = try BudgetRow.load(db, limit: lease.limit, start: lease.windowStart)
      else { continue }
      LedgerArithmetic.correct(&budget, settled: share.amount, actual: correction.actual[budget.dimension])
      try budget.save(db)
    }
    try UsageRow(owner: booking.owner, day: booking.day, totals: correction.change).add(db)
    return LedgerAnswer(.done)
  }

  /// - Returns: False if the attempt's true cost is in the books already.
  private func noteCorrected(_ attempt: UInt128) throws -> Bool {
    try db.cachedStatement(sql: "INSERT INTO corrected VALUES (?) ON CONFLICT DO NOTHING")
      .execute(arguments: [attempt.ledgerBlob])
    return db.changesCount > 0
  }

  private func reconcile(_ attempt: UInt128, _ actual: UsageTotals) throws -> LedgerAnswer {
    let name = attempt.ledgerBlob
    guard let row = try Row.fetchOne(db, sql: "SELECT * FROM cut_attempt WHERE attempt = ?", arguments: [name]) else {
      return LedgerAnswer(.unknown)
    }
    let known = try UnreconciledAttempt(ledgerRow: row)
    let amounts = try Row.fetchAll(
      db, sql: "SELECT limit_id, start, amount FROM cut_amount WHERE attempt = ?", arguments: [name])
    for amount in amounts {
      let limit = UInt64(bitPattern: amount["limit_id"] as Int64)
      guard var budget = try BudgetRow.load(db, limit: limit, start: amount["start"]) else { continue }
      LedgerArithmetic.reconcile(&budget, reserved: amount["amount"], actual: actual[budget.dimension])
      try budget.save(db)
    }
    try db.execute(sql: "DELETE FROM cut_amount WHERE attempt = ?", arguments: [name])
    try db.execute(sql: "DELETE FROM cut_attempt WHERE attempt = ?", arguments: [name])
    if let owner = known.owner { try UsageRow(owner: owner, day: known.day, totals: actual).add(db) }
    _ = try noteCorrected(attempt)
    return LedgerAnswer(.done)
  }

  private func usage(tenant: UInt128, epoch: UInt32, through: UInt64, _ rows: [UsageRow]) throws {
    let key: StatementArguments = [node.ledgerBlob, Int64(epoch), tenant.ledgerBlob]
    let known = try db.cachedStatement(
      sql: "SELECT through FROM usage_mark WHERE node = ? AND epoch = ? AND tenant = ?")
    if let last = try Int64.fetchOne(known, arguments: key), UInt64(bitPattern: last) >= through { return }
    try db.cachedStatement(
      sql: """
        INSERT INTO usage_mark (node, epoch, tenant, through) VALUES (?, ?, ?, ?)
        ON CONFLICT (node, epoch, tenant) DO UPDATE SET through = excluded.through
        """
    ).execute(arguments: key + [Int64(bitPattern: through)])
    for row in rows { try row.add(db) }
  }
}
