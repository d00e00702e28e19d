import Foundation
import Testing

@testable import Staging

/// What a process leaves in staged memory when it dies, and what the next one makes of it.
struct StagedReplayTests {
  private let folder: String
  private var staged: String { folder + "/staged" }

  init() throws {
    // In memory: each replay syncs its volume.
    let base = FileManager.default.isWritableFile(atPath: "/dev/shm") ? "/dev/shm/" : NSTemporaryDirectory()
    folder = base + "staging-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder + "/log", withIntermediateDirectories: true)
  }

  private func withFolder(_ body: () throws -> Void) rethrows {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body()
  }

  private func write(_ name: String, _ text: String) throws {
    try text.write(toFile: folder + "/" + name, atomically: false, encoding: .utf8)
  }

  private func read(_ name: String) -> String? { try? String(contentsOfFile: folder + "/" + name, encoding: .utf8) }

  private struct Piece {
    var path: String
    var offset: Int
    var text: String
    var isVoid = false
  }

  /// A process that stages pieces and dies.
  private func leave(_ pieces: [Piece], half: Int = 0, generation: UInt64 = 1, in memory: StagedMemory? = nil) throws {
    let memory = try memory ?? StagedMemory(path: staged, halfBytes: 65_536)
    memory.empty(half, generation: generation)
    var used = 0
    for piece in pieces {
      let bytes = Array(piece.text.utf8)
      let path = Array(piece.path.utf8)
      #expect(memory.hasRoom(at: used, path: path.count, bytes: bytes.count))
      let (_, end) = bytes.withUnsafeBytes { memory.append(half, at: used, to: path, offset: piece.offset, $0) }
      if piece.isVoid { memory.void(half, pieceAt: used) }
      used = end
    }
  }

  @Test func piecesComeIntoTheirFilesAndOnlyOnce() throws {
    try withFolder {
      try write("log/a", "one ")
      try write("log/b", "")
      try leave([
        Piece(path: "log/a", offset: 4, text: "two "), Piece(path: "log/b", offset: 0, text: "x"),
        Piece(path: "log/a", offset: 8, text: "three"),
      ])
      let report = try StagedReplay.run(staged, into: folder)
      #expect(report.bytes == 10 && report.files == 2 && report.homeless == 0)
      #expect(read("log/a") == "one two three" && read("log/b") == "x")
      try write("log/a", "one ")  // cut by whoever has gone on with it
      #expect(try StagedReplay.run(staged, into: folder) == StagedReplay.Report())
      #expect(read("log/a") == "one ")
    }
  }

  @Test func whatIsInTheFileAlreadyStaysAndTheRestFollows() throws {
    try withFolder {
      try write("log/a", "one tw")
      try leave([Piece(path: "log/a", offset: 0, text: "one "), Piece(path: "log/a", offset: 4, text: "two three")])
      #expect(try StagedReplay.run(staged, into: folder).bytes == 7)
      #expect(read("log/a") == "one two three")
    }
  }

  @Test func theOlderHalfComesFirst() throws {
    try withFolder {
      try write("log/a", "")
      let memory = try StagedMemory(path: staged, halfBytes: 65_536)
      try leave([Piece(path: "log/a", offset: 3, text: "new")], half: 0, generation: 8, in: memory)
      try leave([Piece(path: "log/a", offset: 0, text: "old")], half: 1, generation: 7, in: memory)
      try StagedReplay.run(staged, into: folder)
      #expect(read("log/a") == "oldnew")
    }
  }

  @Test func whereSomethingElseStandsSomebodyHasGoneOn() throws {
    try withFolder {
      try write("log/a", "one FOOTER")
      try leave([Piece(path: "log/a", offset: 4, text: "two"), Piece(path: "log/a", offset: 7, text: " and three")])
      #expect(try StagedReplay.run(staged, into: folder).homeless == 2)
      #expect(read("log/a") == "one FOOTER")
    }
  }

  @Test func whatIsNoFileIsLeftAlone() throws {
    try withFolder {
      #expect(mkfifo(folder + "/log/pipe", 0o600) == 0)
      try FileManager.default.createDirectory(atPath: folder + "/log/folder", withIntermediateDirectories: true)
      try leave([Piece(path: "log/pipe", offset: 0, text: "x"), Piece(path: "log/folder", offset: 0, text: "x")])
      #expect(try StagedReplay.run(staged, into: folder).homeless == 2)
    }
  }

  @Test func whatFollowsAGapHasNoPlace() throws {
    try withFolder {
      try write("log/a", "one")
      try leave([Piece(path: "log/a", offset: 4, text: "x"), Piece(path: "log/a", offset: 3, text: "y")])
      let report = try StagedReplay.run(staged, into: folder)
      #expect(report.homeless == 2 && read("log/a") == "one")
    }
  }

