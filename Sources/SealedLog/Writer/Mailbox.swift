internal import Dispatch
internal import Synchronization

/// Messages of other threads to the writer, and what wakes it.
final class Mailbox: Sendable {
  let wake = WakeUp()
  private let messages = Mutex<[WriterMessage]>([])

  func post(_ message: WriterMessage) {
    messages.withLock { $0.append(message) }
    wake.signal()
  }

  func take() -> [WriterMessage] {
    messages.withLock { messages in
      guard !messages.isEmpty else { return [] }
      defer { messages = [] }
      return messages
    }
  }

  var isEmpty: Bool { messages.withLock { $0.isEmpty } }
}

/// The answer to a change of journal files.
final class JournalSwitch: Sendable {
  private let answer = Mutex<SealedLogError?>(nil)
  private let semaphore = DispatchSemaphore(value: 0)

  func finish(_ error: SealedLogError?) {
    answer.withLock { $0 = error }
    semaphore.signal()
  }

  func wait() throws(SealedLogError) {
    semaphore.wait()
    if let error = answer.withLock({ $0 }) { throw error }
  }
}

/// What other threads may read of the writer at any time.
final class WriterStatus: Sendable {
  /// Monotonic, when the batch in work began; 0: none.
  let busySince = Atomic<UInt64>(0)
  private let isFailing = Atomic<Bool>(false)
  private let journalFault = Atomic<Int32>(0)
  private let reason = Mutex<SealedLogError?>(nil)

  func tell(fault: SealedLogError?) {
    guard fault != nil || isFailing.load(ordering: .relaxed) else { return }
    reason.withLock { $0 = fault }
    isFailing.store(fault != nil, ordering: .relaxed)
  }

  func tell(journalFault number: Int32) { journalFault.store(number, ordering: .relaxed) }

  var isJournalFailing: Bool { journalFault.load(ordering: .relaxed) != 0 }

  var fault: SealedLogError? {
    let number = journalFault.load(ordering: .relaxed)
    if number != 0 { return .disk("journal", number) }
    return isFailing.load(ordering: .relaxed) ? reason.withLock { $0 } : nil
  }
}
