import Cryptography
import Inference
import JSONText
import Policies
import Quotas
import Redaction
import Routing
import SealedLog
import Tenancy

/// Stages 6 to 9: which provider, what it may cost at most, the record of it, and the hand-over.
extension RequestPipeline {
  /// The first candidate that compliance allows, whose provider is healthy and that this request has not tried.
  func chooseRoute(_ exchange: Exchange) -> Step {
    if let work = exchange.batch, !work.isUpload { return chooseBound(exchange, work) }
    guard let caller = exchange.caller, let route = exchange.modelRoute else { return .parked }
    guard exchange.scan.route != .countTokens else { return .next }
    guard !route.candidates.isEmpty else {
      return .refused(
        Refusal(
          .noPrice,
          message: "No provider of this model can be called: its price, credential or certificate is missing here. "
            + "The operator was told at the start."))
    }
    let today = CalendarDay(epochSeconds: stageTime.wall / 1_000_000_000)
    let now = stageTime.monotonic / 1_000_000
    var obstacle: ComplianceRequirement.Obstacle?
    var isAllowed = false
    var isServed = false
    var (isFull, rest): (Bool, Int64?) = (false, nil)
    var capabilities = CapabilityCheck(needed: exchange.needs)
    var context = ContextCheck(least: exchange.leastInput, refusedBy: exchange.earlier?.refusedContext)
    var (isPriced, lacksTier) = (false, false)
    for candidate in order(route, exchange) {
      if let found = caller.rules.policy.compliance.obstacle(to: candidate.provider, on: today) {
        obstacle = found
        continue
      }
      isAllowed = true
      guard let wire = servingWire(candidate, exchange) else { continue }
      isServed = true
      guard capabilities.admits(capabilities: candidate.model.capabilities) else { continue }
      guard candidate.admits(exchange.scan.tier, of: exchange.scan.route, on: wire) else {
        lacksTier = true
        continue
      }
      isPriced = true
      guard context.admits(context: candidate.model.context) else { continue }
      guard exchange.earlier?.excludes(candidate) != true else { continue }
      if let remaining = candidate.rest.remaining(at: now) {
        rest = min(rest ?? .max, remaining)
        continue
      }
      guard candidate.load.enter(limit: candidate.provider.limits.concurrency) else {
        isFull = true
        continue
      }
      let breaker = breaker(of: candidate, for: exchange)
      guard breaker.admits(nowMilliseconds: now) else {
        candidate.load.leave()
        continue
      }
      if exchange.attempt == 0 { candidate.load.noteFirstAttempt() }
      exchange.load = candidate.load
      exchange.candidate = candidate
      exchange.wire = wire
      exchange.probe = breaker
      return prepare(exchange, candidate)
    }
    if !isAllowed, let obstacle {
      return .refused(
        Refusal(
          .dataResidencyMismatch,
          message: "No provider of this model meets your data-protection policy (rule \(obstacle.rawValue))."))
    }
    guard isServed || !isAllowed else {
      return .refused(
        Refusal(
          .invalidValue,
          message: exchange.batch != nil
            ? "No provider of this model takes batches of this route in the form in which you send it; batches are not "
              + "translated. Use another model, or single requests."
            : "No provider of this model has the route that you asked for. Use another route or model.",
          param: "model"))
    }
    if let lacking = capabilities.refused { return .refused(Self.cannot(lacking)) }
    if lacksTier, !isPriced { return .refused(Self.unpricedTier) }
    if let longest = context.refused {
      return .refused(
        exchange.earlier?.lastFault
          ?? Refusal(
            .contextLengthExceeded, message: "The prompt is longer than this model's \(longest) tokens. Shorten it."))
    }
    if isFull { counters.fired(.providerRequests) }
    return .refused(exchange.earlier?.lastFault ?? Self.noRoute(isFull: isFull, rest: rest))
  }

