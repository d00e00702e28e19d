@testable import Frontend

extension HeadCase {
  static let fields: [HeadCase] = [
    // Syntax
    .init("no colon", get("Accept\r\n"), .refused(.malformedField)),
    .init("no name", get(": x\r\n"), .refused(.malformedField)),
    .init("space before the colon", get("Accept : x\r\n"), .refused(.malformedField)),
    .init("space in the name", get("Acc ept: x\r\n"), .refused(.malformedField)),
    .init("separator in the name", get("Acc(ept): x\r\n"), .refused(.malformedField)),
    .init("NUL in the name", get("Acc\u{0}ept: x\r\n"), .refused(.malformedField)),
    .init("obs-text in the name", get("Accépt: x\r\n"), .refused(.malformedField)),
    .init("NUL in the value", get("Accept: a\u{0}b\r\n"), .refused(.malformedField)),
    .init("ESC in the value", get("Accept: \u{1B}[2J\r\n"), .refused(.malformedField)),
    .init("DEL in the value", get("Accept: a\u{7F}\r\n"), .refused(.malformedField)),
    .init("obs-text in the value", get("Accept: é\r\n"), .refused(.malformedField)),
    .init(
      "byte 0xFF in the value", Array((get("Accept: ").dropLast().utf8)) + [0xFF, 13, 10, 13, 10],
      .refused(.malformedField)),
    .init("folded value", get("Accept: a\r\n b\r\n"), .refused(.malformedField)),
    .init("folded with TAB", get("Accept: a\r\n\tb\r\n"), .refused(.malformedField)),
    .init("folded first field", "GET / HTTP/1.1\r\n " + host + "\r\n", .refused(.malformedField)),
    .init("bare LF as line end", get("Accept: a\nX: b\r\n"), .refused(.malformedField)),
    .init("only bare LF", "GET / HTTP/1.1\nHost: api.example\n\n", .refused(.malformedField)),
    .init("bare CR in the value", get("Accept: a\rb\r\n"), .refused(.malformedField)),
    .init("bare CR at a line's start", get("\rAccept: a\r\n"), .refused(.malformedField)),
    .init("CR CR LF", get("Accept: a\r\r\n"), .refused(.malformedField)),
    .init("empty value", get("X-Empty:\r\nAuthorization:\r\n"), .accepted([.authorization("")])),
    .init("TAB before the value", get("Authorization:\tBearer k\r\n"), .accepted([.authorization("Bearer k")])),
    .init("blanks around the value", get("Authorization: \t Bearer k\t \r\n"), .accepted([.authorization("Bearer k")])),
    .init("TAB inside the value stays", get("Authorization: a\tb\r\n"), .accepted([.authorization("a\tb")])),
    .init("no blank before the value", get("Authorization:Bearer k\r\n"), .accepted([.authorization("Bearer k")])),
    .init("all of tchar in a name", get("!#$%&'*+-.^`|~09azAZ: x\r\n"), .accepted([.method(.get)])),
    // Host
    .init("no Host", "GET / HTTP/1.1\r\n\r\n", .refused(.missingHost)),
    .init("no Host, other fields", "GET / HTTP/1.1\r\nAccept: x\r\n\r\n", .refused(.missingHost)),
    .init("no Host in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", .accepted([.host(nil), .version11(false)])),
    .init("two Hosts", get("Host: evil.example\r\n"), .refused(.duplicateField)),
    .init("two equal Hosts", get("hOST: api.example\r\n"), .refused(.duplicateField)),
    .init("two Hosts in HTTP/1.0", old("Host: evil.example\r\n"), .refused(.duplicateField)),
    .init("empty Host", hosted(""), .refused(.malformedHost)),
    .init("Host with /", hosted("api.example/x"), .refused(.malformedHost)),
    .init("Host with #", hosted("api.example#x"), .refused(.malformedHost)),
    .init("Host with @", hosted("api.example@evil.example"), .refused(.malformedHost)),
    .init("Host with space", hosted("api.example evil.example"), .refused(.malformedHost)),
    .init("Host with TAB", hosted("api.example\tevil.example"), .refused(.malformedHost)),
    .init("Host with ?", hosted("api.example?x"), .refused(.malformedHost)),
    .init("Host with backslash", hosted("api.example\\x"), .refused(.malformedHost)),
    .init("Host with a list", hosted("api.example,evil.example"), .refused(.malformedHost)),
    .init("Host with %", hosted("api%2eexample"), .refused(.malformedHost)),
    .init("Host with a port that is none", hosted("api.example:https"), .refused(.malformedHost)),
    .init("Host with an empty port", hosted("api.example:"), .refused(.malformedHost)),
    .init("Host with two ports", hosted("api.example:1:2"), .refused(.malformedHost)),
    .init("Host with a port of six digits", hosted("api.example:123456"), .refused(.malformedHost)),
    .init("Host of a port alone", hosted(":8443"), .refused(.malformedHost)),
    .init("Host with brackets in the middle", hosted("api[::1]"), .refused(.malformedHost)),
    .init("Host with an open bracket", hosted("[::1"), .refused(.malformedHost)),
    .init("Host with something behind brackets", hosted("[::1]x"), .refused(.malformedHost)),
    .init("Host with a name in brackets", hosted("[api.example]"), .refused(.malformedHost)),
    .init("Host with CTL", hosted("api\u{8}.example"), .refused(.malformedField)),
    .init("Host above 255 bytes", hosted(repeated("a", 256)), .refused(.malformedHost)),
    .init("Host with a port", hosted("api.example:8443"), .accepted([.host("api.example:8443")])),
    .init("Host as IPv6 literal without a port", hosted("[2001:db8::7]"), .accepted([.host("[2001:db8::7]")])),
    .init("Host with an underscore", hosted("my_gateway:80"), .accepted([.host("my_gateway:80")])),
    .init("Host as IPv6 literal", hosted("[::1]:8443"), .accepted([.host("[::1]:8443")])),
    // Fields that may stand once
    .init("two Authorization", get("Authorization: a\r\nAuthorization: a\r\n"), .refused(.duplicateField)),
    .init("two Content-Type", post("Content-Type: a/b\r\ncontent-type: c/d\r\n"), .refused(.duplicateField)),
    .init("two Expect", post("Expect: 100-continue\r\nExpect: 100-continue\r\n"), .refused(.duplicateField)),
    .init("two x-api-key", get("x-api-key: a\r\nX-API-Key: b\r\n"), .refused(.duplicateField)),
    .init(
      "two Content-Encoding", post("Content-Encoding: gzip\r\nContent-Encoding: br\r\n"), .refused(.duplicateField)),
    .init("two Accept", get("Accept: a/b\r\nAccept: c/d\r\n"), .accepted([.method(.get)])),
    // Names with an underscore
    .init("content_length", post("content_length: 5\r\n"), .refused(.ambiguousField)),
    .init("Transfer_Encoding", post("Transfer_Encoding: chunked\r\n"), .refused(.ambiguousField)),
    .init("content_type", post("content_type: a/b\r\n"), .refused(.ambiguousField)),
    .init("content_encoding", post("content_encoding: gzip\r\n"), .refused(.ambiguousField)),
    .init("x_api_key", get("x_api_key: a\r\n"), .refused(.ambiguousField)),
    .init("x-api_key", get("x-api_key: a\r\n"), .refused(.ambiguousField)),
    .init("API_KEY", get("API_KEY: a\r\n"), .refused(.ambiguousField)),
    .init("x_forwarded_for", get("x_forwarded_for: 10.0.0.1\r\n"), .refused(.ambiguousField)),
    .init("anthropic_version", post("anthropic_version: x\r\n"), .refused(.ambiguousField)),
    .init("x_torhaus_subject", post("x_torhaus_subject: x\r\n"), .refused(.ambiguousField)),
    .init("X-Torhaus_Translation", post("X-Torhaus_Translation: strict\r\n"), .refused(.ambiguousField)),
    .init("x_torhaus_ and anything", post("x_torhaus_new: 1\r\n"), .refused(.ambiguousField)),
    .init("x-torhaus- and anything with _", post("x-torhaus-a_b: 1\r\n"), .refused(.ambiguousField)),
    .init("session_id is dropped", post("session_id: 1\r\nContent-Length: 5\r\n"), .accepted([.framing(.length(5))])),
    .init("dropped names may repeat", post("session_id: 1\r\nsession_id: 2\r\n"), .accepted([.method(.post)])),
    .init("host_ is another name", get("host_: evil.example\r\n"), .accepted([.host("api.example")])),
    .init("_authorization is another name", get("_authorization: x\r\n"), .accepted([.authorization(nil)])),
    .init("x-torhaus-subject is read", post("x-torhaus-subject: p1, p2\r\n"), .accepted([.subject("p1, p2")])),
    // Expect
    .init("Expect", post("Expect: 100-continue\r\n"), .accepted([.expectsContinue(true)])),
    .init("Expect in other case", post("Expect: 100-Continue\r\n"), .accepted([.expectsContinue(true)])),
    .init("Expect in HTTP/1.0", old("Expect: 100-continue\r\n"), .accepted([.expectsContinue(false)])),
    .init("Expect something else", post("Expect: 200-ok\r\n"), .refused(.unsupportedExpectation)),
    .init("Expect a list", post("Expect: 100-continue, x\r\n"), .refused(.unsupportedExpectation)),
    .init("Expect nothing", post("Expect:\r\n"), .refused(.unsupportedExpectation)),
    .init("no Expect", post(""), .accepted([.expectsContinue(false)])),
    // Upgrade
    .init(
      "h2c upgrade is ignored", get("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n"),
      .accepted([.upgrades, .keepsAlive(false)])),
    .init(
      "upgrade with a body", post("Upgrade: websocket\r\nContent-Length: 5\r\n"),
      .accepted([.upgrades, .keepsAlive(false), .framing(.length(5))])),
    // Connection
    .init("stays open", get("Connection: keep-alive\r\n"), .accepted([.keepsAlive(true)])),
    .init("close", get("Connection: close\r\n"), .accepted([.keepsAlive(false)])),
    .init("Close in a list", get("Connection: te , Close\r\n"), .accepted([.keepsAlive(false)])),
    .init("close behind empty elements", get("Connection: ,,\t, close,\r\n"), .accepted([.keepsAlive(false)])),
    .init("close in a second field", get("Connection: te\r\nConnection: close\r\n"), .accepted([.keepsAlive(false)])),
    .init("close wins in HTTP/1.1", get("Connection: close, keep-alive\r\n"), .accepted([.keepsAlive(false)])),
    .init("closed is another word", get("Connection: closed\r\n"), .accepted([.keepsAlive(true)])),
    .init("empty Connection", get("Connection:\r\n"), .accepted([.keepsAlive(true)])),
    .init("HTTP/1.0 closes", old(""), .accepted([.keepsAlive(false)])),
    .init("HTTP/1.0 stays open when asked", old("Connection: Keep-Alive\r\n"), .accepted([.keepsAlive(true)])),
    .init(
      "HTTP/1.0, close behind keep-alive", old("Connection: keep-alive, close\r\n"), .accepted([.keepsAlive(false)])),
    // Sizes
    .init("100 fields", get(numbered(99)), .accepted([.method(.get)])),
    .init("101 fields", get(numbered(100)), .refused(.tooManyFields)),
    .init("dropped fields count", get(repeated("session_id: 1\r\n", 100)), .refused(.tooManyFields)),
    .init("field of 8 KiB, its line end included", get(field("x", bytes: 8192)), .accepted([.method(.get)])),
    .init("name and value above 8 KiB", get(field("x", bytes: 8197)), .refused(.fieldTooLarge)),
    .init("name above 8 KiB", get(repeated("n", 8193) + ": x\r\n"), .refused(.fieldTooLarge)),
    .init("head of 32 KiB", get(filling(32768)), .accepted([.method(.get)])),
    .init("head above 32 KiB", get(filling(32769)), .refused(.headTooLarge)),
    .init("endless field", "GET / HTTP/1.1\r\nX: " + repeated("a", 40_000), .refused(.headTooLarge)),
    .init("endless request line", "GET /" + repeated("a", 40_000), .refused(.headTooLarge)),
  ]

  private static func numbered(_ count: Int) -> String { (0..<count).map { "X-\($0): 1\r\n" }.joined() }

  /// A whole field line of that many bytes, CRLF included.
  private static func field(_ name: String, bytes: Int) -> String {
    name + ": " + repeated("a", bytes - name.utf8.count - 4) + "\r\n"
  }

  /// Fields that make ``get(_:)`` that many bytes long.
  private static func filling(_ total: Int) -> String {
    let missing = total - get("").utf8.count
    return repeated(field("x", bytes: 4096), missing / 4096 - 1) + field("y", bytes: missing % 4096 + 4096)
  }
}
