/// One value of a table: its text and whether it is a number.
struct Cell: Equatable {
  let text: String
  let isNumber: Bool

  init(_ text: String, isNumber: Bool = false) {
    self.text = text
    self.isNumber = isNumber
  }

  /// Absent values are empty; lists are joined by spaces.
  init(_ value: JSONTree, isNumber: Bool = false) {
    switch value {
    case .null: self.init("")
    case .boolean(let value): self.init(value ? "yes" : "no")
    case .integer(let value): self.init(String(value), isNumber: true)
    case .decimal(let value): self.init("\(value)", isNumber: true)
    case .text(let text): self.init(text, isNumber: isNumber)
    case .list(let elements): self.init(elements.map { Cell($0).text }.joined(separator: " "))
    case .object: self.init(value.line)
    }
  }
}

/// A column: its heading, the member it shows, and its name in CSV.
struct Column: Sendable {
  enum Kind: Sendable { case text, number }

  let heading: String
  let member: String
  let kind: Kind
  /// What people read in place of a code; formats for programs keep the code.
  let words: [String: String]

  init(_ heading: String, _ member: String, _ kind: Kind = .text, words: [String: String] = [:]) {
    self.heading = heading
    self.member = member
    self.kind = kind
    self.words = words
  }

  func cell(of row: JSONTree) -> Cell { Cell(row[member], isNumber: kind == .number) }

  /// The cell's text in a table; a code without a word stays as it is.
  func text(of row: JSONTree) -> String {
    let text = cell(of: row).text
    return words[text] ?? text
  }
}
