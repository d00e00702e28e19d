/// A random 128-bit id of one kind of thing; ids carry no clock and no counter.
///
/// Text form: 32 lower-case hex digits.
public struct Identifier<Kind>: Hashable, Sendable, CustomStringConvertible {
  public let value: UInt128

  public init(_ value: UInt128) { self.value = value }

  /// Reads the text form; anything else is nil.
  public init?(_ text: some StringProtocol) {
    guard text.utf8.count == 32, text.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }),
      let value = UInt128(text, radix: 16)
    else { return nil }
    self.value = value
  }

  public var description: String {
    // By hand: the standard library's way for 128 bits is generic and a hundred times slower, and this is on every
    // record.
    String(unsafeUninitializedCapacity: 32) { digits in
      for index in 0..<32 {
        let digit = UInt8(truncatingIfNeeded: value >> UInt128(4 &* (31 &- index))) & 15
        digits[index] = digit < 10 ? 0x30 &+ digit : 0x57 &+ digit
      }
      return 32
    }
  }

  /// 16 bytes, most significant first, as the text form reads.
  public var bytes: [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }
}

public enum TenantKind {}
public enum ProjectKind {}
public enum UserKind {}
public enum KeyKind {}

/// A client company.
public typealias TenantID = Identifier<TenantKind>
/// A department or application of a tenant.
public typealias ProjectID = Identifier<ProjectKind>
/// A person.
public typealias UserID = Identifier<UserKind>
/// An API key.
public typealias KeyID = Identifier<KeyKind>
