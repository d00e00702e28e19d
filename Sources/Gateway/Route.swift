public import Inference

/// What a path and method ask for: the whole table. A route that is not in it does not exist.
public enum Route: Equatable, Sendable {
  case inference(InferenceRoute)
  /// Files of requests, and what is made of them.
  case batches(BatchCall)
  case models
  /// One model; its name is the rest of the path.
  case model
  case livez
  case readyz
  case root

  public enum Method: Sendable { case get, head, post, delete, other }

  /// Goes through all stages: it is counted against limits, and recorded.
  var isMetered: Bool {
    switch self {
    case .inference, .batches: true
    case .models, .model, .livez, .readyz, .root: false
    }
  }

  public enum Lookup: Equatable {
    case found(Route)
    /// The path exists for another method, given for `Allow`.
    case wrongMethod(allow: StaticString)
    /// Whether the base URL was given with `/v1` twice, the most frequent slip of all.
    case unknown(doubledVersion: Bool)

    public static func == (left: Lookup, right: Lookup) -> Bool {
      switch (left, right) {
      case (.found(let a), .found(let b)): a == b
      case (.wrongMethod(let a), .wrongMethod(let b)): a.description == b.description
      case (.unknown(let a), .unknown(let b)): a == b
      default: false
      }
    }
  }

  /// Exact paths, with and without `/v1`; nothing is normalised.
  public static func find(_ method: Method, _ path: UnsafeRawBufferPointer) -> Lookup {
    if let route = InferenceRoute(path: path) {
      return method == .post ? .found(.inference(route)) : .wrongMethod(allow: "POST")
    }
    if let found = BatchCall.find(method, path) { return found }
    guard let route = reading(path) else { return .unknown(doubledVersion: begins(path, "/v1/v1/")) }
    return method == .get || method == .head ? .found(route) : .wrongMethod(allow: "GET, HEAD")
  }

  /// How whoever asks for this path speaks, be there such a route or not.
  static func dialect(of path: UnsafeRawBufferPointer) -> Dialect {
    begins(path, "/v1/messages") || begins(path, "/messages") ? .anthropic : .openAI
  }

  private static func reading(_ path: UnsafeRawBufferPointer) -> Route? {
    if equals(path, "/v1/models") || equals(path, "/models") { return .models }
    if modelName(path) != nil { return .model }
    if equals(path, "/livez") { return .livez }
    if equals(path, "/readyz") { return .readyz }
    if equals(path, "/") { return .root }
    return nil
  }

  /// Where the name stands in `/v1/models/{alias}`.
  static func modelName(_ path: UnsafeRawBufferPointer) -> Range<Int>? {
    let prefix = begins(path, "/v1/models/") ? 11 : begins(path, "/models/") ? 8 : 0
    guard prefix > 0, path.count > prefix, path.count <= prefix + 256 else { return nil }
    return prefix..<path.count
  }

  private static func equals(_ path: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
    path.count == text.utf8CodeUnitCount && begins(path, text)
  }

  private static func begins(_ path: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
    guard path.count >= text.utf8CodeUnitCount else { return false }
    for offset in 0..<text.utf8CodeUnitCount where path[offset] != text.utf8Start[offset] { return false }
    return true
  }
}

/// What a request says its body is.
public enum ContentType: Sendable {
  case none, json, form, other

  /// The media type counts, its parameters do not.
  public init(_ field: Slice<UnsafeRawBufferPointer>) {
    let expected: StaticString = "application/json"
    var index = field.startIndex
    var offset = 0
    while index < field.endIndex, offset < expected.utf8CodeUnitCount {
      let byte = field[index]
      let lower = byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
      guard lower == expected.utf8Start[offset] else {
        self = FormBoundary.read(UnsafeRawBufferPointer(rebasing: field)) == nil ? .other : .form
        return
      }
      index += 1
      offset += 1
    }
    let ends = index == field.endIndex || field[index] == 0x3B || field[index] == 0x20 || field[index] == 0x09
    self = offset == expected.utf8CodeUnitCount && ends ? .json : .other
  }
}
