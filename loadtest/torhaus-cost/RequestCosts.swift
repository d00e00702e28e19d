import Inference
import JSONText

/// The scan of a request and what follows it: the few edits of a body that passes, or a translation.
enum RequestCosts {
  /// Where a request may go, and the goal for it: twice the cost of one that passes.
  private static let targets: [ProviderWire] = [.chat, .messages, .gemini, .converse]

  static func print(where isWanted: (String) -> Bool) {
    var table = CostTable("requests", "bytes", "to", "µs", "scan alone", "against passing")
    for sample in SampleRequest.all() {
      var passing = 0.0
      for wire in ([sample.route.ownWire ?? .chat] + targets.filter { $0 != sample.route.ownWire }) {
        let row = "requests \(sample.name) \(sample.route.rawValue) \(wire.rawValue)"
        let isOwn = wire == sample.route.ownWire
        guard isOwn || isWanted(row) else { continue }
        if isOwn,
          !targets.contains(where: { isWanted("requests \(sample.name) \(sample.route.rawValue) \($0.rawValue)") })
        {
          continue
        }
        let cost = Stopwatch.nanoseconds { sample.run(to: wire) }
        if isOwn { passing = cost }
        guard isWanted(row) else { continue }
        let scan = Stopwatch.nanoseconds { sample.scanAlone() }
        table.add(
          "\(sample.name), \(sample.route.rawValue)", String(sample.body.count), isOwn ? "itself" : wire.rawValue,
          (cost / 1000).rounded(to: 2), (scan / 1000).rounded(to: 2), (cost / passing).rounded(to: 2))
      }
    }
    table.print()
  }
}

/// A request as applications send it.
final class SampleRequest {
  let name: String
  let route: InferenceRoute
  let body: [UInt8]
  private let scan = RequestScan()
  private var edits = EditList()
  private let out = ByteArena()

  private init(name: String, route: InferenceRoute, body: [UInt8]) {
    (self.name, self.route, self.body) = (name, route, body)
  }

  static func all() -> [SampleRequest] {
    [InferenceRoute.chat, .responses, .messages].flatMap { route in
      [(2_000, false), (2_000, true), (90_000, false), (90_000, true)].map { size, hasTools in
        SampleRequest(
          name: "\(size / 1000) KB" + (hasTools ? " with tools" : ""), route: route,
          body: Array(SampleWriter(route: route, hasTools: hasTools).body(ofBytes: size).utf8))
      }
    }
  }

  func scanAlone() { body.withUnsafeBytes { _ = read($0) } }

  /// As the gateway does where nothing was redacted: the scan, then splices into a body that passes, or a translation.
  func run(to wire: ProviderWire) {
    body.withUnsafeBytes { bytes in
      guard read(bytes) else { fatalError("\(name) is no request") }
      edits.reset()
      out.reset()
      guard wire != route.ownWire else {
        _ = scan.addEdits(UpstreamEdits(model: "model-at-the-provider", maxTokens: 1024), to: &edits, body: bytes)
        guard edits.apply(to: bytes, into: out) else { fatalError("\(name) cannot be edited") }
        return
      }
      do throws(InferenceError) {
        _ = try RequestTranslation.translate(
          bytes, of: route,
          to: RequestTranslation.Target(wire: wire, model: "model-at-the-provider", maxTokens: 1024), into: out)
      } catch {
        fatalError("\(name): \(error.message)")
      }
    }
  }

  private func read(_ bytes: UnsafeRawBufferPointer) -> Bool {
    do throws(InferenceError) { try scan.scan(bytes, route: route) } catch { return false }
    return true
  }
}

/// Writes conversations of a wanted size in three dialects.
struct SampleWriter {
  let route: InferenceRoute
  let hasTools: Bool

  private static let system = "You answer briefly, in the language of the question, and you never invent a source."
  private static let question =
    "Our supplier's letter of 14 March says \\\"payable within thirty days\\\", the contract says sixty.\\nWhich of the two counts if nobody has objected so far, and what should we write back to them?"
  private static let answer =
    "The contract counts as long as both sides have not agreed to change it: a letter from one side alone is an offer, and silence is in general no acceptance. Write back that you pay within sixty days, as § 7 of the contract says."

