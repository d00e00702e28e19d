import Synchronization
import Tenancy
import Testing

@testable import Admin

struct RequestTests {
  @Test(arguments: [
    ("localhost", true), ("127.0.0.1", true), ("127.0.0.1:8081", true), ("[::1]:8081", true), ("LOCALHOST:1", true),
    ("evil.example", false), ("evil.example:8081", false), ("127.0.0.1.evil.example", false), ("", false),
    ("localhost:", false), ("localhost:80x", false), ("localhost:123456", false), ("user@localhost", false),
  ])
  func onlyOurHostNamesAreAnswered(host: String, isAllowed: Bool) async throws {
    let answer = await (try World()).send("GET", "/livez", host: host)
    #expect(answer.status == (isAllowed ? 200 : 400))
  }

  @Test func aMissingHostIsRefused() async throws {
    #expect(await (try World()).send("GET", "/livez", host: nil).status == 400)
  }

  @Test(arguments: [
    ("//livez", 400), ("/livez/", 400), ("/./livez", 400), ("/v1/../livez", 400), ("/%6Civez", 400), ("/livez#x", 400),
    ("http://127.0.0.1/livez", 400), ("", 400), ("/livez;x", 400), ("/LIVEZ", 404), ("/v2/tenants", 404), ("/", 404),
    ("/livez?x=1", 400), ("/livez", 200), ("/livez?", 200),
  ])
  func pathsAreTakenAsTheyAre(target: String, status: Int) async throws {
    #expect(await (try World()).send("GET", target).status == status)
  }

  @Test(arguments: [
    ("limit=0", 400), ("limit=1001", 400), ("limit=x", 400), ("limit=5&limit=6", 400), ("limit", 400),
    ("from=yesterday", 400), ("from=%zz", 400), ("from=%FF", 400), ("from=%00", 400), ("unknown=1", 400),
    ("limit=1000&from=2026-11-24T10:00:00%2B01:00", 200), ("from=2026-11-24", 200),
  ])
  func queriesAreStrict(query: String, status: Int) async throws {
    #expect(await (try World()).send("GET", "/v1/tenants/a/log?\(query)", as: .auditor).status == status)
  }

  @Test func aWrongMethodNamesTheRightOnes() async throws {
    let answer = await (try World()).send("PATCH", "/v1/tenants/a/quota", as: .adminOfA)
    #expect(answer.status == 405)
    #expect(answer.headers["allow"] == "GET, PUT")
  }

  @Test(arguments: [
    "[]", "{", "\"x\"", #"{"slug":1}"#, #"{"slug":"A"}"#, #"{"slug":"a-"}"#, #"{"name":"x"}"#, #"{"slug":"c","x":1}"#,
    #"{"slug":"c","name":"a\u0007b"}"#, #"{"slug":"c","name":""}"#, "\u{FEFF}x",
  ])
  func bodiesAreStrict(body: String) async throws {
    let world = try World()
    let answer = await world.send("POST", "/v1/tenants", as: .operatorPerson, body: body)
    #expect(answer.status == 400, "\(answer.text)")
    #expect(world.events.all.isEmpty)
  }

  @Test func bodiesBeyondOneMebibyteAreRefused() async throws {
    let world = try World()
    let large = #"{"slug":"c","name":""# + String(repeating: "x", count: 1 << 20) + #""}"#
    #expect(await world.send("POST", "/v1/tenants", as: .operatorPerson, body: large).status == 413)
    #expect(await world.send("POST", "/v1/tenants", as: .auditor, body: large).status == 403)
  }

