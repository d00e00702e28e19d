import Batches
import Cryptography
import Inference
import JSONText
import Quotas
import Redaction
import Routing
import Tenancy

/// What the desk does with the store; on its thread, or on the loop's where there is none.
extension RequestPipeline {
  static let storeRefusal = Refusal(
    .overloaded, message: "What is known of files and batches cannot be read or written now. Try again shortly.")

  func serve(_ task: DeskTask, _ exchange: Exchange) -> Step {
    guard let work = exchange.batch, let archive = services.batches, let caller = exchange.caller else {
      return .refused(Self.storeRefusal)
    }
    let owner = BatchOwner(tenant: caller.principal.tenant, project: caller.principal.project)
    do throws(BatchStoreError) {
      switch task {
      case .lookUp:
        let step = try lookUp(exchange, work, archive, owner)
        if case .next = step { work.isLookedUp = true }
        return step
      case .admit: return try admit(exchange, work, archive, owner)
      case .keep: return try keepOrRetry(exchange, work, archive, owner)
      case .forget:
        if case .delete(let name) = work.call { try forget(name, archive.store, owner) }
        work.isForgotten = true
        return .next
      }
    } catch {
      guard case .keep = task, work.call == .create else { return .refused(Self.storeRefusal) }
      return .refused(Self.unnotedOrder)
    }
  }

  /// What a provider has taken runs there and is paid for: another order would be another batch.
  private static let unnotedOrder = Refusal(
    .overloaded,
    message: "The provider has taken the batch, but its name could not be written down. It may run and counts with its "
      + "worst case; do not order it again.")

  /// Without the name of an order nobody can ask for what it has cost: it is worth more than one try.
  private func keepOrRetry(
    _ exchange: Exchange, _ work: BatchWork, _ archive: BatchArchive, _ owner: BatchOwner
  ) throws(BatchStoreError) -> Step {
    var tries = work.call == .create ? 3 : 1
    while true {
      tries -= 1
      do throws(BatchStoreError) { return try keep(exchange, work, archive, owner) } catch {
        guard tries > 0, error != .taken else { throw error }
      }
    }
  }

  private var seconds: Int64 { clock.wallNanoseconds / 1_000_000_000 }

  // MARK: Before

  private func lookUp(
    _ exchange: Exchange, _ work: BatchWork, _ archive: BatchArchive, _ owner: BatchOwner
  ) throws(BatchStoreError) -> Step {
    let store = archive.store
    switch work.call {
    case .upload: return .next
    case .listFiles:
      work.files = try store.files(of: owner, most: limits.batchFiles)
      work.batches = try store.batches(of: owner, most: limits.listedBatches)
      return .next
    case .listBatches:
      work.batches = try store.batches(of: owner, most: limits.listedBatches)
      return .next
    case .create:
      guard let order = work.order,
        case .input(let id)? = FileName(
          String(decoding: order.file.of(exchange.body.bytes), as: UTF8.self)[...]),
        let file = try store.file(id, of: owner)
      else { return .refused(Self.noSuchThing(work.call)) }
      (work.file, work.remote) = (file, file.remote)
      return .next
    case .batch(let name), .cancel(let name):
      guard let batch = try store.batch(name.id, of: owner), let remote = batch.remote else {
        return .refused(Self.noSuchThing(work.call))
      }
      (work.batch, work.remote) = (batch, remote)
      return .next
    case .file(let name), .content(let name), .delete(let name):
      return try lookUp(name, exchange, work, archive, owner)
    }
  }

  private func lookUp(
    _ name: FileName, _ exchange: Exchange, _ work: BatchWork, _ archive: BatchArchive, _ owner: BatchOwner
  ) throws(BatchStoreError) -> Step {
    switch name {
    case .input(let id):
      guard let file = try archive.store.file(id, of: owner) else { return .refused(Self.noSuchThing(work.call)) }
      (work.file, work.remote) = (file, file.remote)
      guard !work.call.isContent else {
        return .refused(
          Refusal(
            .invalidValue,
            message: "The content of an input file is not given back: what lies with the provider is not what you sent."
          ))
      }
      return .next
    case .output(let id), .errors(let id):
      guard let batch = try archive.store.batch(id, of: owner), batch.remote != nil,
        let found = name == .output(id) ? batch.output : batch.errors, !found.isDeleted
      else { return .refused(Self.noSuchThing(work.call)) }
      (work.batch, work.remote) = (batch, found.id)
      guard work.call.isContent, batch.isPseudonymised else { return .next }
      return open(try archive.store.file(batch.file, of: owner), exchange, work, archive)
    }
  }

