import Testing

@testable import torhausctl

struct TerminalTests {
  @Test(arguments: [
    ("abc", 3), ("ü", 1), ("u\u{308}", 1), ("漢字", 4), ("ｶ", 1), ("Ａ", 2), ("👍", 2), ("👩‍👩‍👧", 2), ("🇩🇪", 2), ("", 0),
    ("한", 2),
    ("e\u{301}\u{323}", 1), ("❤\u{FE0F}", 2),
  ])
  func widthsAreThoseOfATerminal(text: String, width: Int) { #expect(DisplayWidth.of(text) == width) }

  @Test(arguments: [
    ("Müller", 6, "Müller"), ("Müller", 5, "Müll…"), ("漢字漢字", 5, "漢字…"), ("漢字漢字", 6, "漢字…"), ("漢字漢字", 4, "漢…"),
    ("abc", 1, "…"),
    ("abc", 0, ""),
  ])
  func textIsCutToColumns(text: String, columns: Int, result: String) {
    #expect(DisplayWidth.cut(text, to: columns) == result)
    #expect(DisplayWidth.of(DisplayWidth.cut(text, to: columns)) <= columns)
  }

  @Test(arguments: [
    ("\u{1B}[31mred", "\\u{1b}[31mred"), ("a\nb", "a\\u{a}b"), ("a\u{202E}cba", "a\\u{202e}cba"),
    ("\u{9B}2J", "\\u{9b}2J"),
    ("a\u{200B}b", "a\\u{200b}b"), ("\u{2066}x\u{2069}", "\\u{2066}x\\u{2069}"), ("\u{E0041}", "\\u{e0041}"),
    ("Mü 漢", "Mü 漢"),
    ("\u{7F}", "\\u{7f}"), ("a\u{2028}b", "a\\u{2028}b"), ("\r\n", "\\u{d}\\u{a}"),
  ])
  func whatMovesCursorsIsSpeltOut(text: String, result: String) {
    #expect(DisplayText.escaped(text, limit: 100) == result)
  }

  @Test func longTextIsCut() {
    #expect(DisplayText.escaped("abcdef", limit: 3) == "abc…")
    #expect(DisplayText.escaped("abc", limit: 3) == "abc")
  }

  @Test func linesKeepTheirFeedsAndTabsAlone() {
    #expect(DisplayText.escapedLines("a\tb\n\u{1B}c") == "a\tb\n\\u{1b}c")
  }

  static let table = TextTable(
    columns: [("NAME", .left), ("TOKENS", .right), ("PLACE", .left)],
    rows: [["Müller", "5", "Zürich"], ["漢字", "1200", ""], ["x", "", "y"]])

  @Test func tablesAlignWideCharactersAndNumbers() {
    #expect(
      Self.table.rendered(width: nil, style: Style(isColoured: false)) == """
        NAME    TOKENS  PLACE
        Müller       5  Zürich
        漢字      1200
        x               y

        """)
  }

  @Test func tablesFitTheTerminal() {
    let table = TextTable(
      columns: [("A", .left), ("B", .left)], rows: [[String(repeating: "漢", count: 20), "0123456789"]])
    let lines = table.rendered(width: 30, style: Style(isColoured: false)).split(separator: "\n")
    #expect(lines.allSatisfy { DisplayWidth.of($0) <= 30 })
    #expect(lines[1] == "漢漢漢漢漢漢漢漢…   0123456789" || lines[1].hasSuffix("0123456789"))
  }

  @Test(arguments: [
    (Style.Choice.auto, [:], true, true), (.auto, [:], false, false), (.auto, ["NO_COLOR": "1"], true, false),
    (.auto, ["NO_COLOR": ""], true, true), (.auto, ["FORCE_COLOR": "1"], false, true),
    (.auto, ["NO_COLOR": "1", "FORCE_COLOR": "1"], true, false), (.auto, ["TERM": "dumb"], true, false),
    (.always, ["NO_COLOR": "1"], false, true), (.never, ["FORCE_COLOR": "1"], true, false),
  ])
  func colourFollowsFlagThenEnvironment(
    choice: Style.Choice, environment: [String: String], isTerminal: Bool, result: Bool
  ) {
    #expect(Style(choice: choice, environment: environment, isTerminal: isTerminal).isColoured == result)
  }

  @Test(arguments: [
    (Cell("a"), "a"), (Cell("a,b"), "\"a,b\""), (Cell("a\"b"), "\"a\"\"b\""), (Cell("=1+1"), "\"'=1+1\""),
    (Cell("@x"), "\"'@x\""), (Cell("-5"), "\"'-5\""), (Cell("-5", isNumber: true), "-5"), (Cell("+49"), "\"'+49\""),
    (Cell("a\nb"), "a\\u{a}b"), (Cell(""), ""), (Cell("\t=1"), "\\u{9}=1"),
  ])
  func noCellBeginsAFormula(cell: Cell, field: String) { #expect(CSVText.line([cell]) == field + "\r\n") }
}