  @Test func voidPiecesAndEmptyHalvesAreNothing() throws {
    try withFolder {
      try write("log/a", "")
      let memory = try StagedMemory(path: staged, halfBytes: 65_536)
      try leave([Piece(path: "log/a", offset: 0, text: "x", isVoid: true)], half: 0, generation: 1, in: memory)
      try leave([Piece(path: "log/a", offset: 0, text: "y")], half: 1, generation: 2, in: memory)
      memory.empty(1, generation: 0)
      #expect(try StagedReplay.run(staged, into: folder).bytes == 0)
      #expect(read("log/a") == "")
    }
  }

  @Test func anotherBootLeavesNothing() throws {
    try withFolder {
      try write("log/a", "")
      try leave([Piece(path: "log/a", offset: 0, text: "x")])
      let handle = try #require(FileHandle(forUpdatingAtPath: staged))
      try handle.seek(toOffset: 16)
      try handle.write(contentsOf: Data([0xFF, 0xFE]))
      try handle.close()
      #expect(try StagedReplay.run(staged, into: folder).bytes == 0)
      #expect(read("log/a") == "")
    }
  }

  @Test(arguments: ["../outside", "/outside", "log/../../outside", "log//a", "log/./a", "", "log/link", "log/missing"])
  func nothingIsWrittenOutsideOrThroughALink(path: String) throws {
    try withFolder {
      let outside = folder + "-outside"
      defer { try? FileManager.default.removeItem(atPath: outside) }
      #expect(FileManager.default.createFile(atPath: outside, contents: Data()))
      try write("log/a", "")
      try FileManager.default.createSymbolicLink(atPath: folder + "/log/link", withDestinationPath: outside)
      try leave([Piece(path: path, offset: 0, text: "x")])
      #expect(try StagedReplay.run(staged, into: folder).homeless == 1)
      #expect(read("log/a") == "" && FileManager.default.contents(atPath: outside) == Data())
      #expect(!FileManager.default.fileExists(atPath: folder + "/log/missing"))
    }
  }

  @Test func aFileThatCannotBeWrittenLeavesEverythingForTheNextTry() throws {
    try withFolder {
      try write("log/b", "")
      try write("log/a", "")
      try leave([Piece(path: "log/b", offset: 0, text: "b"), Piece(path: "log/a", offset: 0, text: "a")])
      // A program that runs cannot be written to: the one fault that root meets, too.
      try FileManager.default.removeItem(atPath: folder + "/log/a")
      try FileManager.default.copyItem(atPath: "/bin/sleep", toPath: folder + "/log/a")
      let sleeper = Process()
      sleeper.executableURL = URL(fileURLWithPath: folder + "/log/a")
      sleeper.arguments = ["60"]
      try sleeper.run()
      #expect(throws: StagingError.self) { try StagedReplay.run(staged, into: folder) }
      kill(sleeper.processIdentifier, SIGKILL)
      sleeper.waitUntilExit()
      try FileManager.default.removeItem(atPath: folder + "/log/a")
      try write("log/a", "")
      try StagedReplay.run(staged, into: folder)
      #expect(read("log/a") == "a" && read("log/b") == "b")
    }
  }

  @Test func filesBeyondTheNumberOfOpenOnesAreWritten() throws {
    try withFolder {
      for number in 0..<600 { try write("log/\(number)", "") }
      let pieces = (0..<1200).map { Piece(path: "log/\($0 % 600)", offset: $0 / 600, text: "\($0 / 600)") }
      try leave(pieces)
      let report = try StagedReplay.run(staged, into: folder)
      #expect(report.files == 600 && report.bytes == 1200)
      #expect((0..<600).allSatisfy { read("log/\($0)") == "01" })
    }
  }

  @Test func damagedMemoryNeverTrapsAndNeverReachesOut() throws {
    try withFolder {
      try write("log/a", "")
      try leave([
        Piece(path: "log/a", offset: 0, text: String(repeating: "x", count: 99)),
        Piece(path: "log/a", offset: 99, text: "y"),
      ])
      let whole = try #require(FileManager.default.contents(atPath: staged))
      var random = SystemRandomNumberGenerator()
      for _ in 0..<2_000 {
        var bytes = whole
        for _ in 0..<Int.random(in: 1...4, using: &random) {
          let place = Bool.random(using: &random) ? Int.random(in: 0..<96) : 4096 + Int.random(in: 0..<200)
          guard !(16..<32).contains(place) else { continue }
          bytes[place] = Bool.random(using: &random) ? 0xFF : UInt8.random(in: 0...255, using: &random)
        }
        if Int.random(in: 0..<8, using: &random) == 0 { bytes = bytes.prefix(Int.random(in: 0..<bytes.count)) }
        #expect(FileManager.default.createFile(atPath: staged, contents: bytes))
        _ = try? StagedReplay.run(staged, into: folder)
      }
      let names = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(Set(names).isSubset(of: ["log", "staged"]))
    }
  }
}
