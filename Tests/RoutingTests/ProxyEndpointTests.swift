import Routing
import Testing

@Test(arguments: [
  ("http://proxy.example:3128", false, ProxyEndpoint.Scheme.http, "proxy.example", 3128),
  ("https://Proxy.example:8443", false, .https, "proxy.example", 8443),
  ("socks5://proxy.example:1080", false, .socks5, "proxy.example", 1080),
  ("http://10.0.0.9:3128", true, .http, "10.0.0.9", 3128), ("socks5://[::1]:1080", true, .socks5, "[::1]", 1080),
  ("http://localhost:8080", true, .http, "localhost", 8080),
])
func proxiesAreTakenApart(text: String, local: Bool, scheme: ProxyEndpoint.Scheme, host: String, port: Int) throws {
  let proxy = try ProxyEndpoint(text, local: local, credential: "name")
  #expect(proxy.scheme == scheme && proxy.host == host && proxy.port == port && (proxy.networks != nil) == local)
  #expect(proxy.description == "\(scheme.rawValue)://\(host):\(port)" && proxy.credential == "name")
}

@Test(arguments: [
  "", "proxy.example:3128", "http://proxy.example", "http://proxy.example:", "http://proxy.example:0",
  "http://proxy.example:65536", "http://proxy.example:08", "http://proxy.example:+8", "http://proxy.example:3128/",
  "http://proxy.example:3128/x", "http://a/b:3128", "http://user:secret@proxy.example:3128", "ftp://proxy.example:21",
  "socks4://proxy.example:1080", "socks5h://proxy.example:1080", "HTTP://proxy.example:1", "http:/proxy.example:1",
  "http://10.0.0.9:3128", "http://127.1:3128", "http://a..b:3128", "http://a b:3128", "http://:3128",
  "http://[::1:1080",
  "http://müller.example:3128", "http://proxy.example:3128?x", "http://proxy.example:31%32", "http://proxy.example\n:1",
])
func anythingElseIsNoProxy(text: String) {
  #expect(throws: RoutingError.self) { try ProxyEndpoint(text, local: false) }
}
