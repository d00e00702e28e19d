import Inference
import JSONText
import SealedLog
import Tenancy

/// What a loop gives to its helpers, and how it goes on when that comes back.
extension RequestPipeline {
  /// Gives a piece of work away.
  /// - Parameter bytes: How much there is to work on; up to ``Limits/ownWorkBytes`` a thread hop costs more than it saves.
  /// - Returns: False if the loop does it itself, now.
  func lend(_ exchange: Exchange, _ part: LentWork.Part, bytes: Int) -> Bool {
    guard bytes > limits.ownWorkBytes, let helpers, let caller = exchange.caller else { return false }
    let work = LentWork(exchange, part, tenant: caller.principal.tenant, loop: loop, bytes: bytes)
    exchange.lent = work
    if helpers.submit(work) { return true }
    exchange.lent = nil
    return false
  }

  /// A helper has done its work on this exchange.
  public func returned(_ ticket: UInt64) {
    guard let exchange = exchange(of: ticket), let work = exchange.lent else { return }
    exchange.lent = nil
    counters.worked(nanoseconds: work.nanoseconds)
    switch (work.part, work.outcome) {
    case (.reading, .reading(let reading)): readingEnded(exchange, reading)
    case (.understanding, let outcome): goOn(exchange, outcome, at: .route)
    case (.writing, let outcome): goOn(exchange, outcome, at: .reserve)
    case (.desk(.keep), .step(let step)): answerKept(exchange, step)
    case (.desk, let outcome): goOn(exchange, outcome, at: exchange.stage)
    case (.reading, _): break  // reading is never called off
    }
  }

  private func goOn(_ exchange: Exchange, _ outcome: LentWork.Outcome, at stage: Exchange.Stage) {
    guard !exchange.isClientGone else { return drop(exchange) }
    guard !isEnding else { return refuse(exchange, Refusal(.overloaded, message: "The gateway is stopping.")) }
    switch outcome {
    case .step(.next):
      exchange.stage = stage
      advance(exchange)
    case .step(.refused(let refusal)): refuse(exchange, refusal)
    case .step(.parked), .reading, .dropped:
      refuse(exchange, Refusal(.overloaded, message: "The request could not be worked on; nothing was sent."))
    }
  }

  // MARK: On a helper's thread

  /// Does the work, with this pipeline's tools. Touches the exchange, what is immutable, and nothing else.
  func perform(_ work: LentWork) {
    guard !work.isCalledOff else { return }
    lookAtClock()
    let began = stageTime.monotonic
    let exchange = work.exchange
    switch work.part {
    case .understanding: work.outcome = .step(understand(exchange))
    case .desk(let task): work.outcome = .step(serve(task, exchange))
    case .writing(let candidate, let rewrites):
      let step = compose(exchange, candidate, rewrites: rewrites)
      if case .next = step, keepsRequest(exchange) { exchange.copy = metaWriter.requestPayload(exchange) }
      work.outcome = .step(step)
    case .reading:
      work.outcome = .reading(readPlain(exchange))
      if exchange.caller?.rules.stream.mode != .off { exchange.copy = Array(exchange.answer.bytes) }
    }
    work.nanoseconds = clock.monotonicNanoseconds - began
  }

  private func understand(_ exchange: Exchange) -> Step {
    for stage in [parse, authorize, redact] {
      let step = stage(exchange)
      guard case .next = step else { return step }
    }
    return .next
  }
}
