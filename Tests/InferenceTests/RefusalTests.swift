import Inference
import JSONText
import Testing

@Suite struct RefusalTests {
  /// `api.md` section 10: status, type, code, Retry-After, x-should-retry.
  private static let table: [(Refusal.Code, Int, String, String, Bool, Bool)] = [
    (.invalidRequest, 400, "invalid_request_error", "invalid_request", false, false),
    (.invalidJSON, 400, "invalid_request_error", "invalid_json", false, false),
    (.missingRequiredParameter, 400, "invalid_request_error", "missing_required_parameter", false, false),
    (.invalidType, 400, "invalid_request_error", "invalid_type", false, false),
    (.invalidValue, 400, "invalid_request_error", "invalid_value", false, false),
    (.unsupportedParameter, 400, "invalid_request_error", "unsupported_parameter", false, false),
    (.unsupportedMediaType, 415, "invalid_request_error", "unsupported_media_type", false, false),
    (.requestTooLarge, 413, "invalid_request_error", "request_too_large", false, false),
    (.headersTooLarge, 431, "invalid_request_error", "request_too_large", false, false),
    (.requestTimeout, 408, "invalid_request_error", "request_timeout", false, false),
    (.notFound, 404, "invalid_request_error", "not_found", false, false),
    (.methodNotAllowed, 405, "invalid_request_error", "method_not_allowed", false, false),
    (.contextLengthExceeded, 400, "invalid_request_error", "context_length_exceeded", false, false),
    (.previousResponseNotFound, 400, "invalid_request_error", "previous_response_not_found", false, false),
    (.invalidAPIKey, 401, "invalid_request_error", "invalid_api_key", false, false),
    (.policyDenied, 403, "invalid_request_error", "policy_denied", false, false),
    (.dataResidencyMismatch, 403, "invalid_request_error", "data_residency_mismatch", false, false),
    (.modelNotFound, 404, "invalid_request_error", "model_not_found", false, false),
    (.contentPolicyViolation, 400, "invalid_request_error", "content_policy_violation", false, false),
    (.rateLimitExceeded, 429, "requests", "rate_limit_exceeded", true, false),
    (.tooManyFailedKeys, 429, "requests", "rate_limit_exceeded", true, true),
    (.insufficientQuota, 429, "insufficient_quota", "insufficient_quota", false, true),
    (.upstreamRateLimited, 429, "requests", "upstream_rate_limited", true, false),
    (.upstreamAuth, 502, "server_error", "upstream_auth", false, true),
    (.upstreamQuota, 502, "server_error", "upstream_quota", false, true),
    (.upstreamError, 502, "server_error", "upstream_error", true, false),
    (.upstreamCut, 502, "server_error", "upstream_cut", true, false),
    (.upstreamTimeout, 504, "server_error", "upstream_timeout", true, false),
    (.noRoute, 503, "server_error", "no_route", true, false), (.noPrice, 503, "server_error", "no_route", false, true),
    (.logUnavailable, 503, "server_error", "log_unavailable", true, false),
    (.ledgerUnavailable, 503, "server_error", "ledger_unavailable", true, false),
    (.redactionUnavailable, 503, "server_error", "redaction_unavailable", true, false),
    (.policyUnavailable, 503, "server_error", "policy_unavailable", true, false),
    (.overloaded, 503, "server_error", "overloaded", true, false),
  ]

  @Test func everyCauseHasItsRow() {
    #expect(Set(Self.table.map(\.0)) == Set(Refusal.Code.allCases))
    for (code, status, type, text, retries, forbids) in Self.table {
      let refusal = Refusal(code, message: "m")
      #expect(code.status == status && code.text == text, "\(code)")
      #expect(ErrorBody.type(of: refusal) == type, "\(code)")
      #expect((refusal.retryAfterSeconds != nil) == retries && code.forbidsRetry == forbids, "\(code)")
      // The SDKs would retry 409; we never send it.
      #expect(status != 409)
    }
  }

  @Test(arguments: [(nil, 5), (0, 1), (-3, 1), (1, 1), (60, 60), (61, 60), (86_400, 60)] as [(Int?, Int)])
  func retryAfterStaysWithinAMinute(given: Int?, header: Int) {
    #expect(Refusal(.rateLimitExceeded, message: "", retryAfter: given).retryAfterSeconds == header)
    #expect(Refusal(.insufficientQuota, message: "", retryAfter: given).retryAfterSeconds == nil)
  }

