public import Cryptography
internal import Foundation

/// A signed statement of a stream's tree (C2SP tlog-checkpoint in a C2SP signed note).
public struct CheckpointNote: Sendable, Equatable {
  public let origin: String
  public let size: UInt64
  public let root: Digest256
  public let segment: SegmentName
  public let certificate: NodeCertificate
  /// The whole note: text, empty line, signature line.
  public let bytes: [UInt8]

  public static func origin(host: String, stream: StreamName) -> String {
    let tenant = stream.tenant
    return "\(host)/log/\(tenant)/\(stream.node)-\(stream.mode.rawValue)"
  }

  init(origin: String, size: UInt64, root: Digest256, segment: SegmentName, signer: NodeSigner) throws(SealedLogError) {
    self.origin = origin
    self.size = size
    self.root = root
    self.segment = segment
    certificate = signer.certificate
    let text =
      "\(origin)\n\(size)\n\(Data(root.bytes).base64EncodedString())\nsegment \(segment)\n"
      + "cert \(Data(certificate.bytes).base64EncodedString())\n"
    bytes = try SignedNote.seal(
      text, name: origin, publicKey: certificate.publicKey, signature: try signer.sign(Array(text.utf8)))
  }

  /// Reads a note and checks its signature by the key in its own certificate.
  public init(_ bytes: [UInt8]) throws(SealedLogError) {
    let note = try SignedNote(bytes)
    let lines = note.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    guard lines.count == 6, lines[5].isEmpty, let size = UInt64(lines[1]), size < 1 << 62,
      let root = Data(base64Encoded: lines[2]), root.count == 32, lines[3].hasPrefix("segment "),
      let segment = SegmentName(lines[3].dropFirst(8)), lines[4].hasPrefix("cert "),
      let certificate = Data(base64Encoded: String(lines[4].dropFirst(5))),
      certificate.count == NodeCertificate.byteCount
    else { throw .malformed("checkpoint") }
    origin = lines[0]
    self.size = size
    self.root = Digest256(bytes: root)
    self.segment = segment
    var reader = LittleEndianReader(Array(certificate))
    self.certificate = try NodeCertificate(&reader)
    self.bytes = bytes
    guard note.isSigned(name: origin, by: self.certificate.publicKey) else { throw .notAuthentic("checkpoint") }
  }
}

/// Text with one Ed25519 signature line: `— <name> base64(key hash of 4 bytes | signature)`.
struct SignedNote {
  let text: String
  private let name: String
  private let keyHash: [UInt8]
  private let signature: [UInt8]

  private static func keyHash(name: String, publicKey: [UInt8]) throws(SealedLogError) -> [UInt8] {
    let input = Array(name.utf8) + [0x0A, 0x01] + publicKey
    return try sealing { () throws(CryptographyError) in Array(try SHA256Hasher().hash(input).bytes.prefix(4)) }
  }

  static func seal(_ text: String, name: String, publicKey: [UInt8], signature: [UInt8]) throws(SealedLogError)
    -> [UInt8]
  {
    let proof = Data(try keyHash(name: name, publicKey: publicKey) + signature).base64EncodedString()
    return Array("\(text)\n— \(name) \(proof)\n".utf8)
  }

  init(_ bytes: [UInt8]) throws(SealedLogError) {
    guard bytes.count <= 1 << 24, let all = String(validating: bytes, as: UTF8.self),
      let gap = all.range(of: "\n\n", options: .backwards)
    else { throw .malformed("signed note") }
    text = String(all[..<gap.lowerBound]) + "\n"
    let line = all[gap.upperBound...]
    let parts = line.dropLast().split(separator: " ", omittingEmptySubsequences: false)
    guard line.last == "\n", parts.count == 3, parts[0] == "—", let proof = Data(base64Encoded: String(parts[2])),
      proof.count == 68
    else { throw .malformed("signed note") }
    name = String(parts[1])
    keyHash = Array(proof.prefix(4))
    signature = Array(proof.suffix(64))
  }

  func isSigned(name: String, by publicKey: [UInt8]) -> Bool {
    guard name == self.name, let expected = try? Self.keyHash(name: name, publicKey: publicKey) else { return false }
    return expected == keyHash && Ed25519.isValid(signature, of: Array(text.utf8), by: publicKey)
  }
}

extension StreamName {
  /// The stream that a checkpoint's origin names: `<host>/log/<tenant hex>/<node hex>-<mode>`.
  init?(origin: String) {
    let parts = origin.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count > 3, parts[parts.count - 3] == "log" else { return nil }
    self.init(parts.suffix(2).joined(separator: "/"))
  }
}
