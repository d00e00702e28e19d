import Cryptography
import JSONText

/// Derives a placeholder's tag: the first 40 bits of HMAC-SHA-256 under the tenant's pseudonym key over version, purpose,
/// collision counter, scope, label and normalised value, each with its length.
enum PlaceholderDerivation {
  /// What the tag is for; a hash never equals the placeholder of the same value.
  enum Purpose: UInt8 { case placeholder = 1, hash = 2 }

  private static let version: UInt8 = 1

  /// - Parameter message: Scratch memory; holds the value afterwards and is wiped by its owner.
  static func tag(
    _ key: HMACKey, _ purpose: Purpose, scope: [UInt8], label: [UInt8], value: UnsafeRawBufferPointer, counter: UInt8,
    message: ByteArena
  ) throws(RedactionError) -> UInt64 {
    message.truncate(to: 0)
    message.append(version)
    message.append(purpose.rawValue)
    message.append(counter)
    append(length: scope.count, to: message)
    message.append(scope)
    append(length: label.count, to: message)
    message.append(label)
    append(length: value.count, to: message)
    message.append(value)
    do {
      return try key.authenticate(message.bytes).words.0.bigEndian >> 24
    } catch {
      throw .failed("placeholder key")
    }
  }

  private static func append(length: Int, to message: ByteArena) {
    for shift in [24, 16, 8, 0] { message.append(UInt8(truncatingIfNeeded: length >> shift)) }
  }
}
