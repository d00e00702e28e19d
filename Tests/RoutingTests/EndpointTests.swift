import Routing
import Tenancy
import Testing

@Test(arguments: [
  ("https://api.mistral.ai/v1", false, "api.mistral.ai", 443, "/v1"),
  ("https://API.Example.com", false, "api.example.com", 443, "/"),
  ("https://a.example:8443/x/y/", false, "a.example", 8443, "/x/y"),
  ("http://10.0.0.5:8000/v1", true, "10.0.0.5", 8000, "/v1"), ("http://localhost/", true, "localhost", 80, "/"),
  ("http://[::1]:9000/v1", true, "[::1]", 9000, "/v1"),
  ("https://xn--mller-kva.example/v1", false, "xn--mller-kva.example", 443, "/v1"),
])
func endpointsAreTakenApart(text: String, local: Bool, host: String, port: Int, path: String) throws {
  let endpoint = try Endpoint(text, local: local)
  #expect(endpoint.host == host)
  #expect(endpoint.port == port)
  #expect(endpoint.path == path)
}

@Test(arguments: [
  ("http://api.example/v1", false), ("https://10.0.0.5/v1", false), ("https://[::1]/v1", false),
  ("https://user@api.example/", true), ("https://user:pw@api.example/", true), ("https://api.example/v1?x=1", true),
  ("https://api.example/#a", true), ("ftp://api.example", true), ("https://", true), ("https://api.example:0/", true),
  ("https://api.example:65536/", true), ("https://api.example:08/", true), ("https://api.example:/", true),
  ("https://a..b/", true), ("https://-a.example/", true), ("https://a_b.example/", true),
  ("https://api.example/../x", true), ("https://api.example//x", true), ("https://api.example/%2e", true),
  ("https://api.example\\x", true), ("https://api example/", true), ("https://müller.example/", true),
  ("https://127.1/", true), ("https://0x7f000001/", true), ("https://2130706433/", true), ("https://010.0.0.1/", true),
  ("https://[::1/", true), ("https://[::1]x/", true), ("https://[::1%25eth0]/", true), ("HTTPS://api.example/", true),
  ("", true), ("https://a.example\n/", true), ("https://1:2:3/", true),
])
func whatIsNoEndpointIsRefused(text: String, local: Bool) {
  #expect(throws: RoutingError.self) { try Endpoint(text, local: local) }
}

@Test func originNamesThePortAlways() throws {
  #expect(try Endpoint("https://api.example/v1", local: false).origin == "https://api.example:443")
  #expect(try Endpoint("https://api.example/v1", local: false).authority == "api.example")
  #expect(try Endpoint("https://api.example:444/v1", local: false).authority == "api.example:444")
  #expect(try Endpoint("https://api.example:444/v1/", local: false).description == "https://api.example:444/v1")
}

@Test(arguments: ["1970-01-01", "2000-02-29", "2024-02-29", "2026-11-24", "2099-12-31", "9999-12-31"])
func daysReadBack(text: String) throws { #expect(try CalendarDay(text).description == text) }

@Test(arguments: [
  ("1970-01-01", 0), ("1970-01-02", 1), ("2000-03-01", 11_017), ("2026-11-24", 20_781),
])
func daysCountFromTheEpoch(text: String, days: Int) throws {
  #expect(try CalendarDay(text).daysSinceEpoch == days)
}

@Test(arguments: [
  "", "2026-02-29", "2100-02-29", "2026-13-01", "2026-00-01", "2026-01-00", "2026-04-31", "1969-12-31", "2026-1-01",
  "2026/01/01", "26-01-01", "2026-01-01T00:00Z", "２０２６-01-01",
])
func whatIsNoDayIsRefused(text: String) { #expect(throws: RoutingError.self) { try CalendarDay(text) } }

@Test(arguments: [
  (0 as Int64, 0), (86_399, 0), (86_400, 1), (-1, -1), (-86_400, -1), (-86_401, -2),
])
func instantsLieInTheirDay(seconds: Int64, day: Int) {
  #expect(CalendarDay(epochSeconds: seconds).daysSinceEpoch == day)
}

@Test(arguments: [
  ("http://10.0.0.5:8000/v1", ["10.0.0.5"]), ("https://[FD00:0::5]/", ["fd00::5"]),
  ("http://localhost:1", ["127.0.0.0/8", "::1"]), ("http://gpu.intern.example", nil),
])
func aLocalHostMeansItsOwnAddress(text: String, networks: [String]?) throws {
  #expect(try Endpoint(text, local: true).ownNetworks?.map(\.text) == networks)
}
