import Inference
import Routing

extension Exchange {
  /// What a model must be able to do for this request.
  var needs: ModelCapabilities { batch?.needs ?? scan.needs }
}

extension RequestScan {
  var needs: ModelCapabilities {
    var needs: ModelCapabilities = []
    if images > 0 { needs.insert(.images) }
    if audios > 0 { needs.insert(.audio) }
    if files > 0 { needs.insert(.files) }
    if hasTools { needs.insert(.tools) }
    if features.contains(.jsonSchema) { needs.insert(.jsonSchema) }
    if features.contains(.reasoning) { needs.insert(.reasoning) }
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
