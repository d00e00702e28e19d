private import FoundationEssentials
import Tenancy

/// The sealed log: metadata for many, content for few and never without a reason and a record.
enum LogRoutes {
  static let all = [list, show, open, verify]

  static let list = AdminRoute(
    "log.list", .get, "/v1/tenants/{tenant}/log", .tenant(.logMetadata), query: ["limit", "cursor", "from", "to"],
    .read { call in
      let query = LogQuery(
        limit: try call.pageLimit(), cursor: call.query["cursor"], from: try call.queryTime("from"),
        until: try call.queryTime("to"))
      let page = try await call.services.log.entries(of: try call.tenant().id, matching: query)
      return try .list(page.entries.map(LogAnswer.init), next: page.next)
    })

  static let show = AdminRoute(
    "log.show", .get, "/v1/tenants/{tenant}/log/{request}", .tenant(.logMetadata),
    .read { call in try .json(LogAnswer(try await entry(call))) })

  /// Opens the content. The tenant's own permission is asked for: one of the installation does not reach here, because
  /// `Tenancy.Access` takes content permissions out of every role that is bound there.
  static let open = AdminRoute(
    "log.open", .post, "/v1/tenants/{tenant}/log/{request}/content", .tenant(.logContent),
    .change { call in
      let tenant = try call.tenant()
      let reason = try call.fields(["reason"]).text("reason", length: 10...500)
      guard reason.filter({ !$0.isWhitespace }).count >= 10 else {
        throw AdminError.invalid("'reason' must say in 10 characters or more why", param: "reason")
      }
      let entry = try await entry(call)
      return AuditedAct(on: entry.request, reason: reason) {
        guard let content = try await call.services.log.content(of: entry.request, in: tenant.id) else {
          throw AdminError.notFound
        }
        return try .json(ContentAnswer(entry: LogAnswer(entry), content: content))
      }
    })

  static let verify = AdminRoute(
    "log.verify", .post, "/v1/tenants/{tenant}/log/verify", .tenant([.logMetadata, .auditRead]),
    .read { call in try .json(VerificationAnswer(try await call.services.log.verify(try call.tenant().id))) })

  private static func entry(_ call: AdminCall) async throws -> LogEntry {
    guard let request = call.parameters["request"], request.utf8.count <= 64,
      let entry = try await call.services.log.entry(of: request, in: try call.tenant().id)
    else { throw AdminError.notFound }
    return entry
  }
}

private struct LogAnswer: Encodable {
  let requestId: String
  let time: Timestamp
  let project: String?
  let key: String?
  let user: String?
  let alias: String?
  let provider: String?
  let model: String?
  let status: Int
  let exit: String
  let inputTokens: Int64
  let outputTokens: Int64
  let cost: Money
  let currency: String
  let findings: [Finding]
  let mode: String

  /// A list and not an object: class names are data, and members of ours only are rewritten to snake_case.
  struct Finding: Encodable {
    let `class`: String
    let count: Int
  }

  init(_ entry: LogEntry) {
    requestId = entry.request
    time = entry.time
    project = entry.project
    key = entry.key?.description
    user = entry.user?.description
    alias = entry.alias
    provider = entry.provider
    model = entry.model
    status = entry.status
    exit = entry.exit
    inputTokens = entry.inputTokens
    outputTokens = entry.outputTokens
    cost = entry.cost
    currency = entry.currency
    findings = entry.findings.sorted { $0.key < $1.key }.map { Finding(class: $0.key, count: $0.value) }
    mode = entry.mode
  }
}

private struct ContentAnswer: Encodable {
  /// Text where the bytes are UTF-8, else base64; one of the two is there.
  struct Part: Encodable {
    let text: String?
    let base64: String?

    init(_ bytes: [UInt8]) {
      text = String(validating: bytes, as: UTF8.self)
      base64 = text == nil ? Data(bytes).base64EncodedString() : nil
    }
  }

  let entry: LogAnswer
  let request: Part
  let response: Part

  init(entry: LogAnswer, content: LogContent) {
    self.entry = entry
    request = Part(content.request)
    response = Part(content.response)
  }
}

private struct VerificationAnswer: Encodable {
  struct Finding: Encodable {
    let outcome: String
    let segment: String
    let detail: String

    init(_ finding: LogVerification.Finding) {
      outcome = finding.outcome.name
      segment = finding.segment
      detail = finding.detail
    }
  }

  let outcome: String
  let exitCode: Int
  let segments: Int
  let frames: Int64
  let findings: [Finding]
  let notes: [Finding]

  init(_ result: LogVerification) {
    outcome = result.outcome.name
    exitCode = result.outcome.rawValue
    segments = result.segments
    frames = result.frames
    findings = result.findings.map(Finding.init)
    notes = result.notes.map(Finding.init)
  }
}