  @Test func bodiesAreGolden() {
    let out = ByteArena()
    ErrorBody.append(
      Refusal(.invalidValue, message: "Say \"why\".\n", param: "messages[0].role"), requestID: "req_abc", to: out)
    #expect(
      out.text
        == #"{"error":{"message":"Say \"why\".\n (request req_abc)","type":"invalid_request_error","param":"messages[0].role","code":"invalid_value"}}"#
    )
    out.reset()
    ErrorBody.append(Refusal(.rateLimitExceeded, message: "Slow down.", limit: .tokens), requestID: "", to: out)
    #expect(
      out.text == #"{"error":{"message":"Slow down.","type":"tokens","param":null,"code":"rate_limit_exceeded"}}"#)
    out.reset()
    ErrorBody.appendEvent(Refusal(.upstreamCut, message: "Broken off."), requestID: "req_1", to: out)
    #expect(
      out.text
        == "data: {\"error\":{\"message\":\"Broken off. (request req_1)\",\"type\":\"server_error\",\"param\":null,\"code\":\"upstream_cut\"}}\n\n"
    )
  }

  @Test func modelsAreGolden() {
    let out = ByteArena()
    ModelList.append([("chat", 1_700_000_000), ("a\"b", 0)], to: out)
    #expect(
      out.text
        == #"{"object":"list","data":[{"id":"chat","object":"model","created":1700000000,"owned_by":"torhaus"},{"id":"a\"b","object":"model","created":0,"owned_by":"torhaus"}]}"#
    )
    out.reset()
    ModelList.append([], to: out)
    #expect(out.text == #"{"object":"list","data":[]}"#)
  }

  @Test(
    arguments: [
      ("/v1/chat/completions", InferenceRoute.chat), ("/chat/completions", .chat), ("/v1/embeddings", .embeddings),
      ("/embeddings", .embeddings), ("/v1/v1/chat/completions", nil), ("/v1/chat/completions/", nil),
      ("/v1//chat/completions", nil), ("/V1/embeddings", nil), ("/v1/embeddings?x=1", nil),
      ("/v1/../v1/embeddings", nil),
      ("", nil),
    ] as [(String, InferenceRoute?)])
  func pathsAreExact(path: String, route: InferenceRoute?) {
    #expect(withBytes(path) { InferenceRoute(path: $0) } == route)
  }
}

@Suite struct UpstreamFaultTests {
  private func fault(_ status: Int, _ body: String) -> UpstreamFault {
    withBytes(body) { UpstreamFault(status: status, body: $0) }
  }

  @Test(arguments: [
    (
      400, "{\"error\":{\"message\":\"bad\",\"code\":\"context_length_exceeded\"}}", Refusal.Code.contextLengthExceeded,
      UpstreamFault.Retry.longerContext, false
    ),
    (
      400, "{\"error\":{\"message\":\"This model's maximum context length is 8192 tokens.\"}}", .contextLengthExceeded,
      .longerContext, false
    ),
    (
      400, "{\"error\":{\"message\":\"no\",\"code\":\"unsupported_parameter\",\"param\":\"top_k\"}}",
      .unsupportedParameter, .never, false
    ),
    (400, "{\"error\":{\"code\":\"content_filter\",\"message\":\"x\"}}", .contentPolicyViolation, .never, false),
    (
      400, "[{\"error\":{\"code\":400,\"message\":\"API key not valid\",\"status\":\"UNAUTHENTICATED\"}}]",
      .upstreamAuth, .otherCandidate, true
    ),
    (400, "{}", .invalidValue, .never, false), (413, "", .invalidValue, .never, false),
    (
      422,
      "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"Extra inputs are not permitted\",\"type\":\"extra_forbidden\"}]}",
      .unsupportedParameter, .never, false
    ),
    (401, "{\"error\":{\"message\":\"Incorrect API key\"}}", .upstreamAuth, .otherCandidate, true),
    (403, "", .upstreamAuth, .otherCandidate, true), (402, "", .upstreamQuota, .otherCandidate, true),
    (404, "{\"error\":{\"code\":\"model_not_found\"}}", .upstreamError, .otherCandidate, true),
    (408, "", .upstreamTimeout, .anyCandidate, false), (409, "", .upstreamError, .anyCandidate, false),
    (429, "{\"error\":{\"type\":\"requests\"}}", .upstreamRateLimited, .anyCandidate, false),
    (429, "{\"error\":{\"code\":\"insufficient_quota\"}}", .upstreamQuota, .otherCandidate, true),
    (500, "<html>", .upstreamError, .anyCandidate, false), (503, "", .upstreamError, .anyCandidate, false),
    (504, "", .upstreamTimeout, .anyCandidate, false), (529, "", .upstreamError, .anyCandidate, false),
    (302, "", .upstreamError, .otherCandidate, true), (200, "{\"code\":503}", .upstreamError, .anyCandidate, false),
  ])
  func isClassified(status: Int, body: String, code: Refusal.Code, retry: UpstreamFault.Retry, needsOperator: Bool) {
    let fault = fault(status, body)
    #expect(fault.refusal.code == code)
    #expect(fault.retry == retry)
    #expect(fault.needsOperator == needsOperator)
    #expect(!fault.refusal.message.isEmpty)
  }

