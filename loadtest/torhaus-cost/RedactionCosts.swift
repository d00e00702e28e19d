import Cryptography
import Inference
import JSONText
import LoadHarness
import Redaction

/// Redaction of a dense prompt with all types on: the scanner by itself, and the whole way from the JSON that came to the
/// JSON that leaves.
enum RedactionCosts {
  static func print(where isWanted: (String) -> Bool) throws {
    guard isWanted("redaction scanner alone") || isWanted("redaction whole path") else { return }
    let dense = try DenseRequest()
    var table = CostTable("redaction", "bytes", "values", "MB/s")
    if isWanted("redaction scanner alone") {
      let scan = dense.bareScan()
      let values = dense.checked(scan.run())
      let cost = Stopwatch.nanoseconds { _ = scan.run() }
      table.add("scanner alone", String(scan.count), String(values), speed(scan.count, cost))
    }
    if isWanted("redaction whole path") {
      let values = dense.checked(dense.redact())
      let cost = Stopwatch.nanoseconds { _ = dense.redact() }
      table.add("whole path", String(dense.count), String(values), speed(dense.count, cost))
    }
    table.print()
  }

  /// Bytes in a nanosecond are 1,000 MB in a second.
  private static func speed(_ bytes: Int, _ nanoseconds: Double) -> String {
    (Double(bytes) / nanoseconds * 1000).rounded(to: 1)
  }
}

/// A chat request with a value of personal data every 65 bytes, which is what the design calls dense.
final class DenseRequest {
  private static let promptBytes = 64 * 1024
  private static let bytesPerValue = 65
  private static let types = FindingType.all.filter { $0.group != nil }

  private let body: [UInt8]
  private let profile: RedactionProfile
  private let key: HMACKey
  private let scan = RequestScan()
  private let redactor = Redactor()
  private let issued = IssuedPlaceholders()
  private var findings = FindingCounts()
  private var edits = EditList()
  private let out = ByteArena()

  init() throws {
    var request = RequestBody()
    request.promptBytes = Self.promptBytes
    request.findingsPerKiB = 1_024 / Double(Self.bytesPerValue)
    body = request.bytes(isStream: false)
    profile = try RedactionProfile(name: "all", rules: [RedactionRule(id: "all", detect: Self.types)])
    key = try HMACKey([UInt8](repeating: 7, count: 32))
  }

  var count: Int { body.count }

  /// The scanner over the text of this request.
  func bareScan() -> BareScan {
    body.withUnsafeBytes { bytes in
      read(bytes)
      return BareScan(of: scan.segments, in: bytes, types: Self.types)
    }
  }

  /// As the gateway does: every string of the request is found, its values are replaced, and the rest is copied.
  /// - Returns: How many values were replaced.
  func redact() -> Int {
    body.withUnsafeBytes { bytes in
      edits.reset()
      issued.wipe()
      findings.reset()
      out.reset()
      read(bytes)
      do throws(RedactionError) {
        try redactor.redact(
          body: bytes, segments: scan.segments, profile: profile, key: key, scope: [], issued: issued, edits: &edits,
          findings: &findings)
      } catch { fatalError("the dense request cannot be redacted: \(error.detail)") }
      guard edits.apply(to: bytes, into: out) else { fatalError("the dense request cannot be edited") }
      return findings.total
    }
  }

  /// Whoever passes over most of the values is quick and says nothing: names and dates, a sixth of them, are no types.
  func checked(_ values: Int) -> Int {
    guard values > Self.promptBytes / Self.bytesPerValue / 2 else { fatalError("only \(values) values were found") }
    return values
  }

  private func read(_ bytes: UnsafeRawBufferPointer) {
    do throws(InferenceError) { try scan.scan(bytes, route: .chat) } catch {
      fatalError("the dense request is no request: \(error.message)")
    }
  }
}
