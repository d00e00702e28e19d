import Foundation
import Glibc
import Testing

@testable import Installation

/// Where secrets may come from.
@Suite(.serialized) struct SecretsTests {
  /// A folder of its own, removed with this object.
  private final class Folder {
    let path = "\(NSTemporaryDirectory())/secrets-\(UUID().uuidString)"
    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ bytes: [UInt8], mode: mode_t, _ name: String = "secret") -> String {
      let file = "\(path)/\(name)"
      _ = FileManager.default.createFile(atPath: file, contents: Data(bytes))
      #expect(chmod(file, mode) == 0)
      return file
    }
  }

  private static func error(_ source: ServerConfiguration.SecretSource, production: Bool = false) -> InstallationError?
  {
    do throws(InstallationError) {
      _ = try Secrets.read(source, isProduction: production)
      return nil
    } catch {
      return error
    }
  }

  @Test(arguments: [0o600, 0o400, 0o700] as [mode_t], [false, true])
  func aPrivateFileIsRead(mode: mode_t, production: Bool) throws {
    let folder = try Folder()
    let file = folder.file(Array("geheim\r\n\n".utf8), mode: mode)
    #expect(try Secrets.read(.file(file), isProduction: production) == Array("geheim".utf8))
  }

  @Test func onlyLineEndsAtTheEndAreCut() throws {
    let folder = try Folder()
    let file = folder.file(Array(" a\nb \n".utf8), mode: 0o600)
    #expect(try Secrets.read(.file(file), isProduction: true) == Array(" a\nb ".utf8))
  }

  @Test(arguments: [0o644, 0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o777] as [mode_t])
  func aFileThatOthersMayTouchIsRefused(mode: mode_t) throws {
    let folder = try Folder()
    let file = folder.file(Array("geheim".utf8), mode: mode)
    let error = Self.error(.file(file))
    #expect(error?.code == .secretExposed && error?.hint == "chmod 600 \(file)")
    #expect(error?.description.contains("geheim") == false)
  }

  @Test func whatIsNotThereIsSaidSo() throws {
    let folder = try Folder()
    #expect(Self.error(.file("\(folder.path)/none"))?.code == .secretMissing)
    #expect(Self.error(.file(folder.path)) != nil, "a folder is no secret")
  }

  @Test(arguments: [(65_536, true), (65_537, false)]) func aSecretIsSmall(bytes: Int, isRead: Bool) throws {
    let folder = try Folder()
    let file = folder.file([UInt8](repeating: 0x61, count: bytes), mode: 0o600)
    #expect((Self.error(.file(file)) == nil) == isRead)
  }

  /// Nothing can be derived from an empty master secret: its place is named here, not a fault of a later step.
  @Test(arguments: [[], [0x0A], [0x0D, 0x0A]] as [[UInt8]]) func anEmptySecretIsNone(bytes: [UInt8]) throws {
    let folder = try Folder()
    let file = folder.file(bytes, mode: 0o600)
    #expect(Self.error(.file(file))?.code == .secretMissing)
  }

  @Test func theEnvironmentIsForDevelopment() throws {
    let name = "TORHAUS_TEST_\(UUID().uuidString.replacing("-", with: "_"))"
    #expect(Self.error(.environment(name))?.code == .secretMissing)
    setenv(name, "geheim", 1)
    defer { unsetenv(name) }
    #expect(try Secrets.read(.environment(name), isProduction: false) == Array("geheim".utf8))
    let error = Self.error(.environment(name), production: true)
    #expect(error?.code == .secretMissing && error?.message.contains("production") == true)
    #expect(error?.description.contains("geheim") == false)
  }

  @Test func credentialsLieInTheServicesFolderAndNowhereElse() throws {
    let folder = try Folder()
    _ = folder.file(Array("geheim\n".utf8), mode: 0o444, "master-key")
    let before = getenv("CREDENTIALS_DIRECTORY").map { String(cString: $0) }
    unsetenv("CREDENTIALS_DIRECTORY")
    defer {
      if let before { setenv("CREDENTIALS_DIRECTORY", before, 1) } else { unsetenv("CREDENTIALS_DIRECTORY") }
    }
    #expect(Self.error(.credential("master-key"))?.message.contains("CREDENTIALS_DIRECTORY") == true)
    setenv("CREDENTIALS_DIRECTORY", folder.path, 1)
    #expect(try Secrets.read(.credential("master-key"), isProduction: true) == Array("geheim".utf8))
    for name in ["../secret", "a/b", "", "/etc/hostname", "none", ".", ".."] {
      #expect(Self.error(.credential(name))?.code == .secretMissing, "\(name)")
    }
  }
}
