import Synchronization
public import Tenancy

/// A store that lives as long as the process: for tests. It can be told to fail.
public final class MemoryBatchStore: BatchStore {
  private struct State: Sendable {
    var files: [FileID: StoredFile] = [:]
    var batches: [BatchID: StoredBatch] = [:]
    var failure: BatchStoreError?
    var failuresLeft = 0
  }

  private let state = Mutex(State())

  public init() {}

  /// Makes calls fail, so many of them or until the error is nil again.
  public func fail(with error: BatchStoreError?, times: Int = .max) {
    state.withLock { ($0.failure, $0.failuresLeft) = (error, times) }
  }

  /// All batches, whoever's they are and whatever has become of them.
  public var all: [StoredBatch] { state.withLock { Array($0.batches.values) } }

  private func with<Value>(_ body: (inout State) -> Value) throws(BatchStoreError) -> Value {
    let result = state.withLock { state -> Result<Value, BatchStoreError> in
      if let failure = state.failure, state.failuresLeft > 0 {
        state.failuresLeft -= 1
        return .failure(failure)
      }
      return .success(body(&state))
    }
    return try result.get()
  }

  public func add(_ file: StoredFile) throws(BatchStoreError) {
    try with { state in
      if state.files.values.contains(where: {
        $0.owner != file.owner && $0.place.provider == file.place.provider && $0.remote == file.remote
      }) {
        return false
      }
      state.files[file.id] = file
      return true
    }.orElse(.taken)
  }

  public func file(_ id: FileID, of owner: BatchOwner) throws(BatchStoreError) -> StoredFile? {
    try with { state in state.files[id].flatMap { $0.owner == owner ? $0 : nil } }
  }

  public func files(of owner: BatchOwner, most: Int) throws(BatchStoreError) -> [StoredFile] {
    try with { state in
      let all = state.files.values.filter { $0.owner == owner }
        .sorted { ($0.created, $0.id.value) > ($1.created, $1.id.value) }
      return all.prefix(most).map { file in
        var file = file
        file.originals = nil
        return file
      }
    }
  }

  public func countFiles(of owner: BatchOwner) throws(BatchStoreError) -> Int {
    try with { state in state.files.values.count { $0.owner == owner } }
  }

  public func remove(_ id: FileID, of owner: BatchOwner) throws(BatchStoreError) {
    try with { state in
      if state.files[id]?.owner == owner { state.files[id] = nil }
    }
  }

  public func save(_ batch: StoredBatch) throws(BatchStoreError) {
    try with { state in
      if batch.remote != nil,
        state.batches.values.contains(where: {
          $0.owner != batch.owner && $0.place.provider == batch.place.provider && $0.remote == batch.remote
        })
      {
        return false
      }
      state.batches[batch.id] = batch
      return true
    }.orElse(.taken)
  }

  public func batch(_ id: BatchID, of owner: BatchOwner) throws(BatchStoreError) -> StoredBatch? {
    try with { state in state.batches[id].flatMap { $0.owner == owner ? $0 : nil } }
  }

  public func batches(of owner: BatchOwner, most: Int) throws(BatchStoreError) -> [StoredBatch] {
    try with { state in
      Array(
        state.batches.values.filter { $0.owner == owner && $0.remote != nil }
          .sorted { ($0.created, $0.id.value) > ($1.created, $1.id.value) }.prefix(most))
    }
  }

  public func sweep(originalsBefore: Int64, batchesBefore: Int64) throws(BatchStoreError) {
    try with { state in
      for (id, file) in state.files where file.created < originalsBefore && file.originals != nil {
        state.files[id]?.originals = nil
      }
      state.batches = state.batches.filter { $0.value.created >= batchesBefore }
    }
  }
}

extension Bool {
  fileprivate func orElse(_ error: BatchStoreError) throws(BatchStoreError) {
    guard self else { throw error }
  }
}
