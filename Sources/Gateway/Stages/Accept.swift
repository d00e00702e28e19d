import Inference
import JSONText
import Policies
import SealedLog
import Tenancy

/// Stage 1 and 2: what the request is for, and who sends it; both from the head alone.
extension RequestPipeline {
  func accept(_ exchange: Exchange, _ path: UnsafeRawBufferPointer, credentialsDiffer: Bool) -> Step {
    exchange.dialect = Route.dialect(of: path)
    switch Route.find(exchange.method, path) {
    case .found(let route): exchange.route = route
    case .wrongMethod(let allow):
      ResponseFields(arena: exchange.fields).add("allow", allow)
      return .refused(Refusal(.methodNotAllowed, message: "This route takes \(allow) only."))
    case .unknown(let doubled):
      return .refused(
        Refusal(
          .notFound,
          message: doubled
            ? "Your base URL ends in /v1 twice: set it to the address with one /v1." : "There is no such route."))
    }
    // One path, two kinds of client: Anthropic's say which version they mean.
    if exchange.anthropicVersion.count > 0, exchange.route == .models || exchange.route == .model {
      exchange.dialect = .anthropic
    }
    switch exchange.route {
    case .livez, .readyz, .root: return .next
    case _ where isLate:
      counters.fired(.loopLag)
      return .refused(Refusal(.overloaded, message: "More comes than can be worked on now. Try again shortly."))
    case .batches(let call): return acceptBatch(exchange, call, credentialsDiffer: credentialsDiffer)
    case .models, .model: return authenticate(exchange, credentialsDiffer: credentialsDiffer)
    case .inference(let route):
      if case .refused(let refusal) = authenticate(exchange, credentialsDiffer: credentialsDiffer) {
        return .refused(refusal)
      }
      guard exchange.contentType == (route.takesForm ? .form : .json), !exchange.hasContentEncoding else {
        return .refused(
          Refusal(
            .unsupportedMediaType,
            message: exchange.hasContentEncoding
              ? "Send the body without Content-Encoding."
              : route.takesForm
                ? "Send the body as multipart/form-data with a boundary." : "Send the body as application/json."))
      }
      if let fault = versionFault(exchange) { return .refused(fault) }
      guard readiness.isServing, !isEnding else {
        return .refused(Refusal(.overloaded, message: "The gateway is starting or stopping. Try again shortly."))
      }
      return .next
    }
  }

