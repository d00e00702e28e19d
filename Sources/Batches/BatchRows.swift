public import Quotas
public import Tenancy

/// Whose files and batches: those of another project do not exist for it.
public struct BatchOwner: Hashable, Sendable {
  public let tenant: TenantID
  public let project: ProjectID

  public init(tenant: TenantID, project: ProjectID) {
    self.tenant = tenant
    self.project = project
  }
}

/// Where a file lies, and what its lines are for.
public struct BatchPlace: Hashable, Sendable {
  /// ``InferenceRoute``'s raw value.
  public let route: String
  public let alias: String
  /// The provider's id in the register, and its name of the model.
  public let provider: String
  public let model: String

  public init(route: String, alias: String, provider: String, model: String) {
    self.route = route
    self.alias = alias
    self.provider = provider
    self.model = model
  }
}

/// A file that a client has uploaded, as it lies with a provider.
public struct StoredFile: Hashable, Sendable {
  public let id: FileID
  public let owner: BatchOwner
  /// Seconds since 1970.
  public let created: Int64
  /// As the client sent it.
  public let bytes: Int64
  public let lines: Int64
  public let place: BatchPlace
  /// The provider's name of it.
  public let remote: String
  /// Upper bounds of the tokens of all lines, and of the input of the longest.
  public let inputTokens: Int64
  public let outputTokens: Int64
  public let longestInput: Int64
  /// Whether values were replaced by placeholders that can be put back.
  public let isPseudonymised: Bool
  /// Those values, sealed (``SealedOriginals``); nil once they are gone.
  public var originals: [UInt8]?

  public init(
    id: FileID, owner: BatchOwner, created: Int64, bytes: Int64, lines: Int64, place: BatchPlace, remote: String,
    inputTokens: Int64, outputTokens: Int64, longestInput: Int64, isPseudonymised: Bool, originals: [UInt8]?
  ) {
    self.id = id
    self.owner = owner
    self.created = created
    self.bytes = bytes
    self.lines = lines
    self.place = place
    self.remote = remote
    self.inputTokens = inputTokens
    self.outputTokens = outputTokens
    self.longestInput = longestInput
    self.isPseudonymised = isPseudonymised
    self.originals = originals
  }
}

/// A file of results as it lies with a provider.
public struct RemoteFile: Hashable, Sendable {
  public let id: String
  /// Its client has deleted it: it is known no more, though the provider may go on naming it.
  public var isDeleted: Bool

  public init(id: String, isDeleted: Bool = false) {
    self.id = id
    self.isDeleted = isDeleted
  }
}

/// What the tokens of a batch cost, in 10⁻⁹ of the tenant's currency per 1,000,000: as of its admission.
public struct BatchRates: Hashable, Sendable {
  public let input: Int64
  public let cached: Int64
  public let output: Int64

  public init(input: Int64, cached: Int64, output: Int64) {
    self.input = input
    self.cached = cached
    self.output = output
  }
}

/// A batch. Its row is there before anything of it is sent, so that nothing that runs is unknown here.
public struct StoredBatch: Hashable, Sendable {
  public let id: BatchID
  public let owner: BatchOwner
  public let created: Int64
  public let file: FileID
  public let place: BatchPlace
  /// Whether placeholders of the file can be put back, as long as their values are there.
  public let isPseudonymised: Bool
  /// What its creation is settled as, and where.
  public let booking: Booking
  public let rates: BatchRates
  /// The provider's name of it; nil: it was not taken, or nobody knows. Clients see no such batch.
  public var remote: String?
  public var output: RemoteFile?
  public var errors: RemoteFile?
  /// What clients are told of it, as of the last look: members of JSON, without any text of anybody.
  public var state = ""
  /// How many lines its provider has answered; nil until it is over, and where the provider does not say.
  public var answered: Int64?
  /// Nothing of it will change any more.
  public var isOver = false
  /// What it has cost is in the books.
  public var isBooked = false

  public init(
    id: BatchID, owner: BatchOwner, created: Int64, file: FileID, place: BatchPlace, isPseudonymised: Bool,
    booking: Booking, rates: BatchRates
  ) {
    self.id = id
    self.owner = owner
    self.created = created
    self.file = file
    self.place = place
    self.isPseudonymised = isPseudonymised
    self.booking = booking
    self.rates = rates
  }
}
