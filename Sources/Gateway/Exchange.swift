import Inference
public import JSONText
import Quotas
import Redaction
import Routing
import SealedLog
public import Tenancy

/// One request and its answer, from the first byte in to the last byte out: the value that goes down the stages of
/// ``RequestPipeline``. Belongs to one event loop; reused for later requests with its memory.
public final class Exchange {
  /// Where a request is in its life; the numbers are those of the stages in the design.
  enum Stage: Int {
    case accept = 1, authenticate, parse, authorize, redact, route, reserve, record, send, returning, settle
  }

  // MARK: Filled by the front end
  /// Given back when the exchange is over: the two hold each other until then.
  public var client: (any ClientPort)?
  public var method = Route.Method.other
  public var contentType = ContentType.none
  public var hasContentEncoding = false
  /// Of a form; empty for any other body.
  public var formBoundary: [UInt8] = []
  public var isStrict = false
  /// Where the connection comes from.
  public var address = NetworkAddress(value: 0)
  public let credential = ByteArena(capacity: 128)
  public let subjectField = ByteArena(capacity: 64)
  public let clientRequestID = ByteArena(capacity: 64)
  /// `anthropic-version` and `anthropic-beta`, as they came.
  public let anthropicVersion = ByteArena(capacity: 64)
  public let anthropicBetas = ByteArena(capacity: 64)
  /// The request's body as it came. Like the other bodies it grows to what is needed: each open stream holds one.
  public let body = ByteArena(capacity: 64)

  // MARK: Kept by the pipeline's count of memory
  /// Bytes that are given back when the exchange is over, and to whom beside the process.
  var heldBytes = 0
  var bodyShare: TenantBodies?

  // MARK: Kept by the pipeline's line for the log
  /// Bytes of the log's queue that are kept for this request's record; nil: it was not let in yet.
  var logRoom: Int?
  /// Since when it waits for them while nothing leaves the queue, and what had left it by then; 0: it does not wait.
  var roomSince: Int64 = 0
  var roomProgress: UInt64 = 0

  // MARK: Kept by the sender
  public var upstreamSlot = -1

  // MARK: Kept by the pipeline and its helpers
  /// The piece of work that a helper has; until it comes back the exchange is neither ended nor reused.
  var lent: LentWork?
  /// What the next record keeps of a body, where a helper has copied it.
  var copy: [UInt8]?

  // MARK: The request
  var stage = Stage.accept
  /// Names this exchange to threads that wake it: index in the pipeline's table and a generation.
  public internal(set) var ticket: UInt64 = 0
  var id = RequestID(0)
  var route = Route.root
  /// How the client speaks, known from its path even where there is no such route.
  var dialect = Dialect.openAI
  var startedAt: Int64 = 0
  /// When the whole request was there; 0 before.
  var arrivedAt: Int64 = 0
  var caller: Caller?
  var snapshot: GatewaySnapshot?
  /// Of a request about files and batches, what it holds beside the rest.
  var batch: BatchWork?
  let scan = RequestScan()
  /// ``scan`` is of this request and not of one before it.
  var isScanned = false
  /// The breaker that let this attempt pass and has not been told how it ended.
  var probe: LoopBreaker?
  /// That breaker was told of a success when the answer began; only a failure is news to it.
  var isProbeAnswered = false
  /// Where this attempt holds a place.
  var load: ProviderLoad?
  /// The time before another attempt at the same provider is not over.
  var isWaiting = false
  /// The client must not try this again: it can never pass.
  var forbidsRetry = false
  /// The number of the snapshot by which this exchange's key was last found to be good; 0: none but its own.
  var checkedSnapshot: UInt64 = 0
  var alias = ""
  var edits = EditList()
  let issued = IssuedPlaceholders()
  var findings = FindingCounts()
  var dropped: [String] = []
  /// The body as it goes upstream.
  let outgoing = ByteArena(capacity: 64)
  /// What of it is among ``heldBytes``.
  var copyBytes = 0
  /// How long ``body`` and ``outgoing`` were, once a stream has begun and their memory was given back.
  private var released: (body: Int, outgoing: Int)?

  // MARK: The attempt
  var candidate: CallableModel?
  /// What is spoken with the candidate, and where.
  var wire = ProviderWire.chat
  var target: UpstreamTarget?
  var modelRoute: ModelRoute?
  var attempt = 0
  var attemptID: UInt128 = 0
  /// Nil in the first one.
  var earlier: EarlierAttempts?
  var demand = Demand(inputTokens: 0, outputTokens: 0, money: 0)
  var outputLimit: Int64 = 0
  /// Of what is charged by the piece: the most that there can be.
  var mostPieces: Int64 = 0
  var clampedTo: Int64?
  var reservation = Reservation()
  var journal: [UInt8] = []
  var isSent = false
  var sentAt: Int64 = 0
  var waitingSince: Int64 = 0

