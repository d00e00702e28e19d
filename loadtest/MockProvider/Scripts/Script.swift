/// What the mock does with a request, as its model name (and the header `x-mock`) say.
///
/// Syntax: `NAME` or `NAME;key=value;key=value`; `:` and `,` separate as well as `;`. A name that is not known behaves
/// like `mock-echo`; a key that is not known, or a value that is no number, is ignored.
struct Script: Equatable, Sendable {
  enum Kind: Equatable, Sendable {
    /// A fixed text of `size` bytes.
    case fixed
    /// The text of the last user message.
    case echo
    /// A tool call that holds the text of the last user message.
    case tool
    case error(Int)
    /// The connection ends in the middle of the answer, without a terminator.
    case cut
    /// The connection is reset: before a byte of the answer, or after `after` deltas of a stream.
    case reset
    /// What comes back is no HTTP.
    case garbage
    /// What comes back is HTTP, but its JSON is broken.
    case garbageBody
    /// Nothing comes any more.
    case hang
  }

  static let names = [
    "mock-echo", "mock-fast", "mock-stream", "mock-slow", "mock-tool", "mock-no-usage", "mock-error-400",
    "mock-error-401", "mock-error-429", "mock-error-500", "mock-error-503", "mock-cut", "mock-cut-plain",
    "mock-cut-stream", "mock-reset", "mock-garbage", "mock-garbage-body", "mock-hang",
  ]
  /// The largest fixed text, in bytes.
  static let sizeLimit = 16_777_216
  /// The longest wait and the longest delay, in milliseconds.
  static let delayLimitMilliseconds = 3_600_000

  var kind = Kind.echo
  /// Whether the answer says what it used.
  var reportsUsage = true
  /// Unicode scalars in each delta of a stream.
  var deltaScalars = 16
  /// Deltas in all, however long they then are; wins over `deltaScalars`.
  var deltaCount: Int?
  /// Between one delta and the next.
  var delayMilliseconds = 0
  /// Before the first byte of the answer.
  var waitMilliseconds = 0
  /// Bytes in each write to the socket; 0 leaves it to the loop.
  var splitBytes = 0
  /// Length of the fixed text.
  var size = 1_024
  /// Deltas that are sent before a cut, a reset or a hang.
  var after: Int?
  /// How many requests for one model fail; the ones after them are echoed.
  var failures: Int?
  var retryAfterSeconds = 1

  init(model: String) {
    let parts = model.split(whereSeparator: { $0 == ";" || $0 == ":" || $0 == "," })
    readName(parts.first.map(String.init) ?? "")
    for part in parts.dropFirst() { readSetting(part) }
  }

  /// Takes the settings of the header `x-mock` over those of the model name; `script=NAME` changes the name too.
  mutating func apply(settings: String) {
    for part in settings.split(whereSeparator: { $0 == ";" || $0 == "," || $0 == ":" }) {
      let trimmed = part.drop(while: { $0 == " " })
      if trimmed.hasPrefix("script=") {
        readName(String(trimmed.dropFirst(7)))
      } else {
        readSetting(trimmed)
      }
    }
  }

  private mutating func readName(_ name: String) {
    switch name {
    case "mock-fast", "mock-stream": kind = .fixed
    case "mock-slow":
      kind = .echo
      waitMilliseconds = 500
    case "mock-tool": kind = .tool
    case "mock-no-usage":
      kind = .echo
      reportsUsage = false
    case "mock-cut", "mock-cut-plain", "mock-cut-stream": kind = .cut
    case "mock-reset": kind = .reset
    case "mock-garbage": kind = .garbage
    case "mock-garbage-body": kind = .garbageBody
    case "mock-hang": kind = .hang
    default:
      kind = .echo
      if name.hasPrefix("mock-error-"), let status = Int(name.dropFirst(11)), (400...599).contains(status) {
        kind = .error(status)
      }
    }
    isSlow = name == "mock-slow"
  }

  /// `mock-slow` takes `delay` for the wait before its answer.
  private var isSlow = false

  private mutating func readSetting(_ setting: Substring) {
    guard let equals = setting.firstIndex(of: "="),
      let number = Int(setting[setting.index(after: equals)...]), number >= 0
    else { return }
    switch setting[..<equals] {
    case "chunk": deltaScalars = max(1, number)
    case "chunks": deltaCount = min(max(1, number), Self.sizeLimit)
    case "delay" where isSlow: waitMilliseconds = min(number, Self.delayLimitMilliseconds)
    case "delay": delayMilliseconds = min(number, Self.delayLimitMilliseconds)
    case "wait": waitMilliseconds = min(number, Self.delayLimitMilliseconds)
    case "split": splitBytes = min(number, Self.sizeLimit)
    case "size": size = min(number, Self.sizeLimit)
    case "after": after = number
    case "times": failures = number
    case "retry-after": retryAfterSeconds = number
    case "usage": reportsUsage = number != 0
    default: break
    }
  }

  /// Whether a plain request for it can be answered from the prepared answer.
  var isPrepared: Bool {
    kind == .fixed && waitMilliseconds == 0 && splitBytes == 0 && reportsUsage && size == 1_024
      && deltaCount ?? 0 <= 1_024
  }
}
