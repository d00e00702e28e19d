internal import JSONText

/// What a provider says of a batch: the members that clients are told of, and those that name things of the provider's.
public struct ProviderBatch: Sendable, Equatable {
  /// The provider's own words, closed.
  public enum Status: String, Sendable, CaseIterable {
    case validating, failed
    case inProgress = "in_progress"
    case finalizing, completed, expired, cancelling, cancelled

    /// Nothing will change any more.
    public var isOver: Bool {
      switch self {
      case .completed, .failed, .expired, .cancelled: true
      case .validating, .inProgress, .finalizing, .cancelling: false
      }
    }
  }

  /// A fault of the input that the provider has found, fit for a client.
  public struct Fault: Sendable, Equatable {
    public var code = ""
    public var message = ""
    public var line: Int64?
  }

  public struct Counts: Sendable, Equatable {
    public var total: Int64 = 0
    public var completed: Int64 = 0
    public var failed: Int64 = 0
  }

  static let times: [StaticString] = [
    "in_progress_at", "expires_at", "finalizing_at", "completed_at", "failed_at", "expired_at", "cancelling_at",
    "cancelled_at",
  ]
  static let mostFaults = 20

  public private(set) var id = ""
  /// What nobody knows counts as under way.
  public private(set) var status = Status.inProgress
  public private(set) var output: String?
  public private(set) var errors: String?
  public private(set) var counts: Counts?
  /// What all lines have used, where the provider sums it up.
  public private(set) var usage: Usage?
  public private(set) var faults: [Fault] = []
  /// By their places in ``times``.
  private(set) var moments: [(place: Int, seconds: Int64)] = []

  public static func == (left: ProviderBatch, right: ProviderBatch) -> Bool {
    left.id == right.id && left.status == right.status && left.output == right.output && left.errors == right.errors
      && left.counts == right.counts && left.usage == right.usage && left.faults == right.faults
  }

  /// Nil for what is no batch, or whose names could be anything.
  public init?(_ body: UnsafeRawBufferPointer) {
    var isGood = true
    let isWhole = ObjectReader.read(body) { (name, cursor) throws(JSONTextError) in
      try member(name, &cursor, body, &isGood)
    }
    guard isWhole, isGood, !id.isEmpty else { return nil }
  }

  private mutating func member(
    _ name: UnsafeRawBufferPointer, _ cursor: inout JSONCursor, _ body: UnsafeRawBufferPointer, _ isGood: inout Bool
  ) throws(JSONTextError) {
    if let place = Self.times.firstIndex(where: { name.equals($0) }) {
      let seconds = try ObjectReader.count(&cursor)
      if let seconds, !moments.contains(where: { $0.place == place }) { moments.append((place, seconds)) }
    } else if name.equals("id") {
      id = try remote(&cursor, body, &isGood) ?? ""
    } else if name.equals("output_file_id") {
      output = try remote(&cursor, body, &isGood)
    } else if name.equals("error_file_id") {
      errors = try remote(&cursor, body, &isGood)
    } else if name.equals("status"), try cursor.peek() == .string {
      let word = try cursor.string().range.of(body)
      status = Status.allCases.first { word.elementsEqual($0.rawValue.utf8) } ?? .inProgress
    } else if name.equals("request_counts"), try cursor.peek() == .object {
      var counts = Counts()
      try ObjectReader.members(&cursor, of: body) { (name, cursor) throws(JSONTextError) in
        let count = try ObjectReader.count(&cursor)
        if name.equals("total") { counts.total = count ?? 0 }
        if name.equals("completed") { counts.completed = count ?? 0 }
        if name.equals("failed") { counts.failed = count ?? 0 }
      }
      self.counts = counts
    } else if name.equals("usage"), try cursor.peek() == .object {
      let usage = try Usage.readResponses(&cursor, in: body)
      self.usage = usage.hasInput && usage.hasOutput && !usage.isSuspect ? usage : nil
    } else if name.equals("errors"), try cursor.peek() == .object {
      try readFaults(&cursor, body)
    } else {
      try cursor.skipValue()
    }
  }

