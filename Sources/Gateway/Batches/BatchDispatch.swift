import Batches
import Inference
import JSONText
import Policies
import Quotas
import Routing
import Tenancy

/// Stages 6 and 7: what goes to which provider, and what it may cost.
extension RequestPipeline {
  /// The file for one candidate: each line with its name of the model and its limits, and all that they can take.
  func composeUpload(_ exchange: Exchange, _ candidate: CallableModel, _ work: BatchWork) -> Step {
    guard let caller = exchange.caller, let target = candidate.targets.batches?.files, candidate.price.unit == nil
    else { return .refused(Refusal(.noRoute, message: "This model's provider takes no batches.")) }
    exchange.outgoing.reset()
    BatchForm.appendHead(to: exchange.outgoing)
    let start = exchange.outgoing.count
    work.bounds = BatchWork.Bounds()
    exchange.clampedTo = nil
    exchange.dropped.removeAll(keepingCapacity: true)
    for (number, range) in work.redactedLines.enumerated() {
      do throws(InferenceError) {
        try compose(line: range.of(work.redacted.bytes), exchange, candidate, work, caller)
      } catch {
        return .refused(
          Refusal(error.code, message: "Line \(number + 1): \(error.message)", param: error.param))
      }
    }
    work.sent = ByteRange(start, exchange.outgoing.count)
    BatchForm.appendTail(to: exchange.outgoing)
    if let first = exchange.dropped.first, isStrict(exchange) { return .refused(Self.cannotCarry(first)) }
    exchange.target = target
    // Lying there costs nothing; but who has nothing left sends nothing.
    exchange.demand = demand(inputTokens: 1, outputTokens: 0, money: 0)
    work.isAdmitted = false
    return .next
  }

  private func compose(
    line text: UnsafeRawBufferPointer, _ exchange: Exchange, _ candidate: CallableModel, _ work: BatchWork,
    _ caller: Caller
  ) throws(InferenceError) {
    let line = try BatchLine(text, isRedacted: true)
    let body = line.body.of(text)
    let scan = work.scan
    try scan.scan(body, route: line.route)
    var cap: Int64 = 0
    if line.route.generates {
      cap = min(scan.maxTokens ?? .max, caller.rules.plan.outputTokens, candidate.model.maxOutput)
      guard cap > 0 else {
        throw InferenceError(
          .invalidValue, param: "model", message: "this model writes no text answers; use it for embeddings.")
      }
      if let wanted = scan.maxTokens, wanted > cap { exchange.clampedTo = cap }
    }
    let input = TokenBound.inUpper(
      textBytes: max(scan.textBytes, scan.tokenCount), messages: scan.messageCount + scan.inputItems,
      mediaTokens: mediaTokens(scan), overheadTokens: candidate.provider.traits.overheadTokens)
    let (output, overflow) = cap.multipliedReportingOverflow(by: scan.n)
    guard !overflow, work.bounds.add(input: input, output: output) else {
      throw InferenceError(.invalidValue, param: "n", message: "it asks for more than can be priced.")
    }
    exchange.edits.reset()
    let dropped = scan.addEdits(
      UpstreamEdits(
        model: candidate.model.id, maxTokens: line.route.generates ? cap : nil,
        maxTokensField: candidate.maxTokensField, userHash: userHash(scan, of: body, caller),
        deniedFields: candidate.provider.traits.deniedFields),
      to: &exchange.edits, body: body)
    for name in dropped where !exchange.dropped.contains(name) { exchange.dropped.append(name) }
    work.line.reset()
    guard exchange.edits.apply(to: body, into: work.line) else {
      throw InferenceError(.redactionUnavailable, message: "it could not be rewritten; nothing was sent.")
    }
    BatchLine.append(
      name: line.name.range.of(text), route: line.route, body: work.line.bytes, to: exchange.outgoing)
    exchange.outgoing.append(0x0A)
  }

