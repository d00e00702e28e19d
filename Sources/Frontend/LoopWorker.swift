import Gateway
import JSONText
import NIOCore

/// What one event loop has: its pipeline, its connections and its clock.
final class LoopWorker {
  let pipeline: RequestPipeline
  let limits: Limits
  private let hosts: Set<String>
  private var connections: [Connection] = []
  private var perSource: [SourceAddress: Int] = [:]
  private var isDraining = false
  /// Milliseconds since the worker was made, as of the last tick or read: deadlines are seconds, clocks cost.
  private(set) var milliseconds: Int64 = 0
  private let began = NIODeadline.now()

  init(pipeline: RequestPipeline, limits: Limits, hosts: Set<String>) {
    self.pipeline = pipeline
    self.limits = limits
    self.hosts = hosts
  }

  func readClock() { milliseconds = Int64((NIODeadline.now() - began).nanoseconds / 1_000_000) }

  // MARK: Connections

  var connectionCount: Int { connections.count }

  func add(_ connection: Connection, from source: SourceAddress) {
    connection.index = connections.count
    connections.append(connection)
    perSource[source, default: 0] += 1
    if isDraining || connections.count > limits.connections
      || perSource[source, default: 0] > limits.connectionsPerSource
    {
      connection.close()
    }
  }

  func remove(_ connection: Connection, from source: SourceAddress) {
    let index = connection.index
    guard index >= 0, index < connections.count, connections[index] === connection else { return }
    connections[index] = connections[connections.count - 1]
    connections[index].index = index
    connections.removeLast()
    connection.index = -1
    let left = perSource[source, default: 1] - 1
    perSource[source] = left > 0 ? left : nil
  }

  func tick() {
    readClock()
    let now = milliseconds
    // Closing removes from the table by swapping: a copy is walked.
    for connection in connections { connection.tick(now) }
    pipeline.tick()
  }

  func drain() {
    isDraining = true
    for connection in connections { connection.drain() }
  }

  func closeAll() { for connection in connections { connection.close() } }

  // MARK: A request's head

  /// Hands the head's fields to the exchange and takes it through routing and authentication.
  /// - Returns: True if the request was answered by its head alone.
  func begin(_ exchange: Exchange, _ head: RequestHead, _ bytes: UnsafeRawBufferPointer) -> Bool {
    if !hosts.isEmpty, let host = head.host, !hosts.contains(hostName(bytes[host])) {
      pipeline.refuse(exchange, status: 400, message: "This host name is not served here.")
      return true
    }
    exchange.method =
      switch head.method {
      case .get: .get
      case .head: .head
      case .post: .post
      case .other: .other
      }
    if let range = head.contentType { exchange.contentType = ContentType(bytes[range]) }
    exchange.hasContentEncoding =
      head.contentEncoding.map { !Octet.matches(bytes, $0, "identity") && !$0.isEmpty } ?? false
    take(head.subject, bytes, into: exchange.subjectField)
    take(head.clientRequestID, bytes, into: exchange.clientRequestID)
    exchange.isStrict = head.translation.map { Octet.matches(bytes, $0, "strict") } ?? false
    if !takeCredential(exchange, head, bytes) {
      return pipeline.begin(exchange, path: UnsafeRawBufferPointer(rebasing: bytes[head.path]), credentialsDiffer: true)
    }
    return pipeline.begin(exchange, path: UnsafeRawBufferPointer(rebasing: bytes[head.path]), credentialsDiffer: false)
  }

  private func take(_ range: Range<Int>?, _ bytes: UnsafeRawBufferPointer, into arena: ByteArena) {
    if let range { arena.append(UnsafeRawBufferPointer(rebasing: bytes[range])) }
  }

  /// `Authorization: Bearer`, `x-api-key` and `api-key` are the same thing. False if two of them differ.
  private func takeCredential(_ exchange: Exchange, _ head: RequestHead, _ bytes: UnsafeRawBufferPointer) -> Bool {
    for range in [bearer(head.authorization, bytes), head.xAPIKey, head.apiKey] {
      guard let range else { continue }
      let value = UnsafeRawBufferPointer(rebasing: bytes[range])
      if exchange.credential.count == 0 {
        exchange.credential.append(value)
      } else if !exchange.credential.bytes.elementsEqual(value) {
        return false
      }
    }
    return true
  }

  private func bearer(_ range: Range<Int>?, _ bytes: UnsafeRawBufferPointer) -> Range<Int>? {
    guard let range, range.count > 7,
      Octet.matches(bytes, range.lowerBound..<(range.lowerBound + 7), "bearer ")
    else { return nil }
    return Octet.trimmed(bytes, (range.lowerBound + 7)..<range.upperBound)
  }

  private func hostName(_ field: Slice<UnsafeRawBufferPointer>) -> String {
    let text = String(decoding: field, as: UTF8.self).lowercased()
    if text.hasPrefix("[") { return String(text.prefix { $0 != "]" }) + "]" }
    return String(text.prefix { $0 != ":" })
  }
}
