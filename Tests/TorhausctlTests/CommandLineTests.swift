import Testing

@testable import torhausctl

struct CommandLineTests {
  static let key = String(repeating: "0", count: 31) + "7"

  @Test(
    arguments: [
      (["tenant", "create", "a"], "POST", "/v1/tenants", #"{"slug":"a"}"#),
      (
        ["tenant", "create", "a", "--name", "Ä \"x\"", "--policy", "base@1"], "POST", "/v1/tenants",
        #"{"name":"Ä \"x\"","policy":"base@1","slug":"a"}"#
      ),
      (["tenant", "list"], "GET", "/v1/tenants", nil),
      (["tenant", "show", "a"], "GET", "/v1/tenants/a", nil),
      (["tenant", "suspend", "a", "--reason", "r"], "POST", "/v1/tenants/a/suspend", #"{"reason":"r"}"#),
      (["tenant", "resume", "a"], "POST", "/v1/tenants/a/resume", "{}"),
      (["project", "create", "p", "--tenant", "a"], "POST", "/v1/tenants/a/projects", #"{"slug":"p"}"#),
      (["project", "list", "--tenant", "a"], "GET", "/v1/tenants/a/projects", nil),
      (["key", "list", "--tenant", "a"], "GET", "/v1/tenants/a/keys", nil),
      (["key", "revoke", key, "--tenant", "a"], "POST", "/v1/tenants/a/keys/\(key)/revoke", "{}"),
      (
        ["user", "create", "Zoe", "--email", "z@example.org", "--tenant", "a"], "POST", "/v1/tenants/a/users",
        #"{"email":"z@example.org","name":"Zoe"}"#
      ),
      (["user", "list"], "GET", "/v1/users", nil),
      (["role", "list"], "GET", "/v1/roles", nil),
      (["role", "bindings", "--tenant", "a"], "GET", "/v1/tenants/a/bindings", nil),
      (
        ["role", "bind", "auditor", "--user", key, "--tenant", "a", "--reason", "review"], "POST",
        "/v1/tenants/a/bindings", #"{"reason":"review","role":"auditor","user":"\#(key)"}"#
      ),
      (
        ["role", "bind", "operator", "--user", key, "--reason", "new"], "POST", "/v1/bindings",
        #"{"reason":"new","role":"operator","user":"\#(key)"}"#
      ),
      (["role", "unbind", key, "--tenant", "a"], "DELETE", "/v1/tenants/a/bindings/\(key)", nil),
      (
        ["quota", "set", "--tenant", "a", "--tokens-per-day", "5", "--concurrency", "none"], "PUT",
        "/v1/tenants/a/quota",
        #"{"concurrency":null,"tokens_per_day":5}"#
      ),
      (
        [
          "quota", "set", "--tenant", "a", "--key", key, "--tokens-per-month", "1", "--tokens-per-minute", "2",
          "--requests-per-minute", "3", "--money-per-day", "1.50", "--money-per-month", "40",
        ], "PUT",
        "/v1/tenants/a/quota?key=\(key)",
        #"{"money_per_day":"1.50","money_per_month":"40","requests_per_minute":3,"tokens_per_minute":2,"tokens_per_month":1}"#
      ),
      (["quota", "show", "--tenant", "a"], "GET", "/v1/tenants/a/quota", nil),
      (["usage", "--tenant", "a", "--to", "2026-11-30"], "GET", "/v1/tenants/a/usage?to=2026-11-30", nil),
      (["log", "list", "--tenant", "a", "--all"], "GET", "/v1/tenants/a/log?limit=1000", nil),
      (["log", "list", "--tenant", "a", "--limit", "5"], "GET", "/v1/tenants/a/log?limit=5", nil),
      (["log", "show", "req_1", "--tenant", "a"], "GET", "/v1/tenants/a/log/req_1", nil),
      (["log", "verify", "--tenant", "a"], "POST", "/v1/tenants/a/log/verify", "{}"),
      (["audit", "list"], "GET", "/v1/audit?limit=100", nil),
      (["provider", "list"], "GET", "/v1/providers", nil),
      (["route", "why", "--tenant", "a", "--model", "chat"], "GET", "/v1/tenants/a/route?alias=chat", nil),
      (
        [
          "route", "why", "--tenant", "a", "--model", "a:b", "--project", "p", "--key", key, "--tokens", "5", "--needs",
          "tools,images",
        ], "GET", "/v1/tenants/a/route?alias=a%3Ab&project=p&key=\(key)&tokens=5&needs=tools%2Cimages", nil
      ),
    ] as [([String], String, String, String?)])
  func commandsBecomeRequests(arguments: [String], method: String, target: String, body: String?) {
    let run = Run(arguments: arguments, answers: [(200, #"{"exit_code":0}"#)])
    #expect(run.exit == 0, "\(run.talk)")
    #expect(run.first?.method == method)
    #expect(run.first?.target == target)
    #expect(run.body == body)
  }

  @Test(
    arguments: [
      [], ["tenat"], ["tenant", "create"], ["tenant", "create", "A"], ["tenant", "create", "a-"],
      ["tenant", "show", "../b"],
      ["key", "list"], ["key", "revoke", "xyz", "--tenant", "a"], ["quota", "set", "--tenant", "a"],
      ["quota", "set", "--tenant", "a", "--tokens-per-day", "-5"],
      ["quota", "set", "--tenant", "a", "--tokens-per-day", "1.5"],
      ["quota", "set", "--tenant", "a", "--money-per-day", "1e3"],
      ["quota", "set", "--tenant", "a", "--money-per-day", "-1"],
      ["tenant", "list", "-o", "xml"], ["log", "list", "--tenant", "a", "--limit", "0"], ["role", "bind", "auditor"],
      ["key", "create", "--tenant", "a", "--name", "n"], ["tenant", "list", "--token", "tha_x"],
    ].filter { !$0.isEmpty })
  func whatIsNoCommandIsAUsageError(arguments: [String]) {
    let run = Run(arguments: arguments)
    #expect(run.exit == 64)
    #expect(run.requests.isEmpty)
    #expect(run.data.isEmpty)
  }

  @Test(arguments: ["../../x", "a/b", "a?b", ".."]) func anIDThatIsAPathIsRefused(id: String) {
    let run = Run("log", "show", id, "--tenant", "a")
    #expect(run.exit == 64)
    #expect(run.requests.isEmpty)
  }

  @Test func aKeyIsAloneOnStandardOutput() {
    let secret = ["th", "x", "y"].joined(separator: "_")
    let answer = #"{"key":"\#(secret)","record":{"id":"\#(Self.key)"}}"#
    let arguments = ["key", "create", "--tenant", "a", "--project", "p", "--name", "n"]
    let run = Run(arguments: arguments, answers: [(201, answer)])
    #expect(run.data == secret + "\n")
    #expect(run.talk == "note: this key is shown once and never again; its id is \(Self.key)\n")
    #expect(run.body == #"{"name":"n","project":"p"}"#)
    let json = Run(arguments: arguments + ["-o", "json"], answers: [(201, answer)])
    #expect(JSONTree(Array(json.data.utf8))?["key"] == .text(secret))
    let rotated = Run("key", "rotate", Self.key, "--tenant", "a", "--overlap", "0", answers: [(201, answer)])
    #expect(rotated.data == secret + "\n")
    #expect(rotated.body == #"{"overlap_seconds":0}"#)
  }

  @Test func flagsWinOverTheEnvironment() {
    let environment = ["TORHAUS_SERVER": "http://10.0.0.1", "TORHAUS_TOKEN_FILE": "/nonexistent"]
    let run = Run(
      "tenant", "list", "--server", "http://127.0.0.1:1", "--token-file", "-", answers: [(200, #"{"data":[]}"#)],
      environment: environment)
    #expect(run.exit == 0)
    #expect(Run("tenant", "list", "--token-file", "-", environment: environment).exit == 64)
  }

  @Test func pagesAreFollowedToTheEnd() {
    let pages = [(200, #"{"data":[{"request_id":"r1"}],"next":"c 1"}"#), (200, #"{"data":[{"request_id":"r2"}]}"#)]
    let run = Run("log", "list", "--tenant", "a", "--all", "-o", "name", answers: pages)
    #expect(run.data == "r1\nr2\n")
    #expect(run.requests.last?.target == "/v1/tenants/a/log?limit=1000&cursor=c%201")
  }

  @Test func aServerThatTurnsInCirclesIsLeft() {
    let page = (200, #"{"data":[{"request_id":"r"}],"next":"same"}"#)
    let run = Run("log", "list", "--tenant", "a", "--all", "-o", "name", answers: [page, page, page, page])
    #expect(run.requests.count == 2)
  }

  @Test func helpShowsExamplesFirst() {
    let run = Run("--help")
    #expect(run.exit == 0)
    #expect(run.talk.contains("torhausctl key create --tenant mandant-a"))
  }
}
