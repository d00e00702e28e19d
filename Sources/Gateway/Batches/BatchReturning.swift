import Batches
import Inference
import JSONText
import Quotas
import Redaction
import Routing
import SealedLog

/// Stages 8, 10 and 11: what comes back, in our names and with the originals in their places.
extension RequestPipeline {
  /// Answers from our own rows.
  func answerFromStore(_ exchange: Exchange, _ work: BatchWork) -> Step {
    if work.isUnreachable, !work.isForgotten {
      let step = ask(exchange, .forget)
      guard case .next = step else { return step }
    }
    return answerHere(exchange) {
      switch work.call {
      case .listFiles:
        let files = answered(work, exchange)
        BatchAnswer.appendList(files.map(\.id), to: exchange.reply) {
          BatchAnswer.append(files[$0], to: exchange.reply)
        }
      case .listBatches:
        let batches = work.batches.filter { mayUse($0.place, exchange) }.map { Self.answer($0) }
        BatchAnswer.appendList(batches.map(\.id), to: exchange.reply) {
          BatchAnswer.append(batches[$0], to: exchange.reply)
        }
      case .file(let name):
        if let file = work.file { return BatchAnswer.append(Self.answer(file), to: exchange.reply) }
        guard let batch = work.batch else { return }
        BatchAnswer.append(Self.answer(name, of: batch.created), to: exchange.reply)
      case .delete(let name): BatchAnswer.appendDeleted(name.description, to: exchange.reply)
      case .upload, .content, .create, .batch, .cancel: break
      }
    }
  }

  /// How large results are is the provider's to know.
  private static func answer(_ name: FileName, of created: Int64) -> BatchAnswer.File {
    BatchAnswer.File(id: name.description, bytes: 0, created: created, isInput: false)
  }

  private func answered(_ work: BatchWork, _ exchange: Exchange) -> [BatchAnswer.File] {
    var files = work.files.filter { mayUse($0.place, exchange) }.map { Self.answer($0) }
    for batch in work.batches where mayUse(batch.place, exchange) {
      for (file, name) in [(batch.output, FileName.output(batch.id)), (batch.errors, .errors(batch.id))] {
        if let file, !file.isDeleted { files.append(Self.answer(name, of: batch.created)) }
      }
    }
    return files.sorted { ($0.created, $0.id) > ($1.created, $1.id) }
  }

  /// Reads what a provider answers with status 200; on the loop or on a helper's thread.
  func readBatch(_ exchange: Exchange, _ work: BatchWork) -> PlainReading {
    let body = exchange.answer.bytes
    exchange.reply.reset()
    switch work.call {
    case .upload:
      guard let remote = RemoteID.ofFile(body) else { return .faulty(.malformed, .upstreamCut) }
      work.remote = remote
      return .whole
    case .create, .batch, .cancel:
      // An answer about another batch is none to this request.
      guard let told = ProviderBatch(body), work.call == .create || told.id == work.remote else {
        return .faulty(.malformed, .upstreamCut)
      }
      work.told = told
      return .whole
    case .delete(let name):
      BatchAnswer.appendDeleted(name.description, to: exchange.reply)
      return .whole
    case .content: return readContent(body, exchange, work)
    case .listFiles, .file, .listBatches: return .faulty(.malformed, .upstreamCut)
    }
  }

  private func readContent(_ body: UnsafeRawBufferPointer, _ exchange: Exchange, _ work: BatchWork) -> PlainReading {
    var output = BatchOutput(
      route: work.route,
      options: AnswerOptions(alias: exchange.alias, dropsLogprobs: !exchange.issued.isEmpty),
      requestID: exchange.id.text, mostLines: limits.batchLines,
      mostBytes: 2 * limits.answerBytes)
    let (issued, room) = (exchange.issued, limits.answerBytes)
    switch output.read(body, rewriter: { AnswerRestoring(issued, kept: nil, room: room) }, into: exchange.reply) {
    case .written:
      (work.usage, work.answered) = (output.usage, Int64(output.answered))
      return .whole
    case .blocked:
      return .withheld(Refusal(.contentPolicyViolation, message: "The answer was withheld by a rule on content."))
    case .malformed: return .faulty(.malformed, .upstreamCut)
    }
  }

  /// The answer is read: what follows from it is kept before its client hears of it.
  func keepAnswer(_ exchange: Exchange) {
    // What a client is told lies beside what its provider has told, for as long.
    holdUnasked(exchange, exchange.reply.count)
    let step = ask(exchange, .keep)
    if case .parked = step { return }
    answerKept(exchange, step)
  }

  func answerKept(_ exchange: Exchange, _ step: Step) {
    if case .refused(let refusal) = step { return conclude(exchange, .refusal(refusal), exit: .complete) }
    conclude(exchange, .answer, exit: .complete)
  }

  /// An answer with another status than 200.
  func answeredBatchError(_ exchange: Exchange, _ work: BatchWork) {
    let head = exchange.upstreamHead
    if head.status == 409, case .cancel = work.call {
      return conclude(
        exchange, .refusal(Refusal(.invalidValue, message: "The batch can no longer be cancelled.")),
        exit: .upstreamError)
    }
    if head.status == 404, !work.isUpload {
      // What is gone there is gone here, too, if that was what was wanted.
      if case .delete = work.call { return readingEnded(exchange, readBatch(exchange, work)) }
      return conclude(
        exchange, .refusal(Refusal(.notFound, message: "The provider does not have this any more.")),
        exit: .upstreamError)
    }
    if !work.mayRun(head.status) { exchange.forbidsRetry = false }
    let body = Array(RemoteID.replace(work.names, in: exchange.answer.text).utf8)
    let fault = body.withUnsafeBytes {
      UpstreamFault(status: head.status, body: $0, retryAfter: head.retryAfterSeconds)
    }
    // An order that may have been taken is not given twice.
    let failure: RetryRule.Failure =
      work.call == .create ? .unknown : .status(head.status, retryAfter: head.retryAfterSeconds)
    self.fault(exchange, fault, exit: .upstreamError, failure: failure)
  }

  private static let mostRecordedBytes = 8 * 1024 * 1024

  /// What the log keeps of an answer: results as they came, everything else in our names.
  func batchRecord(_ exchange: Exchange, _ work: BatchWork) -> [UInt8]? {
    switch exchange.closing {
    case .refusal, .streamError, .streamEnd, nil: return nil
    case .answer, .nobody: break
    }
    if work.call.isContent {
      // More than the log's queue takes at once is kept by its size alone: it could never be fetched otherwise.
      guard exchange.answer.count <= Self.mostRecordedBytes else {
        return Array("{\"results\":{\"bytes\":\(exchange.answer.count)}}".utf8)
      }
      return exchange.takeCopy() ?? exchange.answer.array
    }
    return exchange.reply.array
  }
}
