import NIOCore

/// What the routes of files and batches answer.
extension ConnectionHandler {
  func batches(
    _ context: ChannelHandlerContext, _ operation: BatchOperation, _ arrival: Arrival, _ headBytes: ByteBuffer
  ) {
    do throws(Refused) {
      if case .content(let id) = operation {
        return send(
          context, body: ByteBuffer(bytes: try journal.house.file(id).bytes), type: "application/octet-stream",
          number: arrival.number, keepsAlive: arrival.head.keepsAlive)
      }
      let body = try answer(operation, arrival, headBytes)
      send(context, body: body, number: arrival.number, keepsAlive: arrival.head.keepsAlive)
    } catch {
      refuse(context, error, .openAI, number: arrival.number, keepsAlive: arrival.head.keepsAlive)
    }
  }

  private func answer(
    _ operation: BatchOperation, _ arrival: Arrival, _ headBytes: ByteBuffer
  ) throws(Refused) -> ByteBuffer {
    let house = journal.house
    switch operation {
    case .upload: return Self.object(try upload(arrival))
    case .listFiles: return Self.list(house.files.map { Self.text(Self.object($0)) })
    case .file(let id): return Self.object(try house.file(id))
    case .content: return ByteBuffer()
    case .delete(let id):
      try house.delete(id)
      return ByteBuffer(string: "{\"id\":\"\(id)\",\"object\":\"file\",\"deleted\":true}")
    case .create: return Self.object(try house.create(try arrival.json()))
    case .listBatches: return Self.list(house.batches.map { Self.text(Self.object($0)) })
    case .batch(let id):
      var batch = try house.batch(id)
      try look(at: &batch, arrival, headBytes)
      house.save(batch)
      return Self.object(batch)
    case .cancel(let id):
      var batch = try house.batch(id)
      guard ["validating", "in_progress", "finalizing"].contains(batch.status) else {
        throw Refused(status: 409, message: "Cannot cancel the batch '\(id)': it is \(batch.status).")
      }
      batch.status = "cancelling"
      house.save(batch)
      return Self.object(batch)
    }
  }

  private func upload(_ arrival: Arrival) throws(Refused) -> BatchHouse.File {
    let bytes = Array(arrival.body.readableBytesView)
    let form: MultipartForm
    do { form = try bytes.withUnsafeBytes { try MultipartForm($0, type: arrival.fields["content-type"]) } } catch {
      throw error as? Refused ?? .invalid("The multipart body could not be parsed.")
    }
    guard let purpose = form["purpose"].map({ String(decoding: bytes[$0.content], as: UTF8.self) }) else {
      throw .invalid("Missing required parameter: 'purpose'.", param: "purpose")
    }
    guard ["batch", "assistants", "fine-tune", "user_data", "vision"].contains(purpose) else {
      throw .invalid("Invalid value for 'purpose'.", param: "purpose")
    }
    guard let file = form["file"], let name = file.fileName, name.hasSuffix(".jsonl") || purpose != "batch" else {
      throw .invalid("A file for batches ends in .jsonl.", param: "file")
    }
    return try journal.house.add(file: Array(bytes[file.content]), purpose: purpose)
  }

  /// A batch moves on when somebody looks: the script of its model says after how many looks it is over.
  private func look(
    at batch: inout BatchHouse.Batch, _ arrival: Arrival, _ headBytes: ByteBuffer
  ) throws(Refused) {
    guard batch.faults.isEmpty else {
      batch.status = "failed"
      return
    }
    if batch.status == "cancelling" {
      batch.status = "cancelled"
      return
    }
    guard ["validating", "in_progress"].contains(batch.status) else { return }
    let script = Script(model: batch.lines.first?.model ?? "")
    batch.looks += 1
    batch.status = "in_progress"
    guard batch.looks >= script.looks else { return }
    let journal = journal
    var run = BatchRun(arrival, headBytes)
    run.work(&batch, most: script.expires ? batch.lines.count / 2 : batch.lines.count) { journal.charge($0) }
    batch.status = script.expires ? "expired" : "completed"
    if script.reportsUsage, script.sumsUsage { batch.usage = run.usage }
    if !run.output.isEmpty { batch.output = try journal.house.add(file: run.output, purpose: "batch_output").id }
    if !run.errors.isEmpty { batch.errors = try journal.house.add(file: run.errors, purpose: "batch_output").id }
  }

  // MARK: Objects

  private static func text(_ buffer: ByteBuffer) -> String { String(buffer: buffer) }

  private static func list(_ objects: [String]) -> ByteBuffer {
    ByteBuffer(string: "{\"object\":\"list\",\"data\":[\(objects.joined(separator: ","))],\"has_more\":false}")
  }

  private static func object(_ file: BatchHouse.File) -> ByteBuffer {
    ByteBuffer(
      string: "{\"id\":\"\(file.id)\",\"object\":\"file\",\"bytes\":\(file.bytes.count),\"created_at\":"
        + "\(AnswerIdentity.created),\"expires_at\":null,\"filename\":\"batch.jsonl\",\"purpose\":\"\(file.purpose)\","
        + "\"status\":\"processed\",\"status_details\":null}")
  }

  private static func object(_ batch: BatchHouse.Batch) -> ByteBuffer {
    func quoted(_ id: String?) -> String { id.map { "\"\($0)\"" } ?? "null" }
    let time = AnswerIdentity.created
    let isOver = ["completed", "failed", "expired", "cancelled"].contains(batch.status)
    var text = "{\"id\":\"\(batch.id)\",\"object\":\"batch\",\"endpoint\":\"\(batch.endpoint)\",\"errors\":"
    if batch.faults.isEmpty {
      text += "null"
    } else {
      let faults = batch.faults.map {
        "{\"code\":\"invalid_line\",\"message\":\"\($0.message) (file \(batch.input))\",\"param\":null,\"line\":\($0.line)}"
      }
      text += "{\"object\":\"list\",\"data\":[\(faults.joined(separator: ","))]}"
    }
    text += ",\"input_file_id\":\"\(batch.input)\",\"completion_window\":\"24h\",\"status\":\"\(batch.status)\","
    text += "\"output_file_id\":\(quoted(batch.output)),\"error_file_id\":\(quoted(batch.errors)),"
    text += "\"created_at\":\(time),\"in_progress_at\":\(time + 1),\"expires_at\":\(time + 86_400),"
    text += "\"completed_at\":\(isOver ? "\(time + 2)" : "null"),\"request_counts\":{\"total\":\(batch.lines.count),"
    text += "\"completed\":\(batch.completed),\"failed\":\(batch.failed)},"
    if let usage = batch.usage {
      text += "\"usage\":{\"input_tokens\":\(usage.promptTokens),\"input_tokens_details\":{\"cached_tokens\":0},"
      text += "\"output_tokens\":\(usage.completionTokens),\"output_tokens_details\":{\"reasoning_tokens\":0},"
      text += "\"total_tokens\":\(usage.promptTokens + usage.completionTokens)},"
    }
    return ByteBuffer(string: text + "\"metadata\":null}")
  }
}