  @Test func formsOfOtherSitesAreRefused() async throws {
    let answer = await (try World()).send(
      "POST", "/v1/tenants", as: .operatorPerson, body: #"{"slug":"c"}"#, contentType: "text/plain")
    #expect(answer.status == 400)
  }

  @Test(arguments: [
    (#"{"tokens_per_day":5}"#, 200), (#"{"tokens_per_day":0}"#, 200), (#"{"tokens_per_day":null}"#, 200),
    (#"{"money_per_day":"12.50"}"#, 200), (#"{"money_per_day":12}"#, 200), (#"{"money_per_day":12.5}"#, 400),
    (#"{"money_per_day":"-1"}"#, 400), (#"{"money_per_day":"1e3"}"#, 400), (#"{"tokens_per_day":-1}"#, 400),
    (#"{"tokens_per_day":1.5}"#, 400), (#"{"tokens_per_day":"5"}"#, 400),
    (#"{"tokens_per_day":99999999999999999999}"#, 400),
    (#"{"tokens_per_year":5}"#, 400), ("{}", 400), ("", 400),
  ])
  func limitsAreWholeNumbersOrDecimals(body: String, status: Int) async throws {
    let answer = await (try World()).send("PUT", "/v1/tenants/a/quota", as: .adminOfA, body: body)
    #expect(answer.status == status, "\(answer.text)")
  }

  @Test func quotasOfAForeignKeyDoNotExist() async throws {
    let world = try World()
    let foreign = await world.send("GET", "/v1/tenants/a/quota?key=\(World.keyOfB)", as: .adminOfA)
    let unknown = await world.send("GET", "/v1/tenants/a/quota?key=\(KeyID(987))", as: .adminOfA)
    #expect(foreign == unknown)
    #expect(foreign.status == 404)
    let own = await world.send("GET", "/v1/tenants/a/quota?key=\(World.keyOfA)", as: .adminOfA)
    #expect(own.status == 200)
  }

  @Test func moneyIsTextAndTotalsAreTheSumsOfTheRows() async throws {
    let answer = await (try World()).send("GET", "/v1/tenants/a/usage", as: .adminOfA)
    #expect(
      answer.text.contains(
        #""totals":{"cost":"0.002","input_tokens":150,"output_tokens":20,"requests":7}"#), "\(answer.text)")
  }

  @Test(arguments: [
    "from=2026-11-02&to=2026-11-01", "from=2026-11-02&to=2026-11-02", "from=2026-11-02T23:00:00Z&to=2026-11-02",
    "from=1969-11-02&to=1970-11-01", "to=1960-01-01T00:00:00Z", "from=1960-01-01T00:00:00Z", "from=2026-11-31",
  ])
  func usageNeedsARangeInOrderThatTheCalendarReaches(query: String) async throws {
    let answer = await (try World()).send("GET", "/v1/tenants/a/usage?\(query)", as: .adminOfA)
    #expect(answer.status == 400, "\(answer.text)")
  }

  /// The tenant's day begins at 23:00 UTC.
  @Test(arguments: [
    ("from=2026-11-02&to=2026-11-03", "2026-11-01T23:00:00Z", "2026-11-02T23:00:00Z"),
    ("from=2026-11-02T22:59:59Z&to=2026-11-02T23:00:00Z", "2026-11-01T23:00:00Z", "2026-11-02T23:00:00Z"),
    ("from=2026-11-02T23:00:00Z&to=2026-11-02T23:00:00.000000001Z", "2026-11-02T23:00:00Z", "2026-11-03T23:00:00Z"),
    ("to=2026-12-01", "2026-10-31T23:00:00Z", "2026-11-30T23:00:00Z"),
  ])
  func usageIsOfWholeDaysOfTheTenant(query: String, from: String, to: String) async throws {
    let answer = await (try World()).send("GET", "/v1/tenants/a/usage?\(query)", as: .adminOfA)
    #expect(answer.status == 200)
    #expect(answer.text.contains(#""from":"\#(from)""#) && answer.text.contains(#""to":"\#(to)""#), "\(answer.text)")
  }

  @Test func verificationCarriesTheExitCode() async throws {
    let answer = await (try World()).send("POST", "/v1/tenants/a/log/verify", as: .auditor)
    #expect(answer.text.contains(#""exit_code":3"#))
    #expect(answer.text.contains(#""outcome":"modified""#))
  }

  @Test func aPartThatIsNotReadyMakesReadyzSayWhichToTheOperatorAlone() async throws {
    let world = try World(isReady: false)
    let answer = await world.send("GET", "/readyz", as: .operatorPerson)
    #expect(answer.status == 503)
    #expect(
      answer.text
        == #"{"checks":[{"detail":"","name":"ledger","ready":true},{"detail":"disk","name":"log","ready":false}],"ready":false}"#
    )
    for person in [nil, .adminOfA, .auditor, .nobody] as [Person?] {
      let short = await world.send("GET", "/readyz", as: person)
      #expect(short.status == 503)
      #expect(short.text == #"{"ready":false}"#, "\(String(describing: person))")
    }
    #expect(await (try World()).send("GET", "/readyz").text == #"{"ready":true}"#)
  }

  @Test func aWrongTokenIsRefusedWhereNoneIsNeeded() async throws {
    let world = try World()
    let wrong = ["tha", "wrong", "token"].joined(separator: "_")
    for _ in 1...10 { #expect(await world.send("GET", "/readyz", token: wrong).status == 401) }
    #expect(await world.send("GET", "/readyz", token: wrong).status == 429)
    #expect(await world.send("GET", "/readyz").status == 200)
    #expect(await world.send("GET", "/livez", token: wrong).status == 200)
  }

  @Test(arguments: [
    ("127.0.0.1", 200), ("127.8.9.1", 200), ("::1", 200), ("10.0.0.1", 403), ("2001:db8::1", 403), ("", 403),
  ])
  func whoWatchesReadsMetricsOnThisMachineAlone(peer: String, status: Int) async throws {
    let world = try World()
    let watcher = ["tha", "watcher", "token"].joined(separator: "_")
    world.tenancy.state.withLock { $0.tokens[watcher] = World.freshOperator }
    #expect(await world.send("GET", "/metrics", token: watcher, peer: peer).status == status)
    #expect(await world.send("GET", "/metrics", as: .operatorPerson, peer: peer).status == 200)
    #expect(await world.send("GET", "/metrics", as: .adminOfA, peer: peer).status == 403)
    #expect(await world.send("GET", "/metrics", peer: peer).status == 401)
  }

  @Test func whatFailsInsideIsNotTold() async throws {
    struct Odd: Error { let secret = "sekret" }
    let error = AdminDispatcher.adminError(Odd())
    #expect(error.status == 500)
    #expect(!AdminResponse.refusal(error).text.contains("sekret"))
    let stored = AdminDispatcher.adminError(TenancyError(.storage, "disk sekret", detail: "sekret"))
    #expect(stored.status == 503)
    #expect(!AdminResponse.refusal(stored).text.contains("sekret"))
  }
}
