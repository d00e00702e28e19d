import CTLS
import Glibc

@testable import Frontend

/// OpenSSL's client on a blocking socket; what it sends goes out in pieces of any size.
final class TLSPeer {
  private let context: OpaquePointer
  let ssl: OpaquePointer
  private let incoming: OpaquePointer
  private let outgoing: OpaquePointer
  private let descriptor: Int32
  /// Bytes of each piece.
  var step = Int.max

  struct Failed: Error {}

  /// - Parameters:
  ///   - pair: What it shows when it is asked who it is.
  ///   - newest: The newest version that it speaks.
  init(
    _ descriptor: Int32, newest: Int32 = TLS1_3_VERSION, names: [String] = [], pair: SelfSignedPair? = nil,
    session: OpaquePointer? = nil
  ) throws {
    guard let context = SSL_CTX_new(TLS_client_method()), let ssl = SSL_new(context),
      let incoming = BIO_new(BIO_s_mem()),
      let outgoing = BIO_new(BIO_s_mem())
    else { throw Failed() }
    self.context = context
    self.ssl = ssl
    self.incoming = incoming
    self.outgoing = outgoing
    self.descriptor = descriptor
    SSL_set_bio(ssl, incoming, outgoing)
    SSL_set_connect_state(ssl)
    _ = SSL_ctrl(ssl, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(min(newest, TLS1_2_VERSION)), nil)
    _ = SSL_ctrl(ssl, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(newest), nil)
    if newest < TLS1_2_VERSION { SSL_set_security_level(ssl, 0) }
    let list = names.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
    if !list.isEmpty { SSL_set_alpn_protos(ssl, list, UInt32(list.count)) }
    if let pair {
      let certificate = PEMBytes(pair.certificate)?.nextCertificate()
      SSL_use_certificate(ssl, certificate)
      X509_free(certificate)
      if case .key(let key)? = PEMBytes(pair.key)?.privateKey() {
        SSL_use_PrivateKey(ssl, key)
        EVP_PKEY_free(key)
      }
    }
    if let session { SSL_set_session(ssl, session) }
  }

  deinit {
    SSL_free(ssl)
    SSL_CTX_free(context)
    close(descriptor)
  }

  /// What OpenSSL has to say, as it stands.
  func nextBytes() -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Int(BIO_ctrl_pending(outgoing)))
    let count = BIO_read(outgoing, &bytes, Int32(bytes.count))
    return Array(bytes.prefix(max(0, Int(count))))
  }

  /// Sends bytes past OpenSSL.
  @discardableResult
  func sendRaw(_ bytes: [UInt8]) -> Bool {
    var position = 0
    while position < bytes.count {
      let piece = Array(bytes[position..<min(bytes.count, position + min(step, bytes.count))])
      let count = send(descriptor, piece, piece.count, Int32(MSG_NOSIGNAL))
      guard count > 0 else { return false }
      position += count
    }
    return true
  }

  func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// Bytes past OpenSSL until the other side ends.
  func receiveRaw() -> [UInt8] {
    var all: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = recv(descriptor, &piece, piece.count, 0)
      guard count > 0 else { return all }
      all += piece[..<count]
    }
  }

  /// Lets OpenSSL have what the socket brings next.
  func fill(_ most: Int = 65_536) -> Bool {
    var piece = [UInt8](repeating: 0, count: most)
    let count = recv(descriptor, &piece, most, 0)
    return count > 0 && BIO_write(incoming, piece, Int32(count)) == Int32(count)
  }

  func shakeHands() -> Bool {
    while true {
      ERR_clear_error()
      let result = SSL_do_handshake(ssl)
      let error = SSL_get_error(ssl, result)
      guard sendRaw(nextBytes()) else { return false }
      if result == 1 { return true }
      guard error == SSL_ERROR_WANT_READ, fill() else { return false }
    }
  }

  @discardableResult
  func write(_ bytes: [UInt8]) -> Bool {
    var count = 0
    return SSL_write_ex(ssl, bytes, bytes.count, &count) == 1 && sendRaw(nextBytes())
  }

  enum Read: Equatable { case bytes([UInt8]), goodbye, cut }

  /// - Parameter most: Bytes taken from the socket at a time.
  func read(most: Int = 65_536) -> Read {
    var bytes = [UInt8](repeating: 0, count: 65_536)
    while true {
      var count = 0
      ERR_clear_error()
      if SSL_read_ex(ssl, &bytes, bytes.count, &count) == 1 { return .bytes(Array(bytes[..<count])) }
      switch SSL_get_error(ssl, 0) {
      case SSL_ERROR_WANT_READ: guard fill(most) else { return .cut }
      case SSL_ERROR_ZERO_RETURN: return .goodbye
      default: return .cut
      }
    }
  }

  /// As many bytes as are wanted, or what there was until the end.
  func read(count: Int, most: Int = 65_536) -> [UInt8] {
    var all: [UInt8] = []
    while all.count < count, case .bytes(let more) = read(most: most) { all += more }
    return all
  }

  func sayGoodbye() {
    SSL_shutdown(ssl)
    sendRaw(nextBytes())
  }
}