  /// The values behind a file's placeholders, for answers to its lines.
  private func open(_ file: StoredFile?, _ exchange: Exchange, _ work: BatchWork, _ archive: BatchArchive) -> Step {
    guard let file, let sealed = file.originals, seconds - file.created < Int64(limits.batchOriginalsDays) * 86_400
    else {
      work.areOriginalsGone = true
      return .next
    }
    do throws(SealedOriginals.Fault) {
      var originals = try SealedOriginals.open(
        sealed, tenant: file.owner.tenant, file: file.id, keys: archive.keys)
      defer { SecureBytes.wipe(&originals) }
      work.areOriginalsGone = !exchange.issued.take(encoded: originals)
    } catch {
      guard error == .gone else {
        return .refused(
          Refusal(.redactionUnavailable, message: "The originals cannot be put back now. Try again shortly."))
      }
      work.areOriginalsGone = true
    }
    return .next
  }

  /// What is about to be sent is known here before it is known there.
  private func admit(
    _ exchange: Exchange, _ work: BatchWork, _ archive: BatchArchive, _ owner: BatchOwner
  ) throws(BatchStoreError) -> Step {
    switch work.call {
    case .upload:
      guard try archive.store.countFiles(of: owner) < limits.batchFiles else {
        return .refused(
          Refusal(
            .invalidValue,
            message: "Your project has \(limits.batchFiles) files, the most that there may be. Delete some."))
      }
      work.sealed = nil
      guard !exchange.issued.isEmpty else { break }
      var originals = exchange.issued.encoded
      defer { SecureBytes.wipe(&originals) }
      do throws(SealedOriginals.Fault) {
        work.sealed = try SealedOriginals.seal(
          originals, tenant: owner.tenant, file: FileID(work.id), keys: archive.keys)
      } catch {
        return .refused(
          Refusal(
            .redactionUnavailable, message: "The originals cannot be kept now; nothing was sent. Try again shortly."))
      }
    case .create:
      guard let file = work.file, let booking = services.quotas.booking(of: exchange.reservation) else {
        return .refused(Self.storeRefusal)
      }
      let batch = StoredBatch(
        id: BatchID(work.id), owner: owner, created: seconds, file: file.id, place: file.place,
        isPseudonymised: file.isPseudonymised, booking: booking, rates: work.rates)
      try archive.store.save(batch)
      work.batch = batch
    case .listFiles, .file, .content, .delete, .listBatches, .batch, .cancel: break
    }
    work.isAdmitted = true
    return .next
  }

  // MARK: After

  private func keep(
    _ exchange: Exchange, _ work: BatchWork, _ archive: BatchArchive, _ owner: BatchOwner
  ) throws(BatchStoreError) -> Step {
    let store = archive.store
    switch work.call {
    case .upload: return try keepFile(exchange, work, archive, owner)
    case .create, .batch, .cancel:
      guard let told = work.told, let id = work.batch?.id, var batch = try store.batch(id, of: owner) else {
        return .refused(Self.storeRefusal)
      }
      batch.remote = told.id
      batch.output = Self.known(told.output, batch.output)
      batch.errors = Self.known(told.errors, batch.errors)
      batch.state = told.state
      // Its creation is settled first: a batch that is over at once is booked by the next look.
      if told.status.isOver, work.call != .create {
        batch.isOver = true
        batch.answered = told.counts?.completed
        if let usage = Self.usage(of: told, route: InferenceRoute(rawValue: batch.place.route)) { book(usage, &batch) }
      }
      if batch != work.batch { try store.save(batch) }
      exchange.reply.reset()
      work.batch = batch
      if !told.faults.isEmpty { work.file = try store.file(batch.file, of: owner) }
      let faults = told.faults.map { fault in
        var fault = fault
        fault.message = RemoteID.replace(work.names, in: fault.message)
        return fault
      }
      BatchAnswer.append(Self.answer(batch, faults: faults), to: exchange.reply)
      return .next
    case .content(let name):
      // What an output says is all, if it is whole and nothing follows.
      if case .output(let id) = name, let usage = work.usage, var batch = try store.batch(id, of: owner),
        !batch.isBooked, batch.isOver, work.answered > 0, work.answered == batch.answered
      {
        book(usage, &batch)
        if batch.isBooked { try store.save(batch) }
      }
      return .next
    case .delete(let name):
      try forget(name, store, owner)
      return .next
    case .listFiles, .file, .listBatches: return .next
    }
  }

