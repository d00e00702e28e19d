/// Rows of one kind, to be shown as a table, JSON, JSON lines, CSV or names.
struct Listing {
  let columns: [Column]
  let rows: [JSONTree]
  /// The member that names a row, for `-o name`.
  let nameMember: String
  /// A last line of the table alone.
  var footer: JSONTree?
  /// What `-o json` shows instead of the array of rows.
  var document: JSONTree?

  init(
    columns: [Column], rows: [JSONTree], nameMember: String, footer: JSONTree? = nil, document: JSONTree? = nil
  ) {
    self.columns = columns
    self.rows = rows
    self.nameMember = nameMember
    self.footer = footer
    self.document = document
  }

  func rendered(as format: OutputFormat, width: Int?, style: Style) -> String {
    switch format {
    case .table: return table(width: width, style: style)
    case .json: return (document ?? .list(rows)).pretty() + "\n"
    case .jsonl: return rows.map { $0.line + "\n" }.joined()
    case .csv:
      let heading = CSVText.line(columns.map { Cell($0.member) })
      return heading + rows.map { row in CSVText.line(columns.map { $0.cell(of: row) }) }.joined()
    case .name:
      return rows.map { DisplayText.escaped(Cell($0[nameMember]).text, limit: .max) + "\n" }.joined()
    }
  }

  private func table(width: Int?, style: Style) -> String {
    let lines = (rows + (footer.map { [$0] } ?? [])).map { row in
      columns.map { DisplayText.escaped($0.text(of: row), limit: 200) }
    }
    return TextTable(
      columns: columns.map { ($0.heading, $0.kind == .number ? .right : .left) }, rows: lines
    ).rendered(width: width, style: style)
  }
}

/// How data is shown.
enum OutputFormat: String, CaseIterable { case table, json, jsonl, csv, name }
