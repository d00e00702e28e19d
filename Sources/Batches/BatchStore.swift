/// Keeps which file and which batch of a provider's is whose. Durable when a call returns; calls block, so they are made off
/// the event loops. What belongs to another project answers like what does not exist.
public protocol BatchStore: Sendable {
  /// - Throws: ``BatchStoreError/taken`` where another owner has what the provider calls so.
  func add(_ file: StoredFile) throws(BatchStoreError)
  /// With its originals.
  func file(_ id: FileID, of owner: BatchOwner) throws(BatchStoreError) -> StoredFile?
  /// The newest first, without their originals.
  func files(of owner: BatchOwner, most: Int) throws(BatchStoreError) -> [StoredFile]
  func countFiles(of owner: BatchOwner) throws(BatchStoreError) -> Int
  /// Forgets a file and the originals of its placeholders; one that is not there is forgotten already.
  func remove(_ id: FileID, of owner: BatchOwner) throws(BatchStoreError)

  /// Adds a batch, or puts it in the place of the one with its id.
  /// - Throws: As ``add(_:)``.
  func save(_ batch: StoredBatch) throws(BatchStoreError)
  func batch(_ id: BatchID, of owner: BatchOwner) throws(BatchStoreError) -> StoredBatch?
  /// Those that a provider has taken, the newest first.
  func batches(of owner: BatchOwner, most: Int) throws(BatchStoreError) -> [StoredBatch]

  /// Drops the originals of all files from before a time, and forgets batches from before another; seconds since 1970.
  func sweep(originalsBefore: Int64, batchesBefore: Int64) throws(BatchStoreError)
}

/// The store cannot be asked.
public struct BatchStoreError: Error, Sendable, Equatable {
  /// For the operator.
  public let detail: String

  public init(_ detail: String) { self.detail = detail }

  /// A provider names something by a name that it has given to another owner's: nobody may get at another's by it.
  public static let taken = BatchStoreError("the provider's name of it is another owner's")
}
