internal import Crypto
internal import Cryptography
internal import Glibc
package import SealedLog
internal import Synchronization

/// Keys as files in one folder, each sealed under a root key that lies elsewhere.
///
/// `<tenant>-<purpose>.<version>.key`, 0600: magic and 32 random bytes under the root key. Destroying a version
/// overwrites the file, unlinks it and syncs the folder; how final that is depends on the disk and on copies, so backups
/// leave this folder out.
package final class FileKeyProvider: KeyProvider {
  private static let magic: [UInt8] = Array("THKEK".utf8) + [0x00, 0x01, 0x0A]
  private static let signingFile = "installation.key"
  private static let living = ".key"
  private static let destroyed = ".gone"

  private let folder: String
  private let rootKey: [UInt8]
  private let signingKey: Curve25519.Signing.PrivateKey
  /// One change at a time; reads of files need no lock.
  private let changing = Mutex(())
  /// Of names with more than one version: the numbers that were seen, ascending. With tens of thousands of keys the folder
  /// is read once; whether there is a next number, its file says, which another process may have made.
  private let seen: Mutex<[String: [UInt32]]>

  /// Opens the folder, or begins one: then the installation's signing key is made.
  /// - Parameters:
  ///   - folder: Made 0700 when missing.
  ///   - rootKey: 32 bytes (`keys.master`).
  /// - Throws: `notAuthentic` when the folder was made under another root key; `notFound` when it holds tenants' keys
  ///   and no signing key: a new one would make every segment that was signed before look modified.
  package init(folder: String, rootKey: [UInt8]) throws(KeyProviderError) {
    guard rootKey.count == 32 else { throw KeyProviderError(.wrongLength, "root key") }
    guard mkdir(folder, 0o700) == 0 || errno == EEXIST else { throw KeyProviderError(.unavailable, "mkdir \(errno)") }
    self.folder = folder
    self.rootKey = rootKey
    let path = "\(folder)/\(Self.signingFile)"
    var seed: [UInt8]
    if let stored = try KeyFile.read(path) {
      seed = try Self.open(stored, name: Self.signingFile, rootKey: rootKey)
    } else {
      try Self.requireNoKeys(in: folder)
      seed = try KeyWrapping.newKey()
      let sealed = try Self.seal(seed, name: Self.signingFile, rootKey: rootKey)
      try KeyFile.create(path, sealed, folder: folder)
    }
    defer { SecureBytes.wipe(&seed) }
    guard let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed) else {
      throw KeyProviderError(.notAuthentic, "installation key")
    }
    signingKey = key
    seen = Mutex(Self.numbers(in: try KeyFile.names(in: folder)).filter { $0.value != [1] })
  }

  /// A folder with keys, or with the marks of destroyed ones, is not a new one.
  private static func requireNoKeys(in folder: String) throws(KeyProviderError) {
    guard try !KeyFile.names(in: folder).contains(where: { $0.hasSuffix(living) || $0.hasSuffix(destroyed) }) else {
      throw KeyProviderError(.notFound, signingFile)
    }
  }

  private static func seal(_ key: [UInt8], name: String, rootKey: [UInt8]) throws(KeyProviderError) -> [UInt8] {
    magic + (try KeyWrapping.seal(key, key: rootKey, data: Array("torhaus/keyfile/v1 \(name)\0".utf8)))
  }

  private static func open(_ file: [UInt8], name: String, rootKey: [UInt8]) throws(KeyProviderError) -> [UInt8] {
    guard file.starts(with: magic) else { throw KeyProviderError(.notAuthentic, name) }
    do throws(KeyProviderError) {
      return try KeyWrapping.open(
        Array(file[magic.count...]), key: rootKey, data: Array("torhaus/keyfile/v1 \(name)\0".utf8))
    } catch { throw KeyProviderError(error.code, name) }
  }

  private func fileName(_ name: KeyName, _ version: UInt32) -> String { "\(name).\(version)\(Self.living)" }

  private func key(_ name: KeyName, _ version: UInt32) throws(KeyProviderError) -> [UInt8] {
    let file = fileName(name, version)
    guard let bytes = try KeyFile.read("\(folder)/\(file)") else { throw KeyProviderError(.notFound, file) }
    return try Self.open(bytes, name: file, rootKey: rootKey)
  }

  private func make(_ name: KeyName, _ version: UInt32) throws(KeyProviderError) {
    var key = try KeyWrapping.newKey()
    defer { SecureBytes.wipe(&key) }
    let file = fileName(name, version)
    try KeyFile.create(
      "\(folder)/\(file)", try Self.seal(key, name: file, rootKey: rootKey), folder: folder)
  }

  package func create(_ name: KeyName) throws(KeyProviderError) {
    try changing.withLock { (_) throws(KeyProviderError) in
      guard try numbers(of: name).isEmpty else {
        throw KeyProviderError(.exists, name.description)
      }
      try make(name, 1)
    }
  }

  package func wrap(_ secret: [UInt8], under name: KeyName, authenticating data: [UInt8])
    throws(KeyProviderError) -> WrappedKey
  {
    guard let version = try versions(of: name).last else { throw KeyProviderError(.notFound, name.description) }
    var key = try key(name, version)
    defer { SecureBytes.wipe(&key) }
    return WrappedKey(
      version: version, bytes: try KeyWrapping.wrap(secret, key: key, name: name, version: version, data: data))
  }

  package func unwrap(_ wrapped: WrappedKey, under name: KeyName, authenticating data: [UInt8])
    throws(KeyProviderError) -> [UInt8]
  {
    var key = try key(name, wrapped.version)
    defer { SecureBytes.wipe(&key) }
    return try KeyWrapping.unwrap(wrapped.bytes, key: key, name: name, version: wrapped.version, data: data)
  }

  package func rotate(_ name: KeyName) throws(KeyProviderError) -> UInt32 {
    try changing.withLock { (_) throws(KeyProviderError) in
      guard try !versions(of: name).isEmpty, let newest = try numbers(of: name).last, newest < .max else {
        throw KeyProviderError(.notFound, name.description)
      }
      try make(name, newest + 1)
      return newest + 1
    }
  }

  package func destroy(_ name: KeyName, versions: [UInt32]) throws(KeyProviderError) {
    try changing.withLock { (_) throws(KeyProviderError) in
      for version in versions {
        // Keeps the number from being used again, then destroys: a crash between the two is repeated by the caller
        if try KeyFile.exists("\(folder)/\(fileName(name, version))") {
          try KeyFile.mark("\(folder)/\(name).\(version)\(Self.destroyed)")
        }
        try KeyFile.destroy("\(folder)/\(fileName(name, version))")
      }
      try KeyFile.synchronizeFolder(folder)
    }
  }

  package func versions(of name: KeyName) throws(KeyProviderError) -> [UInt32] {
    var living: [UInt32] = []
    for number in try numbers(of: name) where try KeyFile.exists("\(folder)/\(fileName(name, number))") {
      living.append(number)
    }
    return living
  }

  private static func numbers(in files: [String]) -> [String: [UInt32]] {
    var found: [String: Set<UInt32>] = [:]
    for file in files {
      guard let ending = [living, destroyed].first(where: { file.hasSuffix($0) }) else { continue }
      let stem = file.dropLast(ending.count)
      guard let dot = stem.lastIndex(of: "."), let number = UInt32(stem[stem.index(after: dot)...]) else { continue }
      found[String(stem[..<dot]), default: []].insert(number)
    }
    return found.mapValues { $0.sorted() }
  }

  /// Every number that a key of this name was ever given, ascending. Each keeps its file or the mark of a destroyed one.
  private func numbers(of name: KeyName) throws(KeyProviderError) -> [UInt32] {
    let text = name.description
    var numbers = seen.withLock { $0[text] } ?? []
    while let next = numbers.isEmpty ? 1 : numbers.last.map({ $0 &+ 1 }), next > 0, try isGiven(text, next) {
      numbers.append(next)
    }
    if numbers.count > 1 { seen.withLock { [numbers] in $0[text] = numbers } }
    return numbers
  }

  private func isGiven(_ name: String, _ number: UInt32) throws(KeyProviderError) -> Bool {
    for ending in [Self.living, Self.destroyed] where try KeyFile.exists("\(folder)/\(name).\(number)\(ending)") {
      return true
    }
    return false
  }

  package func sign(_ message: [UInt8]) throws(KeyProviderError) -> [UInt8] {
    do { return Array(try signingKey.signature(for: message)) } catch { throw KeyProviderError(.unavailable, "sign") }
  }

  package func installationKey() throws(KeyProviderError) -> [UInt8] { Array(signingKey.publicKey.rawRepresentation) }

  package func status() -> KeyProviderStatus {
    access(folder, R_OK | W_OK | X_OK) == 0
      ? KeyProviderStatus(.ready, kind: "file")
      : KeyProviderStatus(.unavailable, kind: "file", detail: "folder: errno \(errno)")
  }
}