  /// What lies with a provider is asked of that provider, under the rules of now.
  func chooseBound(_ exchange: Exchange, _ work: BatchWork) -> Step {
    guard !work.isAnsweredHere else { return .next }
    guard let caller = exchange.caller, let place = work.place else { return .parked }
    guard let candidate = holder(of: place, exchange, caller, work), let targets = candidate.targets.batches,
      let wire = work.route.ownWire
    else {
      if case .delete = work.call {
        work.isUnreachable = true
        return .next
      }
      return .refused(
        Refusal(.noRoute, message: "The provider that has this is no longer one of the model's."))
    }
    let today = CalendarDay(epochSeconds: stageTime.wall / 1_000_000_000)
    let now = stageTime.monotonic / 1_000_000
    if !work.isTakenBack, let obstacle = caller.rules.policy.compliance.obstacle(to: candidate.provider, on: today) {
      return .refused(
        Refusal(
          .dataResidencyMismatch,
          message: "The provider that has this does not meet your data-protection policy (rule \(obstacle.rawValue))."))
    }
    guard candidate.load.enter(limit: candidate.provider.limits.concurrency) else {
      return .refused(Refusal(.noRoute, message: "The provider is busy. Try again shortly.", retryAfter: 1))
    }
    let breaker = breaker(of: candidate, for: exchange)
    guard breaker.admits(nowMilliseconds: now) else {
      candidate.load.leave()
      return .refused(Refusal(.noRoute, message: "No healthy provider for this model now. Try again shortly."))
    }
    exchange.load = candidate.load
    exchange.candidate = candidate
    exchange.wire = wire
    exchange.probe = breaker
    return composeBound(exchange, candidate, targets, work)
  }

  /// Who has what lies at a place. To take it back, one that no alias leads to any more is asked, too.
  private func holder(of place: BatchPlace, _ exchange: Exchange, _ caller: Caller, _ work: BatchWork) -> CallableModel?
  {
    func isThere(_ candidate: CallableModel) -> Bool {
      candidate.provider.id == place.provider && candidate.model.id == place.model && candidate.targets.batches != nil
    }
    if let found = exchange.modelRoute?.candidates.first(where: isThere) { return found }
    return work.isTakenBack ? caller.rules.batchModels.first(where: isThere) : nil
  }

  private func composeBound(
    _ exchange: Exchange, _ candidate: CallableModel, _ targets: BatchTargets, _ work: BatchWork
  ) -> Step {
    exchange.outgoing.reset()
    exchange.demand = demand(inputTokens: 0, outputTokens: 0, money: 0)
    work.isAdmitted = false
    switch work.call {
    case .create:
      guard let file = work.file else { return .parked }
      let price = candidate.price.ofBatch(longestInput: file.longestInput)
      guard
        let money = Cost.worstCase(
          input: file.inputTokens, outputCap: file.outputTokens, answers: 1, at: price)
      else { return .refused(Refusal(.invalidValue, message: "The batch asks for more than can be priced.")) }
      work.rates = BatchRates(input: price.input, cached: price.cached, output: price.output)
      exchange.demand = demand(inputTokens: file.inputTokens, outputTokens: file.outputTokens, money: money)
      BatchOrder.append(file: work.remote, route: work.route, to: exchange.outgoing)
      exchange.target = targets.batches
    case .content: exchange.target = targets.content(of: work.remote)
    case .delete: exchange.target = targets.deleting(file: work.remote)
    case .batch: exchange.target = targets.look(at: work.remote)
    case .cancel: exchange.target = targets.cancelling(work.remote)
    case .upload, .listFiles, .file, .listBatches: return .parked
    }
    return .next
  }

  /// What an attempt has cost: a batch its worst case until somebody knows, everything else nothing.
  func batchActual(_ exchange: Exchange, _ work: BatchWork, exit: Exit) -> Actual {
    var actual = Actual(inputTokens: 0, outputTokens: 0, money: 0, exit: exit)
    switch exit {
    case .notSent: actual.flags.insert(.released)
    case .upstreamError where !work.mayRun(exchange.upstreamHead.status),
      .upstreamErrorWithUsage where !work.mayRun(exchange.upstreamHead.status):
      actual.flags.insert(.upstreamError)
    case .complete, .completeUsageMissing, .upstreamError, .upstreamErrorWithUsage, .lostBeforeStatus, .clientGoneEarly,
      .clientGone, .upstreamCut, .endedByGate,
      .crash:
      guard work.call == .create else { break }
      actual.inputTokens = exchange.demand.inputTokens
      actual.outputTokens = exchange.demand.outputTokens
      actual.money = exchange.demand.money
      actual.flags.insert(.estimated)
      if exit != .complete { actual.flags.insert(.unknownUpstream) }
    }
    return actual
  }
}
