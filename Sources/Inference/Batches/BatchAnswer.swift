public import JSONText

/// Writes what clients read of files and batches, in OpenAI's shape and with our names.
public enum BatchAnswer {
  public struct File: Sendable {
    public var id: String
    public var bytes: Int64
    public var created: Int64
    public var isInput: Bool

    public init(id: String, bytes: Int64, created: Int64, isInput: Bool) {
      self.id = id
      self.bytes = bytes
      self.created = created
      self.isInput = isInput
    }
  }

  public struct Batch: Sendable {
    public var id: String
    public var route: InferenceRoute
    public var created: Int64
    public var input: String
    public var output: String?
    public var errors: String?
    public var faults: [ProviderBatch.Fault]
    /// ``ProviderBatch/state``.
    public var state: String

    public init(
      id: String, route: InferenceRoute, created: Int64, input: String, output: String?, errors: String?,
      faults: [ProviderBatch.Fault] = [], state: String
    ) {
      self.id = id
      self.route = route
      self.created = created
      self.input = input
      self.output = output
      self.errors = errors
      self.faults = faults
      self.state = state
    }
  }

  public static func append(_ file: File, to out: ByteArena) {
    out.append("{\"id\":")
    JSONEscape.appendQuoted(file.id, to: out)
    out.append(",\"object\":\"file\",\"bytes\":")
    out.append(number: file.bytes)
    out.append(",\"created_at\":")
    out.append(number: file.created)
    out.append(",\"filename\":")
    JSONEscape.appendQuoted(file.isInput ? BatchForm.fileName : "batch_output.jsonl", to: out)
    out.append(",\"purpose\":\"")
    out.append(utf8: file.isInput ? "batch" : "batch_output")
    out.append("\",\"status\":\"processed\"}")
  }

  public static func append(_ batch: Batch, to out: ByteArena) {
    out.append("{\"id\":")
    JSONEscape.appendQuoted(batch.id, to: out)
    out.append(",\"object\":\"batch\",\"endpoint\":")
    JSONEscape.appendQuoted(batch.route.batchPath, to: out)
    out.append(",\"errors\":")
    append(batch.faults, to: out)
    out.append(",\"input_file_id\":")
    JSONEscape.appendQuoted(batch.input, to: out)
    out.append(",\"completion_window\":\"24h\",\"created_at\":")
    out.append(number: batch.created)
    for (name, id) in [("output_file_id", batch.output), ("error_file_id", batch.errors)] {
      out.append(utf8: ",\"\(name)\":")
      if let id { JSONEscape.appendQuoted(id, to: out) } else { out.append("null") }
    }
    out.append(",\"metadata\":null")
    out.append(utf8: batch.state)
    out.append("}")
  }

  private static func append(_ faults: [ProviderBatch.Fault], to out: ByteArena) {
    guard !faults.isEmpty else { return out.append("null") }
    out.append("{\"object\":\"list\",\"data\":[")
    for (place, fault) in faults.enumerated() {
      out.append(utf8: "\(place > 0 ? "," : ""){\"code\":")
      JSONEscape.appendQuoted(fault.code, to: out)
      out.append(",\"message\":")
      JSONEscape.appendQuoted(fault.message, to: out)
      out.append(",\"param\":null,\"line\":")
      if let line = fault.line { out.append(number: line) } else { out.append("null") }
      out.append("}")
    }
    out.append("]}")
  }

  /// A list that is whole; its elements are written by the closure.
  public static func appendList(_ ids: [String], to out: ByteArena, _ element: (Int) -> Void) {
    out.append("{\"object\":\"list\",\"data\":[")
    for place in ids.indices {
      if place > 0 { out.append(",") }
      element(place)
    }
    out.append("],\"first_id\":")
    if let first = ids.first { JSONEscape.appendQuoted(first, to: out) } else { out.append("null") }
    out.append(",\"last_id\":")
    if let last = ids.last { JSONEscape.appendQuoted(last, to: out) } else { out.append("null") }
    out.append(",\"has_more\":false}")
  }

  public static func appendDeleted(_ id: String, to out: ByteArena) {
    out.append("{\"id\":")
    JSONEscape.appendQuoted(id, to: out)
    out.append(",\"object\":\"file\",\"deleted\":true}")
  }
}