  // MARK: The answer
  var upstreamHead = UpstreamHead()
  var firstByteAt: Int64 = 0
  /// A plain answer or an error body as it came.
  let answer = ByteArena(capacity: 64)
  /// What goes to the client.
  let reply = ByteArena(capacity: 64)
  let fields = ByteArena(capacity: 512)
  var stream = StreamState()
  /// What the answer sounds as; nil: it is no sound, or has not begun.
  var sound: SoundType?
  var usage: Usage?
  /// By which of its model's prices the last attempt was settled.
  var priced: TieredCost?
  /// What all attempts cost, in 10⁻⁹ of the tenant's currency; known when the exchange is concluded.
  var cost: Int64 = 0
  var ownOutputBytes = 0
  /// What the answer holds of things that are counted by the piece.
  var answeredPieces = 0
  var closing: Closing?
  /// The closing record while the writer's queue has no room for it.
  var pendingRecord: LogEntry?
  var endedAt: Int64 = 0
  var confirmBy: Int64 = 0
  /// When a provider whose client has gone is cancelled; 0 while the client is there.
  var drainUntil: Int64 = 0
  var isClientGone = false
  var isPaused = false
  var status: UInt16 = 0

  init() {}

  /// Bytes of memory that each part keeps for later requests: hundreds of exchanges lie ready, and nobody counts what
  /// they hold.
  private static let kept = 16 * 1024

  /// Forgets everything of the request and wipes the originals behind placeholders.
  func reset() {
    client = nil
    method = .other
    contentType = .none
    hasContentEncoding = false
    if !formBoundary.isEmpty { formBoundary = [] }
    isStrict = false
    credential.wipe()
    subjectField.reset()
    clientRequestID.reset()
    anthropicVersion.reset()
    anthropicBetas.reset()
    body.reset(keeping: Self.kept)
    logRoom = nil
    roomSince = 0
    upstreamSlot = -1
    lent = nil
    copy = nil
    stage = .accept
    ticket = 0
    id = RequestID(0)
    route = .root
    dialect = .openAI
    startedAt = 0
    arrivedAt = 0
    scan.trim()
    isScanned = false
    probe = nil
    isProbeAnswered = false
    load = nil
    isWaiting = false
    forbidsRetry = false
    checkedSnapshot = 0
    address = NetworkAddress(value: 0)
    demand = Demand(inputTokens: 0, outputTokens: 0, money: 0)
    outputLimit = 0
    mostPieces = 0
    confirmBy = 0
    caller = nil
    snapshot = nil
    batch = nil
    alias = ""
    edits.reset(keeping: Self.kept)
    issued.wipe()
    findings.reset()
    dropped.removeAll(keepingCapacity: true)
    outgoing.reset(keeping: Self.kept)
    copyBytes = 0
    released = nil
    candidate = nil
    wire = .chat
    target = nil
    modelRoute = nil
    attempt = 0
    attemptID = 0
    earlier = nil
    pendingRecord = nil
    endedAt = 0
    sentAt = 0
    waitingSince = 0
    clampedTo = nil
    reservation = Reservation()
    journal = []
    isSent = false
    firstByteAt = 0
    upstreamHead = UpstreamHead()
    answer.reset(keeping: Self.kept)
    reply.reset(keeping: Self.kept)
    fields.reset(keeping: Self.kept)
    stream.reset()
    sound = nil
    usage = nil
    priced = nil
    cost = 0
    ownOutputBytes = 0
    answeredPieces = 0
    closing = nil
    drainUntil = 0
    isClientGone = false
    isPaused = false
    status = 0
  }

  /// Bytes of the request as it came, and as it was sent.
  var bodyBytes: Int { released?.body ?? body.count }
  var outgoingBytes: Int { released?.outgoing ?? outgoing.count }

  /// The request has been sent, its answer has begun and nothing can be tried again: an open stream has no use for the
  /// texts, and thousands of streams are open at a time.
  func releaseRequest() {
    guard released == nil else { return }
    released = (body.count, outgoing.count)
    body.release()
    outgoing.release()
    edits = EditList()
    scan.release()
    credential.release()
    anthropicVersion.release()
    anthropicBetas.release()
    fields.release()
  }

  public var isStream: Bool { isScanned && scan.stream }

  /// What a stream is framed in on this attempt's wire.
  var streamKind: UpstreamHead.ContentKind { wire == .converse ? .amazonEventStream : .eventStream }

  /// Reads what the request says its body is.
  public func takeContentType(_ field: Slice<UnsafeRawBufferPointer>) {
    contentType = ContentType(field)
    if contentType == .form { formBoundary = FormBoundary.read(UnsafeRawBufferPointer(rebasing: field)) ?? [] }
  }

  /// ``copy``, given away.
  func takeCopy() -> [UInt8]? {
    defer { copy = nil }
    return copy
  }
}

/// How an exchange that was sent ends, decided once and carried out when its records are written.
enum Closing {
  /// The plain answer in ``Exchange/reply``.
  case answer
  /// The stream's last bytes in ``Exchange/reply``, then its normal end.
  case streamEnd
  /// An error before anything went to the client.
  indirect case refusal(Refusal)
  /// An error event, then the connection ends without the framing's last word.
  indirect case streamError(Refusal)
  /// Nobody is there to be told.
  case nobody
}
