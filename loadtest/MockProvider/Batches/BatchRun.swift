import NIOCore

/// Works a batch's lines off, each as a request of its own would be answered.
struct BatchRun {
  let arrival: Arrival
  let headBytes: ByteBuffer
  private(set) var output: [UInt8] = []
  private(set) var errors: [UInt8] = []
  private(set) var usage = MockUsage(promptTokens: 0, completionTokens: 0)

  init(_ arrival: Arrival, _ headBytes: ByteBuffer) {
    self.arrival = arrival
    self.headBytes = headBytes
  }

  /// - Parameter most: Lines that are answered; the rest have run out of time.
  mutating func work(_ batch: inout BatchHouse.Batch, most: Int, _ charge: (MockUsage) -> Void) {
    for (number, line) in batch.lines.enumerated() {
      guard number < most else {
        fail(line, number, code: "batch_expired", "This request could not be executed before the window expired.")
        batch.failed += 1
        continue
      }
      do throws(Refused) {
        let turn = try turn(line, batch.endpoint)
        if case .error(let status) = turn.script.kind { throw VendorError.scripted(status, .openAI) }
        var body = turn.plainBody()
        answer(line, number, status: 200, body.readBytes(length: body.readableBytes) ?? [], into: &output)
        if let used = turn.charge {
          charge(used)
          usage = MockUsage(
            promptTokens: usage.promptTokens + used.promptTokens,
            completionTokens: usage.completionTokens + used.completionTokens)
        }
        batch.completed += 1
      } catch {
        var body = ByteBuffer()
        VendorError.write(error, .openAI, number: UInt64(number), into: &body)
        answer(
          line, number, status: error.status, body.readBytes(length: body.readableBytes) ?? [], into: &errors)
        batch.failed += 1
      }
    }
  }

  private func turn(_ line: BatchHouse.Line, _ endpoint: String) throws(Refused) -> Turn {
    let operation: Operation
    switch endpoint {
    case "/v1/chat/completions": operation = .chat(model: nil)
    case "/v1/completions": operation = .completions
    case "/v1/embeddings": operation = .embeddings(model: nil)
    case "/v1/responses": operation = .responses
    default: throw .invalid("The mock has no batches of '\(endpoint)'.", param: "endpoint")
    }
    let asked = Arrival(arrival.head, headBytes, ByteBuffer(bytes: line.body), number: arrival.number)
    return try DialectTurn.read(asked, operation, .openAI, script: nil) { _, _ in false }
  }

  private func answer(
    _ line: BatchHouse.Line, _ number: Int, status: Int, _ body: [UInt8], into file: inout [UInt8]
  ) {
    var text = opening(line, number)
    text.writeString(",\"response\":{\"status_code\":\(status),\"request_id\":\"req_mock\(number)\",\"body\":")
    text.writeBytes(body)
    text.writeString("},\"error\":null}\n")
    file += text.readableBytesView
  }

  private mutating func fail(_ line: BatchHouse.Line, _ number: Int, code: String, _ message: String) {
    var text = opening(line, number)
    text.writeString(",\"response\":null,\"error\":{\"code\":\"\(code)\",\"message\":\"\(message)\"}}\n")
    errors += text.readableBytesView
  }

  private func opening(_ line: BatchHouse.Line, _ number: Int) -> ByteBuffer {
    var text = ByteBuffer()
    text.writeString("{\"id\":\"batch_req_mock\(number)\",\"custom_id\":")
    text.writeQuoted(line.name)
    return text
  }
}