  /// Why none of the candidates that compliance allows can take a request now.
  private static func noRoute(isFull: Bool, rest: Int64?) -> Refusal {
    if isFull {
      return Refusal(
        .noRoute, message: "Every provider of this model has as many requests under way as it may. Try again shortly.",
        retryAfter: 1)
    }
    guard let rest else {
      return Refusal(.noRoute, message: "No healthy provider for this model now. Try again shortly.")
    }
    return Refusal(
      .upstreamRateLimited,
      message: "The provider limits this installation's rate; this is not your quota. Try again later.",
      retryAfter: Int(clamping: (rest + 999) / 1_000))
  }

  /// Whether a candidate could be asked now; takes nothing.
  func couldServe(_ exchange: Exchange, _ candidate: CallableModel) -> Bool {
    guard let caller = exchange.caller, exchange.earlier?.excludes(candidate) != true else { return false }
    let today = CalendarDay(epochSeconds: clock.wallNanoseconds / 1_000_000_000)
    let now = clock.monotonicNanoseconds / 1_000_000
    let limit = candidate.provider.limits.concurrency ?? .max
    return caller.rules.policy.compliance.obstacle(to: candidate.provider, on: today) == nil
      && exchange.batch?.isUpload != false
      && servingWire(candidate, exchange)
        .map { candidate.admits(exchange.scan.tier, of: exchange.scan.route, on: $0) } ?? false
      && candidate.model.missing(of: exchange.needs).isEmpty
      && ContextCheck.admits(
        context: candidate.model.context, least: exchange.leastInput, refusedBy: exchange.earlier?.refusedContext)
      && candidate.rest.remaining(at: now) == nil && candidate.load.outstanding < limit
      && mayAdmit(candidate, for: exchange, nowMilliseconds: now)
  }

  /// What is spoken with a candidate; nil: it cannot serve the request.
  private func servingWire(_ candidate: CallableModel, _ exchange: Exchange) -> ProviderWire? {
    let wire = candidate.targets.wire(for: exchange.scan.route)
    guard exchange.batch != nil else { return wire }
    return candidate.targets.batches != nil && wire == exchange.scan.route.ownWire ? wire : nil
  }

  private func order(_ route: ModelRoute, _ exchange: Exchange) -> [CallableModel] {
    guard route.candidates.count > 1 else { return route.candidates }
    switch route.order {
    case .listed, .cheapest: return route.candidates
    case .weighted: return pinned(route, exchange) ?? drawn(route)
    case .leastOutstanding: return leastOutstanding(route)
    }
  }

  /// Candidates by what is under way at their providers, measured by weight; equal ones from a random one on.
  private func leastOutstanding(_ route: ModelRoute) -> [CallableModel] {
    let count = route.candidates.count
    let start = Int(UInt64(truncatingIfNeeded: ids.next()) % UInt64(count))
    // Read once: others change it while we sort.
    let loads = route.candidates.map { ($0.load.outstanding, max(1, $0.weight)) }
    let order = (0..<count).map { (start + $0) % count }.enumerated().sorted { left, right in
      let (a, b) = (loads[left.element], loads[right.element])
      let (x, y) = (a.0.multipliedReportingOverflow(by: b.1), b.0.multipliedReportingOverflow(by: a.1))
      return x.partialValue == y.partialValue ? left.offset < right.offset : x.partialValue < y.partialValue
    }
    return order.map { route.candidates[$0.element] }
  }

  /// A conversation stays with one account: what that has signed, sealed or cached is worth nothing to another. By
  /// tenant and cache key, else the first thing that the user has said.
  private func pinned(_ route: ModelRoute, _ exchange: Exchange) -> [CallableModel]? {
    guard exchange.batch == nil, let conversation = exchange.scan.conversation, let caller = exchange.caller else {
      return nil
    }
    let text = conversation.of(exchange.body.bytes)
    let tenant = withUnsafeBytes(of: caller.principal.tenant.value) { Rendezvous.hash($0) }
    let key = Rendezvous.hash(text.prefix(1024), seed: tenant)
    return Rendezvous.order(route.candidates.map { ($0.nameHash, $0.weight) }, key: key).map { route.candidates[$0] }
  }

  private func drawn(_ route: ModelRoute) -> [CallableModel] {
    var point = UInt64(truncatingIfNeeded: ids.next()) % UInt64(max(1, route.candidates.reduce(0) { $0 + $1.weight }))
    guard
      let first = route.candidates.firstIndex(where: { candidate in
        if point < UInt64(candidate.weight) { return true }
        point -= UInt64(candidate.weight)
        return false
      })
    else { return route.candidates }
    return Array(route.candidates[first...] + route.candidates[..<first])
  }

