import Inference
import Routing

extension Exchange {
  /// What a model must be able to do for this request.
  var needs: ModelCapabilities {
    var needs: ModelCapabilities = []
    if scan.images > 0 { needs.insert(.images) }
    if scan.audios > 0 { needs.insert(.audio) }
    if scan.files > 0 { needs.insert(.files) }
    if scan.hasTools { needs.insert(.tools) }
    if scan.features.contains(.jsonSchema) { needs.insert(.jsonSchema) }
    if scan.features.contains(.reasoning) { needs.insert(.reasoning) }
    return needs
  }
}

extension RequestPipeline {
  /// The refusal where no candidate that policy allows can do what the request needs.
  static func cannot(_ lacking: ModelCapabilities) -> Refusal {
    Refusal(
      .invalidValue,
      message: "No provider of this model can do what the request needs: \(lacking.nameList.joined(separator: ", ")). "
        + "Leave it out, or use another model.", param: "model")
  }
}
