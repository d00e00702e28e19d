import Batches
import Inference
import JSONText
import Routing

/// What an exchange about files and batches holds beside the rest. Belongs to it, and to whoever it is lent to.
final class BatchWork {
  let call: BatchCall
  /// Of what this request makes, if it makes something.
  let id: UInt128

  // An upload
  /// Every line as it came.
  var lines: [ByteRange] = []
  /// What all lines ask for.
  var route = InferenceRoute.chat
  var alias = ""
  var needs: ModelCapabilities = [.batch]
  /// Of the longest line.
  var leastInput: Int64 = 0
  /// The lines after redaction, and where each of them lies.
  let redacted = ByteArena(capacity: 64)
  var redactedLines: [ByteRange] = []
  /// Where the lines lie in what is sent.
  var sent = ByteRange(0, 0)
  var bounds = Bounds()
  /// The values behind its placeholders, sealed.
  var sealed: [UInt8]?
  /// Of the line in work.
  let scan = RequestScan()
  let line = ByteArena(capacity: 64)

  // What was asked for, as the store has it
  var isLookedUp = false
  var order: BatchOrder?
  var file: StoredFile?
  var batch: StoredBatch?
  var files: [StoredFile] = []
  var batches: [StoredBatch] = []
  /// Values were replaced in this file's requests that nobody can put back any more.
  var areOriginalsGone = false

  /// Its provider is none of the register any more: what is known here goes, what lies there stays.
  var isUnreachable = false
  var isForgotten = false

  // What is sent
  /// The provider's name of what is asked about.
  var remote = ""
  var rates = BatchRates(input: 0, cached: 0, output: 0)
  /// The store knows of what is about to be sent.
  var isAdmitted = false

  // What came back
  var told: ProviderBatch?
  var usage: Usage?
  /// Lines of the results that are answers.
  var answered: Int64 = 0

  /// The most that all lines together can take.
  struct Bounds {
    var input: Int64 = 0
    var output: Int64 = 0
    var longest: Int64 = 0

    /// - Returns: False if the sum fits no number.
    mutating func add(input more: Int64, output: Int64) -> Bool {
      let (sum, overflow) = input.addingReportingOverflow(more)
      let (outputSum, outputOverflow) = self.output.addingReportingOverflow(output)
      guard !overflow, !outputOverflow else { return false }
      (input, self.output, longest) = (sum, outputSum, max(longest, more))
      return true
    }
  }

  init(_ call: BatchCall, id: UInt128) {
    self.call = call
    self.id = id
  }

  var isUpload: Bool { call == .upload }

  /// Our own rows are the answer: no provider is asked.
  var isAnsweredHere: Bool {
    switch call {
    case .listFiles, .listBatches, .file: true
    case .upload, .content, .delete, .create, .batch, .cancel: isUnreachable
    }
  }

  /// Something that a client has said is sent on.
  var isRecorded: Bool { call == .upload || call == .create }

  /// What is taken back goes to a provider that the policy has left, too.
  var isTakenBack: Bool {
    switch call {
    case .delete, .cancel: true
    case .upload, .listFiles, .file, .content, .create, .listBatches, .batch: false
    }
  }

  /// Whether an order that was answered with this status may be worked on all the same: only a refusal says that it is not.
  func mayRun(_ status: Int) -> Bool {
    call == .create && (!(400..<500).contains(status) || status == 408 || status == 409)
  }

  var place: BatchPlace? { batch?.place ?? file?.place }

  /// What the log keeps of the request: what was sent, in our names.
  func record(of exchange: Exchange) -> UnsafeRawBufferPointer {
    guard !isUpload, let file else { return sent.of(exchange.outgoing.bytes) }
    line.reset()
    BatchOrder.append(file: FileName.input(file.id).description, route: route, to: line)
    return line.bytes
  }

  /// The provider's names that an answer may hold, and what clients call the same.
  var names: [(theirs: String, ours: String)] {
    var names: [(theirs: String, ours: String)] = []
    if let file { names.append((file.remote, FileName.input(file.id).description)) }
    if let batch {
      names.append((batch.remote ?? "", BatchName(batch.id).description))
      names.append((batch.output?.id ?? "", FileName.output(batch.id).description))
      names.append((batch.errors?.id ?? "", FileName.errors(batch.id).description))
    }
    return names
  }
}