  func body(ofBytes size: Int) -> String {
    var turns: [String] = []
    var bytes = head.utf8.count + tools(for: size).utf8.count
    var number = 0
    repeat {
      let turn = turn(number)
      turns.append(turn)
      bytes += turn.utf8.count + 1
      number += 1
    } while bytes < size - 250
    turns.append(user("And what if they answer that their terms of business say otherwise?"))
    return head + turns.joined(separator: ",") + "]" + tools(for: size) + tail
  }

  private var head: String {
    switch route {
    case .chat:
      "{\"model\":\"alias\",\"messages\":[{\"role\":\"system\",\"content\":\"\(Self.system)\"},"
    case .responses: "{\"model\":\"alias\",\"instructions\":\"\(Self.system)\",\"input\":["
    default: "{\"model\":\"alias\",\"system\":\"\(Self.system)\",\"messages\":["
    }
  }

  private var tail: String {
    switch route {
    case .chat:
      ",\"temperature\":0.2,\"max_completion_tokens\":800,\"stream\":true,\"stream_options\":{\"include_usage\":true}}"
    case .responses: ",\"temperature\":0.2,\"max_output_tokens\":800,\"stream\":true}"
    default: ",\"temperature\":0.2,\"max_tokens\":800,\"stream\":true}"
    }
  }

  private func user(_ text: String) -> String { "{\"role\":\"user\",\"content\":\"\(text)\"}" }

  private func turn(_ number: Int) -> String {
    let said = user(Self.question)
    guard hasTools, number % 2 == 0 else {
      return said + ",{\"role\":\"assistant\",\"content\":\"\(Self.answer)\"}"
    }
    let id = "call_\(1000 + number)"
    let arguments = "{\"query\":\"terms of payment\",\"limit\":5,\"folders\":[\"contracts\",\"letters\"]}"
    let found =
      "{\\\"hits\\\":[{\\\"title\\\":\\\"Contract 2024-17\\\",\\\"text\\\":\\\"§ 7: payable within sixty days\\\"}]}"
    let escaped = arguments.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\\\"")
    switch route {
    case .chat:
      return said
        + ",{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"\(id)\",\"type\":\"function\",\"function\":{\"name\":\"find_documents\",\"arguments\":\"\(escaped)\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"\(id)\",\"content\":\"\(found)\"}"
    case .responses:
      return said
        + ",{\"type\":\"function_call\",\"call_id\":\"\(id)\",\"name\":\"find_documents\",\"arguments\":\"\(escaped)\"},{\"type\":\"function_call_output\",\"call_id\":\"\(id)\",\"output\":\"\(found)\"}"
    default:
      return said
        + ",{\"role\":\"assistant\",\"content\":[{\"type\":\"tool_use\",\"id\":\"\(id)\",\"name\":\"find_documents\",\"input\":\(arguments)}]},{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"\(id)\",\"content\":\"\(found)\"}]}"
    }
  }

  private func tools(for size: Int) -> String {
    guard hasTools else { return "" }
    let names = ["find_documents", "send_letter", "book_payment", "ask_colleague"]
    let count = size < 10_000 ? 2 : 40
    let tools = (0..<count).map { number in
      let name = names[number % names.count] + (number < names.count ? "" : "_\(number / names.count)")
      let schema =
        "{\"type\":\"object\",\"properties\":{\"query\":{\"type\":\"string\",\"description\":\"What to look for.\"},\"limit\":{\"type\":\"integer\",\"minimum\":1},\"folders\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}},\"required\":[\"query\"],\"additionalProperties\":false}"
      let description = "Does what its name says, for the user who asks."
      switch route {
      case .chat:
        return
          "{\"type\":\"function\",\"function\":{\"name\":\"\(name)\",\"description\":\"\(description)\",\"parameters\":\(schema)}}"
      case .responses:
        return
          "{\"type\":\"function\",\"name\":\"\(name)\",\"description\":\"\(description)\",\"parameters\":\(schema),\"strict\":true}"
      default: return "{\"name\":\"\(name)\",\"description\":\"\(description)\",\"input_schema\":\(schema)}"
      }
    }
    return ",\"tools\":[\(tools.joined(separator: ","))]"
  }
}
