import ArgumentParser
import Dispatch
import Glibc
import Installation

/// Runs a server in the foreground until a signal, and says errors in three lines on stderr.
enum Program {
  static func run(_ start: () async throws -> RunningInstallation) async throws {
    try await report {
      let signals = Signals()
      let installation = try await start()
      for await signal in signals.stream {
        switch signal {
        case SIGHUP: await installation.reload()
        case SIGUSR2:
          guard let successor = await handOver(installation) else { continue }
          await signals.passOn(to: successor)
          await installation.drain(isHandedOver: true)
          return
        default:
          talk("torhaus: finishing what is in work; send the signal again to end now")
          signals.endOnNext()
          await installation.drain()
          return
        }
      }
    }
  }

  /// - Returns: The process that serves now; nil if it is this one.
  private static func handOver(_ installation: RunningInstallation) async -> pid_t? {
    talk("torhaus: starting a process that takes over")
    switch await installation.handOver() {
    case .relieved(let process):
      talk("torhaus: process \(process) has taken over; this one finishes what is in work")
      return process
    case .failed(let reason):
      talk("torhaus: nobody has taken over: \(reason); this process goes on")
      return nil
    }
  }

  /// What went wrong goes to stderr; the exit code says that it did.
  static func report(_ work: () async throws -> Void) async throws {
    do { try await work() } catch let error as InstallationError {
      talk(error.description)
      throw ExitCode(1)
    }
  }

  /// Data, to stdout, at once: whoever reads a pipe must not wait for a full buffer.
  static func show(_ text: String) { put(text, STDOUT_FILENO) }

  /// Talk, to stderr.
  static func talk(_ text: String) { put(text, STDERR_FILENO) }

  private static func put(_ text: String, _ descriptor: Int32) {
    let line = Array("\(text)\n".utf8)
    _ = line.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
  }
}

/// SIGINT, SIGTERM, SIGHUP and SIGUSR2 as a stream.
final class Signals {
  let stream: AsyncStream<Int32>
  private let continuation: AsyncStream<Int32>.Continuation
  private let sources: [any DispatchSourceSignal]
  private var forwarding: (any DispatchSourceSignal)?

  init() {
    signal(SIGPIPE, SIG_IGN)
    let (stream, continuation) = AsyncStream<Int32>.makeStream()
    self.stream = stream
    self.continuation = continuation
    sources = [SIGINT, SIGTERM, SIGHUP, SIGUSR2].map { number in
      signal(number, SIG_IGN)
      return Self.source(number) { continuation.yield(number) }
    }
  }

  private static func source(_ number: Int32, _ work: @escaping @Sendable () -> Void) -> any DispatchSourceSignal {
    let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
    source.setEventHandler(handler: work)
    source.resume()
    return source
  }

  /// From now on a signal has its default effect: it ends the process.
  func endOnNext() {
    for source in sources { source.cancel() }
    for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
  }

  /// Another process serves. Who asks this one to read its files anew means that one; so did whoever asked while it took
  /// over. Who wanted an end meanwhile has this process end, which it does; the service's manager tells both.
  func passOn(to successor: pid_t) async {
    forwarding = Self.source(SIGHUP) { kill(successor, SIGHUP) }
    endOnNext()
    continuation.finish()
    for await number in stream where number == SIGHUP { kill(successor, number) }
  }
}
