import Batches
import Foundation
import Inference
import Quotas
import Redaction
import SealedLog
import Tenancy
import Testing

@testable import Gateway

/// Every path and method that leads to a provider, as the router itself says: a new route joins these tests by itself.
struct RouteTests {
  struct Way: CustomTestStringConvertible, Sendable {
    let path: String
    let route: InferenceRoute
    /// What the only provider speaks.
    let wire: ProviderWire
    var isStream = false
    var testDescription: String { "\(path) by \(wire)\(isStream ? " as a stream" : "")" }

    var isOwn: Bool { wire == route.ownWire }
    var answersText: Bool { ![.embeddings, .moderations, .speech].contains(route) }
    /// What the log says of an answer.
    var trace: String { answersText ? "Guten Tag" : route == .speech ? #""bytes":9"# : "0.25" }
    var body: String { Dialects.body(route, stream: isStream) }

    func answer(_ gate: TestGate, _ texts: [String] = ["Guten", " Tag"]) {
      if isStream, let stream = Dialects.stream(wire, texts) {
        gate.answer(200, stream, kind: .eventStream)
      } else {
        gate.answer(200, Dialects.answer(wire, texts.joined()), kind: route == .speech ? .sound(.mpeg) : .json)
      }
    }

    var setup: GateSetup {
      var setup = GateSetup()
      setup.wires = [wire]
      // What is pseudonymised could not be put back into sound.
      if route == .speech { setup.action = .mask }
      // No rule could look into sound.
      if route.takesForm { setup.passesBinary = true }
      return setup
    }
  }

  private static let paths: [InferenceRoute: String] = [
    .chat: "/chat/completions", .completions: "/completions", .embeddings: "/embeddings", .responses: "/responses",
    .messages: "/messages", .countTokens: "/messages/count_tokens", .moderations: "/moderations", .rerank: "/rerank",
    .images: "/images/generations", .speech: "/audio/speech",
    .transcriptions: "/audio/transcriptions", .translations: "/audio/translations",
  ]

  /// Every route, with and without `/v1`, by every wire that it can be sent on, plain and as a stream.
  static let ways: [Way] = InferenceRoute.allCases.flatMap { route -> [Way] in
    let path = paths[route] ?? "/"
    let wires: [ProviderWire] =
      switch route {
      case .chat: [.chat, .messages, .gemini, .converse]
      case .responses: [.responses, .chat, .messages, .gemini, .converse]
      case .messages: [.messages, .chat, .gemini, .converse]
      case .completions: [.completions]
      case .embeddings, .moderations, .rerank, .images, .speech, .transcriptions, .translations:
        [route.ownWire ?? .chat]
      case .countTokens: []
      }
    return wires.flatMap { wire -> [Way] in
      let paths = wire == route.ownWire ? ["/v1\(path)", path] : ["/v1\(path)"]
      let hasStream = route.generates && Dialects.stream(wire, []) != nil
      return paths.flatMap { path in
        [Way(path: path, route: route, wire: wire)]
          + (hasStream ? [Way(path: path, route: route, wire: wire, isStream: true)] : [])
      }
    }
  }

  private static func call(_ gate: TestGate, _ way: Way, key: [UInt8]?) -> TestGate.Call {
    TestGate.Call(
      path: way.path, key: key, body: Array(way.body.utf8), contentType: way.route.takesForm ? .form : .json)
  }

  private static func record(_ sent: RecordingUpstream.Sent) -> String {
    sent.body.withUnsafeBytes { String(decoding: RequestScan.record(ofForm: $0), as: UTF8.self) }
  }

  @Test func theRouterKnowsTheseWaysToAProviderAndNoOther() {
    func lookup(_ method: Route.Method, _ path: String) -> Route.Lookup {
      Array(path.utf8).withUnsafeBytes { Route.find(method, $0) }
    }
    #expect(Set(Self.ways.map(\.route)) == Set(InferenceRoute.allCases).subtracting([.countTokens]))
    for way in Self.ways {
      #expect(lookup(.post, way.path) == .found(.inference(way.route)))
      for method in [Route.Method.get, .head, .delete, .other] {
        #expect(lookup(method, way.path) == .wrongMethod(allow: "POST"))
      }
      for wrong in ["\(way.path)/", "/\(way.path)", "\(way.path)?a", way.path.uppercased(), "/v1/..\(way.path)"] {
        #expect(lookup(.post, wrong) == .unknown(doubledVersion: false), "\(wrong)")
      }
    }
    #expect(lookup(.post, "/v1/v1/chat/completions") == .unknown(doubledVersion: true))
    for path in ["/v1/models", "/models", "/livez", "/readyz", "/", "/v1/models/chat"] {
      if case .found(let route) = lookup(.get, path) {
        if case .inference = route { Issue.record("\(path) leads to a provider by GET") }
      } else {
        Issue.record("\(path) is unknown")
      }
      #expect(lookup(.post, path) == .wrongMethod(allow: "GET, HEAD"))
    }
  }

