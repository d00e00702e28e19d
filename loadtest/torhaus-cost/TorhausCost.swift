import Inference
import JSONText

/// What one thread takes to read, edit and translate a request, to redact a dense one, and for each chunk of a streamed
/// answer; no network.
///
/// Words on the command line choose the rows that hold all of them: `swift run -c release torhaus-cost requests 2KB`.
@main
struct TorhausCost {
  static func main() throws {
    let words = CommandLine.arguments.dropFirst().map { $0.lowercased() }
    let isWanted = { (row: String) in words.allSatisfy { row.lowercased().contains($0) } }
    RequestCosts.print(where: isWanted)
    try RedactionCosts.print(where: isWanted)
    StreamCosts.print(where: isWanted)
  }
}

/// A table in Markdown, its columns aligned.
struct CostTable {
  private var rows: [[String]]

  init(_ head: String...) { rows = [head, head.map { _ in "---" }] }

  mutating func add(_ cells: String...) { rows.append(cells) }

  func print() {
    guard rows.count > 2, let head = rows.first else { return }
    let widths = head.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    for row in rows {
      let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
      Swift.print("| " + cells.joined(separator: " | ") + " |")
    }
    Swift.print()
  }
}

extension Double {
  /// With as many decimals as are worth reading.
  func rounded(to decimals: Int) -> String {
    var scale = 1.0
    for _ in 0..<decimals { scale *= 10 }
    let whole = Int((self * scale).rounded())
    guard decimals > 0 else { return String(whole) }
    let digits = String(abs(whole))
    let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
    return (whole < 0 ? "-" : "") + padded.dropLast(decimals) + "." + padded.suffix(decimals)
  }
}
