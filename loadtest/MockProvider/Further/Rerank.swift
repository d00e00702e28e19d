import NIOCore

/// `/v1/rerank`, as vLLM, Jina and Cohere have it: documents by how many words of the query they hold.
enum Rerank {
  private static let documentLimit = 1_000

  static func prompt(_ json: JSONValue) throws(Refused) -> Prompt {
    guard let model = json["model"]?.text, let query = json["query"]?.bytes,
      let documents = json["documents"]?.elements, (1...documentLimit).contains(documents.count)
    else { throw .invalid("'model', 'query' and 1 to \(documentLimit) 'documents' are required.", param: "documents") }
    var prompt = Prompt(model: model)
    prompt.userText = query
    for document in documents {
      guard let text = document.bytes ?? document["text"]?.bytes else {
        throw .invalid("A document is a text or has one.", param: "documents")
      }
      prompt.choiceTexts.append(text)
    }
    prompt.countedBytes = query.count + prompt.choiceTexts.reduce(0) { $0 + $1.count }
    prompt.choices = max(1, min(json["top_n"]?.integer ?? documents.count, documents.count))
    prompt.repeatsPrompt = json["return_documents"]?.flag ?? false
    return prompt
  }

  static func answer(
    _ script: Script, _ prompt: Prompt, _ userText: [UInt8], _ identity: ReplyIdentity
  ) -> WholeAnswer {
    let words = Set(userText.split(separator: 0x20))
    let scores = prompt.choiceTexts.map { text in
      Double(words.intersection(text.split(separator: 0x20)).count) / Double(max(1, words.count))
    }
    // Of equal scores, the earlier document comes first.
    let order = scores.indices.sorted { (-scores[$0], $0) < (-scores[$1], $1) }.prefix(prompt.choices)
    var body = ByteBuffer()
    body.writeString("{\"id\":\"rerank-mock\(identity.number)\",\"model\":")
    body.writeQuoted(identity.model)
    body.writeStaticString(",\"results\":[")
    for (place, index) in order.enumerated() {
      if place > 0 { body.writeStaticString(",") }
      body.writeString("{\"index\":\(index),\"relevance_score\":\(scores[index])")
      if prompt.repeatsPrompt {
        body.writeStaticString(",\"document\":{\"text\":")
        body.writeQuoted(prompt.choiceTexts[index])
        body.writeStaticString("}")
      }
      body.writeStaticString("}")
    }
    body.writeStaticString("]")
    let tokens = prompt.promptTokens
    if script.reportsUsage { body.writeString(",\"usage\":{\"prompt_tokens\":\(tokens),\"total_tokens\":\(tokens)}") }
    body.writeStaticString("}")
    return WholeAnswer(
      body: body, vendor: .openAI, charge: MockUsage(promptTokens: tokens, completionTokens: 0))
  }
}
