import CLinux
import Glibc

/// Reads secrets from where the configuration says; their values stay in memory only.
package enum Secrets {
  /// - Returns: The bytes without a line end at their end.
  package static func read(_ source: ServerConfiguration.SecretSource, isProduction: Bool) throws(InstallationError)
    -> [UInt8]
  {
    switch source {
    case .credential(let name):
      guard let folder = getenv("CREDENTIALS_DIRECTORY").map({ String(cString: $0) }) else {
        throw InstallationError(
          .secretMissing, "credential '\(name)': $CREDENTIALS_DIRECTORY is not set",
          hint: "start by systemd with LoadCredential=, or use file:PATH")
      }
      guard !name.isEmpty, !name.contains("/") else {
        throw InstallationError(.secretMissing, "'\(name)' is no name of a credential", hint: "write its name alone")
      }
      return try file("\(folder)/\(name)", mustBePrivate: false)
    case .file(let path): return try file(path, mustBePrivate: true)
    case .environment(let name):
      guard !isProduction else {
        throw InstallationError(
          .secretMissing, "production: true refuses secrets from the environment ('\(name)')",
          hint: "use credential:NAME or file:PATH")
      }
      guard let value = getenv(name) else {
        throw InstallationError(.secretMissing, "the environment has no '\(name)'", hint: "set it, or use file:PATH")
      }
      return Array(String(cString: value).utf8)
    }
  }

  /// The file that a secret lies in, for whoever watches it; nil if it lies in none.
  static func path(_ source: ServerConfiguration.SecretSource) -> String? {
    switch source {
    case .credential(let name): getenv("CREDENTIALS_DIRECTORY").map { "\(String(cString: $0))/\(name)" }
    case .file(let path): path
    case .environment: nil
    }
  }

  private static func file(_ path: String, mustBePrivate: Bool) throws(InstallationError) -> [UInt8] {
    let mode = th_file_mode(path)
    guard mode >= 0 else {
      throw InstallationError(
        .secretMissing, "the secret's file cannot be read", hint: "check path and owner of \(path)")
    }
    if mustBePrivate, mode & 0o077 != 0 {
      throw InstallationError(
        .secretExposed, "others may read a secret's file", hint: "chmod 600 \(path)")
    }
    guard var bytes = FileBytes.read(path, limit: 65_536) else {
      throw InstallationError(
        .secretMissing, "the secret's file cannot be read", hint: "check owner and size of \(path)")
    }
    while let last = bytes.last, last == 0x0A || last == 0x0D { bytes.removeLast() }
    guard !bytes.isEmpty else {
      throw InstallationError(.secretMissing, "the secret's file is empty", hint: "write the secret to \(path)")
    }
    return bytes
  }
}

/// Small files, whole.
package enum FileBytes {
  package static func read(_ path: String, limit: Int) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: limit + 1)
    var count = 0
    while count < bytes.count {
      let got = bytes.withUnsafeMutableBytes { buffer -> Int in
        guard let base = buffer.baseAddress else { return -1 }
        return Glibc.read(descriptor, base + count, buffer.count - count)
      }
      if got < 0, errno == EINTR { continue }
      guard got >= 0 else { return nil }
      if got == 0 { break }
      count += got
    }
    guard count <= limit else { return nil }
    bytes.removeLast(bytes.count - count)
    return bytes
  }

  /// Writes beside the target and renames: a reader sees the old file or the new one, never a part.
  package static func replace(_ path: String, with bytes: [UInt8], mode: UInt32 = 0o600) throws(InstallationError) {
    let draft = "\(path).new"
    let descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw .unwritable(path) }
    defer { close(descriptor) }
    var position = 0
    while position < bytes.count {
      let put = bytes.withUnsafeBytes { buffer -> Int in
        guard let base = buffer.baseAddress else { return -1 }
        return write(descriptor, base + position, buffer.count - position)
      }
      if put < 0, errno == EINTR { continue }
      guard put > 0 else { throw .unwritable(path) }
      position += put
    }
    guard fchmod(descriptor, mode) == 0, fsync(descriptor) == 0, rename(draft, path) == 0 else {
      throw .unwritable(path)
    }
  }

  package static func makeFolder(_ path: String) throws(InstallationError) {
    var partial = path.hasPrefix("/") ? "/" : ""
    for part in path.split(separator: "/") {
      partial += partial.isEmpty || partial.hasSuffix("/") ? String(part) : "/\(part)"
      guard mkdir(partial, 0o700) == 0 || errno == EEXIST else { throw .unwritable(partial) }
    }
  }
}
