public import JSONText

/// Writes `GET /v1/models` and `GET /v1/models/{alias}` in OpenAI's shape.
public enum ModelList {
  /// Appends one model.
  /// - Parameter created: Seconds since 1970: when the alias came into force.
  public static func appendModel(_ alias: String, created: Int64, to out: ByteArena) {
    out.append("{\"id\":")
    JSONEscape.appendQuoted(alias, to: out)
    out.append(",\"object\":\"model\",\"created\":")
    out.append(utf8: String(created))
    out.append(",\"owned_by\":\"torhaus\"}")
  }

  /// Appends the list of the aliases that the caller may use, in the order given.
  public static func append(_ aliases: [(alias: String, created: Int64)], to out: ByteArena) {
    out.append("{\"object\":\"list\",\"data\":[")
    for (index, model) in aliases.enumerated() {
      if index > 0 { out.append(",") }
      appendModel(model.alias, created: model.created, to: out)
    }
    out.append("]}")
  }
}
