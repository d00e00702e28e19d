/// The mock's routes; those of the provider answer with and without `/v1`.
enum Route: Equatable {
  case chat, embeddings
  case models(Vendor)
  case report, bill, reset
  case dialect(Operation, Vendor)
  case batches(BatchOperation)
  case unknown, wrongMethod

  init(_ head: RequestHead, _ bytes: UnsafeRawBufferPointer) {
    var start = head.path.lowerBound
    let end = head.path.upperBound
    if bytes.equals("/v1/", from: start, to: min(start + 4, end)) { start += 3 }
    let (route, method): (Route, RequestHead.Method)
    switch end - start {
    case 17 where bytes.equals("/chat/completions", from: start, to: end): (route, method) = (.chat, .post)
    case 11 where bytes.equals("/embeddings", from: start, to: end): (route, method) = (.embeddings, .post)
    case 7 where bytes.equals("/models", from: start, to: end): (route, method) = (.models(.openAI), .get)
    case 12 where bytes.equals("/mock/report", from: start, to: end): (route, method) = (.report, .get)
    case 10 where bytes.equals("/mock/bill", from: start, to: end): (route, method) = (.bill, .get)
    case 11 where bytes.equals("/mock/reset", from: start, to: end): (route, method) = (.reset, .post)
    case 9 where bytes.equals("/messages", from: start, to: end):
      (route, method) = (.dialect(.messages, .anthropic), .post)
    case 10 where bytes.equals("/responses", from: start, to: end):
      (route, method) = (.dialect(.responses, .openAI), .post)
    case 12 where bytes.equals("/completions", from: start, to: end):
      (route, method) = (.dialect(.completions, .openAI), .post)
    case 12 where bytes.equals("/moderations", from: start, to: end):
      (route, method) = (.dialect(.moderations, .openAI), .post)
    case 21 where bytes.equals("/audio/transcriptions", from: start, to: end):
      (route, method) = (.dialect(.transcription, .openAI), .post)
    case 19 where bytes.equals("/audio/translations", from: start, to: end):
      (route, method) = (.dialect(.transcription, .openAI), .post)
    case 13 where bytes.equals("/audio/speech", from: start, to: end):
      (route, method) = (.dialect(.speech, .openAI), .post)
    case 19 where bytes.equals("/images/generations", from: start, to: end):
      (route, method) = (.dialect(.images, .openAI), .post)
    case 7 where bytes.equals("/rerank", from: start, to: end):
      (route, method) = (.dialect(.rerank, .openAI), .post)
    case 22 where bytes.equals("/messages/count_tokens", from: start, to: end):
      (route, method) = (.dialect(.countTokens, .anthropic), .post)
    default:
      let found = BatchOperation.read(String(decoding: bytes[start..<end], as: UTF8.self)[...], head.method)
      guard !found.isPath else {
        self = found.operation.map { .batches($0) } ?? .wrongMethod
        return
      }
      let target = String(decoding: bytes[head.path.lowerBound..<head.query.upperBound], as: UTF8.self)
      (route, method) = DialectPath.read(target) ?? (.unknown, head.method)
    }
    self = method == head.method ? route : .wrongMethod
  }

  /// The N of `?last=N`; without it, all.
  static func last(_ head: RequestHead, _ bytes: UnsafeRawBufferPointer) -> Int {
    let start = head.query.lowerBound
    guard bytes.equals("last=", from: start, to: min(start + 5, head.query.upperBound)) else { return .max }
    return bytes.decimal(in: (start + 5)..<head.query.upperBound, limit: 1_000_000) ?? .max
  }
}