  @Test(arguments: ways) func withoutAKeyNothingIsSent(_ way: Way) throws {
    let gate = try TestGate()
    let foreign = Array("th_aaaaaaaaaaaaaaaaaaaaaaaaaa_".utf8) + [UInt8](repeating: 0x61, count: 59)
    var changed = gate.key
    changed[40] = changed[40] == 0x61 ? 0x62 : 0x61
    var texts: Set<String> = []
    for key in [nil, [], foreign, changed, gate.key.dropLast(), gate.key + [0x20]] as [[UInt8]?] {
      let client = gate.send(Self.call(gate, way, key: key.map { Array($0) }))
      #expect(client.status == 401)
      #expect(
        way.route.dialect == .openAI
          ? client.errorCode == "invalid_api_key" : client.errorType == "authentication_error")
      texts.insert(client.text.replacing(/req_[0-9a-z]{26}/, with: ""))
    }
    var differing = Self.call(gate, way, key: gate.key)
    differing.differ = true
    #expect(gate.send(differing).status == 401)
    #expect(texts.count == 1, "unknown, malformed and missing keys read alike")
    #expect(gate.upstream.sent.isEmpty)
    #expect(gate.quotas.openReservations == 0)
  }

  @Test(arguments: ways, [0, 1]) func aLimitOfZeroRefusesAndNothingIsSent(_ way: Way, limit: Int) throws {
    var setup = way.setup
    if limit == 0 { setup.tokensPerDay = 0 } else { setup.requestsPerMinute = 0 }
    let gate = try TestGate(setup)
    let client = gate.send(Self.call(gate, way, key: gate.key))
    #expect(client.status == 429)
    if way.route.dialect == .openAI {
      #expect(client.errorCode == (limit == 0 ? "insufficient_quota" : "rate_limit_exceeded"))
    } else {
      #expect(client.errorType == "rate_limit_error")
    }
    #expect(gate.upstream.sent.isEmpty)
    let books = try gate.books()
    #expect(books.totals.isZero && books.reserveCount == 0 && books.open == 0)
    #expect(books.metas.map(\.status) == [429] && books.metas.map(\.exit) == [3])
  }

