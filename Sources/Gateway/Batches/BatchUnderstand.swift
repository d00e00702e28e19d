import Batches
import Cryptography
import Inference
import JSONText
import Policies
import Redaction
import Tenancy

/// Stages 2 to 5 of requests about files and batches. Each line of a file goes through what a single request of its route
/// goes through.
extension RequestPipeline {
  func acceptBatch(_ exchange: Exchange, _ call: BatchCall, credentialsDiffer: Bool) -> Step {
    if case .refused(let refusal) = authenticate(exchange, credentialsDiffer: credentialsDiffer) {
      return .refused(refusal)
    }
    guard services.batches != nil else {
      return .refused(Refusal(.notFound, message: "There is no such route."))
    }
    let wanted: [ContentType] = call == .upload ? [.form] : call == .create ? [.json] : [.none, .json]
    guard wanted.contains(exchange.contentType), !exchange.hasContentEncoding else {
      return .refused(
        Refusal(
          .unsupportedMediaType,
          message: exchange.hasContentEncoding
            ? "Send the body without Content-Encoding."
            : call == .upload
              ? "Send the body as multipart/form-data with a boundary." : "Send the body as application/json."))
    }
    guard readiness.isServing, !isEnding else {
      return .refused(Refusal(.overloaded, message: "The gateway is starting or stopping. Try again shortly."))
    }
    let id = ids.next()
    guard id != 0 else {
      return .refused(Refusal(.overloaded, message: "No random numbers are to be had; nothing was sent."))
    }
    exchange.batch = BatchWork(call, id: id)
    exchange.scan.begin(.chat)
    return .next
  }

  /// Bytes of a body that orders a batch, or that says nothing.
  private static let mostOrderBytes = 16 * 1024

  func parseBatch(_ exchange: Exchange, _ work: BatchWork) -> Step {
    do throws(InferenceError) {
      switch work.call {
      case .upload: return try parseUpload(exchange, work)
      case .create:
        guard exchange.body.count <= Self.mostOrderBytes else {
          return .refused(Refusal(.requestTooLarge, message: "The body has more than \(Self.mostOrderBytes) bytes."))
        }
        let order = try BatchOrder(exchange.body.bytes)
        work.order = order
        if order.hasMetadata { exchange.dropped = ["metadata"] }
        if order.hasMetadata, isStrict(exchange) {
          return .refused(Self.cannotCarry("metadata"))
        }
      case .listFiles, .file, .content, .delete, .listBatches, .batch, .cancel:
        guard exchange.body.count == 0 || exchange.body.bytes.elementsEqual("{}".utf8) else {
          return .refused(Refusal(.invalidValue, message: "This route takes no body."))
        }
      }
      return .next
    } catch { return .refused(error.refusal) }
  }

  func isStrict(_ exchange: Exchange) -> Bool {
    exchange.isStrict || exchange.caller?.rules.policy.strictTranslation == true
  }

  static func cannotCarry(_ name: String) -> Refusal {
    Refusal(.unsupportedParameter, message: "'\(name)' cannot be carried to this provider.", param: name)
  }

  private static func refusal(_ fault: Refusal, line: Int) -> Refusal {
    Refusal(
      fault.code, message: "Line \(line + 1): \(fault.message)", param: fault.param, limit: fault.limit,
      retryAfter: fault.retryAfter)
  }

  private func parseUpload(_ exchange: Exchange, _ work: BatchWork) throws(InferenceError) -> Step {
    guard let caller = exchange.caller else { return .parked }
    let body = exchange.body.bytes
    guard body.count <= caller.rules.plan.bodyBytes else {
      throw InferenceError(
        .requestTooLarge, message: "The body has more than the \(caller.rules.plan.bodyBytes) bytes of your plan.")
    }
    let form = try BatchForm(body, boundary: exchange.formBoundary)
    work.lines = try BatchForm.lines(form.file, of: body, most: limits.batchLines)
    var names: Set<[UInt8]> = []
    for (number, range) in work.lines.enumerated() {
      let text = range.of(body)
      do throws(InferenceError) {
        let line = try BatchLine(text)
        work.line.reset()
        JSONEscape.unescape(line.name.range.of(text), to: work.line)
        guard names.insert(work.line.array).inserted else {
          throw InferenceError(
            .invalidValue, param: "custom_id", message: "Another line has the same custom_id.")
        }
        try check(line, of: text, isFirst: number == 0, work, caller)
      } catch { return .refused(Self.refusal(error.refusal, line: number)) }
    }
    exchange.scan.begin(work.route)
    return .next
  }

  /// What a single request would be refused for.
  private func check(
    _ line: BatchLine, of text: UnsafeRawBufferPointer, isFirst: Bool, _ work: BatchWork, _ caller: Caller
  ) throws(InferenceError) {
    func refuse(_ code: Refusal.Code, _ param: String, _ message: String) -> InferenceError {
      InferenceError(code, param: param, message: message)
    }
    let body = line.body.of(text)
    try work.scan.scan(body, route: line.route)
    let alias = work.scan.modelName(in: body)
    if isFirst {
      (work.route, work.alias) = (line.route, alias)
    } else if line.route != work.route || alias != work.alias {
      throw refuse(
        .invalidValue, line.route == work.route ? "model" : "url",
        "all lines of a file have the same url and the same model.")
    }
    if work.scan.stream { throw refuse(.unsupportedParameter, "stream", "a batch has no streams. Leave 'stream' out.") }
    if let fault = unpriced(work.scan) { throw refuse(fault.code, fault.param ?? "body", fault.message) }
    guard !work.scan.tier.needsPrice else {
      throw refuse(.unsupportedParameter, "service_tier", "a batch has no service tier. Leave it out.")
    }
    if let profile = caller.rules.redaction {
      if work.scan.isTokenArray {
        throw refuse(
          .invalidValue, work.scan.route.contentMember, "tokens instead of text cannot be checked for personal data.")
      }
      if work.scan.features.contains(.binary), !profile.passesBinary {
        throw refuse(
          .contentPolicyViolation, work.scan.route.contentMember,
          "images, audio and files cannot be checked for personal data, so your policy lets none pass.")
      }
    }
    work.needs.formUnion(work.scan.needs)
    work.leastInput = max(work.leastInput, work.scan.leastInput)
  }

