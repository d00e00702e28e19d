public import Tenancy

/// How far a stream has been indexed: the last META frame that is in the index.
public struct IndexMark: Sendable, Comparable {
  public let segment: SegmentName
  public let frame: UInt64

  public init(segment: SegmentName, frame: UInt64) {
    self.segment = segment
    self.frame = frame
  }

  public static func < (left: IndexMark, right: IndexMark) -> Bool {
    (left.segment, left.frame) < (right.segment, right.frame)
  }
}

/// What to list of a tenant. Every field narrows.
public struct LogFilter: Sendable, Equatable {
  /// Nanoseconds since 1970 UTC, inclusive.
  public var from: UInt64 = 0
  /// Exclusive.
  public var to: UInt64 = UInt64(Int64.max)
  public var project: String?
  public var key: String?
  public var user: String?
  public var alias: String?
  public var provider: String?
  public var model: String?
  public var status: Int?
  /// At least this many findings.
  public var findings: Int?
  /// Goes on behind this row of an earlier page.
  public var after: Cursor?
  /// 1 to 1,000.
  public var limit = 100

  public struct Cursor: Sendable, Equatable {
    public let time: UInt64
    public let recordID: UInt128

    public init(time: UInt64, recordID: UInt128) {
      self.time = time
      self.recordID = recordID
    }
  }

  public init() {}

  /// Whether it asks for more than a time.
  public var asksMetadata: Bool {
    project != nil || key != nil || user != nil || alias != nil || provider != nil || model != nil || status != nil
      || findings != nil
  }

  /// Whether a row has the metadata that is asked for; time and page are the index's to see to.
  public func accepts(_ row: LogRow) -> Bool {
    func fits<Value: Equatable>(_ wanted: Value?, _ value: Value?) -> Bool { wanted == nil || wanted == value }
    return fits(project, row.project) && fits(key, row.key) && fits(user, row.user) && fits(alias, row.alias)
      && fits(provider, row.provider) && fits(model, row.model) && fits(status, row.status)
      && findings.map { row.findings >= Int64($0) } ?? true
  }
}

/// One row of the index, made from a META frame.
public struct LogRow: Sendable, Equatable {
  public var location: LogLocation
  public var time: UInt64
  public var requestID: String
  public var project: String?
  public var key: String?
  public var user: String?
  public var alias: String?
  public var provider: String?
  public var model: String?
  public var tokensIn: Int64
  public var tokensOut: Int64
  /// In the unit in which META states it; integers only.
  public var cost: Int64
  public var status: Int?
  /// How many findings, over all classes.
  public var findings: Int64
  /// The whole META JSON.
  public var metadata: [UInt8]

  public init(
    location: LogLocation, time: UInt64, requestID: String, project: String?, key: String?, user: String?,
    alias: String?, provider: String?, model: String?, tokensIn: Int64, tokensOut: Int64, cost: Int64, status: Int?,
    findings: Int64, metadata: [UInt8]
  ) {
    self.location = location
    self.time = time
    self.requestID = requestID
    self.project = project
    self.key = key
    self.user = user
    self.alias = alias
    self.provider = provider
    self.model = model
    self.tokensIn = tokensIn
    self.tokensOut = tokensOut
    self.cost = cost
    self.status = status
    self.findings = findings
    self.metadata = metadata
  }
}

/// The index over META. It holds nothing that segments do not hold, and can be made from them again.
///
/// Blocks on its store: never on an event loop. Two implementations: SQLite, and memory for tests.
public protocol LogIndexing: Sendable {
  /// Adds or replaces records, oldest first, and moves the marks of their streams, in one transaction.
  func add(_ records: [MetadataRecord]) throws(SealedLogError)
  func mark(of stream: StreamName) throws(SealedLogError) -> IndexMark?
  /// Newest first.
  func list(_ tenant: TenantID, _ filter: LogFilter) throws(SealedLogError) -> [LogRow]
  /// Throws `notFound` for unknown ids and for other tenants' ids alike.
  func lookup(requestID: String, tenant: TenantID) throws(SealedLogError) -> LogRow
  /// Drops every row of a tenant.
  func forget(_ tenant: TenantID) throws(SealedLogError)
}
