/// Comma-separated values by RFC 4180, safe to open in a spreadsheet: no cell of text begins a formula.
enum CSVText {
  static func line(_ cells: [Cell]) -> String {
    cells.map { field($0) }.joined(separator: ",") + "\r\n"
  }

  private static func field(_ cell: Cell) -> String {
    var text = DisplayText.escaped(cell.text, limit: .max)
    if !cell.isNumber, let first = text.unicodeScalars.first, "=+-@".unicodeScalars.contains(first) {
      text = "'" + text
    }
    guard text.contains(where: { $0 == "," || $0 == "\"" || $0 == " " }) || text.isEmpty == false && text.first == "'"
    else { return text }
    return "\"" + text.replacing("\"", with: "\"\"") + "\""
  }
}