  /// Anthropic's clients say which version of the API they mean; what goes upstream is what was understood here.
  private func versionFault(_ exchange: Exchange) -> Refusal? {
    guard exchange.dialect == .anthropic else { return nil }
    guard AnthropicVersion(exchange.anthropicVersion.bytes) != nil else {
      return Refusal(
        .invalidValue,
        message: "Send the header anthropic-version with one of "
          + AnthropicVersion.allCases.map(\.rawValue).joined(separator: " and ") + ".",
        param: "anthropic-version")
    }
    guard exchange.anthropicBetas.count <= 1024,
      exchange.anthropicBetas.bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7F })
    else {
      return Refusal(
        .invalidValue, message: "The header anthropic-beta has at most 1024 characters of printable ASCII.",
        param: "anthropic-beta")
    }
    return nil
  }

  static let closed = Refusal(
    .policyUnavailable,
    message: "People and keys cannot be read now, so nobody is served; the operator was told. Try again shortly.")

  /// Unknown, malformed, expired, revoked and missing keys are one refusal with one text.
  func authenticate(_ exchange: Exchange, credentialsDiffer: Bool) -> Step {
    exchange.stage = .authenticate
    guard !readiness.isClosed else { return .refused(Self.closed) }
    let snapshot = snapshots.current
    let principal =
      credentialsDiffer
      ? nil
      : snapshot.directory.authenticate(
        exchange.credential.bytes, pepper: pepper, now: clock.wallNanoseconds / 1_000_000_000)
    guard let principal else { return .refused(wrongKey(exchange, credentialsDiffer)) }
    guard let caller = snapshot.caller(of: principal) else {
      return .refused(
        Refusal(.policyUnavailable, message: "Your tenant's policy cannot be applied now; its operator was told."))
    }
    exchange.caller = caller
    exchange.snapshot = snapshot
    return .next
  }

  private func wrongKey(_ exchange: Exchange, _ credentialsDiffer: Bool) -> Refusal {
    let credential = exchange.credential.bytes
    // Who brings none guesses none; of two, the first may be right.
    if credential.count > 0,
      let wait = services.failedKeys.failed(
        from: exchange.address, id: credentialsDiffer ? nil : KeyToken(parsing: credential)?.id,
        now: clock.monotonicNanoseconds)
    {
      return Refusal(
        .tooManyFailedKeys,
        message: "Too many keys that are not valid came from your address, or with this key's id. Check the key.",
        retryAfter: wait)
    }
    return Refusal(
      .invalidAPIKey,
      // LiteLLM knows a bad key by OpenAI's own first words.
      message:
        "Incorrect API key provided. It is missing, unknown, expired or revoked. Send it as 'Authorization: Bearer th_…'."
    )
  }

  /// Routes that need no body are answered here.
  /// - Returns: True if the request was answered.
  func answerFromHead(_ exchange: Exchange, _ path: UnsafeRawBufferPointer) -> Bool {
    switch exchange.route {
    case .inference, .batches: return false
    case .root: respond(exchange, 200, .empty)
    case .livez:
      exchange.reply.append("{\"status\":\"ok\"}")
      respond(exchange, 200, .json)
    case .readyz:
      let isReady = readiness.isReady && !readiness.isClosed && logWriter.health.state == .ok
      exchange.reply.append(isReady ? "{\"status\":\"ready\"}" : "{\"status\":\"not ready\"}")
      respond(exchange, isReady ? 200 : 503, .json)
    case .models, .model: listModels(exchange, path)
    }
    return true
  }

  /// Only what this key may use; an alias it may not use and one that does not exist are the same 404.
  private func listModels(_ exchange: Exchange, _ path: UnsafeRawBufferPointer) {
    guard let caller = exchange.caller else { return }
    guard caller.principal.admits(exchange.address) else {
      return refuse(exchange, Refusal(.policyDenied, message: "Your policy does not allow this (rule key.networks)."))
    }
    let visible = caller.rules.models.values.filter { isVisible($0.alias, to: caller) }
    let isAnthropic = exchange.dialect == .anthropic
    guard exchange.route == .model, let range = Route.modelName(path) else {
      let models = visible.sorted { $0.alias < $1.alias }.map { (alias: $0.alias, created: $0.created) }
      if isAnthropic {
        ModelList.appendAnthropic(models, to: exchange.reply)
      } else {
        ModelList.append(models, to: exchange.reply)
      }
      return respond(exchange, 200, .json)
    }
    let name = String(decoding: path[range], as: UTF8.self)
    guard let model = visible.first(where: { $0.alias == name }) else {
      return refuse(exchange, modelNotFound(name, visible: visible.map(\.alias)))
    }
    if isAnthropic {
      ModelList.appendAnthropicModel(model.alias, created: model.created, to: exchange.reply)
    } else {
      ModelList.appendModel(model.alias, created: model.created, to: exchange.reply)
    }
    respond(exchange, 200, .json)
  }

  func isVisible(_ alias: String, to caller: Caller) -> Bool {
    guard caller.principal.models?.contains(alias) ?? true else { return false }
    return caller.access.shows(alias)
  }

  func modelNotFound(_ name: String, visible: [String]) -> Refusal {
    let near = NearestName.find(name, among: visible).map { " Did you mean '\($0)'?" } ?? ""
    return Refusal(
      .modelNotFound, message: "The model does not exist or this key may not use it.\(near)", param: "model")
  }
}

/// The known name that a mistyped one most likely means.
enum NearestName {
  /// At most a third of the letters may differ (Levenshtein).
  static func find(_ name: String, among known: [String]) -> String? {
    let typed = Array(name.utf8.prefix(64))
    var best: (name: String, distance: Int)?
    for candidate in known {
      let distance = distance(typed, Array(candidate.utf8.prefix(64)))
      if distance * 3 <= max(typed.count, 3), distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    return best?.name
  }

  private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var row = Array(0...right.count)
    for (index, byte) in left.enumerated() {
      var diagonal = row[0]
      row[0] = index + 1
      for column in right.indices {
        let above = row[column + 1]
        row[column + 1] = min(min(above, row[column]) + 1, diagonal + (byte == right[column] ? 0 : 1))
        diagonal = above
      }
    }
    return row[right.count]
  }
}
