import NIOCore

/// An embeddings request of another vendor than OpenAI, or for a deployment.
struct EmbeddingsRequest {
  let prompt: Prompt

  init(_ json: JSONValue, _ body: ByteBuffer, model: String?) throws(Refused) {
    guard let name = model ?? json["model"]?.text else { throw .invalid("you must provide a model parameter") }
    guard body.withUnsafeReadableBytes({ EmbeddingsAnswer($0) }) != nil else {
      throw .invalid("'input' must be a text, texts or tokens.", param: "input")
    }
    prompt = Prompt(model: name)
  }

  static func answer(_ body: ByteBuffer, _ script: Script, _ prompt: Prompt, _ vendor: Vendor) -> WholeAnswer {
    var text = ByteBuffer()
    let answer = body.withUnsafeReadableBytes { EmbeddingsAnswer($0) }
    let rawModel = ByteBuffer(bytes: JSONStringText.encoded(Array(prompt.model.utf8)))
    answer?.write(rawModel: rawModel, script, into: &text)
    return WholeAnswer(body: text, vendor: vendor, charge: answer?.usage)
  }
}
