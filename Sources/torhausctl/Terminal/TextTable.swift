/// Rows under headings, columns two spaces apart; numbers stand to the right; a terminal's width is kept.
struct TextTable {
  enum Alignment { case left, right }

  private let columns: [(heading: String, alignment: Alignment)]
  private let rows: [[String]]

  /// - Parameter rows: Cells that are safe to show; each row as long as `columns`.
  init(columns: [(heading: String, alignment: Alignment)], rows: [[String]]) {
    self.columns = columns
    self.rows = rows
  }

  /// - Parameter width: Columns there are; nil cuts nothing.
  func rendered(width: Int?, style: Style) -> String {
    let widths = fitted(naturalWidths(), to: width)
    let heading = line(columns.map(\.heading), widths: widths)
    return ([style.bold(heading)] + rows.map { line($0, widths: widths) }).map { $0 + "\n" }.joined()
  }

  private func naturalWidths() -> [Int] {
    columns.enumerated().map { index, column in
      rows.reduce(DisplayWidth.of(column.heading)) { widest, row in
        max(widest, index < row.count ? DisplayWidth.of(row[index]) : 0)
      }
    }
  }

  /// Takes columns from the widest until the line fits or nothing is wider than eight.
  private func fitted(_ widths: [Int], to width: Int?) -> [Int] {
    guard let width else { return widths }
    var widths = widths
    var excess = widths.reduce(0, +) + 2 * max(0, widths.count - 1) - width
    while excess > 0, let widest = widths.indices.max(by: { widths[$0] < widths[$1] }), widths[widest] > 8 {
      widths[widest] -= 1
      excess -= 1
    }
    return widths
  }

  private func line(_ cells: [String], widths: [Int]) -> String {
    var result = ""
    for (index, cell) in cells.enumerated() where index < widths.count {
      let text = DisplayWidth.cut(cell, to: widths[index])
      let padding = String(repeating: " ", count: max(0, widths[index] - DisplayWidth.of(text)))
      let isLast = index == widths.count - 1
      switch columns[index].alignment {
      case .left: result += isLast ? text : text + padding
      case .right: result += padding + text
      }
      if !isLast { result += "  " }
    }
    while result.hasSuffix(" ") { result.removeLast() }
    return result
  }
}
