/// What the data plane accepts and how long it waits; the defaults of the threat model, each with its unit.
public struct Limits: Sendable, Equatable {
  /// Bytes of one header field, name and value.
  public var fieldBytes = 8 * 1024
  /// Bytes of a request's head, request line included.
  public var headBytes = 32 * 1024
  /// Header fields of one request.
  public var fieldCount = 100
  /// Bytes of the request target.
  public var targetBytes = 2 * 1024
  /// Bytes of a request body, before a plan narrows it.
  public var bodyBytes = 8 * 1024 * 1024
  /// Bytes of a plain answer from a provider.
  public var answerBytes = 32 * 1024 * 1024
  /// Bytes of a whole streamed answer from a provider.
  public var streamBytes = 64 * 1024 * 1024
  /// Bytes of a provider's error body that are read.
  public var errorBytes = 64 * 1024
  /// Bytes held for a client that reads slowly: above the first the provider is paused, below the second it goes on.
  public var heldHighBytes = 64 * 1024
  public var heldLowBytes = 16 * 1024
  /// Bytes held for a client that reads slowly what its provider sends over HTTP/2, which cannot be paused: beyond them
  /// the stream ends. Above ``heldHighBytes`` they count as bodies do.
  public var heldStreamBytes = 4 * 1024 * 1024
  /// Bytes of pipelined requests that are read ahead: while one is in work, what one read brings.
  public var readAheadBytes = 64 * 1024

  /// Milliseconds until a request's head, and before it the TLS handshake, must be complete.
  public var headMilliseconds = 10_000
  /// Milliseconds of grace before ``bodyBytesPerSecond`` counts, and the longest silence that faster bytes make up for.
  public var bodyGraceMilliseconds = 5_000
  public var bodySilenceMilliseconds = 30_000
  public var bodyBytesPerSecond = 1024
  /// Milliseconds until a whole body must be there, beside those that its length takes at so many bytes per second:
  /// until then it holds memory. A body that tells no length has the time of one of ``bodyBytes``.
  public var wholeBodyMilliseconds = 60_000
  public var wholeBodyBytesPerSecond = 16 * 1024
  /// Milliseconds that an idle kept-alive connection stays open.
  public var idleMilliseconds = 60_000
  /// Milliseconds that an idle connection stays when another process has taken over: longer than clients keep idle ones.
  public var lingerMilliseconds = 10_000
  /// Milliseconds that an idle connection stays at a stop: who sends just now is served, and told to go.
  public var stopLingerMilliseconds = 1_000
  /// Milliseconds a client may take nothing of what waits for it, and how much of it it must take on average of them.
  public var writeStallMilliseconds = 30_000
  public var writeBytesPerSecond = 1024
  /// Milliseconds that a connection stays behind its last answer, beside those that what waits takes at so many bytes
  /// per second.
  public var lastAnswerMilliseconds = 30_000
  public var lastAnswerBytesPerSecond = 16 * 1024
  /// Milliseconds to connect to a provider, to its first byte, and between bytes.
  public var connectMilliseconds = 5_000
  public var firstByteMilliseconds = 600_000
  public var upstreamIdleMilliseconds = 120_000
  /// Bytes of a provider's head, of those that come before it and of trailers, all together; and fields of one of them.
  public var upstreamHeadBytes = 64 * 1024
  public var upstreamFieldCount = 100
  /// Milliseconds of a whole exchange.
  public var exchangeMilliseconds = 3_600_000
  /// Milliseconds an answer waits for its record to be written before it ends as an error.
  public var confirmationMilliseconds = 5_000
  /// Milliseconds a request waits for room in the log's queue while nothing leaves it.
  public var logRoomMilliseconds = 5_000
  /// Milliseconds a request waits for the quota ledger, and for the store of files and batches.
  public var ledgerMilliseconds = 5_000
  /// Milliseconds that a provider is read on after its client has gone, for the usage.
  public var drainMilliseconds = 900
  /// Milliseconds of silence in a stream after which a keep-alive comment goes out.
  public var keepAliveMilliseconds = 15_000

  /// Milliseconds by which a loop's turns may be late, and for how long they may be so before it refuses new requests.
  public var lagMilliseconds = 100
  public var lagGraceMilliseconds = 1_000
  /// Wrong keys that are answered as such: from one source, and with one key's id.
  public var failedKeysPerMinute = 20

