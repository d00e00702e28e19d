import Batches
import Dispatch
import Foundation
import Inference
import KeyProviders
import Policies
import Quotas
import Redaction
import SealedLog
import Synchronization
import Tenancy
import Testing

@testable import Gateway

/// Files and batches go through the same stages as single requests, and nothing of the provider's shows.
struct BatchTests {
  private static let owner = BatchOwner(tenant: GateSetup.tenant, project: GateSetup.project)

  // MARK: The way in

  @Test func whatLeavesIsRedactedLineByLineAndNamesTheCandidatesModel() throws {
    let gate = try TestGate(BatchSpecimens.setup())
    let name = "\(Specimens.mail) eins"
    let lines = [
      BatchSpecimens.line(name, Specimens.chat("Brief an \(Specimens.mail).", more: #""max_tokens":9000,"#)),
      BatchSpecimens.line("zwei", Specimens.chat("Gruss.", more: #""store":true,"user":"Anna","metadata":{"a":"b"},"#)),
    ]
    let client = gate.exchange(
      gate.call(.post, "/v1/files", BatchSpecimens.form(lines), .form), BatchSpecimens.uploaded)
    #expect(client.status == 200, "\(client.text)")
    let sent = try #require(gate.upstream.sent.first)
    #expect(sent.target.url == "https://first.example/v1/files" && sent.target.method == .post)
    #expect(!sent.text.contains(Specimens.mail) && !sent.text.contains("Anna") && !sent.text.contains("metadata"))
    #expect(sent.text.contains(#""model":"first-model""#) && !sent.text.contains(#""model":"chat""#))
    #expect(sent.text.contains(#""max_completion_tokens":500"#) && !sent.text.contains("9000"))
    #expect(sent.text.contains(#""store":false"#))
    #expect(sent.text.firstMatch(of: /"custom_id":"EMAIL_[0-9a-z]{8} eins"/) != nil, "\(sent.text)")
    #expect(client.value("x-torhaus-dropped") == "metadata,store")
    #expect(client.value("x-torhaus-clamped") == "max_completion_tokens=500")
    #expect(client.value("x-torhaus-redactions") == "email=2")
    #expect(client.member("filename") == "batch.jsonl" && client.text.contains(#""purpose":"batch""#))
    for theirs in BatchSpecimens.theirs { #expect(!client.text.contains(theirs)) }
  }

  @Test func aRecordHoldsTheLinesAsTheyWereSent() throws {
    let gate = try TestGate(BatchSpecimens.setup())
    let file = try gate.upload()
    let sent = try #require(gate.upstream.sent.first).text
    let record = try gate.lastRecord()
    let request = String(decoding: try #require(record.request), as: UTF8.self)
    #expect(request.contains(#""content_type":"application/jsonl""#) && !request.contains(Specimens.mail))
    let lines = request.drop { $0 != "}" }.dropFirst()
    #expect(lines.split(separator: "\n").count == 2 && sent.contains(lines))
    #expect(String(decoding: try #require(record.response), as: UTF8.self).contains(file))
    #expect(try gate.metas().map(\.route) == ["files.create"])
    let client = gate.exchange(gate.order(file), BatchSpecimens.batch("validating"))
    let order = try gate.lastRecord()
    #expect(String(decoding: try #require(order.request), as: UTF8.self).contains(file))
    #expect(String(decoding: try #require(order.response), as: UTF8.self).contains(try #require(client.id)))
    #expect(try gate.metas().map(\.route) == ["files.create", "batches.create"])
  }

  @Test func originalsRestSealed() throws {
    let gate = try TestGate(BatchSpecimens.setup())
    let text = try gate.upload()
    guard case .input(let id)? = FileName(text[...]) else {
      Issue.record("\(text) is no name of a file")
      return
    }
    let file = try #require(try gate.batches.file(id, of: Self.owner))
    let sealed = try #require(file.originals)
    #expect(file.isPseudonymised && String(decoding: sealed, as: UTF8.self).contains(Specimens.mail) == false)
    let open = try SealedOriginals.open(sealed, tenant: GateSetup.tenant, file: id, keys: gate.keyProvider)
    #expect(String(decoding: open, as: UTF8.self).contains(Specimens.mail))
    #expect(throws: SealedOriginals.Fault.gone) {
      try SealedOriginals.open(sealed, tenant: GateSetup.tenant, file: FileID(1), keys: gate.keyProvider)
    }
  }

  static let wrong: [(String, String, String?)] = [
    ("", "missing_required_parameter", "custom_id"),
    ("[]", "invalid_type", nil),
    (BatchSpecimens.line("a", Specimens.chat()).replacing("POST", with: "GET"), "invalid_value", "method"),
    (BatchSpecimens.line("", Specimens.chat()), "invalid_value", "custom_id"),
    (BatchSpecimens.line("a", Specimens.chat(), url: "/v1/messages"), "invalid_value", "url"),
    (BatchSpecimens.line("a", Specimens.embeddings(), url: "/v1/embeddings"), "invalid_value", "url"),
    (
      BatchSpecimens.line("a", Specimens.chat().replacing(#""model":"chat""#, with: #""model":"b""#)), "invalid_value",
      "model"
    ),
    (BatchSpecimens.line("a", Specimens.chat(stream: true)), "unsupported_parameter", "stream"),
    (
      BatchSpecimens.line("a", Specimens.chat(more: #""service_tier":"flex","#)), "unsupported_parameter",
      "service_tier"
    ),
    (
      BatchSpecimens.line("a", Specimens.chat(more: #""tools":[{"type":"web_search"}],"#)), "unsupported_parameter",
      "tools"
    ),
    (BatchSpecimens.line("a", Specimens.chat()).dropLast() + #","note":"x"}"#, "unsupported_parameter", nil),
    (BatchSpecimens.line("line-0", Specimens.chat()), "invalid_value", "custom_id"),
    (BatchSpecimens.line(#"line-\u0030"#, Specimens.chat()), "invalid_value", "custom_id"),
  ]

  @Test(arguments: wrong.indices) func aWrongLineRefusesTheFileAndIsNamed(place: Int) throws {
    let (line, code, param) = Self.wrong[place]
    let gate = try TestGate(BatchSpecimens.setup())
    let lines = BatchSpecimens.lines(1) + [line.isEmpty ? "{}" : line]
    let client = gate.send(gate.call(.post, "/v1/files", BatchSpecimens.form(lines), .form))
    #expect(client.status == 400 && client.errorCode == code, "\(client.text)")
    #expect(client.text.contains("Line 2: "))
    if let param { #expect(client.text.contains(#""param":"\#(param)""#), "\(client.text)") }
    #expect(gate.upstream.sent.isEmpty)
    #expect(try gate.books().metas.map(\.status) == [400])
  }

  @Test func aBlockedLineRefusesTheFileAndIsNamed() throws {
    var setup = BatchSpecimens.setup()
    setup.action = .block
    let gate = try TestGate(setup)
    let lines = [BatchSpecimens.line("a", Specimens.chat("Gruss")), BatchSpecimens.lines(1)[0]]
    let client = gate.send(gate.call(.post, "/v1/files", BatchSpecimens.form(lines), .form))
    #expect(client.status == 400 && client.errorCode == "content_policy_violation")
    #expect(client.text.contains("Line 2: ") && !client.text.contains(Specimens.mail))
    #expect(gate.upstream.sent.isEmpty)
  }

  @Test(arguments: [("", true), ("{}", true), ("}{", false), ("{", false), ("{}{}", false), ("[]", false)])
  func whatIsOnlyAskedForTakesNoBody(body: String, isTaken: Bool) throws {
    let gate = try TestGate(BatchSpecimens.setup())
    let client = gate.ask(gate.call(.get, "/v1/batches", body, .json))
    #expect(client.status == (isTaken ? 200 : 400))
    #expect(client.text.contains("takes no body") != isTaken, "\(client.text)")
    #expect(gate.upstream.sent.isEmpty)
  }

  @Test(arguments: ["assistants", "fine-tune", "user_data", ""]) func otherPurposesAreRefused(purpose: String) throws {
    let gate = try TestGate(BatchSpecimens.setup())
    let client = gate.send(
      gate.call(.post, "/v1/files", BatchSpecimens.form(BatchSpecimens.lines(), purpose: purpose), .form))
    #expect(client.status == 400 && client.text.contains("not supported"))
    #expect(gate.upstream.sent.isEmpty)
  }

  @Test func linesAndFilesAreBound() throws {
    var setup = BatchSpecimens.setup()
    setup.limits.batchLines = 3
    setup.limits.batchFiles = 1
    let gate = try TestGate(setup)
    let tooMany = gate.send(gate.call(.post, "/v1/files", BatchSpecimens.form(BatchSpecimens.lines(4)), .form))
    #expect(tooMany.status == 400 && tooMany.text.contains("more than 3 lines"))
    _ = try gate.upload(BatchSpecimens.lines(3))
    let second = gate.send(gate.call(.post, "/v1/files", BatchSpecimens.form(BatchSpecimens.lines()), .form))
    #expect(second.status == 400 && second.text.contains("Delete some"))
    #expect(gate.upstream.sent.count == 1)
  }

  @Test func thePlanBoundsTheWholeUpload() throws {
    var setup = BatchSpecimens.setup()
    let form = BatchSpecimens.form(BatchSpecimens.lines(9))
    setup.plan.bodyBytes = form.utf8.count - 1
    let gate = try TestGate(setup)
    let client = gate.send(gate.call(.post, "/v1/files", form, .form))
    #expect(client.status == 413 && client.errorCode == "request_too_large", "\(client.text)")
    #expect(gate.upstream.sent.isEmpty)
  }

  @Test func whoseModelTakesNoBatchesSaysSo() throws {
    let gate = try TestGate()
    let client = gate.send(gate.call(.post, "/v1/files", BatchSpecimens.form(BatchSpecimens.lines()), .form))
    #expect(client.status == 400 && client.text.contains("not translated"), "\(client.text)")
    var setup = BatchSpecimens.setup()
    setup.candidates[0].wires = [.messages]
    let foreign = try TestGate(setup)
    let other = foreign.send(foreign.call(.post, "/v1/files", BatchSpecimens.form(BatchSpecimens.lines()), .form))
    #expect(other.status == 400 && other.text.contains("not translated"))
    #expect(gate.upstream.sent.isEmpty && foreign.upstream.sent.isEmpty)
  }

  // MARK: The whole way

  @Test(arguments: [false, true]) func whatWasReplacedComesBackAndWhatItCostIsBooked(hasThreads: Bool) throws {
    var setup = BatchSpecimens.setup()
    setup.hasHelpers = hasThreads
    let gate = try TestGate(setup)
    func exchange(_ call: TestGate.Call, _ answer: String) -> RecordingClient {
      let before = gate.upstream.sent.count
      let client = gate.send(call)
      #expect(gate.takeBack { gate.upstream.sent.count > before || client.isOver }, "\(client.text)")
      guard gate.upstream.sent.count > before else { return client }
      gate.answer(200, answer)
      #expect(
        gate.holds(10) {
          _ = gate.takeBack { true }
          return gate.confirm(seconds: 0.001) { client.isOver }
        })
      return client
    }
    let name = "Akte \(Specimens.mail)"
    let lines = [BatchSpecimens.line(name, Specimens.chat("An \(Specimens.mail)")), BatchSpecimens.lines(1)[0]]
    let file = try #require(
      exchange(gate.call(.post, "/files", BatchSpecimens.form(lines), .form), BatchSpecimens.uploaded).id)
    let sent = try #require(gate.upstream.sent.first).text
    let placeholder = String(try #require(sent.firstMatch(of: /\[EMAIL_[0-9a-z]{8}\]/)).output)
    let theirName = String(try #require(sent.firstMatch(of: /"custom_id":"([^"]+)"/)).output.1)
    let made = exchange(gate.order(file), BatchSpecimens.batch("validating"))
    let id = try #require(made.id)
    #expect(made.member("input_file_id") == file && made.member("status") == "validating")
    #expect(try #require(gate.upstream.sent.last).text.contains(BatchSpecimens.remoteFile))
    let worst = try gate.books()
    #expect(worst.tokens > 1000 && worst.money > 1_000_000 && worst.open == 0)

    let looked = exchange(
      gate.call(.get, "/v1/batches/\(id)"), BatchSpecimens.batch("completed", output: true, usage: (40, 10)))
    #expect(looked.member("status") == "completed" && looked.text.contains(#""input_tokens":40"#))
    let output = try #require(looked.member("output_file_id"))
    let last = try #require(gate.upstream.sent.last)
    #expect(last.target.method == .get && last.target.url.hasSuffix("/v1/batches/\(BatchSpecimens.remoteBatch)"))
    let books = try gate.books()
    #expect(books.tokens == 50 && books.money == 40 * 1_000 + 10 * 2_000)
    // An upload, an order and a look each count as a request; the tokens are the batch's.
    #expect(books.totals == UsageTotals(requests: 3, inputTokens: 40, outputTokens: 10, money: 60_000))

    let content = exchange(
      gate.call(.get, "/v1/files/\(output)/content"),
      BatchSpecimens.result(theirName, Specimens.plain("Gruss an \(placeholder)"))
        + BatchSpecimens.result("line-0", Specimens.refused, status: 500))
    #expect(content.status == 200 && content.head?.kind == .lines)
    let results = content.text.split(separator: "\n")
    #expect(results.count == 2)
    #expect(results[0].contains(#""custom_id":"\#(name)""#) && results[0].contains("Gruss an \(Specimens.mail)"))
    #expect(results[0].contains(#""model":"chat""#))
    #expect(results[1].contains(#""status_code":502"#) && results[1].contains(#""code":"upstream_error""#))
    for client in [made, looked, content] {
      for theirs in BatchSpecimens.theirs { #expect(!client.text.contains(theirs), "\(client.text)") }
    }
    #expect(content.value("x-torhaus-originals") == nil)
    let record = try gate.lastRecord()
    let kept = String(decoding: try #require(record.response), as: UTF8.self)
    #expect(kept.contains(placeholder) && !kept.contains(Specimens.mail))
    #expect(try gate.books().tokens == 50, "a later look changes nothing")
  }

  @Test func withoutASumTheOutputSaysWhatWasUsed() throws {
    let gate = try TestGate(BatchSpecimens.setup())
    let id = try gate.batch()
    let worst = try gate.books().tokens
    let looked = gate.exchange(
      gate.call(.get, "/v1/batches/\(id)"), BatchSpecimens.batch("completed", output: true))
    #expect(try gate.books().tokens == worst)
    let output = try #require(looked.member("output_file_id"))
    gate.exchange(
      gate.call(.get, "/v1/files/\(output)/content"),
      BatchSpecimens.result("line-0", Specimens.plain()) + BatchSpecimens.result("line-1", Specimens.plain()))
    #expect(try gate.books().tokens == 34)
    #expect(try gate.books().totals == UsageTotals(requests: 4, inputTokens: 24, outputTokens: 10, money: 44_000))
  }

  /// A file that ends too early, an answer that tells nothing of a long text or of its prompt, a batch that goes on.
  @Test(arguments: [
    ("completed", [Specimens.plain()]),
    ("completed", [Specimens.plain(), Specimens.plain(String(repeating: "Gruss ", count: 40))]),
    ("completed", [Specimens.plain(), Specimens.plain(usage: #""usage":{"prompt_tokens":0,"completion_tokens":9}"#)]),
    ("finalizing", [Specimens.plain(), Specimens.plain()]),
  ])
  func resultsThatCannotBeAllLeaveTheWorstCase(status: String, answers: [String]) throws {
    let gate = try TestGate(BatchSpecimens.setup())
    let id = try gate.batch()
    let worst = try gate.books().tokens
    let looked = gate.exchange(gate.call(.get, "/v1/batches/\(id)"), BatchSpecimens.batch(status, output: true))
    gate.exchange(
      gate.call(.get, "/v1/files/\(try #require(looked.member("output_file_id")))/content"),
      answers.enumerated().map { BatchSpecimens.result("line-\($0.offset)", $0.element) }.joined())
    #expect(try gate.books().tokens == worst)
  }

  @Test func theMemoryOfResultsIsCountedTwice() throws {
    let gate = try TestGate(BatchSpecimens.setup())
    let id = try gate.batch()
    let looked = gate.exchange(
      gate.call(.get, "/v1/batches/\(id)"), BatchSpecimens.batch("completed", output: true))
    let output = try #require(looked.member("output_file_id"))
    let client = gate.send(gate.call(.get, "/v1/files/\(output)/content"))
    let exchange = try #require(gate.upstream.sent.last).exchange
    let results = BatchSpecimens.result("line-0", Specimens.plain())
    gate.answer(200, results)
    #expect(exchange.heldBytes > results.utf8.count + 100)
    gate.finish(client)
  }

  @Test func aLineThatDoesNotSayItsUsageLeavesTheWorstCase() throws {
    let gate = try TestGate(BatchSpecimens.setup())
    let id = try gate.batch()
    let worst = try gate.books().tokens
    let looked = gate.exchange(
      gate.call(.get, "/v1/batches/\(id)"), BatchSpecimens.batch("completed", output: true))
    gate.exchange(
      gate.call(.get, "/v1/files/\(try #require(looked.member("output_file_id")))/content"),
      BatchSpecimens.result("line-0", Specimens.plain())
        + BatchSpecimens.result("line-1", Specimens.plain(usage: nil)))
    #expect(try gate.books().tokens == worst)
  }

  @Test func whatNobodyBeganCostsNothing() throws {
    let gate = try TestGate(BatchSpecimens.setup())
    let id = try gate.batch()
    let fault =
      #"{"object":"list","data":[{"code":"invalid_json","message":"Bad line in \#(BatchSpecimens.remoteFile)","param":null,"line":2}]}"#
    let failed = gate.exchange(
      gate.call(.get, "/v1/batches/\(id)"),
      BatchSpecimens.batch("failed").replacing(#""errors":null"#, with: #""errors":\#(fault)"#))
    #expect(failed.text.contains(#""code":"invalid_json""#) && failed.text.contains(#""line":2"#))
    #expect(!failed.text.contains(BatchSpecimens.remoteFile), "\(failed.text)")
    #expect(try gate.books().tokens == 0)
  }

  @Test(arguments: [(999_999_999, 1), (-1, 2), (0, 0), (1, 1)])
  func whatCannotBeBelievedChangesNothing(input: Int, output: Int) throws {
    let gate = try TestGate(BatchSpecimens.setup())
    let id = try gate.batch()
    let worst = try gate.books().tokens
    gate.exchange(
      gate.call(.get, "/v1/batches/\(id)"),
      BatchSpecimens.batch("completed", output: true, usage: (input, output)))
    #expect(try gate.books().tokens == worst)
  }

  @Test func theRowOfABatchIsThereBeforeAnythingIsSent() throws {
    let gate = try TestGate(BatchSpecimens.setup())
    let file = try gate.upload()
    var batch: StoredBatch?
    let batches = gate.batches
    gate.upstream.onSend = {
      // By its owner's list it is not seen yet: its provider has not taken it.
      #expect((try? batches.batches(of: Self.owner, most: 9))?.isEmpty == true)
      batch = batches.all.first
    }
    let client = gate.send(gate.order(file))
    let found = try #require(batch)
    #expect(found.remote == nil && found.booking.totals.inputTokens > 0 && found.booking.shares.count == 2)
    gate.answer(200, BatchSpecimens.batch("validating"))
    gate.finish(client)
    #expect(client.id == BatchName(found.id).description)
  }

  @Test func whatAProviderRefusedCostsNothingAndWhatNobodyKnowsCostsAll() throws {
    let gate = try TestGate(BatchSpecimens.setup())
    let file = try gate.upload()
    let refused = gate.exchange(
      gate.order(file),
      #"{"error":{"message":"No such file \#(BatchSpecimens.remoteFile).","type":"invalid_request_error","code":null}}"#,
      status: 400)
    #expect(refused.status == 400 && !refused.text.contains(BatchSpecimens.remoteFile), "\(refused.text)")
    #expect(try gate.books().tokens == 0)
    let gone = gate.exchange(gate.order(file), Specimens.refused, status: 404)
    #expect(gone.status == 404 && gone.errorCode == "not_found")
    #expect(try gate.books().tokens == 0)
    let lost = gate.send(gate.order(file))
    gate.end(.cut)
    gate.finish(lost)
    #expect(lost.status == 502)
    let worst = try gate.books()
    #expect(worst.tokens > 1000 && worst.unbalanced == 0)
    // Another batch is another attempt.
    let unread = gate.exchange(gate.order(file), "[]")
    #expect(unread.status == 502)
    #expect(try gate.books().tokens == 2 * worst.tokens)
    #expect(try gate.batches.batches(of: Self.owner, most: 9).isEmpty)
  }

  /// Only a refusal says that an order is not worked on, and no order is given twice.
  @Test(arguments: [201, 302, 408, 409, 500, 502, 503, 529]) func anOrderThatMayRunCostsItsWorstCase(status: Int) throws
  {
    let gate = try TestGate(BatchSpecimens.setup())
    let file = try gate.upload()
    let client = gate.send(gate.order(file))
    gate.answer(status, Specimens.refused, retryAfter: 1)
    gate.passWaits()
    gate.finish(client)
    #expect(gate.upstream.sent.count == 2 && client.status >= 429)
    #expect(client.value("x-should-retry") == "false")
    #expect(try gate.books().tokens > 1000)
  }

  @Test func whatIsOverAtOnceIsBookedByTheNextLook() throws {
    let gate = try TestGate(BatchSpecimens.setup())
    let file = try gate.upload()
    let over = BatchSpecimens.batch("completed", output: true, usage: (40, 10))
    let client = gate.exchange(gate.order(file), over)
    #expect(try gate.books().tokens > 1000)
    gate.exchange(gate.call(.get, "/v1/batches/\(try #require(client.id))"), over)
    #expect(try gate.books().tokens == 50)
  }

  @Test func whatIsNotCountedIsNotFree() throws {
    let gate = try TestGate(BatchSpecimens.setup())
    let id = try gate.batch()
    let worst = try gate.books().tokens
    let counts = #","request_counts":{"total":2,"completed":0,"failed":0}"#
    gate.exchange(
      gate.call(.get, "/v1/batches/\(id)"), BatchSpecimens.batch("completed").replacing(counts, with: ""))
    #expect(try gate.books().tokens == worst)
    // Complete, and neither answered nor refused: its output comes with a later look.
    gate.exchange(gate.call(.get, "/v1/batches/\(id)"), BatchSpecimens.batch("completed"))
    #expect(try gate.books().tokens == worst)
    let looked = gate.exchange(
      gate.call(.get, "/v1/batches/\(id)"),
      BatchSpecimens.batch("completed", output: true, usage: (9, 0)).replacing(counts, with: ""))
    gate.exchange(gate.call(.get, "/v1/files/\(try #require(looked.member("output_file_id")))/content"), "\n")
    #expect(try gate.books().tokens == worst)
  }

  @Test func whatCannotBeSealedIsNotSent() throws {
    let gate = try TestGate(BatchSpecimens.setup())
    gate.keyProvider.setAway(true)
    let client = gate.send(gate.call(.post, "/v1/files", BatchSpecimens.form(BatchSpecimens.lines()), .form))
    #expect(client.status == 503 && client.errorCode == "redaction_unavailable" && gate.upstream.sent.isEmpty)
  }

  @Test func nothingIsAdmittedBeyondALimit() throws {
    var setup = BatchSpecimens.setup()
    setup.tokensPerDay = 1000
    let gate = try TestGate(setup)
    let file = try gate.upload()
    let client = gate.send(gate.order(file))
    #expect(client.status == 429 && client.errorCode == "insufficient_quota", "\(client.text)")
    #expect(gate.upstream.sent.count == 1)
    let books = try gate.books()
    #expect(books.tokens == 0 && books.open == 0)
  }

  @Test func whatIsGivenBackCanBeSpentAgain() throws {
    var setup = BatchSpecimens.setup()
    setup.tokensPerDay = 1500
    let gate = try TestGate(setup)
    let id = try gate.batch()
    let file = try gate.upload()
    #expect(gate.send(gate.order(file)).status == 429)
    gate.exchange(
      gate.call(.get, "/v1/batches/\(id)"), BatchSpecimens.batch("completed", output: true, usage: (40, 10)))
    // What the ledger said a moment ago is remembered for a second.
    gate.clock.advance(milliseconds: 1_100)
    #expect(gate.exchange(gate.order(file), BatchSpecimens.batch("validating")).status == 200)
  }

  // MARK: Walls

  @Test func anothersAndUnknownReadAlike() throws {
    let gate = try TestGate(BatchSpecimens.setup())
    _ = try gate.batch()
    let own = try #require(gate.batches.all.first)
    let file = try #require(try gate.batches.file(own.file, of: Self.owner))
    for (number, owner) in [
      BatchOwner(tenant: TenantID(9), project: GateSetup.project),
      BatchOwner(tenant: GateSetup.tenant, project: ProjectID(9)),
    ].enumerated() {
      let fileID = FileID(UInt128(100 + number))
      try gate.batches.add(
        StoredFile(
          id: fileID, owner: owner, created: 1, bytes: 1, lines: 1, place: file.place, remote: "file-foreign\(number)",
          inputTokens: 1, outputTokens: 1, longestInput: 1, isPseudonymised: false, originals: nil))
      var batch = StoredBatch(
        id: BatchID(UInt128(200 + number)), owner: owner, created: 1, file: fileID, place: own.place,
        isPseudonymised: false, booking: own.booking, rates: own.rates)
      batch.remote = "batch_foreign\(number)"
      batch.output = RemoteFile(id: "file-foreignout")
      try gate.batches.save(batch)
    }
    func text(_ call: TestGate.Call) -> String {
      let client = gate.send(call)
      #expect(client.status == 404, "\(call.path): \(client.text)")
      return client.text.replacing(/req_[0-9a-z]{26}/, with: "")
    }
    let sent = gate.upstream.sent.count
    for value in [100, 101, 300] {
      let (file, batch) = (FileName.input(FileID(UInt128(value))), BatchName(BatchID(UInt128(value + 100))))
      let output = FileName.output(batch.id)
      let unknown = (FileName.input(FileID(7)), BatchName(BatchID(7)))
      #expect(text(gate.call(.get, "/v1/files/\(file)")) == text(gate.call(.get, "/v1/files/\(unknown.0)")))
      #expect(text(gate.call(.delete, "/v1/files/\(file)")) == text(gate.call(.delete, "/v1/files/\(unknown.0)")))
      #expect(
        text(gate.call(.get, "/v1/files/\(output)/content")) == text(gate.call(.get, "/files/\(unknown.0)/content")))
      #expect(text(gate.call(.get, "/v1/batches/\(batch)")) == text(gate.call(.get, "/v1/batches/\(unknown.1)")))
      #expect(
        text(gate.call(.post, "/v1/batches/\(batch)/cancel")) == text(gate.call(.post, "/batches/\(unknown.1)/cancel")))
      #expect(text(gate.order(file.description)) == text(gate.order(unknown.0.description)))
      #expect(text(gate.order("file-../x")) == text(gate.order(unknown.0.description)))
    }
    #expect(gate.upstream.sent.count == sent)
    let files = gate.ask(gate.call(.get, "/v1/files"))
    let batches = gate.ask(gate.call(.get, "/v1/batches"))
    for list in [files, batches] {
      #expect(list.status == 200 && list.text.contains(#""has_more":false"#) && !list.text.contains("foreign"))
      #expect(list.text.components(separatedBy: #""object":"#).count == 3, "the list and one element: \(list.text)")
    }
    #expect(files.text.contains(FileName.input(own.file).description))
    #expect(batches.text.contains(BatchName(own.id).description))
    for theirs in BatchSpecimens.theirs { #expect(!files.text.contains(theirs) && !batches.text.contains(theirs)) }
  }

  @Test func anAnswerAboutAnotherBatchIsNone() throws {
    let gate = try TestGate(BatchSpecimens.setup())
    let id = try gate.batch()
    let client = gate.exchange(
      gate.call(.get, "/v1/batches/\(id)"),
      BatchSpecimens.batch("completed", usage: (1, 1)).replacing(BatchSpecimens.remoteBatch, with: "batch_other"))
    #expect(client.status == 502)
    #expect(gate.batches.all.first?.isBooked == false)
  }

  @Test(arguments: ["", "{}", "[]", #"{"id":7}"#, #"{"id":"a/../b"}"#, #"{"id":"a b"}"#, #"{"id":""}"#, "\u{0}"])
  func namesThatCouldBeAnythingAreNoNames(answer: String) throws {
    let gate = try TestGate(BatchSpecimens.setup())
    let client = gate.exchange(
      gate.call(.post, "/v1/files", BatchSpecimens.form(BatchSpecimens.lines()), .form), answer)
    #expect(client.status == 502)
    #expect(try gate.batches.countFiles(of: Self.owner) == 0)
  }

  @Test func withoutThePermissionOfTheLinesNothingIsSeen() throws {
    let gate = try TestGate(BatchSpecimens.setup())
    let id = try gate.batch()
    let file = FileName.input(try #require(gate.batches.all.first).file)
    var setup = BatchSpecimens.setup()
    setup.role = "reader"
    let reader = try TestGate(setup)
    for one in try gate.batches.files(of: Self.owner, most: 9) { try reader.batches.add(one) }
    for one in gate.batches.all { try reader.batches.save(one) }
    for call in [
      reader.call(.post, "/v1/files", BatchSpecimens.form(BatchSpecimens.lines()), .form),
      reader.order(file.description), reader.call(.get, "/v1/batches/\(id)"), reader.call(.get, "/v1/files/\(file)"),
      reader.call(.delete, "/v1/files/\(file)"), reader.call(.post, "/v1/batches/\(id)/cancel"),
    ] {
      #expect(reader.send(call).status == 403, "\(call.path)")
    }
    #expect(reader.ask(reader.call(.get, "/v1/files")).text.contains(#""data":[]"#))
    #expect(reader.ask(reader.call(.get, "/v1/batches")).text.contains(#""data":[]"#))
    #expect(reader.upstream.sent.isEmpty)
  }

  @Test func aRevokedKeyLosesWhatItHasUploaded() throws {
    let gate = try TestGate(BatchSpecimens.setup())
    let id = try gate.batch()
    gate.snapshots.swap(try gate.snapshot(revoked: true))
    #expect(gate.send(gate.call(.get, "/v1/batches/\(id)")).status == 401)
  }

  @Test func anAgreementThatEndsTakesTheBatchOutButNotWhatIsTakenBack() throws {
    var setup = BatchSpecimens.setup()
    setup.candidates[0].agreementExpires = "2026-11-24"
    let gate = try TestGate(setup)
    let file = try gate.upload()
    gate.clock.advance(milliseconds: 86_400_000)
    let client = gate.send(gate.order(file))
    #expect(client.status == 403 && client.errorCode == "data_residency_mismatch")
    #expect(gate.upstream.sent.count == 1)
    let deleted = gate.exchange(gate.call(.delete, "/v1/files/\(file)"), #"{"id":"x","deleted":true}"#)
    #expect(deleted.text == #"{"id":"\#(file)","object":"file","deleted":true}"#)
  }

  // MARK: What is taken back

  @Test func aDeletedFileIsGoneWithItsOriginals() throws {
    let gate = try TestGate(BatchSpecimens.setup())
    let id = try gate.batch()
    let file = FileName.input(try #require(gate.batches.all.first).file)
    let deleted = gate.exchange(gate.call(.delete, "/v1/files/\(file)"), "{}")
    #expect(deleted.status == 200)
    #expect(gate.upstream.sent.last?.target.method == .delete)
    #expect(gate.upstream.sent.last?.target.url.hasSuffix("/files/\(BatchSpecimens.remoteFile)") == true)
    #expect(gate.send(gate.call(.get, "/v1/files/\(file)")).status == 404)
    let looked = gate.exchange(
      gate.call(.get, "/v1/batches/\(id)"), BatchSpecimens.batch("completed", output: true, usage: (1, 1)))
    let output = try #require(looked.member("output_file_id"))
    let content = gate.exchange(
      gate.call(.get, "/v1/files/\(output)/content"),
      BatchSpecimens.result("line-0", Specimens.plain("[EMAIL_aaaaaaaa]")))
    #expect(content.status == 200 && content.text.contains("[EMAIL_aaaaaaaa]"))
    #expect(content.value("x-torhaus-originals") == "gone")
    // The results are deleted by themselves, and what the provider goes on naming is known no more.
    #expect(gate.exchange(gate.call(.delete, "/v1/files/\(output)"), "", status: 404).status == 200)
    let again = gate.exchange(
      gate.call(.get, "/v1/batches/\(id)"), BatchSpecimens.batch("completed", output: true, usage: (1, 1)))
    #expect(again.text.contains(#""output_file_id":null"#))
    #expect(gate.send(gate.call(.get, "/v1/files/\(output)/content")).status == 404)
  }

  enum Loss: CaseIterable { case age, sweep, key }

  @Test(arguments: Loss.allCases) func withoutTheOriginalsPlaceholdersStayAndTheAnswerSaysSo(loss: Loss) throws {
    var setup = BatchSpecimens.setup()
    setup.limits.batchOriginalsDays = 1
    let gate = try TestGate(setup)
    let id = try gate.batch()
    let sent = try #require(gate.upstream.sent.first).text
    let placeholder = String(try #require(sent.firstMatch(of: /\[EMAIL_[0-9a-z]{8}\]/)).output)
    let looked = gate.exchange(
      gate.call(.get, "/v1/batches/\(id)"), BatchSpecimens.batch("completed", output: true, usage: (1, 1)))
    switch loss {
    case .age: gate.clock.advance(milliseconds: 86_400_000)
    case .sweep:
      gate.clock.advance(milliseconds: 86_401_000)
      gate.pipeline.sweepBatches()
      #expect(try gate.batches.file(try #require(gate.batches.all.first).file, of: Self.owner)?.originals == nil)
    case .key: try TenantKeys.destroy(tenant: GateSetup.tenant, provider: gate.keyProvider)
    }
    let content = gate.exchange(
      gate.call(.get, "/v1/files/\(try #require(looked.member("output_file_id")))/content"),
      BatchSpecimens.result("line-0", Specimens.plain(placeholder)))
    #expect(content.status == 200 && content.text.contains(placeholder) && !content.text.contains(Specimens.mail))
    #expect(content.value("x-torhaus-originals") == "gone")
  }

  @Test func aKeyProviderThatIsAwayIsNoLoss() throws {
    let gate = try TestGate(BatchSpecimens.setup())
    let id = try gate.batch()
    let looked = gate.exchange(
      gate.call(.get, "/v1/batches/\(id)"), BatchSpecimens.batch("completed", output: true, usage: (1, 1)))
    let sent = gate.upstream.sent.count
    gate.keyProvider.setAway(true)
    let client = gate.send(gate.call(.get, "/v1/files/\(try #require(looked.member("output_file_id")))/content"))
    #expect(client.status == 503 && client.errorCode == "redaction_unavailable")
    #expect(gate.upstream.sent.count == sent)
  }

  enum Left: CaseIterable { case alias, provider }

  /// The alias is gone, or leads somewhere else: what lies with the first provider is taken back from there.
  @Test(arguments: Left.allCases) func whatNoAliasLeadsToCanBeTakenBack(left: Left) throws {
    let setup = BatchSpecimens.setup()
    let gate = try TestGate(setup)
    let id = try gate.batch()
    let file = FileName.input(try #require(gate.batches.all.first).file)
    var other = setup
    other.candidates[0].provider = "second"
    gate.snapshots.swap(
      try gate.snapshot(
        models: left == .alias ? [:] : ["chat": try other.route()], batchModels: try setup.route().candidates))
    #expect(gate.send(gate.call(.get, "/v1/batches/\(id)")).status == (left == .alias ? 404 : 503))
    let cancelled = gate.exchange(gate.call(.post, "/v1/batches/\(id)/cancel"), BatchSpecimens.batch("cancelling"))
    #expect(cancelled.member("status") == "cancelling")
    let deleted = gate.exchange(gate.call(.delete, "/v1/files/\(file)"), "{}")
    #expect(deleted.status == 200 && deleted.value("x-torhaus-provider-copy") == nil)
    #expect(gate.upstream.sent.last?.target.url.hasPrefix("https://first.example/") == true)
    #expect(try gate.batches.countFiles(of: Self.owner) == 0)
  }

  @Test(arguments: [false, true]) func whatNobodyHasIsDeletedHereAndTheAnswerSaysSo(hasThreads: Bool) throws {
    var setup = BatchSpecimens.setup()
    let gate = try TestGate(setup)
    let id = try gate.batch()
    let own = try #require(gate.batches.all.first)
    setup.hasHelpers = hasThreads
    let later = try TestGate(setup)
    try later.batches.add(try #require(try gate.batches.file(own.file, of: Self.owner)))
    try later.batches.save(own)
    later.snapshots.swap(try later.snapshot(models: [:]))
    func send(_ call: TestGate.Call) -> RecordingClient {
      let client = later.send(call)
      #expect(later.takeBack { later.confirm(seconds: 0.001) { client.isOver } })
      return client
    }
    #expect(send(later.call(.post, "/v1/batches/\(id)/cancel")).status == 503)
    let name = FileName.input(own.file)
    let deleted = send(later.call(.delete, "/v1/files/\(name)"))
    #expect(deleted.status == 200 && deleted.text == #"{"id":"\#(name)","object":"file","deleted":true}"#)
    #expect(deleted.value("x-torhaus-provider-copy") == "unreachable")
    #expect(try later.batches.file(own.file, of: Self.owner) == nil)
    #expect(send(later.call(.delete, "/v1/files/\(name)")).status == 404)
    #expect(later.upstream.sent.isEmpty)
    #expect(try later.books().metas.map(\.status) == [503, 200, 404])
  }

  @Test func whoMayNotUseTheModelTakesNothingBack() throws {
    var setup = BatchSpecimens.setup()
    let gate = try TestGate(setup)
    let id = try gate.batch()
    setup.changePolicy = { $0.roles["clerk"]?.models = ["other"] }
    let narrow = try TestGate(setup)
    let own = try #require(gate.batches.all.first)
    try narrow.batches.add(try #require(try gate.batches.file(own.file, of: Self.owner)))
    try narrow.batches.save(own)
    #expect(narrow.send(narrow.call(.post, "/v1/batches/\(id)/cancel")).status == 404)
    #expect(narrow.send(narrow.call(.delete, "/v1/files/\(FileName.input(own.file))")).status == 404)
    #expect(narrow.upstream.sent.isEmpty)
  }

  @Test func aCancelledBatchIsToldSo() throws {
    let gate = try TestGate(BatchSpecimens.setup())
    let id = try gate.batch()
    let client = gate.exchange(gate.call(.post, "/v1/batches/\(id)/cancel"), BatchSpecimens.batch("cancelling"))
    #expect(client.member("status") == "cancelling" && client.id == id)
    let sent = try #require(gate.upstream.sent.last)
    #expect(sent.target.method == .post && sent.target.url.hasSuffix("/batches/\(BatchSpecimens.remoteBatch)/cancel"))
    #expect(sent.body.isEmpty)
    let late = gate.exchange(gate.call(.post, "/v1/batches/\(id)/cancel"), Specimens.refused, status: 409)
    #expect(late.status == 400 && late.text.contains("no longer be cancelled"))
    let gone = gate.exchange(gate.call(.get, "/v1/batches/\(id)"), BatchSpecimens.batch("cancelled"))
    #expect(gone.member("status") == "cancelled")
    #expect(try gate.books().tokens == 0)
  }

  // MARK: Fail closed

  @Test func withoutTheStoreNothingIsSent() throws {
    let gate = try TestGate(BatchSpecimens.setup())
    let file = try gate.upload()
    let sent = gate.upstream.sent.count
    gate.batches.fail(with: BatchStoreError("test"))
    for call in [
      gate.call(.post, "/v1/files", BatchSpecimens.form(BatchSpecimens.lines()), .form), gate.order(file),
      gate.call(.get, "/v1/files"), gate.call(.get, "/v1/files/\(file)"), gate.call(.delete, "/v1/files/\(file)"),
    ] {
      let client = gate.send(call)
      #expect(client.status == 503 && client.errorCode == "overloaded", "\(call.path): \(client.text)")
    }
    #expect(gate.upstream.sent.count == sent)
    let books = try gate.books()
    #expect(books.open == 0 && books.tokens == 0 && books.unbalanced == 0)
  }

  @Test func whatCannotBeKeptIsNotPromised() throws {
    let gate = try TestGate(BatchSpecimens.setup())
    let file = try gate.upload()
    let client = gate.send(gate.order(file))
    gate.batches.fail(with: BatchStoreError("test"))
    gate.answer(200, BatchSpecimens.batch("validating"))
    gate.finish(client)
    #expect(client.status == 503 && client.value("x-should-retry") == "false")
    #expect(client.text.contains("do not order it again") && !client.text.lowercased().contains("try again"))
    #expect(try gate.books().tokens > 1000, "it may run at the provider")
  }

  @Test func theNameOfAnOrderIsWorthMoreThanOneTry() throws {
    let gate = try TestGate(BatchSpecimens.setup())
    let client = gate.send(gate.order(try gate.upload()))
    gate.batches.fail(with: BatchStoreError("test"), times: 2)
    gate.answer(200, BatchSpecimens.batch("validating"))
    gate.finish(client)
    #expect(client.status == 200)
    #expect(gate.batches.all.first?.remote == BatchSpecimens.remoteBatch)
  }

  @Test func aNameThatIsAnothersIsNotAskedForAgain() throws {
    let gate = try TestGate(BatchSpecimens.setup())
    _ = try gate.batch()
    let own = try #require(gate.batches.all.first)
    var other = StoredBatch(
      id: BatchID(9), owner: BatchOwner(tenant: TenantID(9), project: GateSetup.project), created: 1, file: own.file,
      place: own.place, isPseudonymised: false, booking: own.booking, rates: own.rates)
    other.remote = "batch_of_another"
    try gate.batches.save(other)
    let client = gate.exchange(
      gate.order(try gate.upload()),
      BatchSpecimens.batch("validating").replacing(BatchSpecimens.remoteBatch, with: "batch_of_another"))
    #expect(client.status == 503 && client.value("x-should-retry") == "false" && client.id == nil)
    #expect(gate.ask(gate.call(.get, "/v1/batches")).text.components(separatedBy: #""object":"batch""#).count == 2)
  }

  @Test func anOrderWhoseClientLeavesIsStillKnown() throws {
    let gate = try TestGate(BatchSpecimens.setup())
    let file = try gate.upload()
    gate.send(gate.order(file))
    gate.pipeline.clientGone(try #require(gate.upstream.sent.last).exchange)
    gate.clock.advance(milliseconds: 60_000)
    gate.pipeline.tick()
    gate.answer(200, BatchSpecimens.batch("validating"))
    #expect(gate.batches.all.first?.remote == BatchSpecimens.remoteBatch)
  }

  @Test func nobodyWaitsForAStoreThatHangs() throws {
    var setup = BatchSpecimens.setup()
    setup.hasHelpers = true
    let gate = try TestGate(setup)
    let client = gate.send(gate.call(.get, "/v1/files"))
    gate.pipeline.tick()
    #expect(!client.isOver)
    gate.clock.advance(milliseconds: 5_001)
    gate.pipeline.tick()
    #expect(client.isOver && client.status == 503 && client.errorCode == "overloaded", "\(client.text)")
    #expect(gate.pipeline.openExchanges == 1)
    #expect(gate.takeBack { gate.pipeline.openExchanges == 0 })
    #expect(try gate.books().open == 0)
  }

  @Test func theDeskStopsOnceAllIsDone() throws {
    let gate = try TestGate(BatchSpecimens.setup())
    let isLetOn = DispatchSemaphore(value: 0)
    let returned = Mutex<Set<UInt64>>([])
    let desk = try BatchDesk(services: gate.pipeline.services, clock: gate.clock) { _, ticket in
      isLetOn.wait()
      returned.withLock { _ = $0.insert(ticket) }
    }
    gate.pipeline.desk = desk
    for _ in 0..<3 { gate.send(gate.call(.get, "/v1/files")) }
    let stopping = Thread { desk.stop() }
    stopping.start()
    var taken = 3
    // Whatever it takes until it takes no more is done.
    #expect(
      gate.holds(10) {
        if gate.send(gate.call(.get, "/v1/files")).isOver { return true }
        taken += 1
        return false
      })
    for _ in 0..<taken { isLetOn.signal() }
    #expect(gate.holds(10) { returned.withLock { $0.count } == taken && stopping.isFinished })
  }

  @Test(arguments: ["/v1/files", "/v1/batches"]) func aLimitOnRequestsHolds(path: String) throws {
    var setup = BatchSpecimens.setup()
    setup.requestsPerMinute = 0
    let gate = try TestGate(setup)
    for call in [
      gate.call(.get, path), gate.call(.post, "/v1/files", BatchSpecimens.form(BatchSpecimens.lines()), .form),
    ] {
      let client = gate.send(call)
      #expect(client.status == 429 && client.errorCode == "rate_limit_exceeded")
    }
    #expect(gate.upstream.sent.isEmpty)
    #expect(try gate.books().metas.map(\.status) == [429, 429])
  }

  @Test func whoHasNothingLeftUploadsNothing() throws {
    var setup = BatchSpecimens.setup()
    setup.tokensPerDay = 0
    let gate = try TestGate(setup)
    let client = gate.send(gate.call(.post, "/v1/files", BatchSpecimens.form(BatchSpecimens.lines()), .form))
    #expect(client.status == 429 && client.errorCode == "insufficient_quota")
    #expect(gate.upstream.sent.isEmpty)
  }
}
