import Inference
import JSONText
import Policies
import Quotas
import Redaction
import Routing
import SealedLog
import Tenancy

/// Writes what a record says beside content: the META JSON and the description in front of a request's body. No text of
/// anyone, no names of people; what a client chose (model names) is escaped.
final class MetaWriter {
  private let out = ByteArena(capacity: 1024)

  func requestPayload(_ exchange: Exchange) -> [UInt8] {
    out.reset()
    defer { out.reset() }
    out.append(0)
    out.append(0)
    // The body is what was sent, in the provider's words.
    out.append("{\"dialect\":\"")
    out.append(utf8: exchange.dialect.rawValue)
    out.append("\",\"wire\":\"")
    out.append(utf8: exchange.wire.rawValue)
    out.append("\",\"route\":\"")
    out.append(utf8: exchange.scan.route.rawValue)
    out.append("\",\"alias\":")
    JSONEscape.appendQuoted(exchange.alias, to: out)
    out.append(",\"content_type\":\"")
    out.append(exchange.batch?.isUpload == true ? "application/jsonl" : "application/json")
    out.append("\"}")
    let length = UInt16(clamping: out.count - 2)
    out.base.storeBytes(of: length.littleEndian, as: UInt16.self)
    if let work = exchange.batch {
      out.append(work.record(of: exchange))
      return out.array
    }
    guard !exchange.scan.route.takesForm else {
      // The texts of a form; sound is as large as an hour is long, and nothing could be looked for in it.
      out.append(RequestScan.record(ofForm: exchange.outgoing.bytes))
      return out.array
    }
    let (head, body) = (out.bytes, exchange.outgoing.bytes)
    // One copy more of a small body costs less than an array that is filled in place: its type is looked up.
    guard body.count > 16 * 1024 else {
      out.append(body)
      return out.array
    }
    return Array(unsafeUninitializedCapacity: head.count + body.count) { payload, count in
      let raw = UnsafeMutableRawBufferPointer(payload)
      raw.copyMemory(from: head)
      UnsafeMutableRawBufferPointer(rebasing: raw[head.count...]).copyMemory(from: body)
      count = raw.count
    }
  }

  /// - Parameters:
  ///   - now: CLOCK_REALTIME, nanoseconds.
  ///   - monotonic: CLOCK_MONOTONIC, nanoseconds.
  func metadata(_ exchange: Exchange, _ actual: Actual, now: Int64, monotonic: Int64) -> [UInt8] {
    out.reset()
    out.append("{\"v\":1,\"request_id\":\"")
    exchange.id.write(into: out)
    out.append("\"")
    number(",\"time\":", now - max(0, monotonic - exchange.startedAt))
    number(",\"duration_us\":", (monotonic - exchange.startedAt) / 1000)
    if exchange.firstByteAt > 0 { number(",\"ttfb_us\":", (exchange.firstByteAt - exchange.startedAt) / 1000) }
    let (caller, candidate) = (exchange.caller, exchange.candidate)
    if let caller { out.append(caller.meta) }
    switch exchange.route {
    case .inference(let route):
      out.append(",\"route\":\"")
      out.append(utf8: route.rawValue)
      out.append("\"")
    case .batches(let call): text("route", call.name)
    case .models, .model, .livez, .readyz, .root: break
    }
    if let route = exchange.modelRoute {
      out.append(route.meta)
    } else if !exchange.alias.isEmpty {
      text("alias", exchange.alias)
    }
    if let candidate {
      out.append(candidate.meta)
      tier(exchange, candidate)
    }
    tokens(exchange, actual)
    number(",\"status\":", Int64(exchange.status))
    number(",\"exit\":", Int64(actual.exit.rawValue))
    number(",\"flags\":", Int64(actual.flags.rawValue))
    number(",\"attempt\":", Int64(exchange.attempt))
    number(",\"request_bytes\":", Int64(exchange.bodyBytes))
    number(",\"response_bytes\":", Int64(max(exchange.answer.count, exchange.stream.receivedBytes)))
    number(",\"stream\":", exchange.isStream ? 1 : 0)
    findings(exchange)
    if let snapshot = exchange.snapshot { out.append(snapshot.meta) }
    if let caller { out.append(caller.rules.meta) }
    out.append("}")
    defer { out.reset() }
    return Array(out.bytes)
  }

  private func tokens(_ exchange: Exchange, _ actual: Actual) {
    out.append(",\"tokens\":{\"input\":")
    Decimal.append((exchange.earlier?.spent.inputTokens ?? 0) &+ actual.inputTokens, to: out)
    out.append(",\"output\":")
    Decimal.append((exchange.earlier?.spent.outputTokens ?? 0) &+ actual.outputTokens, to: out)
    if let usage = exchange.stream.reader.usage ?? exchange.usage {
      out.append(",\"cached\":")
      Decimal.append(usage.cachedTokens, to: out)
      out.append(",\"reasoning\":")
      Decimal.append(usage.reasoningTokens, to: out)
    }
    out.append("}")
    number(",\"cost\":", (exchange.earlier?.spent.money ?? 0) &+ actual.money)
  }

  /// Only where there is more than one price.
  private func tier(_ exchange: Exchange, _ candidate: CallableModel) {
    guard let priced = exchange.priced, candidate.price.tiers != nil else { return }
    text("price_tier", priced.tier.rawValue)
    number(",\"long_prompt\":", priced.isLongPrompt ? 1 : 0)
  }

  private func findings(_ exchange: Exchange) {
    out.append(",\"findings\":{")
    var isFirst = true
    exchange.findings.forEach { name, _, count in
      if !isFirst { out.append(",") }
      isFirst = false
      out.append("\"")
      out.append(utf8: name)
      out.append("\":")
      Decimal.append(Int64(count), to: out)
    }
    out.append("}")
  }

  private func text(_ name: StaticString, _ value: String) { MetaPiece.append(name, value, to: out) }

  /// - Parameter name: With its comma, quotes and colon.
  private func number(_ name: StaticString, _ value: Int64) {
    out.append(name)
    Decimal.append(value, to: out)
  }
}

/// Members of META that stay the same from request to request, written once.
enum MetaPiece {
  static func bytes(_ members: [(name: StaticString, value: String)]) -> [UInt8] {
    let out = ByteArena(capacity: 256)
    for member in members { append(member.name, member.value, to: out) }
    return out.array
  }

  static func append(_ name: StaticString, _ value: String, to out: ByteArena) {
    out.append(",\"")
    out.append(name)
    out.append("\":")
    JSONEscape.appendQuoted(value, to: out)
  }
}
