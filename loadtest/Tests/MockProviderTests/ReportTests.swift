import Testing

@testable import MockProvider

@Suite struct ReportTests {
  @Test func theBillIsTheSumOfAllUsages() throws {
    let session = try MockSession()
    let client = try session.client()
    var sum = MockBill()
    for length in stride(from: 0, through: 300, by: 37) {
      for extra in ["", #","stream":true,"stream_options":{"include_usage":true}"#] {
        try client.send(MockSession.chat("mock-echo", String(repeating: "ä", count: length), extra: extra))
        let body = try client.response().body
        let usage =
          extra.isEmpty ? MockSession.usage(try MockSession.object(body)) : try MockSession.reading(body).usage
        sum.requests += 1
        sum.promptTokens += try #require(usage).promptTokens
        sum.completionTokens += try #require(usage).completionTokens
      }
    }
    #expect(session.server.report().billed == sum)
    try client.send("GET /mock/bill HTTP/1.1\r\n\r\n")
    let bill = try MockSession.object(try client.response().body) as? [String: Int]
    #expect(bill?["requests"] == sum.requests && bill?["completion_tokens"] == sum.completionTokens)
  }

  @Test func anAbortedStreamIsChargedForWhatWasSent() throws {
    let session = try MockSession()
    do {
      let client = try session.client()
      try client.send(
        MockSession.chat("mock-echo;chunk=4;delay=3600000", "12345678", extra: #","stream":true"#))
      _ = try client.take(through: "\"1234\"")
    }
    // The mock learns of the end on its own loop; the report is asked for until it has.
    let probe = try session.client()
    var bill = MockBill()
    for _ in 0..<100_000 where bill.requests == 0 {
      try probe.send("GET /mock/bill HTTP/1.1\r\n\r\n")
      _ = try probe.response()
      bill = session.server.report().billed
    }
    #expect(bill == MockBill(requests: 1, promptTokens: 2, completionTokens: 1))
  }

  @Test func theReportShowsWhatArrived() throws {
    let session = try MockSession(keep: 3)
    let client = try session.client()
    for number in 0..<5 {
      try client.send(
        MockSession.chat("mock-echo", "n\(number)", headers: "X-Twice: a\r\nx-twice: b\r\nAuthorization: Bearer k\r\n"))
      _ = try client.response()
    }
    let report = session.server.report()
    #expect(report.received == 5 && report.requests.count == 3)
    #expect(report.requests.map { $0.body.contains("n4") } == [false, false, true])
    #expect(report.requests.last?.headers["x-twice"] == "a, b")
    #expect(report.requests.last?.headers["authorization"] == "Bearer k")
    #expect(report.requests.last?.path == "/v1/chat/completions" && report.requests.last?.method == "POST")
    try client.send("GET /mock/report?last=1 HTTP/1.1\r\n\r\n")
    let object = try MockSession.object(try client.response().body)
    #expect((object["requests"] as? [Any])?.count == 1 && object["received"] as? Int == 5)
  }

  @Test func resetForgetsEverythingButOpenConnections() throws {
    let session = try MockSession()
    let client = try session.client()
    try client.send(MockSession.chat("mock-error-500;times=1", "x"))
    _ = try client.response()
    try client.send("POST /mock/reset HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
    _ = try client.response()
    let report = session.server.report()
    #expect(report.received == 0 && report.requests.isEmpty && report.billed == MockBill())
    #expect(report.connectionsOpen == 1)
    try client.send(MockSession.chat("mock-error-500;times=1", "x"))
    #expect(try client.response().status == 500)
  }

  @Test(arguments: [
    ("GET /v1/models", 200), ("GET /models", 200), ("GET /v1/chat/completions", 405), ("GET /nothing", 404),
    ("POST /v1/models", 405), ("GET /v1", 404), ("GET /mock/report", 200), ("DELETE /mock/reset", 405),
  ])
  func routesAnswerForTheirMethodOnly(request: String, status: Int) throws {
    let session = try MockSession()
    let client = try session.client()
    try client.send("\(request) HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
    #expect(try client.response().status == status)
  }

  @Test func modelsAreListed() throws {
    let session = try MockSession()
    let client = try session.client()
    try client.send("GET /v1/models HTTP/1.1\r\n\r\n")
    let data = try MockSession.object(try client.response().body)["data"] as? [[String: Any]] ?? []
    #expect(data.compactMap { $0["id"] as? String } == Script.names)
  }

  @Test func settingsMayComeByHeader() throws {
    let session = try MockSession()
    let client = try session.client()
    try client.send(MockSession.chat("any", "x", headers: "X-Mock: script=mock-error-503; retry-after=9\r\n"))
    let response = try client.response()
    #expect(response.status == 503 && response.headers["retry-after"] == "9")
  }

  @Test func settingsMayComeInThePromptAndAreNotEchoed() throws {
    let session = try MockSession()
    let client = try session.client()
    func content(_ model: String, _ text: String) throws -> (String?, MockUsage?) {
      try client.send(MockSession.chat(model, text))
      let object = try MockSession.object(try client.response().body)
      let message = MockSession.choice(object)["message"] as? [String: Any]
      return (message?["content"] as? String, MockSession.usage(object))
    }
    let text = "[[mock script=mock-echo;split=2]]rest"
    let prompt = (text.utf8.count + 3) / 4
    for _ in 0..<2 {
      #expect(try content("mock-fast", text) == ("rest", MockUsage(promptTokens: prompt, completionTokens: 1)))
      #expect(try content("mock-fast", "plain").1 == MockUsage(promptTokens: 2, completionTokens: 256))
    }
    #expect(try content("mock-echo", "[[mock open").0 == "[[mock open")
    #expect(try content("mock-echo", " [[mock a=b]]").0 == " [[mock a=b]]")
    try client.send(MockSession.chat("mock-fast", "[[mock script=mock-error-503]]"))
    #expect(try client.response().status == 503)
  }

  @Test func malformedHTTPIsAnswered400AndClosed() throws {
    let session = try MockSession()
    let client = try session.client()
    try client.send("POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n")
    let (text, end) = client.receiveToEnd()
    #expect(text.hasPrefix("HTTP/1.1 400 ") && end != .nothing)
  }

  @Test func aTakenPortIsAnErrorWithItsCode() throws {
    let session = try MockSession()
    let second = MockServer(port: session.server.port)
    #expect { try second.start() } throws: { ($0 as? MockProviderError)?.code == .listenFailed }
  }
}
