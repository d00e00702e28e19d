import Tenancy
import Testing

@Test(arguments: [
  ("10.20.0.0/16", "10.20.255.255", true), ("10.20.0.0/16", "10.21.0.0", false), ("0.0.0.0/0", "255.255.255.255", true),
  ("0.0.0.0/0", "::1", false), ("192.0.2.7", "192.0.2.7", true), ("192.0.2.7", "192.0.2.8", false),
  ("2001:db8::/32", "2001:db8:ffff::1", true), ("2001:db8::/32", "2001:db9::", false), ("::/0", "10.0.0.1", true),
  ("::1", "::1", true), ("192.0.2.0/24", "::ffff:192.0.2.9", true), ("fe80::/10", "febf::1", true),
])
func aNetworkHoldsItsAddresses(network: String, address: String, inside: Bool) throws {
  let network = try #require(Network(network))
  #expect(network.contains(try #require(NetworkAddress(address))) == inside)
}

@Test(arguments: [
  "", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0/8", "10.0.0.0/08", "256.0.0.0/8", "01.0.0.0/8", "1.2.3.4.5",
  "2001:db8::1/32", "::/129", "1::2::3", ":1", "1:", "12345::", "g::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
  "::1%eth0", "10.0.0.0/8/8", "1:2:3:4:5:6:7::8:9", "[::1]", "1.2.3.4:80",
])
func whatIsNoNetworkIsRefused(text: String) { #expect(Network(text) == nil) }

@Test(arguments: [
  ("10.0.0.0/8", "10.1.0.0/16", true), ("10.1.0.0/16", "10.0.0.0/8", false), ("10.0.0.0/8", "10.0.0.0/8", true),
  ("10.0.0.0/8", "11.0.0.0/8", false), ("::/0", "10.0.0.0/8", true), ("0.0.0.0/0", "::/0", false),
])
func aWiderNetworkCoversANarrower(wide: String, narrow: String, covers: Bool) throws {
  #expect(try #require(Network(wide)).covers(try #require(Network(narrow))) == covers)
}

@Test(arguments: [
  ("::", "0000:0000:0000:0000:0000:0000:0000:0000"), ("::1:2", "0:0:0:0:0:0:1:2"), ("1::", "1:0:0:0:0:0:0:0"),
  ("ABCD::", "abcd::"), ("::ffff:10.0.0.1", "10.0.0.1"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
])
func spellingsOfOneAddressAreEqual(left: String, right: String) throws {
  let address = try #require(NetworkAddress(left))
  #expect(address == NetworkAddress(right))
}

@Test(arguments: [
  "0.0.0.0", "192.0.2.7", "255.255.255.255", "::", "::1", "1::", "2001:db8::1", "2001:db8:0:1:1:1:1:1",
  "2001:0:0:1::1", "2001:db8::1:0:0:1", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:0", "fe80::abcd:0:1",
])
func anAddressIsWrittenInItsShortestForm(text: String) throws {
  #expect(try #require(NetworkAddress(text)).description == text)
}

@Test(arguments: [
  ("192.0.2.7", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
  ("::1", "::"),
])
func aSourceIsAnIPv4AddressOrANetworkOf64Bits(address: String, source: String) throws {
  #expect(try #require(NetworkAddress(address)).source == NetworkAddress(source))
}
