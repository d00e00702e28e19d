package import Tenancy

/// Reads the sealed log of one tenant. Content comes out of ``content(of:in:)`` only; the rest is made from metadata.
package protocol LogArchive: Sendable {
  /// Newest first.
  func entries(of tenant: TenantID, matching query: LogQuery) async throws -> LogPage
  /// The request whose answer carried this `x-request-id`; nil if the tenant has none.
  func entry(of request: String, in tenant: TenantID) async throws -> LogEntry?
  /// Opens one request. Called after the permission was checked and the opening's audit record was confirmed.
  /// - Returns: Nil if the tenant has no such request.
  /// - Throws: ``AdminError/contentNotReadable(_:)`` where nothing can be opened here (write-only, off, erased).
  func content(of request: String, in tenant: TenantID) async throws -> LogContent?
  func verify(_ tenant: TenantID) async throws -> LogVerification
}

package struct LogQuery: Sendable, Hashable {
  /// 1 to 1000.
  package let limit: Int
  /// Where the page before ended, as it said.
  package let cursor: String?
  package let from: Timestamp?
  package let until: Timestamp?

  package init(limit: Int, cursor: String? = nil, from: Timestamp? = nil, until: Timestamp? = nil) {
    self.limit = limit
    self.cursor = cursor
    self.from = from
    self.until = until
  }
}

package struct LogPage: Sendable, Hashable {
  package let entries: [LogEntry]
  /// Nil on the last page.
  package let next: String?

  package init(entries: [LogEntry], next: String?) {
    self.entries = entries
    self.next = next
  }
}

/// Metadata of one request: no text, no subject; people are opaque ids.
package struct LogEntry: Sendable, Hashable {
  /// The value of the answer's `x-request-id`.
  package let request: String
  package let time: Timestamp
  package let project: String?
  package let key: KeyID?
  package let user: UserID?
  package let alias: String?
  package let provider: String?
  package let model: String?
  package let status: Int
  /// How it ended, by the names of the settlement table.
  package let exit: String
  package let inputTokens: Int64
  package let outputTokens: Int64
  package let cost: Money
  package let currency: String
  /// Redaction hits by class.
  package let findings: [String: Int]
  /// `managed`, `write-only` or `off`.
  package let mode: String

  package init(
    request: String, time: Timestamp, project: String?, key: KeyID?, user: UserID?, alias: String?, provider: String?,
    model: String?, status: Int, exit: String, inputTokens: Int64, outputTokens: Int64, cost: Money, currency: String,
    findings: [String: Int], mode: String
  ) {
    self.request = request
    self.time = time
    self.project = project
    self.key = key
    self.user = user
    self.alias = alias
    self.provider = provider
    self.model = model
    self.status = status
    self.exit = exit
    self.inputTokens = inputTokens
    self.outputTokens = outputTokens
    self.cost = cost
    self.currency = currency
    self.findings = findings
    self.mode = mode
  }
}

/// The body as it went upstream and the answer as it came.
package struct LogContent: Sendable, Hashable {
  package let request: [UInt8]
  package let response: [UInt8]

  package init(request: [UInt8], response: [UInt8]) {
    self.request = request
    self.response = response
  }
}

/// What a check of a tenant's log found. The worst finding is the outcome.
package struct LogVerification: Sendable, Hashable {
  /// The raw value is the exit code of `log verify`.
  package enum Outcome: Int, Sendable, CaseIterable {
    case intact = 0
    case couldNotRun = 1
    case tornTailRecovered = 2
    case modified = 3
    case truncated = 4
    case gap = 5
    case erasedEntries = 6

    package var name: String {
      switch self {
      case .intact: "intact"
      case .couldNotRun: "could_not_run"
      case .tornTailRecovered: "torn_tail_recovered"
      case .modified: "modified"
      case .truncated: "truncated"
      case .gap: "gap"
      case .erasedEntries: "erased_entries"
      }
    }
  }

  package struct Finding: Sendable, Hashable {
    package let outcome: Outcome
    /// The segment it is about, as `epoch-n`; empty if about a whole stream.
    package let segment: String
    package let detail: String

    package init(outcome: Outcome, segment: String, detail: String) {
      self.outcome = outcome
      self.segment = segment
      self.detail = detail
    }
  }

  package let outcome: Outcome
  package let segments: Int
  package let frames: Int64
  package let findings: [Finding]
  /// Worth knowing and no finding, such as a crash of long ago: outcome `intact`.
  package let notes: [Finding]

  package init(outcome: Outcome, segments: Int, frames: Int64, findings: [Finding], notes: [Finding] = []) {
    self.outcome = outcome
    self.segments = segments
    self.frames = frames
    self.findings = findings
    self.notes = notes
  }
}

extension AdminError {
  /// Nothing of this request can be opened on this installation; says why.
  package static func contentNotReadable(_ why: String) -> AdminError {
    AdminError(.conflict, "the content of this request cannot be read here: \(why)")
  }
}
