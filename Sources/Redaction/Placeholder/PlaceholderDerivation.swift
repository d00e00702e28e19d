import Cryptography

/// Derives a placeholder's tag: the first 40 bits of HMAC-SHA-256 under the tenant's pseudonym key over version, purpose,
/// collision counter, scope, label and normalised value, each with its length.
enum PlaceholderDerivation {
  /// What the tag is for; a hash never equals the placeholder of the same value.
  enum Purpose: UInt8 { case placeholder = 1, hash = 2 }

  private static let version: UInt8 = 1

  /// - Parameter memory: Working memory for the message.
  static func tag(
    _ key: HMACKey, _ purpose: Purpose, scope: [UInt8], label: [UInt8], value: UnsafeRawBufferPointer, counter: UInt8,
    memory: Scratch
  ) throws(RedactionError) -> UInt64 {
    var message = memory.writer(scope.count + label.count + value.count + 16)
    message.append(version)
    message.append(purpose.rawValue)
    message.append(counter)
    message.append(length: scope.count)
    message.append(scope)
    message.append(length: label.count)
    message.append(label)
    message.append(length: value.count)
    message.append(value)
    do {
      return try key.authenticate(message.bytes).words.0.bigEndian >> 24
    } catch {
      throw .failed("placeholder key")
    }
  }
}
