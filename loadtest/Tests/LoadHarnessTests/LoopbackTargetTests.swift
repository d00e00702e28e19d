import Testing

@testable import LoadHarness

@Suite struct LoopbackTargetTests {
  @Test(arguments: [
    ("http://127.0.0.1:8080", "127.0.0.1", 8_080, "/v1/chat/completions"),
    ("http://127.0.0.1:8080/", "127.0.0.1", 8_080, "/v1/chat/completions"),
    ("http://localhost:1/v1", "127.0.0.1", 1, "/v1/chat/completions"),
    ("http://[::1]:65535/v1/embeddings", "::1", 65_535, "/v1/embeddings"),
    ("http://127.1.2.3/x?y=1", "127.1.2.3", 80, "/x?y=1"),
  ])
  func takesThisMachine(url: String, address: String, port: Int, path: String) throws {
    let target = try LoopbackTarget(url)
    #expect(target.address == address && target.port == port && target.path == path)
  }

  @Test(arguments: [
    "http://10.0.0.1/", "http://128.0.0.1/", "http://0.0.0.0:80/", "http://example.org/",
    "http://127.0.0.1.example.org/",
    "http://127.0.0/", "http://127.1/", "http://127.0.0.256/", "http://127.0.0.01/", "http://0127.0.0.1/",
    "http://localhost.example.org/", "http://user@10.0.0.1/", "http://127.0.0.1@10.0.0.1/", "http://[::2]/",
    "http://[::ffff:10.0.0.1]/", "http://2130706433/", "http:///x", "http://127.0.0.1\\@10.0.0.1/", "http://::1/",
  ])
  func refusesEveryOtherMachine(url: String) {
    #expect { _ = try LoopbackTarget(url) } throws: { error in
      [LoadError.Code.notLoopback, .badTarget].contains((error as? LoadError)?.code)
    }
  }

  @Test(arguments: [
    "https://127.0.0.1/", "127.0.0.1:80", "", "http://127.0.0.1:0/", "http://127.0.0.1:65536/", "http://127.0.0.1:/",
    "http://127.0.0.1:+80/", "http://127.0.0.1/a b", "http://127.0.0.1/a\r\nX: y", "http://127.0.0.1/#x",
    "http://127.0.0.1?x",
  ])
  func refusesWhatIsNoURLOfItsKind(url: String) {
    #expect { _ = try LoopbackTarget(url) } throws: { ($0 as? LoadError)?.code == .badTarget }
  }
}
