/// One thing, member by member.
struct Detail {
  let fields: [Column]
  let value: JSONTree
  let nameMember: String

  func rendered(as format: OutputFormat, style: Style) -> String {
    switch format {
    case .table:
      let shown = fields.map { ($0.heading.lowercased(), DisplayText.escaped($0.text(of: value), limit: 2000)) }
      let width = shown.filter { !$0.1.isEmpty }.map { DisplayWidth.of($0.0) }.max() ?? 0
      return shown.filter { !$0.1.isEmpty }.map { heading, text in
        style.bold(heading) + String(repeating: " ", count: width - DisplayWidth.of(heading) + 2) + text + "\n"
      }.joined()
    case .json: return value.pretty() + "\n"
    case .jsonl: return value.line + "\n"
    case .csv: return CSVText.line(fields.map { Cell($0.member) }) + CSVText.line(fields.map { $0.cell(of: value) })
    case .name: return DisplayText.escaped(Cell(value[nameMember]).text, limit: .max) + "\n"
    }
  }
}
