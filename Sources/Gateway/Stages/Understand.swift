import Cryptography
import Inference
import JSONText
import Policies
import Redaction
import Tenancy

/// Stages 3 to 5: what the body says, whether this caller may say it here, and what must not leave.
extension RequestPipeline {
  func parse(_ exchange: Exchange) -> Step {
    if let work = exchange.batch { return parseBatch(exchange, work) }
    guard case .inference(let route) = exchange.route, let caller = exchange.caller else { return .parked }
    guard exchange.body.count <= caller.rules.plan.bodyBytes else {
      return .refused(
        Refusal(
          .requestTooLarge, message: "The body has more than the \(caller.rules.plan.bodyBytes) bytes of your plan."))
    }
    do throws(InferenceError) {
      try exchange.scan.scan(exchange.body.bytes, route: route, boundary: exchange.formBoundary)
    } catch {
      return .refused(error.refusal)
    }
    exchange.isScanned = true
    if exchange.dialect == .anthropic, let version = AnthropicVersion(exchange.anthropicVersion.bytes),
      let fault = exchange.scan.versionFault(version)
    {
      return .refused(fault.refusal)
    }
    return unpriced(exchange.scan).map { .refused($0) } ?? .next
  }

  /// What no policy and no price table names yet is refused, never passed on unpriced.
  func unpriced(_ scan: RequestScan) -> Refusal? {
    let content = scan.route.contentMember
    func refusal(_ param: String, _ what: String) -> Refusal {
      Refusal(.unsupportedParameter, message: "\(what) has no price and no rule here yet.", param: param)
    }
    if scan.hasHostedTool { return refusal("tools", "A tool that the provider runs") }
    if scan.features.contains(.audioOutput) { return refusal("modalities", "Audio output") }
    if scan.features.contains(.pricedTier) {
      // What has a price of its own is known to the candidate: see `chooseRoute`.
      return scan.tier == .other ? Self.unpricedTier : refusal("service_tier", "This service tier")
    }
    if scan.features.contains(.remoteFile) { return refusal(content, "A file that lies with the provider") }
    if scan.features.contains(.remoteMedia) { return refusal(content, "Media that the provider would fetch by URL") }
    if scan.features.contains(.background) { return refusal("background", "Work in the background") }
    return nil
  }

  static let unpricedTier = Refusal(
    .unsupportedParameter, message: "No provider of this model has a price for this service tier. Leave it out.",
    param: "service_tier")

  func authorize(_ exchange: Exchange) -> Step {
    if let work = exchange.batch { return authorizeBatch(exchange, work) }
    guard case .inference(let route) = exchange.route else { return .parked }
    return authorize(exchange, exchange.scan.modelName(in: exchange.body.bytes), for: route)
  }

  /// Whether the caller may use this alias on this route, here and now.
  func authorize(_ exchange: Exchange, _ name: String, for route: InferenceRoute) -> Step {
    guard let caller = exchange.caller else { return .parked }
    guard caller.principal.admits(exchange.address) else { return .refused(denied(by: "key.networks")) }
    let known = caller.rules.models[name]
    guard isVisible(name, to: caller), let model = known ?? caller.rules.openModels?.route(name) else {
      let visible = caller.rules.models.keys.filter { isVisible($0, to: caller) }
      return .refused(modelNotFound(name, visible: visible))
    }
    switch decision(caller, known == nil ? nil : name, on: route, from: exchange.address) {
    case .allowed: break
    case .denied(let rule): return .refused(denied(by: rule))
    }
    exchange.alias = name
    exchange.modelRoute = model
    return .next
  }

  /// - Parameter alias: Nil for one that no policy names.
  func decision(_ caller: Caller, _ alias: String?, on route: InferenceRoute, from address: NetworkAddress)
    -> PolicyDecision
  {
    caller.access.decide(
      held: caller.principal.permissions, needed: route.needed, alias: alias, keyModels: caller.principal.models,
      address: address, epochSeconds: stageTime.wall / 1_000_000_000, zone: caller.principal.timeZone)
  }

  func denied(by rule: String) -> Refusal {
    Refusal(
      .policyDenied, message: "Your policy does not allow this (rule \(rule)). Ask your administrator for access.")
  }

  func redact(_ exchange: Exchange) -> Step {
    if let work = exchange.batch { return redactBatch(exchange, work) }
    guard let caller = exchange.caller else { return .parked }
    exchange.edits.reset()
    exchange.issued.wipe()
    exchange.findings.reset()
    guard let profile = caller.rules.redaction else { return .next }
    guard !exchange.scan.isTokenArray else {
      return .refused(
        Refusal(
          .invalidValue,
          message: "Tokens instead of text cannot be checked for personal data. Send text "
            + "(LangChain: check_embedding_ctx_length=False).",
          param: exchange.scan.route == .completions ? "prompt" : "input"))
    }
    guard !exchange.scan.features.contains(.binary) || profile.passesBinary else {
      return .refused(
        Refusal(
          .contentPolicyViolation,
          message: "Images, audio and files cannot be checked for personal data, so your policy lets none pass.",
          param: exchange.scan.route.contentMember))
    }
    do {
      try redactor.redact(
        body: exchange.body.bytes, segments: exchange.scan.segments, profile: profile,
        key: try pseudonyms.key(of: caller.rules), scope: [], issued: exchange.issued, edits: &exchange.edits,
        findings: &exchange.findings)
    } catch let error as RedactionError {
      return .refused(Self.refusal(of: error))
    } catch {
      return .refused(Refusal(.redactionUnavailable, message: "Redaction cannot work now; nothing was sent."))
    }
    return exchange.scan.route == .speech && !exchange.issued.isEmpty ? .refused(Self.unspeakable) : .next
  }

  /// In sound nothing can be put back.
  private static let unspeakable = Refusal(
    .contentPolicyViolation,
    message:
      "Your policy takes something out of this text that could not be put back into sound. Leave it out, or have "
      + "your administrator mask it instead (action: mask).", param: "input")

  static func refusal(of error: RedactionError) -> Refusal {
    switch error.code {
    case .blocked:
      Refusal(
        .contentPolicyViolation,
        message: "\(error.message) Remove it and send again.")
    default: Refusal(.redactionUnavailable, message: "Redaction cannot work now; nothing was sent.")
    }
  }
}

extension InferenceRoute {
  /// What a role must hold: to have something made of words, or to have them turned into numbers.
  var needed: Permissions {
    switch self {
    case .embeddings, .moderations, .rerank: .embed
    case .chat, .completions, .responses, .messages, .countTokens, .images, .speech, .transcriptions, .translations:
      .chat
    }
  }
}