  /// Writes the body that goes to this candidate and works out the most it can cost.
  private func prepare(_ exchange: Exchange, _ candidate: CallableModel) -> Step {
    guard exchange.batch == nil else { return write(exchange, candidate, rewrites: true) }
    if exchange.scan.route.generates {
      let cap = min(
        exchange.scan.maxTokens ?? .max, exchange.caller?.rules.plan.outputTokens ?? 0, candidate.model.maxOutput)
      guard cap > 0 else {
        return .refused(
          Refusal(.invalidValue, message: "This model writes no text answers; use it for embeddings.", param: "model"))
      }
      exchange.outputLimit = cap
      // Whatever an earlier attempt was lowered to.
      exchange.clampedTo = exchange.scan.maxTokens.flatMap { $0 > cap ? cap : nil }
    } else {
      // An image has no limit that could be asked for: what its record says is the most.
      let isByTokens = exchange.scan.route == .images && candidate.price.unit == nil
      exchange.outputLimit = isByTokens ? candidate.model.maxOutput : 0
    }
    return write(exchange, candidate, rewrites: exchange.attempt > 0)
  }

  /// As ``compose(_:_:rewrites:)``; by a helper where that takes long. Mere copying takes long from a larger size on.
  private func write(_ exchange: Exchange, _ candidate: CallableModel, rewrites: Bool) -> Step {
    let bytes = exchange.body.count
    countCopy(exchange)
    let isTranslated = exchange.wire != exchange.scan.route.ownWire
    if rewrites || isTranslated || bytes > limits.ownCopyBytes,
      lend(exchange, .writing(candidate, rewrites: rewrites), bytes: bytes)
    {
      return .parked
    }
    return compose(exchange, candidate, rewrites: rewrites)
  }

  /// What goes upstream is the body once more, for as long. Of small ones thousands are less than a few large ones.
  private func countCopy(_ exchange: Exchange) {
    guard exchange.copyBytes == 0, exchange.body.count > limits.heldHighBytes else { return }
    exchange.copyBytes = exchange.body.count
    holdUnasked(exchange, exchange.copyBytes)
  }

  /// Splices redactions and the edits for this candidate into the original bytes; nothing is decoded or encoded again.
  func compose(_ exchange: Exchange, _ candidate: CallableModel, rewrites: Bool) -> Step {
    if let work = exchange.batch { return composeUpload(exchange, candidate, work) }
    // Edits are used up by the first body: another attempt starts from the original again.
    if rewrites, case .refused(let refusal) = redact(exchange) { return .refused(refusal) }
    exchange.outgoing.reset()
    // At once what most bodies come to: each growth would copy, and end with half of its memory unused.
    exchange.outgoing.reserve(exchange.body.count + 256)
    let step =
      exchange.wire == exchange.scan.route.ownWire ? splice(exchange, candidate) : translate(exchange, candidate)
    guard case .next = step else { return step }
    aim(exchange, candidate)
    if let first = exchange.dropped.first,
      exchange.isStrict || exchange.caller?.rules.policy.strictTranslation == true
    {
      return .refused(
        Refusal(.unsupportedParameter, message: "'\(first)' cannot be carried to this provider.", param: first))
    }
    return bound(exchange, candidate)
  }

  /// The provider speaks as the client does: its bytes pass.
  private func splice(_ exchange: Exchange, _ candidate: CallableModel) -> Step {
    exchange.dropped = exchange.scan.addEdits(
      UpstreamEdits(
        model: candidate.model.id, maxTokens: exchange.scan.route.generates ? exchange.outputLimit : nil,
        maxTokensField: candidate.maxTokensField, includeUsage: candidate.provider.traits.includesUsage,
        userHash: userHash(exchange), deniedFields: candidate.provider.traits.deniedFields),
      to: &exchange.edits, body: exchange.body.bytes)
    guard exchange.edits.apply(to: exchange.body.bytes, into: exchange.outgoing) else {
      return .refused(Refusal(.redactionUnavailable, message: "Redaction cannot work now; nothing was sent."))
    }
    return .next
  }

