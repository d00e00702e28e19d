import NIOConcurrencyHelpers

/// The files and batches that lie with the mock, for as long as it runs; it takes what the real provider takes.
///
/// Ids are the mock's own, so that a gateway which lets one through is found out.
final class BatchHouse: Sendable {
  struct File: Sendable {
    let id: String
    let bytes: [UInt8]
    let purpose: String
  }

  struct Line: Sendable {
    let name: [UInt8]
    let body: [UInt8]
    let model: String
  }

  struct Batch: Sendable {
    let id: String
    let input: String
    let endpoint: String
    let lines: [Line]
    var status = "validating"
    var looks = 0
    var output: String?
    var errors: String?
    var completed = 0
    var failed = 0
    var faults: [(message: String, line: Int)] = []
    /// Nil: the batch does not sum it up.
    var usage: MockUsage?
  }

  private struct State {
    var files: [String: File] = [:]
    var batches: [String: Batch] = [:]
    var sequence = 0
  }

  private static let byteLimit = 268_435_456
  private let state = NIOLockedValueBox(State())

  /// Names are not given twice.
  func reset() { state.withLockedValue { $0 = State(sequence: $0.sequence) } }

  private static func name(_ opening: String, _ state: inout State) -> String {
    state.sequence += 1
    return "\(opening)mock\(state.sequence)"
  }

  func add(file bytes: [UInt8], purpose: String) throws(Refused) -> File {
    let made = state.withLockedValue { state -> File? in
      guard state.files.values.reduce(bytes.count, { $0 + $1.bytes.count }) <= Self.byteLimit else { return nil }
      let file = File(id: Self.name("file-", &state), bytes: bytes, purpose: purpose)
      state.files[file.id] = file
      return file
    }
    guard let made else { throw Refused(status: 413, message: "The mock has no room for more files.") }
    return made
  }

  func file(_ id: String) throws(Refused) -> File {
    guard let file = state.withLockedValue({ $0.files[id] }) else {
      throw Refused(status: 404, message: "No such File object: \(id)", param: "id")
    }
    return file
  }

  var files: [File] { state.withLockedValue { $0.files.values.sorted { $0.id < $1.id } } }

  func delete(_ id: String) throws(Refused) {
    guard state.withLockedValue({ $0.files.removeValue(forKey: id) }) != nil else {
      throw Refused(status: 404, message: "No such File object: \(id)", param: "id")
    }
  }

  func create(_ json: JSONValue) throws(Refused) -> Batch {
    guard let input = json["input_file_id"]?.text, let endpoint = json["endpoint"]?.text else {
      throw .invalid("'input_file_id' and 'endpoint' are required.", param: "input_file_id")
    }
    guard json["completion_window"]?.text == "24h" else {
      throw .invalid("Invalid value: the completion window is '24h'.", param: "completion_window")
    }
    if let name = json.unknownMember(["input_file_id", "endpoint", "completion_window", "metadata"]) {
      throw .invalid("Unknown parameter: '\(name)'.", param: name, code: "unknown_parameter")
    }
    let file = try file(input)
    guard file.purpose == "batch" else {
      throw .invalid("The file \(input) is not for batches.", param: "input_file_id")
    }
    let (lines, faults) = Self.read(file.bytes, endpoint: endpoint)
    return state.withLockedValue { state in
      var batch = Batch(id: Self.name("batch_", &state), input: input, endpoint: endpoint, lines: lines)
      batch.faults = faults
      state.batches[batch.id] = batch
      return batch
    }
  }

  func batch(_ id: String) throws(Refused) -> Batch {
    guard let batch = state.withLockedValue({ $0.batches[id] }) else {
      throw Refused(status: 404, message: "No batch found with id '\(id)'.", param: "id")
    }
    return batch
  }

  var batches: [Batch] { state.withLockedValue { $0.batches.values.sorted { $0.id < $1.id } } }

  func save(_ batch: Batch) { state.withLockedValue { $0.batches[batch.id] = batch } }

  private static let members: Set<String> = ["custom_id", "method", "url", "body"]

  /// The lines of an input, and what is wrong with it.
  private static func read(_ bytes: [UInt8], endpoint: String) -> ([Line], [(message: String, line: Int)]) {
    var lines: [Line] = []
    var faults: [(message: String, line: Int)] = []
    var names: Set<[UInt8]> = []
    for (number, text) in bytes.split(separator: 0x0A).enumerated() {
      guard let json = text.withUnsafeBytes({ JSONValue($0) }), json.unknownMember(members) == nil,
        let name = json["custom_id"]?.bytes, json["method"]?.text == "POST", json["url"]?.text == endpoint,
        let body = json["body"], body.members != nil, let model = body["model"]?.text
      else {
        faults.append(("The line is not as a line must be.", number + 1))
        continue
      }
      guard names.insert(name).inserted else {
        faults.append(("The custom_id is used twice.", number + 1))
        continue
      }
      if let first = lines.first, first.model != model {
        faults.append(("All lines must name one model.", number + 1))
        continue
      }
      lines.append(Line(name: name, body: self.body(of: Array(text)), model: model))
    }
    return (lines, faults)
  }

  /// The bytes of a line's `body`, as they stand.
  private static func body(of line: [UInt8]) -> [UInt8] {
    line.withUnsafeBytes { bytes in
      var cursor = JSONCursor(bytes)
      var found: [UInt8] = []
      _ = cursor.takeObject { cursor, name in
        guard let value = cursor.takeValue() else { return false }
        if bytes[name].elementsEqual("body".utf8) { found = Array(bytes[value]) }
        return true
      }
      return found
    }
  }
}
