import Testing

@testable import Frontend

@Suite("Room for bodies on their way")
struct UploadRoomTests {
  // `#expect` calls nothing that changes what it is called on.
  private func take(_ bytes: Int, _ stream: Int32, _ room: inout UploadRoom) -> Bool { room.take(bytes, for: stream) }
  private func admitFirst(_ bytes: Int, _ room: inout UploadRoom) -> Bool { room.admitFirst(bytes) }

  @Test func letsInWhatFits() {
    var room = UploadRoom(limit: 100)
    #expect(take(60, 1, &room))
    #expect(take(40, 3, &room))
    #expect(!take(1, 5, &room))
    #expect(room.first == 5)
  }

  @Test func nobodyPassesTheLine() {
    var room = UploadRoom(limit: 100)
    #expect(take(60, 1, &room))
    #expect(!take(60, 3, &room))
    #expect(!take(10, 5, &room))
    room.give(60)
    #expect(admitFirst(60, &room))
    #expect(room.first == 5)
    #expect(admitFirst(10, &room))
    #expect(room.first == nil)
    #expect(!admitFirst(1, &room))
  }

  @Test func whoLeavesIsForgotten() {
    var room = UploadRoom(limit: 100)
    #expect(take(100, 1, &room))
    #expect(!take(10, 3, &room))
    #expect(!take(10, 5, &room))
    room.leave(3)
    #expect(room.first == 5)
  }

  @Test func oneAloneAlwaysFits() {
    var room = UploadRoom(limit: 10)
    #expect(take(50, 1, &room))
    #expect(!take(1, 3, &room))
    room.give(50)
    #expect(admitFirst(1, &room))
  }
}