  /// The provider speaks otherwise: what is left after redaction is written anew in its words.
  private func translate(_ exchange: Exchange, _ candidate: CallableModel) -> Step {
    var source = exchange.body.bytes
    if !exchange.edits.isEmpty {
      scratch.reset()
      guard exchange.edits.apply(to: source, into: scratch) else {
        return .refused(Refusal(.redactionUnavailable, message: "Redaction cannot work now; nothing was sent."))
      }
      source = scratch.bytes
    }
    do throws(InferenceError) {
      exchange.dropped = try RequestTranslation.translate(
        source, of: exchange.scan.route,
        to: RequestTranslation.Target(
          wire: exchange.wire, model: candidate.model.id, maxTokens: exchange.outputLimit,
          maxTokensField: candidate.maxTokensField, includeUsage: candidate.provider.traits.includesUsage,
          userHash: userHash(exchange), deniedFields: candidate.provider.traits.deniedFields,
          anthropicDropsSampling: candidate.provider.anthropicVersion(for: candidate.model)
            == AnthropicVersion.october2026.rawValue),
        into: exchange.outgoing)
    } catch {
      return .refused(error.refusal)
    }
    return .next
  }

  /// Where this candidate takes what was written.
  private func aim(_ exchange: Exchange, _ candidate: CallableModel) {
    let targets = candidate.targets
    if exchange.wire != .messages, exchange.anthropicBetas.count > 0 { exchange.dropped.append("anthropic-beta") }
    switch exchange.wire {
    case .chat: exchange.target = targets.chat
    case .completions: exchange.target = targets.completions
    case .embeddings: exchange.target = targets.embeddings
    case .responses: exchange.target = targets.responses
    case .moderations, .rerank, .images, .speech, .transcriptions, .translations:
      exchange.target = targets.further?[exchange.wire]
    case .gemini: exchange.target = targets.gemini?.target(stream: exchange.isStream)
    case .converse: exchange.target = targets.converse?.target(stream: exchange.isStream)
    case .messages:
      guard exchange.scan.route == .messages else {
        exchange.target = targets.messages?.translated
        return
      }
      let found = targets.messages?.target(
        version: String(decoding: exchange.anthropicVersion.bytes, as: UTF8.self),
        betas: String(decoding: exchange.anthropicBetas.bytes, as: UTF8.self))
      exchange.target = found?.target
      exchange.dropped += found?.dropped ?? []
    }
  }

  /// A person's id leaves only as the tenant's keyed hash.
  private func userHash(_ exchange: Exchange) -> [UInt8]? {
    userHash(exchange.scan, of: exchange.body.bytes, exchange.caller)
  }

  func userHash(_ scan: RequestScan, of body: UnsafeRawBufferPointer, _ caller: Caller?) -> [UInt8]? {
    guard let range = scan.safetyIdentifier ?? scan.user ?? scan.metadataUserID, let rules = caller?.rules,
      // The label keeps these hashes and placeholders apart, though one key makes both.
      let digest = try? pseudonyms.key(of: rules).authenticate(
        Array("torhaus/user/v1\0".utf8) + Array(range.of(body)))
    else { return nil }
    let hex: StaticString = "0123456789abcdef"
    return digest.bytes.prefix(16).flatMap { [hex.utf8Start[Int($0 >> 4)], hex.utf8Start[Int($0 & 15)]] }
  }

  /// What providers put in front of tools by themselves; the scan of a client's own dialect counts it already.
  private static let hiddenToolTokens: Int64 = 600

  /// Of images by the largest that providers cut them into, of files by their bytes and a page or two. No record names
  /// cost functions yet, so this is a guess and no bound; what is settled is the provider's figure.
  func mediaTokens(_ scan: RequestScan) -> Int64 {
    guard scan.images + scan.files + scan.audios > 0 else { return 0 }
    let others = scan.files + scan.audios
    return Int64(clamping: scan.images) &* 2_000 &+ Int64(clamping: others) &* 6_000
      &+ (others > 0 ? Int64(clamping: scan.mediaBytes / 4) : 0)
  }

