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
        case SIGHUP: installation.reload()
        case SIGUSR2:
          guard await handOver(installation) else { continue }
          signals.endOnNext()
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

  /// - Returns: Whether another process serves now.
  private static func handOver(_ installation: RunningInstallation) async -> Bool {
    talk("torhaus: starting a process that takes over")
    switch await installation.handOver() {
    case .relieved(let process):
      talk("torhaus: process \(process) has taken over; this one finishes what is in work")
      return true
    case .failed(let reason):
      talk("torhaus: nobody has taken over: \(reason); this process goes on")
      return false
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
  private let sources: [any DispatchSourceSignal]

  init() {
    signal(SIGPIPE, SIG_IGN)
    let (stream, continuation) = AsyncStream<Int32>.makeStream()
    self.stream = stream
    sources = [SIGINT, SIGTERM, SIGHUP, SIGUSR2].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { continuation.yield(number) }
      source.resume()
      return source
    }
  }

  /// From now on a signal has its default effect: it ends the process.
  func endOnNext() {
    for source in sources { source.cancel() }
    for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
  }
}
