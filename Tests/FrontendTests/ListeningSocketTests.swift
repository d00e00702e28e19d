import Foundation
import Testing

@testable import Frontend

@Suite("Sockets as files")
struct ListeningSocketTests {
  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "th-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder.path)
  }

  @Test(arguments: [0o600, 0o660, 0o666] as [UInt32])
  func theFileHasItsMode(mode: UInt32) throws {
    try withFolder { folder in
      let socket = try ListeningSocket(.file(path: "\(folder)/s", mode: mode))
      let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder)/s")
      #expect(attributes[.posixPermissions] as? Int == Int(mode))
      #expect(socket.port == 0 && ListeningSocket.isLocal(socket.descriptor))
      socket.discard()
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/s"))
    }
  }

  @Test func onlyASocketThatNobodyServesIsReplaced() throws {
    try withFolder { folder in
      let path = "\(folder)/s"
      let first = try ListeningSocket(.file(path: path, mode: 0o600))
      #expect { try ListeningSocket(.file(path: path, mode: 0o600)) } throws: {
        if case ListenerError.portTaken = $0 { true } else { false }
      }
      close(first.descriptor)  // as a killed process leaves it
      let second = try ListeningSocket(.file(path: path, mode: 0o600))
      second.discard()
      try Data("precious".utf8).write(to: URL(filePath: path))
      #expect { try ListeningSocket(.file(path: path, mode: 0o600)) } throws: {
        if case ListenerError.noSocketPath = $0 { true } else { false }
      }
      #expect(try String(contentsOfFile: path, encoding: .utf8) == "precious")
    }
  }

  @Test(arguments: ["", String(repeating: "x", count: 108), "/nowhere/at/all/s"])
  func aPathThatCannotBeASocketIsRefused(path: String) {
    #expect(throws: ListenerError.self) { try ListeningSocket(.file(path: path, mode: 0o600)) }
  }

  @Test func whoListensOnAllAddressesIsNotLocal() throws {
    for (address, isLocal) in [("127.0.0.1", true), ("0.0.0.0", false)] {
      let socket = try ListeningSocket(.network(address: address, port: 0))
      #expect(ListeningSocket.isLocal(socket.descriptor) == isLocal && socket.port > 0)
      socket.discard()
    }
  }
}
