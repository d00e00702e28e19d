import Testing

@testable import torhausctl

struct OutputTests {
  static let rows = [
    #"{"slug":"a","name":"Mandant A","policy":"base@1","state":"active","created_at":"2026-11-24T10:57:24Z"}"#,
    #"{"slug":"b","name":"\u001b[31m=Mandant\u202e","state":"suspended","created_at":"2026-11-24T10:57:24Z"}"#,
  ]
  static let list = [(200, #"{"data":["# + rows.joined(separator: ",") + "]}")]

  @Test func listsAsTable() {
    let run = Run("tenant", "list", answers: Self.list)
    #expect(
      run.data == """
        SLUG  NAME                        POLICY  STATE      CREATED
        a     Mandant A                   base@1  active     2026-11-24T10:57:24Z
        b     \\u{1b}[31m=Mandant\\u{202e}          suspended  2026-11-24T10:57:24Z

        """)
    #expect(run.talk.isEmpty)
    #expect(run.exit == 0)
  }

  @Test func listsAsJSON() {
    let run = Run("tenant", "list", "-o", "json", answers: [(200, #"{"data":[{"slug":"b","name":"\u001b\u202e"}]}"#)])
    #expect(
      run.data == """
        [
          {
            "name": "\\u001b\\u202e",
            "slug": "b"
          }
        ]

        """)
  }

  @Test func anEmptyListIsAnEmptyArray() {
    #expect(Run("tenant", "list", "-o", "json", answers: [(200, #"{"data":[]}"#)]).data == "[]\n")
    #expect(Run("tenant", "list", "-o", "jsonl", answers: [(200, #"{"data":[]}"#)]).data == "")
    #expect(Run("tenant", "list", "-o", "name", answers: [(200, #"{"data":[]}"#)]).data == "")
  }

  @Test func listsAsJSONLines() {
    let run = Run("tenant", "list", "-o", "jsonl", answers: [(200, #"{"data":[{"slug":"a"},{"slug":"b","n":1.5}]}"#)])
    #expect(run.data == "{\"slug\":\"a\"}\n{\"n\":1.5,\"slug\":\"b\"}\n")
  }

  @Test func howARequestEndedIsWordsInTablesAndItsNumberElsewhere() {
    let rows = ["1", "2", "3", "4", "9", "14", "77", ""].map { #"{"request_id":"r","exit":"\#($0)"}"# }
    let answer = [(200, #"{"data":[\#(rows.joined(separator: ","))]}"#)]
    let table = Run("log", "list", "--tenant", "a", answers: answer).data
    for word in ["complete", "usage missing", "not sent", "upstream error", "upstream cut", "crash", "77"] {
      #expect(table.contains(word), "\(table)")
    }
    for format in ["json", "jsonl", "csv"] {
      let data = Run("log", "list", "--tenant", "a", "-o", format, answers: answer).data
      #expect(data.contains("14") && !data.contains("complete") && !data.contains("crash"), "\(data)")
    }
    let one = Run("log", "show", "r", "--tenant", "a", answers: [(200, #"{"request_id":"r","exit":"10"}"#)]).data
    #expect(one.contains("ended by gate"), "\(one)")
  }

  @Test func notesOfAVerificationAreToldAndChangeNoExit() {
    let answer =
      #"{"outcome":"intact","exit_code":0,"segments":3,"frames":9,"findings":[],"#
      + #""notes":[{"outcome":"intact","segment":"1-1","detail":"was recovered"}]}"#
    let run = Run("log", "verify", "--tenant", "a", answers: [(200, answer)])
    #expect(run.exit == 0)
    #expect(run.data.hasSuffix("\n\nFINDING  SEGMENT  DETAIL\nintact   1-1      was recovered\n"), "\(run.data)")
    #expect(run.talk.isEmpty)
  }

  /// Also where nobody wants to be talked to, and as a whole.
  @Test func findingsOfAVerificationStandBelowItsTable() {
    let long = String(repeating: "root is another, ", count: 9) + "and so on"
    let answer =
      #"{"outcome":"modified","exit_code":3,"segments":3,"frames":9,"findings":["#
      + #"{"outcome":"modified","segment":"1-1","detail":"\#(long)"},{"outcome":"gap","segment":"","detail":"\u001b"}],"#
      + #""notes":[]}"#
    let run = Run("log", "verify", "--tenant", "a", "--quiet", answers: [(200, answer)])
    #expect(run.exit == 3)
    #expect(run.data.hasPrefix("outcome   modified\n"), "\(run.data)")
    #expect(run.data.contains("modified  1-1      \(long)"), "\(run.data)")
    #expect(run.data.contains("gap                \\u{1b}"), "\(run.data)")
    let intact = #"{"outcome":"intact","exit_code":0,"segments":3,"frames":9,"findings":[],"notes":[]}"#
    #expect(!Run("log", "verify", "--tenant", "a", answers: [(200, intact)]).data.contains("FINDING"))
    #expect(!Run("log", "verify", "--tenant", "a", "-o", "csv", answers: [(200, answer)]).data.contains("FINDING"))
  }

  @Test func listsAsCSV() {
    let run = Run("tenant", "list", "-o", "csv", answers: Self.list)
    #expect(
      run.data
        == "slug,name,policy,state,created_at\r\na,\"Mandant A\",base@1,active,2026-11-24T10:57:24Z\r\n"
        + "b,\\u{1b}[31m=Mandant\\u{202e},,suspended,2026-11-24T10:57:24Z\r\n")
  }

  @Test func listsAsNames() { #expect(Run("tenant", "list", "-o", "name", answers: Self.list).data == "a\nb\n") }

  @Test func showsOneThingMemberByMember() {
    let run = Run("tenant", "show", "a", answers: [(200, Self.rows[0])])
    #expect(
      run.data == """
        slug     a
        name     Mandant A
        policy   base@1
        state    active
        created  2026-11-24T10:57:24Z

        """)
  }

  @Test func usageShowsItsTotalsBelow() {
    let usage = """
      {"currency":"EUR","rows":[{"project":"p","key_name":"k","alias":"chat","requests":3,"input_tokens":100,
      "output_tokens":20,"cost":"0.0015"}],"totals":{"requests":3,"input_tokens":100,"output_tokens":20,"cost":"0.0015"}}
      """
    let run = Run("usage", "--tenant", "a", "--from", "2026-11-01T00:00:00+01:00", answers: [(200, usage)])
    #expect(
      run.data == """
        PROJECT  KEY  ALIAS  REQUESTS  INPUT  OUTPUT    COST  CURRENCY
        p        k    chat          3    100      20  0.0015  EUR
        total                       3    100      20  0.0015  EUR

        """)
    #expect(run.first?.target == "/v1/tenants/a/usage?from=2026-11-01T00%3A00%3A00%2B01%3A00")
    let json = Run("usage", "--tenant", "a", "-o", "json", answers: [(200, usage)])
    #expect(JSONTree(Array(json.data.utf8))?["totals"]["requests"] == .integer(3))
  }

  @Test func headingsAreBoldOnATerminalAlone() {
    let run = Run("tenant", "list", answers: [(200, #"{"data":[]}"#)], isInteractive: true, columns: 80)
    #expect(run.data.hasPrefix("\u{1B}[1mSLUG"))
    let plain = Run(
      "tenant", "list", answers: [(200, #"{"data":[]}"#)], environment: ["TORHAUS_TOKEN_FILE": "-", "NO_COLOR": "1"],
      isInteractive: true, columns: 80)
    #expect(plain.data.hasPrefix("SLUG"))
  }

  @Test func quietSaysNothingButTheData() {
    let answer = [(201, Self.rows[0])]
    #expect(
      Run("tenant", "create", "a", answers: answer).talk == "next: torhausctl project create PROJECT --tenant a\n")
    #expect(Run("tenant", "create", "a", "--quiet", answers: answer).talk.isEmpty)
    #expect(Run("tenant", "create", "a", "-o", "json", answers: answer).talk.isEmpty)
  }

  @Test func contentIsShownWithoutItsControlCharacters() {
    let answer = #"{"entry":{"request_id":"req_1"},"request":{"text":"a\n\u001b[2Jb"},"response":{"base64":"/wA="}}"#
    let run = Run("log", "show", "req_1", "--tenant", "a", "--reason", "complaint 4711", answers: [(200, answer)])
    #expect(run.data == "request  req_1\n\nrequest:\na\n\\u{1b}[2Jb\n\nresponse:\n/wA=\n")
    #expect(run.first?.method == "POST")
    #expect(run.first?.target == "/v1/tenants/a/log/req_1/content")
    #expect(run.body == #"{"reason":"complaint 4711"}"#)
  }
}
