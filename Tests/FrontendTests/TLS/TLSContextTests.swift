import CTLS
import Testing

@testable import Frontend

/// What makes no TLS listener is said with what to do about it.
struct TLSContextTests {
  private static func fault(_ material: TLSContext.Material) -> TLSFault? {
    do throws(TLSFault) {
      _ = try TLSContext(material, minimum: .tls12)
      return nil
    } catch {
      return error
    }
  }

  private static func pair() throws -> SelfSignedPair {
    try SelfSignedPair(names: ["DNS:ki.example.ch", "IP:192.0.2.1"], until: 86_400)
  }

  @Test func aKeyOfAnotherCertificateIsRefused() throws {
    let fault = Self.fault(.init(chain: try Self.pair().certificate, key: try Self.pair().key))
    #expect(fault?.part == .key && fault?.message.contains("does not belong") == true)
  }

  /// The listener's own certificate must stand first.
  @Test func aChainInTheWrongOrderIsRefused() throws {
    let (own, other) = (try Self.pair(), try Self.pair())
    #expect(Self.fault(.init(chain: own.certificate + other.certificate, key: own.key)) == nil)
    #expect(Self.fault(.init(chain: other.certificate + own.certificate, key: own.key))?.part == .key)
  }

  @Test func anEncryptedKeyIsCalledSo() throws {
    let pair = try Self.pair()
    guard case .key(let key)? = PEMBytes(pair.key)?.privateKey() else {
      Issue.record("no key")
      return
    }
    defer { EVP_PKEY_free(key) }
    let bio = BIO_new(BIO_s_mem())
    defer { BIO_free_all(bio) }
    #expect(PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_256_cbc(), "secret", 6, nil, nil) == 1)
    var encrypted = [UInt8](repeating: 0, count: 4096)
    let count = Int(BIO_read(bio, &encrypted, 4096))
    let fault = Self.fault(.init(chain: pair.certificate, key: Array(encrypted.prefix(count))))
    #expect(fault?.part == .key && fault?.message.contains("encrypted") == true)
    #expect(fault?.hint.contains("openssl pkey") == true)
  }

  @Test(arguments: ["", "x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
  func whatIsNoPEMIsRefused(text: String) throws {
    let pair = try Self.pair()
    let bytes = Array(text.utf8)
    #expect(Self.fault(.init(chain: bytes, key: pair.key))?.part == .certificate)
    #expect(Self.fault(.init(chain: pair.certificate, key: bytes))?.part == .key)
    let clients = Self.fault(.init(chain: pair.certificate, key: pair.key, clientAuthorities: bytes))
    #expect(clients?.part == .clientAuthorities)
    // Swapped by mistake.
    #expect(Self.fault(.init(chain: pair.key, key: pair.certificate)) != nil)
  }

  @Test func theCertificateTellsItsTimeAndNames() throws {
    let pair = try SelfSignedPair(names: ["DNS:ki.example.ch", "DNS:*.a.example", "IP:192.0.2.1"], until: 86_400)
    let context = try TLSContext(.init(chain: pair.certificate, key: pair.key), minimum: .tls13)
    #expect(context.validUntil - context.validFrom == 86_460)
    for host in ["ki.example.ch", "KI.example.ch", "x.a.example", "192.0.2.1"] { #expect(context.names(host)) }
    for host in ["example.ch", "x.ki.example.ch", "192.0.2.2", "", "[::1]"] { #expect(!context.names(host)) }
  }

  // MARK: The protocols' names

  private static func list(_ names: [String]) -> [UInt8] { names.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } }

  private static func chosen(_ list: [UInt8]) -> String? {
    list.withUnsafeBytes { bytes in
      ApplicationProtocol.choose(among: [.http11, .http2], in: bytes).map { String(decoding: bytes[$0], as: UTF8.self) }
    }
  }

  @Test func ourNameIsFoundWhereverItStands() {
    #expect(Self.chosen(Self.list(["http/1.1"])) == "http/1.1")
    #expect(Self.chosen(Self.list(["h2", "x", "http/1.1", "y"])) == "http/1.1", "our order, not the client's")
    #expect(Self.chosen(Self.list(["x", "h2"])) == "h2")
    for names in [[], ["h2c"], ["http/1.0"], ["http/1.1 "], ["HTTP/1.1"], ["http/1."]] {
      #expect(Self.chosen(Self.list(names)) == nil)
    }
  }

  @Test func aMalformedListHasNoName() {
    #expect(Self.chosen([0]) == nil)
    #expect(Self.chosen([0] + Self.list(["http/1.1"])) == nil)
    #expect(Self.chosen([255] + Array("http/1.1".utf8)) == nil)
    #expect(Self.chosen(Array(Self.list(["http/1.1"]).dropLast())) == nil)
    var generator = SeededGenerator(seed: 3)
    for _ in 0..<2_000 {
      let bytes = (0..<Int.random(in: 0...40, using: &generator)).map { _ in UInt8.random(in: 0...12, using: &generator)
      }
      #expect(Self.chosen(bytes) == nil)  // none of them spells it; none of them traps
    }
  }
}
