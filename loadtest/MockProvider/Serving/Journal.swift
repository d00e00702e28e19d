import NIOConcurrencyHelpers
import NIOCore

/// Remembers the last requests and the bill; shared by all connections, one short lock per request.
final class Journal: Sendable {
  private struct Entry {
    var head = ByteBuffer()
    var body = ByteBuffer()
    var byteCount: Int { head.readableBytes + body.readableBytes }
  }
  private struct State {
    var entries: [Entry] = []
    var next = 0
    var heldBytes = 0
    var report = MockReport()
    var sequence: UInt64 = 0
    var failures: [String: Int] = [:]
  }

  /// Bytes of requests that are kept in all; older ones give way.
  private static let byteLimit = 67_108_864
  /// A slot that grew beyond this gives its memory back when it is used again.
  private static let slotBytes = 65_536

  private let limit: Int
  private let state = NIOLockedValueBox(State())
  /// What lies with the mock.
  let house = BatchHouse()

  /// - Parameter limit: How many requests are kept.
  init(limit: Int) { self.limit = max(0, limit) }

  /// Keeps a request, charges for it if it is answered already, and returns its number, from 1.
  func record(head: ByteBuffer, body: ByteBuffer, charge: MockUsage? = nil) -> UInt64 {
    state.withLockedValue { state in
      state.report.received += 1
      state.sequence += 1
      if let charge { Self.add(charge, to: &state.report.billed) }
      if limit > 0 { Self.keep(head, body, limit, &state) }
      return state.sequence
    }
  }

  func charge(_ usage: MockUsage) {
    state.withLockedValue { Self.add(usage, to: &$0.report.billed) }
  }

  /// Counts a failure of `model` and says whether it was within the first `limit`.
  func fails(model: String, limit: Int) -> Bool {
    state.withLockedValue { state in
      guard state.failures.count < 65_536 else { return false }
      let count = state.failures[model, default: 0]
      state.failures[model] = count &+ 1
      return count < limit
    }
  }

  func connectionOpened() {
    state.withLockedValue {
      $0.report.connectionsAccepted += 1
      $0.report.connectionsOpen += 1
    }
  }

  func connectionClosed() { state.withLockedValue { $0.report.connectionsOpen -= 1 } }

  func reset() {
    house.reset()
    state.withLockedValue { state in
      let open = state.report.connectionsOpen
      let sequence = state.sequence
      state = State()
      state.sequence = sequence
      state.report.connectionsOpen = open
    }
  }

  var bill: MockBill { state.withLockedValue { $0.report.billed } }

  /// - Parameter last: How many of the kept requests are wanted.
  func report(last: Int = .max) -> MockReport {
    let (entries, report) = state.withLockedValue { state in
      let isFull = state.entries.count == limit
      let ordered = isFull ? state.entries[state.next...] + state.entries[..<state.next] : state.entries[...]
      return (ordered.filter { $0.byteCount > 0 }, state.report)
    }
    var whole = report
    whole.requests = entries.suffix(max(0, last)).map { JournalEntryText.request(head: $0.head, body: $0.body) }
    return whole
  }

  private static func add(_ usage: MockUsage, to bill: inout MockBill) {
    bill.requests += 1
    bill.promptTokens += usage.promptTokens
    bill.completionTokens += usage.completionTokens
  }

  private static func keep(_ head: ByteBuffer, _ body: ByteBuffer, _ limit: Int, _ state: inout State) {
    if state.entries.count < limit {
      state.entries.append(Entry())
      state.next = state.entries.count - 1
    }
    let index = state.next
    state.heldBytes -= state.entries[index].byteCount
    if state.entries[index].body.capacity > slotBytes { state.entries[index].body = ByteBuffer() }
    state.entries[index].head.clear()
    state.entries[index].head.writeImmutableBuffer(head)
    state.entries[index].body.clear()
    state.entries[index].body.writeImmutableBuffer(body)
    state.heldBytes += state.entries[index].byteCount
    state.next = (index + 1) % limit
    var oldest = state.next
    while state.heldBytes > byteLimit, oldest != index {
      if oldest < state.entries.count {
        state.heldBytes -= state.entries[oldest].byteCount
        state.entries[oldest] = Entry()
      }
      oldest = (oldest + 1) % limit
    }
  }
}