  /// The worst case of section 3 of the quotas page.
  private func bound(_ exchange: Exchange, _ candidate: CallableModel) -> Step {
    let placeholderBytes = 27
    let input = TokenBound.inUpper(
      textBytes: max(exchange.scan.textBytes, exchange.scan.tokenCount),
      growth: exchange.findings.total * placeholderBytes,
      messages: exchange.scan.messageCount + exchange.scan.inputItems, mediaTokens: mediaTokens(exchange.scan),
      overheadTokens: candidate.provider.traits.overheadTokens
        + (exchange.scan.hasTools && exchange.wire != exchange.scan.route.ownWire ? Self.hiddenToolTokens : 0))
    guard
      let tokens = candidate.price.worstCase(
        input: input, outputCap: exchange.outputLimit, answers: exchange.scan.n, by: exchange.tierChoice),
      let money = addPieces(to: tokens, exchange, candidate)
    else {
      return .refused(Refusal(.invalidValue, message: "The request asks for more than can be priced.", param: "n"))
    }
    let (output, overflow) = exchange.outputLimit.multipliedReportingOverflow(by: exchange.scan.n)
    guard !overflow else {
      return .refused(Refusal(.invalidValue, message: "'n' times the token limit is too large.", param: "n"))
    }
    exchange.demand = demand(inputTokens: input, outputTokens: output, money: money)
    return .next
  }

  /// It counts as open for as long as its exchange can last.
  func demand(inputTokens: Int64, outputTokens: Int64, money: Int64) -> Demand {
    Demand(
      inputTokens: inputTokens, outputTokens: outputTokens, money: money, deadlineNanoseconds: limits.openNanoseconds)
  }

  /// Sets the worst case aside in every limit of key, user, project and tenant, or in none.
  func reserve(_ exchange: Exchange) -> Step {
    guard let caller = exchange.caller else { return .parked }
    if exchange.attemptID == 0 { exchange.attemptID = ids.next() }
    guard exchange.attemptID != 0 else {
      return .refused(Refusal(.overloaded, message: "No random numbers are to be had; nothing was sent."))
    }
    if exchange.waitingSince == 0 { exchange.waitingSince = stageTime.monotonic }
    let admission = quotas.reserve(
      caller.quota, exchange.demand, attempt: exchange.attemptID, loop: loop, ticket: exchange.ticket,
      into: &exchange.reservation, journal: &exchange.journal)
    switch admission {
    case .admitted:
      exchange.waitingSince = 0
      return .next
    case .waiting: return .parked
    case .refused(let refusal):
      exchange.waitingSince = 0
      if refusal.kind == .tokens {
        switch clamp(exchange) {
        case .next: return reserve(exchange)
        case .parked: return .parked
        case .refused, nil: break
        }
      }
      exchange.forbidsRetry = !refusal.shouldRetry
      return .refused(Self.refusal(of: refusal))
    }
  }

  /// Lowers the answer's limit once, to 256 tokens, where the plan allows it and the request then may fit.
  /// - Returns: Nil where it may not be lowered; else how writing the body anew went.
  private func clamp(_ exchange: Exchange) -> Step? {
    guard let caller = exchange.caller, let candidate = exchange.candidate, exchange.scan.route.generates,
      exchange.outputLimit > 256
    else { return nil }
    switch caller.rules.plan.clamp {
    case .never: return nil
    case .absent where exchange.scan.maxTokens != nil: return nil
    case .absent, .always: break
    }
    exchange.outputLimit = 256
    exchange.clampedTo = 256
    return write(exchange, candidate, rewrites: true)
  }

  private static func refusal(of quota: QuotaRefusal) -> Refusal {
    let limit: Refusal.LimitKind = quota.kind == .requests ? .requests : .tokens
    switch quota.code {
    case .rateLimitExceeded:
      return Refusal(
        .rateLimitExceeded, message: "Limit reached: \(quota.limitName). Try again in \(quota.retryAfterSeconds) s.",
        limit: limit, retryAfter: quota.retryAfterSeconds)
    case .insufficientQuota:
      let until = quota.resetText.isEmpty ? "" : " It is renewed at \(quota.resetText)."
      return Refusal(
        .insufficientQuota, message: "Used up: \(quota.limitName).\(until)", limit: limit,
        retryAfter: quota.retryAfterSeconds)
    case .ledgerUnavailable:
      return Refusal(.ledgerUnavailable, message: "Quotas cannot be checked now; nothing was sent.")
    }
  }

