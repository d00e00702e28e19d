import Foundation
import KeyProviders
import SealedLog
import Tenancy
import Testing

/// Every key provider keeps these rules; a new one joins by adding a case.
enum KeyProviderKind: CaseIterable, Sendable { case file, memory }

private struct Provider: ~Copyable {
  let provider: any KeyProvider
  private let folder: String

  init(_ kind: KeyProviderKind) throws {
    folder = NSTemporaryDirectory() + "/keyprovider-\(UUID().uuidString)"
    provider =
      switch kind {
      case .file: try FileKeyProvider(folder: folder, rootKey: [UInt8](repeating: 3, count: 32))
      case .memory: MemoryKeyProvider()
      }
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }
}

private let name = KeyName(tenant: TenantID(1), purpose: .erasure)
private let other = KeyName(tenant: TenantID(2), purpose: .erasure)

private func code(_ body: () throws -> Void) -> KeyProviderError.Code? {
  do {
    try body()
    return nil
  } catch { return (error as? KeyProviderError)?.code }
}

@Test(arguments: KeyProviderKind.allCases, [1, 16, 32, 63, 64])
func wrappedSecretsComeBack(kind: KeyProviderKind, length: Int) throws {
  let made = try Provider(kind)
  let provider = made.provider
  try provider.create(name)
  let secret = (0..<length).map { UInt8($0) }
  let wrapped = try provider.wrap(secret, under: name, authenticating: [1])
  #expect(wrapped.version == 1)
  #expect(try provider.unwrap(wrapped, under: name, authenticating: [1]) == secret)
  #expect(try provider.wrap(secret, under: name, authenticating: [1]) != wrapped)
}

@Test(arguments: KeyProviderKind.allCases)
func secretsOfOtherLengthsAreRefused(kind: KeyProviderKind) throws {
  let made = try Provider(kind)
  let provider = made.provider
  try provider.create(name)
  for length in [0, 65, 1000] {
    #expect(
      code { _ = try provider.wrap([UInt8](repeating: 1, count: length), under: name, authenticating: []) }
        == .wrongLength)
  }
}

@Test(arguments: KeyProviderKind.allCases)
func wrappedSecretsFitOnlyWhereTheyWereMade(kind: KeyProviderKind) throws {
  let made = try Provider(kind)
  let provider = made.provider
  try provider.create(name)
  try provider.create(other)
  let wrapped = try provider.wrap([1, 2, 3], under: name, authenticating: [7])
  #expect(code { _ = try provider.unwrap(wrapped, under: name, authenticating: [8]) } == .notAuthentic)
  #expect(code { _ = try provider.unwrap(wrapped, under: other, authenticating: [7]) } == .notAuthentic)
  for index in wrapped.bytes.indices {
    var bytes = wrapped.bytes
    bytes[index] ^= 1
    let damaged = WrappedKey(version: 1, bytes: bytes)
    #expect(code { _ = try provider.unwrap(damaged, under: name, authenticating: [7]) } == .notAuthentic)
  }
  for bytes in [[], [1], [UInt8](repeating: 0, count: 28)] {
    #expect(
      code { _ = try provider.unwrap(WrappedKey(version: 1, bytes: bytes), under: name, authenticating: [7]) }
        == .notAuthentic)
  }
}

@Test(arguments: KeyProviderKind.allCases)
func namesAreTakenOnceAndUnknownOnesAreNotFound(kind: KeyProviderKind) throws {
  let made = try Provider(kind)
  let provider = made.provider
  #expect(try provider.versions(of: name) == [])
  #expect(code { _ = try provider.wrap([1], under: name, authenticating: []) } == .notFound)
  #expect(code { _ = try provider.rotate(name) } == .notFound)
  try provider.create(name)
  #expect(code { try provider.create(name) } == .exists)
  #expect(try provider.versions(of: name) == [1])
}

@Test(arguments: KeyProviderKind.allCases)
func rotationWrapsWithTheNewAndStillOpensTheOld(kind: KeyProviderKind) throws {
  let made = try Provider(kind)
  let provider = made.provider
  try provider.create(name)
  let old = try provider.wrap([1], under: name, authenticating: [])
  #expect(try provider.rotate(name) == 2)
  let new = try provider.wrap([2], under: name, authenticating: [])
  #expect(new.version == 2)
  #expect(try provider.unwrap(old, under: name, authenticating: []) == [1])
  #expect(try provider.unwrap(new, under: name, authenticating: []) == [2])
  let confused = WrappedKey(version: 2, bytes: old.bytes)
  #expect(code { _ = try provider.unwrap(confused, under: name, authenticating: []) } == .notAuthentic)
}

@Test(arguments: KeyProviderKind.allCases)
func destroyedVersionsAreGoneAndTheirNumbersToo(kind: KeyProviderKind) throws {
  let made = try Provider(kind)
  let provider = made.provider
  try provider.create(name)
  let old = try provider.wrap([1], under: name, authenticating: [])
  #expect(try provider.rotate(name) == 2)
  try provider.destroy(name, versions: [1])
  try provider.destroy(name, versions: [1, 9])  // again, as after a crash
  #expect(code { _ = try provider.unwrap(old, under: name, authenticating: []) } == .notFound)
  #expect(try provider.versions(of: name) == [2])
  try provider.destroy(name, versions: [2])
  #expect(try provider.versions(of: name) == [])
  #expect(code { _ = try provider.wrap([1], under: name, authenticating: []) } == .notFound)
  #expect(code { _ = try provider.rotate(name) } == .notFound)
  #expect(code { try provider.create(name) } == .exists)
}

@Test(arguments: KeyProviderKind.allCases)
func signaturesAreByTheInstallationKey(kind: KeyProviderKind) throws {
  let made = try Provider(kind)
  let provider = made.provider
  let signature = try provider.sign([1, 2, 3])
  #expect(signature.count == 64)
  #expect(try provider.installationKey().count == 32)
  let certified = try NodeSigner(node: NodeID(5), now: 1_800_000_000, keys: provider).certificate
  #expect(certified.isIssued(by: try provider.installationKey()))
  #expect(!certified.isIssued(by: try MemoryKeyProvider().installationKey()))
  #expect(provider.status().state == .ready)
}