  /// Requests answered on one connection.
  public var requestsPerConnection = 10_000
  /// Open connections: all, from one source address, and with keys of one tenant.
  public var connections = 10_000
  public var connectionsPerSource = 200
  public var connectionsPerTenant = 2_000
  /// Open connections of one event loop to one provider, beside the bounds of its record: as many as there can be requests
  /// of clients that speak HTTP/1.1.
  public var upstreamConnections: Int { connections }
  /// TLS handshakes that are not over, on one event loop: each holds tens of kilobytes.
  public var handshakes = 1_000
  /// Bytes of request bodies, of large ones also as they go upstream, and of plain answers until they are passed on, that
  /// lie in memory at one time: of all requests, and of one tenant's. The machine's memory may lower them: ``fit(memoryBytes:)``.
  public var heldBodiesBytes = 512 * 1024 * 1024
  public var heldBodiesBytesPerTenant = 128 * 1024 * 1024
  /// Bytes of a body up to which its loop does all the work on it; above, threads of their own scan, redact and restore,
  /// so that no other request waits for it. The first of these threads takes nothing above ``shortWorkBytes``. Copying
  /// alone is the loop's up to ``ownCopyBytes``.
  public var ownWorkBytes = 64 * 1024
  public var shortWorkBytes = 512 * 1024
  public var ownCopyBytes = 512 * 1024
  /// What a turn of a loop takes on of what comes; the rest waits for the next turns, which begin at once. Of requests,
  /// their bodies and 2 KiB each; of bodies that are being sent, what is received; of an answer, what one client takes.
  public var turnBytes = 128 * 1024
  public var turnReadBytes = 256 * 1024
  public var turnWriteBytes = 1024 * 1024
  /// Nanoseconds for which an attempt counts among those that are open, should its end be forgotten: longer than any
  /// can take, a client's going and the log's waiting included.
  var openNanoseconds: Int64 {
    let milliseconds = exchangeMilliseconds + max(drainMilliseconds, firstByteMilliseconds) + confirmationMilliseconds
    return Int64(milliseconds) * 1_000_000
  }
  /// Attempts at providers that may be open at once, of which one tenant may have a quarter.
  public var openAttempts: Int { max(4_096, 2 * connections) }
  /// Attempts at providers for one request.
  public var attempts = 3
  /// Lines of a file of requests; its bytes are those of a body. Files of one project.
  public var batchLines = 5_000
  public var batchFiles = 500
  /// Batches that a list shows.
  public var listedBatches = 500
  /// Days for which the values behind a file's placeholders are kept, and for which a batch is known.
  public var batchOriginalsDays = 30
  public var batchDays = 90

  /// What HTTP/2 has beyond HTTP/1.1. Frames have at most the 16,384 bytes that every client knows of.
  public struct HTTP2: Sendable, Equatable {
    /// Requests of one connection that are open at the same time.
    public var streams = 100
    /// Bytes of one request's body that its client may send unasked; more is asked for while ``uploadBytes`` last.
    public var streamWindowBytes = 65_535
    /// Bytes of all bodies of one connection that are on their way at the same time.
    public var connectionWindowBytes = 1024 * 1024
    /// Bytes that the bodies without a length which one connection is sending may come to, not counted each one's first
    /// window.
    public var uploadBytes = 16 * 1024 * 1024
    /// Bytes of the tables by which header fields are compressed: the client's and ours.
    public var clientTableBytes = 4096
    public var ownTableBytes = 1024
    /// Frames that continue one head.
    public var continuations = 8
    /// Milliseconds for which the following three count.
    public var calmMilliseconds = 30_000
    /// Requests that their client takes back before anything was answered.
    public var earlyResets = 100
    /// Malformed requests, and other faults of a client that end a stream.
    public var faults = 100
    /// Frames that ask for nothing: PING, SETTINGS, PRIORITY, unknown types, empty DATA, and what there is of WINDOW_UPDATE
    /// and RST_STREAM beyond our DATA and the client's requests.
    public var idleFrames = 200

    public init() {}
  }
  public var http2 = HTTP2()

  public init() {}

  /// Bodies take at most a quarter of the memory that there is, and one tenant's a quarter of that; but one body of the
  /// largest size always fits. Connections take at most half, were all of them to leave lying what they may.
  public mutating func fit(memoryBytes: Int) {
    heldBodiesBytes = max(bodyBytes, min(heldBodiesBytes, memoryBytes / 4))
    heldBodiesBytesPerTenant = max(bodyBytes, min(heldBodiesBytesPerTenant, heldBodiesBytes / 4))
    connections = max(16, min(connections, memoryBytes / 2 / (readAheadBytes + heldHighBytes)))
  }

  /// Each client's connection may need one to a provider, and the log, the databases and the listeners have files of their
  /// own: who could not be served is not let in.
  public mutating func fit(descriptors: Int) {
    connections = max(16, min(connections, (descriptors - 512 - 2 * Self.openSegments(descriptors: descriptors)) / 2))
  }

  /// Tenants whose segments of the log may be open at once: with two descriptors each they take half of what there is, and
  /// for a moment they may be more.
  public static func openSegments(descriptors: Int) -> Int { max(16, min(16_384, (descriptors - 1_536) / 4)) }
}
