import Testing

@testable import torhausctl

struct FailureTests {
  @Test(arguments: [
    (400, 1), (401, 4), (403, 5), (404, 6), (405, 1), (409, 7), (413, 8), (429, 8), (500, 1), (502, 1), (503, 69),
  ])
  func statusesHaveTheirExitCodes(status: Int, exit: Int32) {
    let run = Run("tenant", "list", answers: [(status, #"{"error":{"code":"c","message":"m"}}"#)])
    #expect(run.exit == exit)
    #expect(run.data.isEmpty)
  }

  @Test func failuresAreThreeLines() {
    let answer = #"{"error":{"code":"invalid_request","message":"bad \u001b[2J","param":"slug","hint":"write it so"}}"#
    let run = Run("tenant", "create", "a", answers: [(400, answer)])
    #expect(run.talk == "error: bad \\u{1b}[2J\n  --> slug\nhint: write it so\n")
  }

  @Test func failuresAreOneObjectForScripts() {
    let run = Run(
      "tenant", "create", "a", "-o", "json", answers: [(409, #"{"error":{"code":"conflict","message":"taken"}}"#)])
    #expect(run.talk == #"{"error":{"code":"conflict","message":"taken","request_id":"req_1"}}"# + "\n")
    #expect(run.exit == 7)
  }

  @Test(arguments: ["", "<html>", "null", "[]", #"{"error":5}"#])
  func anAnswerWithoutAnErrorStillFails(body: String) {
    let run = Run("tenant", "list", answers: [(500, body)])
    #expect(run.exit == 1)
    #expect(run.talk == "error: the server answered with status 500\n")
  }

  @Test func anAnswerThatIsNoJSONFails() {
    #expect(Run("tenant", "list", answers: [(200, "<html>")]).exit == 1)
  }

  @Test func noTokenIsNotLoggedIn() {
    let run = Run("tenant", "list", environment: [:])
    #expect(run.exit == 4)
    #expect(run.requests.isEmpty)
    #expect(Run("tenant", "list", inputs: ["sk-other"]).exit == 4)
    #expect(Run("tenant", "list", inputs: []).exit == 4)
    #expect(Run("tenant", "list", "--token-file", "/nonexistent/token").exit == 4)
  }

  @Test func aServerThatSaysNothingIsUnreachable() { #expect(Run("tenant", "list", answers: []).exit == 69) }

  @Test(arguments: [
    ("http://10.0.0.1:8081", false), ("http://admin.example", false), ("ftp://127.0.0.1", false),
    ("127.0.0.1:8081", false),
    ("https://u:p@admin.example", false), ("https://admin.example/path", false), ("https://", false),
    ("https://admin.example:0", false), ("https://admin.example:70000", false),
    ("http://localhost.evil.example", false),
    ("http://127.0.0.1:8081", true), ("http://localhost:1/", true), ("http://[::1]:8081", true),
    ("https://admin.example", true), ("HTTPS://admin.example:8443", true),
  ])
  func plainHTTPGoesToThisMachineAlone(address: String, isAllowed: Bool) {
    #expect(Run("tenant", "list", "--server", address, answers: [(200, #"{"data":[]}"#)]).exit == (isAllowed ? 0 : 64))
  }

  @Test(arguments: [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6)])
  func verifyEndsAsTheServerFound(code: Int, exit: Int32) {
    let answer = #"{"outcome":"x","exit_code":\#(code),"segments":1,"frames":2,"findings":[]}"#
    #expect(Run("log", "verify", "--tenant", "a", answers: [(200, answer)]).exit == exit)
  }

  @Test(arguments: [(401, "{}"), (404, "{}"), (503, "{}"), (200, "{}"), (200, #"{"exit_code":99}"#)])
  func verifyThatCouldNotRunIsOne(status: Int, body: String) {
    #expect(Run("log", "verify", "--tenant", "a", answers: [(status, body)]).exit == 1)
  }

  @Test func aDeclinedQuestionChangesNothing() {
    let token = ["tha", "x", "y"].joined(separator: "_")
    let no = Run("tenant", "suspend", "a", inputs: [token, "n"], isInteractive: true)
    #expect(no.exit == 2)
    #expect(no.requests.isEmpty)
    let yes = Run("tenant", "suspend", "a", inputs: [token, "y"], isInteractive: true)
    #expect(yes.exit == 0)
    let script = Run("tenant", "suspend", "a", inputs: [token])
    #expect(script.exit == 0)
    let flag = Run("tenant", "suspend", "a", "--yes", inputs: [token], isInteractive: true)
    #expect(flag.exit == 0)
  }

  @Test func withoutAnAddressThePortOfTheServerIsAsked() {
    #expect(ServerAddress.standard == "http://127.0.0.1:8081")
  }

  @Test func doctorEndsWithUnreachableOnlyWhenNothingAnswers() {
    let silent = Run("doctor", answers: [])
    #expect(silent.exit == 69)
    #expect(silent.data.contains("server  failed"), "\(silent.data)")
    #expect(silent.talk.hasPrefix("error: the server does not answer"))
    let me = #"{"name":"Olga","bindings":[{}]}"#
    let good = Run("doctor", answers: [(200, "ok"), (200, me), (200, #"{"ready":true}"#)])
    #expect(good.exit == 0, "\(good.data)")
    #expect(good.requests.map(\.target) == ["/livez", "/v1/me", "/readyz"])
    let parts = #"{"ready":false,"checks":[{"name":"log","ready":false,"detail":"disk"}]}"#
    let bad = Run("doctor", answers: [(200, "ok"), (200, me), (503, parts)])
    #expect(bad.exit == 1)
    #expect(bad.data.contains("log     failed  disk"), "\(bad.data)")
    // A token that nobody knows: readiness is still asked, without it
    let stranger = Run("doctor", answers: [(200, "ok"), (401, "{}"), (200, #"{"ready":true}"#)])
    #expect(stranger.exit == 1)
    #expect(stranger.data.contains("token   failed") && stranger.data.contains("ready   ok"), "\(stranger.data)")
  }
}