  // MARK: Authorize

  func authorizeBatch(_ exchange: Exchange, _ work: BatchWork) -> Step {
    guard let caller = exchange.caller else { return .parked }
    if work.isUpload { return authorize(exchange, work.alias, for: work.route) }
    guard caller.principal.admits(exchange.address) else { return .refused(denied(by: "key.networks")) }
    if !work.isLookedUp {
      let step = ask(exchange, .lookUp)
      guard case .next = step else { return step }
    }
    guard let place = work.place else { return .next }  // a list: each of its rows is looked at
    guard let route = InferenceRoute(rawValue: place.route) else { return .refused(Self.noSuchThing(work.call)) }
    work.route = route
    exchange.scan.begin(route)
    let step =
      work.isTakenBack
      ? authorizeTakingBack(exchange, place.alias, for: route) : authorize(exchange, place.alias, for: route)
    guard case .next = step else { return step }
    if let order = work.order, !order.endpoint.of(exchange.body.bytes).elementsEqual(route.batchPath.utf8) {
      return .refused(
        Refusal(
          .invalidValue, message: "The lines of this file are for '\(route.batchPath)'.", param: "endpoint"))
    }
    return .next
  }

  /// What a project has sent away it may take back, whether the alias is still there or not.
  private func authorizeTakingBack(_ exchange: Exchange, _ alias: String, for route: InferenceRoute) -> Step {
    guard let caller = exchange.caller else { return .parked }
    guard isVisible(alias, to: caller) else { return .refused(modelNotFound(alias, visible: [])) }
    if case .denied(let rule) = decision(caller, nil, on: route, from: exchange.address) {
      return .refused(denied(by: rule))
    }
    exchange.alias = alias
    exchange.modelRoute = caller.rules.models[alias] ?? caller.rules.openModels?.route(alias)
    return .next
  }

  /// What is another's and what does not exist read alike.
  static func noSuchThing(_ call: BatchCall) -> Refusal {
    switch call {
    case .batch, .cancel: Refusal(.notFound, message: "There is no such batch.")
    case .upload, .listFiles, .file, .content, .delete, .create, .listBatches:
      Refusal(.notFound, message: "There is no such file.")
    }
  }

  /// Whether a caller may see what lies at a place: as whoever may use the alias on that route.
  func mayUse(_ place: BatchPlace, _ exchange: Exchange) -> Bool {
    guard let caller = exchange.caller, let route = InferenceRoute(rawValue: place.route),
      isVisible(place.alias, to: caller), caller.rules.models[place.alias] != nil || caller.rules.openModels != nil
    else { return false }
    let alias = caller.rules.models[place.alias] == nil ? nil : place.alias
    return decision(caller, alias, on: route, from: exchange.address) == .allowed
  }

  // MARK: Redact

  /// Every line with its name by itself: one that is blocked refuses the file, and says which it was.
  func redactBatch(_ exchange: Exchange, _ work: BatchWork) -> Step {
    guard work.isUpload else { return .next }
    guard let caller = exchange.caller else { return .parked }
    exchange.issued.wipe()
    exchange.findings = FindingCounts()
    work.redacted.reset()
    work.redactedLines.removeAll(keepingCapacity: true)
    let body = exchange.body.bytes
    for (number, range) in work.lines.enumerated() {
      do {
        let start = work.redacted.count
        try redact(line: range.of(body), exchange, work, caller)
        work.redactedLines.append(ByteRange(start, work.redacted.count))
      } catch let error as RedactionError {
        return .refused(Self.refusal(Self.refusal(of: error), line: number))
      } catch let error as InferenceError {
        return .refused(Self.refusal(error.refusal, line: number))
      } catch {
        return .refused(Refusal(.redactionUnavailable, message: "Redaction cannot work now; nothing was sent."))
      }
    }
    return .next
  }

  private struct EditsDoNotFit: Error {}

  private func redact(
    line text: UnsafeRawBufferPointer, _ exchange: Exchange, _ work: BatchWork, _ caller: Caller
  ) throws {
    let line = try BatchLine(text)
    work.line.reset()
    let places = BatchLine.append(
      name: line.name.range.of(text), route: line.route, body: line.body.of(text), to: work.line)
    let whole = work.line.bytes
    exchange.edits.reset()
    if let profile = caller.rules.redaction {
      try work.scan.scan(ByteRange(places.body, whole.count - 1).of(whole), route: line.route)
      // The name is text of the same message as nothing else.
      var segments = [
        TextSegment(
          start: places.name, end: places.name + line.name.range.count, hasEscapes: line.name.hasEscapes,
          isASCII: line.name.isASCII, group: .max, isIdentifier: true)
      ]
      segments += work.scan.segments.map { segment in
        var segment = segment
        segment.start += places.body
        segment.end += places.body
        return segment
      }
      try redactor.redact(
        body: whole, segments: segments, profile: profile, key: try pseudonyms.key(of: caller.rules), scope: [],
        issued: exchange.issued, edits: &exchange.edits, findings: &exchange.findings)
    }
    guard exchange.edits.apply(to: whole, into: work.redacted) else { throw EditsDoNotFit() }
  }
}
