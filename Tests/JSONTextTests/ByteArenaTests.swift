import Testing

@testable import JSONText

@Suite("Byte arenas")
struct ByteArenaTests {
  private func text(_ arena: ByteArena) -> String { String(decoding: arena.bytes, as: UTF8.self) }

  @Test("An arena has no memory before it holds something, and can be emptied, wiped and read all the same")
  func empty() {
    let arena = ByteArena(capacity: 4096)
    #expect(arena.capacity == 0 && arena.bytes.isEmpty)
    arena.reset()
    arena.wipe()
    arena.truncate(to: 0)
    arena.dropFirst(3)
    arena.append([UInt8]())
    arena.append("")
    #expect(arena.capacity == 0 && arena.bytes.isEmpty)
  }

  @Test("The first append takes the capacity asked for, later ones double it, and nothing is lost on the way")
  func growth() {
    let arena = ByteArena(capacity: 100)
    arena.append(0x61)
    #expect(arena.capacity == 100)
    for _ in 0..<100 { arena.append("b") }
    #expect(arena.capacity == 200 && text(arena) == "a" + String(repeating: "b", count: 100))
    arena.append([UInt8](repeating: 0x63, count: 1000))
    #expect(arena.count == 1101 && text(arena).hasSuffix("bbccc" + String(repeating: "c", count: 997)))
  }

  @Test("What is appended lies whole at the end, also where the room ends within it", arguments: 25..<70)
  func appendsAtTheEdgeOfItsRoom(length: Int) {
    let lead = String(repeating: "x", count: length)
    let long = "a text of more than fifteen bytes"
    for (name, append) in [
      ("constant", { $0.append("a text of more than fifteen bytes") }), ("string", { $0.append(utf8: long) }),
      ("array", { $0.append(Array(long.utf8)) }), ("bytes", { arena in for byte in long.utf8 { arena.append(byte) } }),
    ] as [(String, (ByteArena) -> Void)] {
      let arena = ByteArena(capacity: 64)
      arena.append(utf8: lead)
      append(arena)
      #expect(text(arena) == lead + long, "\(name)")
    }
    let arena = ByteArena(capacity: 64)
    arena.append(utf8: lead)
    arena.append(utf8: "short")
    arena.append(utf8: "")
    #expect(text(arena) == lead + "short")
  }

  @Test("What has grown too large is given back at a reset, and the arena serves again")
  func givenBack() {
    let arena = ByteArena(capacity: 64)
    arena.append([UInt8](repeating: 1, count: 1000))
    arena.reset(keeping: 1000)
    #expect(arena.capacity == 1000 && arena.bytes.isEmpty)
    arena.reset(keeping: 999)
    #expect(arena.capacity == 0)
    arena.append(utf8: "again")
    #expect(text(arena) == "again")
  }

  @Test("Wiped bytes are zeros where they lay")
  func wiped() {
    let arena = ByteArena(capacity: 64)
    arena.append("secret")
    let memory = UnsafeRawBufferPointer(start: arena.base, count: 6)
    arena.wipe()
    #expect(arena.count == 0 && memory.allSatisfy { $0 == 0 })
  }

  @Test("The front can be dropped, at most all of it")
  func dropsFromTheFront() {
    let arena = ByteArena()
    arena.append("0123456789")
    arena.dropFirst(4)
    #expect(text(arena) == "456789")
    arena.dropFirst(99)
    #expect(arena.count == 0)
  }
}