  /// The request's record stands in the writer's queue before anything is sent.
  func record(_ exchange: Exchange) -> Step {
    guard let caller = exchange.caller else { return .parked }
    guard exchange.scan.route != .countTokens else { return answerCount(exchange) }
    if let work = exchange.batch, work.isAnsweredHere { return answerFromStore(exchange, work) }
    let entry = LogEntry(
      stream: caller.rules.stream, recordID: exchange.id.value, subjects: subjects(exchange),
      request: keepsRequest(exchange) ? exchange.takeCopy() ?? metaWriter.requestPayload(exchange) : nil,
      journal: exchange.journal, opensExchange: true, room: exchange.logRoom ?? 0)
    guard logWriter.append(entry, loop: loop) else { return .refused(Self.logRefusal) }
    exchange.logRoom = 0  // the queue's now
    if exchange.attempt == 0, exchange.findings.total > 0 { counters.found(exchange.findings.total) }
    exchange.journal = []  // the record's now
    return .next
  }

  /// Whether the record of this attempt holds the body that is sent.
  func keepsRequest(_ exchange: Exchange) -> Bool {
    exchange.attempt == 0 && exchange.caller?.rules.stream.mode != .off && exchange.batch?.isRecorded != false
  }

  func subjects(_ exchange: Exchange) -> [Subject] {
    guard exchange.subjectField.count > 0 else {
      return exchange.caller?.principal.user.map { [Subject(.user, id: $0.description)] } ?? []
    }
    return exchange.subjectField.bytes.split(separator: 0x2C, omittingEmptySubsequences: true).prefix(8).compactMap {
      let tag = String(decoding: $0, as: UTF8.self).trimmingSpaces
      return tag.isEmpty || tag.utf8.count > 128 ? nil : Subject(.tag, id: tag)
    }
  }

  /// Hands the body to the sender. From here on the attempt counts as sent, whatever happens.
  func send(_ exchange: Exchange) -> Step {
    guard let target = exchange.target, let port = upstreamPort, !isEnding else {
      return .refused(Refusal(.overloaded, message: "The gateway is stopping; nothing was sent."))
    }
    guard !readiness.isClosed else { return .refused(Self.closed) }
    // A request keeps the keys that it began with, but not for long: it may have waited for its body, for the ledger, for
    // a provider that asked to be left alone.
    guard stageTime.monotonic - exchange.startedAt < 1_000_000_000 || isKeyGood(exchange) else {
      return .refused(Refusal(.invalidAPIKey, message: "The API key is no longer valid."))
    }
    if let work = exchange.batch, !work.isAdmitted {
      let step = ask(exchange, .admit)
      guard case .next = step else { return step }
    }
    // An order that has left may run, whatever is told of it: another one would be another batch.
    if exchange.batch?.call == .create { exchange.forbidsRetry = true }
    exchange.isSent = true
    exchange.sentAt = clock.monotonicNanoseconds
    if exchange.attempt == 0 { counters.requestOverhead.add(nanoseconds: exchange.sentAt - exchange.arrivedAt) }
    exchange.stage = .returning
    quotas.sent(&exchange.reservation)
    port.send(exchange, to: target, body: exchange.outgoing.bytes)
    return .next
  }
}

extension String {
  /// Without blanks and tabs at both ends.
  fileprivate var trimmingSpaces: String {
    var bytes = utf8[...]
    while let first = bytes.first, first == 0x20 || first == 0x09 { bytes.removeFirst() }
    while let last = bytes.last, last == 0x20 || last == 0x09 { bytes.removeLast() }
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension CallableModel {
  /// The member in which a provider with OpenAI's wire takes the limit of an answer.
  var maxTokensField: TokenLimitField {
    provider.traits.maxTokensField == "max_completion_tokens" ? .maxCompletionTokens : .maxTokens
  }
}