  /// A name of the provider's; null is none, and what could be anything else ends the reading.
  private func remote(
    _ cursor: inout JSONCursor, _ body: UnsafeRawBufferPointer, _ isGood: inout Bool
  ) throws(JSONTextError) -> String? {
    guard try cursor.peek() == .string else {
      if try cursor.peek() != .null { isGood = false }
      try cursor.skipValue()
      return nil
    }
    let text = try cursor.string().range.of(body)
    guard !text.isEmpty else { return nil }
    let found = RemoteID.read(text)
    if found == nil { isGood = false }
    return found
  }

  private mutating func readFaults(_ cursor: inout JSONCursor, _ body: UnsafeRawBufferPointer) throws(JSONTextError) {
    var found: [Fault] = []
    try ObjectReader.members(&cursor, of: body) { (name, cursor) throws(JSONTextError) in
      guard name.equals("data"), try cursor.peek() == .array else { return try cursor.skipValue() }
      var walk = try cursor.enterArray()
      while try cursor.nextElement(&walk) {
        guard found.count < Self.mostFaults, try cursor.peek() == .object else {
          try cursor.skipValue()
          continue
        }
        found.append(try Self.fault(&cursor, body))
      }
    }
    faults = found
  }

  private static func fault(_ cursor: inout JSONCursor, _ body: UnsafeRawBufferPointer) throws(JSONTextError) -> Fault {
    var fault = Fault()
    try ObjectReader.members(&cursor, of: body) { (name, cursor) throws(JSONTextError) in
      if name.equals("line") {
        fault.line = try ObjectReader.count(&cursor)
      } else if name.equals("code"), try cursor.peek() == .string {
        fault.code = BatchWord.code(try cursor.string().range.of(body))
      } else if name.equals("message"), try cursor.peek() == .string {
        fault.message = ErrorScrubber.scrub(try cursor.string().range.of(body))
      } else {
        try cursor.skipValue()
      }
    }
    if !BatchWord.isAboutInput(fault.code) { fault.message = BatchWord.refused }
    return fault
  }

  /// The members that stay the same for whoever asks: status, moments, counts and usage, each with a comma in front. They
  /// hold no text of anybody.
  public var state: String {
    var text = ",\"status\":\"\(status.rawValue)\""
    for moment in moments where Self.times.indices.contains(moment.place) {
      text += ",\"\(Self.times[moment.place])\":\(moment.seconds)"
    }
    if let counts {
      text +=
        ",\"request_counts\":{\"total\":\(counts.total),\"completed\":\(counts.completed),\"failed\":\(counts.failed)}"
    }
    if let usage {
      text += ",\"usage\":{\"input_tokens\":\(usage.inputTokens),\"input_tokens_details\":{\"cached_tokens\":"
      text += "\(usage.cachedTokens)},\"output_tokens\":\(usage.outputTokens),\"output_tokens_details\":"
      text += "{\"reasoning_tokens\":\(usage.reasoningTokens)},\"total_tokens\":"
      text += "\(usage.inputTokens &+ usage.outputTokens)}"
    }
    return text
  }
}

/// Words of a provider that pass: short and of harmless characters.
enum BatchWord {
  /// What a provider says beside other codes may be about its account, its limits or its models.
  static func isAboutInput(_ code: String) -> Bool {
    [
      "invalid_json_line", "invalid_json", "invalid_line", "invalid_method", "invalid_url", "url_mismatch",
      "duplicate_custom_id", "missing_custom_id", "invalid_custom_id", "empty_file", "too_many_tasks",
      "missing_required_parameter",
    ].contains(code)
  }

  static let refused = "The provider could not work on it."

  /// What is said of a line that was never answered.
  static func message(_ code: String) -> String {
    switch code {
    case "batch_expired": "This request could not be worked on before the batch's time was over."
    case "batch_cancelled": "The batch was cancelled before this request was worked on."
    default: refused
    }
  }

  static func code(_ text: UnsafeRawBufferPointer) -> String {
    let isPlain = text.allSatisfy { (0x61...0x7A).contains($0) || $0 == 0x5F }
    return isPlain && (1...64).contains(text.count) ? String(decoding: text, as: UTF8.self) : "batch_error"
  }
}