  /// As each provider says it.
  @Test(arguments: [
    #"{"error":{"message":"Your input exceeds the context window of this model.","type":"invalid_request_error","param":"input","code":"context_length_exceeded"}}"#,
    #"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}}"#,
    #"{"type":"error","error":{"type":"invalid_request_error","message":"input length and `max_tokens` exceed context limit: 190000 + 21333 > 200000"}}"#,
    #"{"error":{"code":400,"message":"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).","status":"INVALID_ARGUMENT"}}"#,
    #"[{"error":{"code":400,"message":"The input token count exceeds the maximum number of tokens allowed (1048576).","status":"INVALID_ARGUMENT"}}]"#,
    #"{"message":"Input is too long for requested model."}"#,
    #"{"object":"error","message":"Prompt contains 40000 tokens, too large for model with 32768 maximum context length","type":"invalid_request_error","param":null,"code":null}"#,
    #"{"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error"}}"#,
    #"{"error":"the input length exceeds the context length"}"#,
  ])
  func aPromptTooLongIsKnownInEveryonesWords(body: String) {
    let fault = fault(400, body)
    #expect(fault.refusal.code == .contextLengthExceeded && fault.retry == .longerContext)
    #expect(fault.refusal.message.hasPrefix("The provider refused the request: ") && !fault.needsOperator)
  }

  private static let secret = ["sk-", "proj-", "Ab12Cd34Ef56Gh78"].joined()

  @Test func clientsReadWhatIsAboutTheirRequest() {
    let fault = fault(
      400,
      "{\"error\":{\"message\":\"'temperature' must be\\nat most 2.\",\"param\":\"temperature\",\"type\":\"invalid_request_error\",\"code\":null}}"
    )
    #expect(fault.refusal.message == "The provider refused the request: 'temperature' must be at most 2.")
    #expect(fault.refusal.param == "temperature" && fault.providerCode == "invalid_request_error")
  }

  @Test func nothingElseOfTheProviderIsRelayed() {
    for status in [401, 403, 404, 429, 500, 502] {
      let fault = fault(status, "{\"error\":{\"message\":\"canary at host\",\"param\":\"canary\"}}")
      #expect(!fault.refusal.message.contains("canary") && fault.refusal.param == nil)
    }
    let odd = fault(400, "{\"error\":{\"message\":\"m\",\"param\":\"x <script>\",\"code\":\"a b\"}}")
    #expect(odd.refusal.param == nil && odd.providerCode == "")
  }

  @Test(arguments: [
    "See https://api.internal.example/v1?key=canary.", "Ask canary@provider.example now",
    "host canary.internal:8443 failed",
    "at canary.provider.com/path", "call 10.11.12.13 (canary)".replacing("(canary)", with: ""),
    "ip 2001:db8::canary1".replacing("canary1", with: "1"),
    "key \(secret) bad", "key='\(secret)' bad", "Incorrect API key: \(secret.prefix(9))***\(secret.suffix(4))",
    "organization org-canary123456", "token canary0123456789canary0123456789", "project proj_canary1234",
    "(www.canary.example)", "url='https://canary.x/y'", "host=canary.svc.cluster.local", "to canary-node-3:8000 failed",
    "peer=10.11.12.13,", "from localhost:11434/canary", "upstream=canary.example;",
    "[docs](https://canary.example/x)",
  ])
  func addressesAndKeysAreScrubbed(message: String) {
    let out = ByteArena()
    out.append("{\"error\":{\"message\":")
    JSONEscape.appendQuoted(message, to: out)
    out.append("}}")
    let text = fault(400, out.text).refusal.message
    for trace in ["canary", "10.11.12.13", "2001:db8", Self.secret, "Ab12", "Gh78", "https:", "www."] {
      #expect(!text.contains(trace), "\(text)")
    }
    #expect(text.contains("[address]") || text.contains("[removed]"))
  }

  @Test(arguments: [
    "Invalid value: 'devloper'. Supported values are: 'system', 'user'.", "max_tokens is too large: 100000.",
    "Unrecognized request argument supplied: top_k", "messages[0].content: Input should be a valid string.",
    "Zürich ist keine Temperatur (0.5 < x < 2.0).",
  ])
  func plainTextStays(message: String) {
    let out = ByteArena()
    out.append("{\"error\":{\"message\":")
    JSONEscape.appendQuoted(message, to: out)
    out.append("}}")
    #expect(fault(400, out.text).refusal.message == "The provider refused the request: " + message)
  }

  @Test func messagesAreShort() {
    let long = String(repeating: "wörd ", count: 2_000)
    let message = fault(400, "{\"error\":{\"message\":\"\(long)\"}}").refusal.message
    #expect(message.utf8.count <= 1024 + 40 && message.hasSuffix("…"))
  }

  @Test func anyBodyIsTaken() {
    var random = SeededGenerator(seed: 9)
    let seed = Array(
      "[{\"error\":{\"message\":\"x \\u00e9 https://a.b\",\"type\":\"t\",\"code\":\"c\",\"param\":\"p[0]\"},\"detail\":[[[[\"d\"]]]]}]"
        .utf8)
    for _ in 0..<3_000 {
      let fault = withBytes(random.mutate(seed, most: 8)) { UpstreamFault(status: 400, body: $0) }
      #expect(fault.refusal.message.utf8.count <= 1100)
    }
  }
}