  private func forget(_ name: FileName, _ store: any BatchStore, _ owner: BatchOwner) throws(BatchStoreError) {
    switch name {
    case .input(let id): try store.remove(id, of: owner)
    case .output(let id), .errors(let id):
      guard var batch = try store.batch(id, of: owner) else { return }
      if name == .output(id) { batch.output?.isDeleted = true } else { batch.errors?.isDeleted = true }
      try store.save(batch)
    }
  }

  /// What all lines have used, as the provider sums it up; nil where nobody can say. Nothing was used where it says that it
  /// has answered nothing; a figure that is missing says nothing, and answers that have taken nothing are not believed.
  private static func usage(of told: ProviderBatch, route: InferenceRoute?) -> Usage? {
    if told.output == nil, isUnanswered(told) { return told.usage ?? Usage() }
    let least = max(1, told.counts?.completed ?? 1)  // of each answer's prompt
    guard let usage = told.usage, usage.inputTokens >= least, usage.outputTokens > 0 || route?.generates != true else {
      return nil
    }
    return usage
  }

  /// What is complete has answered or refused each line: counts that say neither are those of a moment before.
  private static func isUnanswered(_ told: ProviderBatch) -> Bool {
    guard let counts = told.counts else { return told.status == .failed }
    return counts.completed == 0 && counts.total > 0 && (told.status != .completed || counts.failed >= counts.total)
  }

  /// What a provider names again may be something that its client has deleted here.
  private static func known(_ told: String?, _ held: RemoteFile?) -> RemoteFile? {
    guard let told else { return held }
    return held?.id == told ? held : RemoteFile(id: told)
  }

  private func keepFile(
    _ exchange: Exchange, _ work: BatchWork, _ archive: BatchArchive, _ owner: BatchOwner
  ) throws(BatchStoreError) -> Step {
    guard let candidate = exchange.candidate else { return .refused(Self.storeRefusal) }
    let id = FileID(work.id)
    let file = StoredFile(
      id: id, owner: owner, created: seconds,
      bytes: Int64(work.lines.last.map { $0.end } ?? 0)
        - Int64(work.lines.first.map { $0.start } ?? 0), lines: Int64(work.lines.count),
      place: BatchPlace(
        route: work.route.rawValue, alias: work.alias, provider: candidate.provider.id, model: candidate.model.id),
      remote: work.remote, inputTokens: work.bounds.input, outputTokens: work.bounds.output,
      longestInput: work.bounds.longest, isPseudonymised: work.sealed != nil, originals: work.sealed)
    try archive.store.add(file)
    exchange.reply.reset()
    BatchAnswer.append(Self.answer(file), to: exchange.reply)
    return .next
  }

  /// Puts what a batch has cost in the place of its worst case. What cannot be believed or written now changes nothing: the
  /// worst case stands until the next look.
  private func book(_ usage: Usage, _ batch: inout StoredBatch) {
    guard !batch.isBooked else { return }
    let worst = batch.booking.totals
    let (limit, overflow) = max(1, worst.inputTokens &+ worst.outputTokens).multipliedReportingOverflow(by: 10)
    guard overflow || usage.inputTokens <= limit && usage.outputTokens <= limit,
      let money = Cost.settlement(
        TokenUsage(
          input: usage.inputTokens - min(usage.cachedTokens, usage.inputTokens),
          cached: min(usage.cachedTokens, usage.inputTokens), output: usage.outputTokens),
        at: Price(
          version: "", currency: "", input: batch.rates.input, cached: batch.rates.cached, output: batch.rates.output))
    else { return }
    let actual = UsageTotals(
      requests: worst.requests, inputTokens: usage.inputTokens, outputTokens: usage.outputTokens, money: money)
    do throws(QuotaError) {
      try services.quotas.correct(batch.booking, to: actual)
      batch.isBooked = true
    } catch {}  // the ledger is away; the worst case is never too little
  }

  static func answer(_ file: StoredFile) -> BatchAnswer.File {
    BatchAnswer.File(
      id: FileName.input(file.id).description, bytes: file.bytes, created: file.created, isInput: true)
  }

  static func answer(_ batch: StoredBatch, faults: [ProviderBatch.Fault] = []) -> BatchAnswer.Batch {
    func name(_ file: RemoteFile?, _ name: FileName) -> String? {
      file.flatMap { $0.isDeleted ? nil : name.description }
    }
    return BatchAnswer.Batch(
      id: BatchName(batch.id).description, route: InferenceRoute(rawValue: batch.place.route) ?? .chat,
      created: batch.created, input: FileName.input(batch.file).description,
      output: name(batch.output, .output(batch.id)), errors: name(batch.errors, .errors(batch.id)), faults: faults,
      state: batch.state)
  }
}