  @Test(arguments: ways) func whatRedactionNamesDoesNotLeaveAndComesBack(_ way: Way) throws {
    let gate = try TestGate(way.setup)
    let client = gate.send(Self.call(gate, way, key: gate.key))
    let sent = try #require(gate.upstream.sent.last)
    #expect(!sent.text.contains(Specimens.mail))
    let placeholder = try #require(sent.text.firstMatch(of: /\[EMAIL(_[0-9a-z]{8})?\]/)).output.0
    #expect(placeholder.contains("_") == (way.route != .speech))
    way.answer(gate, ["An ", "\(placeholder)"])
    gate.finish(client)
    #expect(client.status == 200)
    if way.answersText { #expect(client.text.contains(Specimens.mail)) }
    #expect(!client.text.contains("[EMAIL_"))
    #expect(client.value("x-torhaus-redactions") == "email=1")
    #expect(try gate.metas().last?.findings == ["email": 1])
  }

  @Test(arguments: ways) func aRecordExistsOfEachExchangeAndHoldsTheRedactedTextOnly(_ way: Way) throws {
    let gate = try TestGate(way.setup)
    let client = gate.send(Self.call(gate, way, key: gate.key))
    way.answer(gate)
    gate.finish(client)
    let record = try gate.lastRecord()
    let request = try #require(record.request)
    let sent = try #require(gate.upstream.sent.last)
    #expect(
      String(decoding: request, as: UTF8.self).hasSuffix(
        way.route.takesForm ? Self.record(sent) : sent.text),
      "what was sent is what is recorded")
    #expect(!String(decoding: request, as: UTF8.self).contains(Specimens.mail))
    let response = String(decoding: try #require(record.response), as: UTF8.self)
    #expect(response.contains(way.trace))
    #expect(record.responseIsAssembled == way.isStream)
    let metas = try gate.metas()
    #expect(metas.map(\.status) == [200] && metas.map(\.exit) == [way.route == .speech ? 2 : 1])
    #expect(metas.map(\.route) == [way.route.rawValue] && metas.map(\.stream) == [way.isStream ? 1 : 0])
    #expect(client.value("x-request-id") == metas.last?.request_id)
  }

  @Test(arguments: ways) func eachGoesToItsOwnAddressUnderTheCandidatesName(_ way: Way) throws {
    let gate = try TestGate(way.setup)
    let client = gate.send(Self.call(gate, way, key: gate.key))
    let sent = try #require(gate.upstream.sent.last)
    #expect(sent.target.url == "https://first.example/v1\(Dialects.path(way.wire, stream: way.isStream))")
    if way.route.takesForm {
      #expect(sent.text.contains("name=\"model\"\r\n\r\nfirst-model\r\n") && !sent.text.contains("Anna"))
    } else if way.wire != .gemini, way.wire != .converse {
      #expect(sent.text.contains(#""model":"first-model""#))
    }
    way.answer(gate)
    gate.finish(client)
    #expect(client.text.contains(#""model":"chat""#) == (way.route != .speech))
    #expect(!client.text.contains("first-model"))
  }

  @Test(arguments: ["/v1/models", "/models", "/v1/models/chat", "/livez", "/readyz", "/"])
  func otherRoutesSendNothing(path: String) throws {
    let gate = try TestGate()
    let client = gate.send(TestGate.Call(method: .get, path: path, key: gate.key, body: []))
    #expect(client.status == 200)
    #expect(client.value("x-request-id") != nil)
    #expect(gate.upstream.sent.isEmpty && gate.quotas.openReservations == 0)
    let unknown = gate.send(TestGate.Call(method: .get, path: path, body: []))
    #expect(unknown.status == (path.contains("models") ? 401 : 200))
    // Anthropic's clients ask the same paths, and read refusals in their own shape only.
    let anthropic = gate.send(TestGate.Call(method: .get, path: path, body: [], version: "2023-06-01"))
    #expect(anthropic.errorType == (path.contains("models") ? "authentication_error" : nil))
  }

  @Test func anAliasThatDoesNotExistAndOneThatIsHiddenReadAlike() throws {
    let gate = try TestGate()
    for (name, hint) in [("nothing", ""), ("chap", " Did you mean 'chat'?")] {
      let client = gate.send(gate.chat(Specimens.chat().replacing(#""model":"chat""#, with: #""model":"\#(name)""#)))
      #expect(client.status == 404 && client.errorCode == "model_not_found")
      #expect(client.text.contains("may not use it.\(hint) (request"))
    }
    #expect(gate.upstream.sent.isEmpty)
  }
}

/// The routes of files and batches, as the router says.
struct BatchRouteTests {
  private static let file = FileName.input(FileID(0xABCD))
  private static let output = FileName.output(BatchID(0xABCD))
  private static let batch = BatchName(BatchID(0xABCD))

  static let ways: [(Route.Method, String, BatchCall)] = [
    (.post, "/files", .upload), (.get, "/files", .listFiles), (.get, "/files/\(file)", .file(file)),
    (.delete, "/files/\(file)", .delete(file)), (.get, "/files/\(output)/content", .content(output)),
    (.post, "/batches", .create), (.get, "/batches", .listBatches), (.get, "/batches/\(batch)", .batch(batch)),
    (.post, "/batches/\(batch)/cancel", .cancel(batch)),
  ]

  private static func lookup(_ method: Route.Method, _ path: String) -> Route.Lookup {
    Array(path.utf8).withUnsafeBytes { Route.find(method, $0) }
  }

  @Test func theRouterKnowsTheseAndNoOther() {
    for (method, path, call) in Self.ways {
      for path in [path, "/v1\(path)"] {
        #expect(Self.lookup(method, path) == .found(.batches(call)))
        for other in [Route.Method.get, .head, .post, .delete, .other] {
          guard case .found(let route) = Self.lookup(other, path) else { continue }
          #expect(Self.ways.contains { $0.0 == other && route == .batches($0.2) }, "\(other) \(path)")
        }
        for wrong in ["\(path)/", "/\(path)", "\(path)?a", path.uppercased(), "/v1/..\(path)", "\(path)%2f"] {
          #expect(Self.lookup(method, wrong) == .unknown(doubledVersion: false), "\(wrong)")
        }
      }
    }
    for id in [
      "", "file-", "file-1", "batch_\(BatchID(1))", "file-\(FileID(1))-other", "file-\(FileID(1))\u{0}", "..",
      "file-%61",
    ] {
      #expect(Self.lookup(.get, "/v1/files/\(id)") == .unknown(doubledVersion: false), "\(id)")
      #expect(Self.lookup(.get, "/v1/batches/\(id)") == .unknown(doubledVersion: false) || id.hasPrefix("batch_"))
    }
  }

  @Test(arguments: ways.indices) func withoutAKeyNothingIsSent(place: Int) throws {
    let (method, path, call) = Self.ways[place]
    let gate = try TestGate(BatchSpecimens.setup())
    let client = gate.send(
      TestGate.Call(
        method: method, path: path, key: nil, body: [],
        contentType: call == .upload ? .form : call == .create ? .json : .none))
    #expect(client.status == 401 && client.errorCode == "invalid_api_key")
    #expect(gate.upstream.sent.isEmpty && gate.quotas.openReservations == 0)
  }

  @Test(arguments: ways.indices) func aRecordExistsOfEach(place: Int) throws {
    let (method, path, call) = Self.ways[place]
    let gate = try TestGate(BatchSpecimens.setup())
    let client = gate.send(
      TestGate.Call(
        method: method, path: path, key: gate.key, body: Array((call == .create ? "{}" : "").utf8),
        contentType: call == .upload ? .form : call == .create ? .json : .none))
    let books = try gate.books()
    #expect(books.metas.map(\.route) == [call.name] && books.metas.map(\.status) == [Int(client.status)])
    #expect(books.open == 0)
  }
}
